"""A run's folder with what the commands behind `ernn generate` read of it, without training."""

from pathlib import Path

import numpy as np
from models import random_integer_model

from ernn.hdl.project import write_project
from ernn.hw.build import Target, build_plan
from ernn.hw.layout import Sizes
from ernn.quant.integer_model import IntegerModel

KINDS = {"cell": "lstm", "projection": 8, "layers": 2}


def small_model(**kinds) -> IntegerModel:
    """Return a random model, always the same of the same kinds."""
    return random_integer_model(np.random.default_rng(7), **(KINDS | kinds))


def write_run(folder: Path, model: IntegerModel | None = None, part: str = "XC7Z020") -> Path:
    """Write the project and the integer model of a run."""
    model = model or small_model()
    plan = build_plan(model, Sizes(4, 2, 2, 2), Target("tiny LSTM", part, 200.0, 2))
    write_project(plan, model, folder / "generate")
    (folder / "quantize").mkdir()
    model.save(folder / "quantize" / "integer.safetensors")
    return folder
