"""Plan the hardware."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ernn.files import write_text
from ernn.flow.planning import describe, front_file
from ernn.flow.results import write_json
from ernn.flow.run_folder import COST, FRONT, PLAN, SUMMARY
from ernn.flow.work import Work
from ernn.folders import make_folder
from ernn.hw.explore import explore
from ernn.hw.weight_code import levels_save_nothing
from ernn.quant.fill import FILLED
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import HardwareRecipe


def run(work: Work) -> None:
    """Plan the hardware of the integer model."""
    model = IntegerModel.load(work.run.integer_model)
    _plan(model, work.recipe.hardware, work.recipe.name, work.folder)


def plan_file(
    path: Path, hardware: dict[str, Any], out: Path | None, say: Callable[[str], None]
) -> None:
    """Plan the hardware of an integer model's file, with these keys of the hardware section."""
    folder = out or path.parent
    make_folder(folder)
    asked = HardwareRecipe.from_dict(hardware, "options")
    _plan(IntegerModel.load(path), asked, path.stem, folder)
    say((folder / SUMMARY).read_text(encoding="utf-8").rstrip())


def _plan(model: IntegerModel, hardware: HardwareRecipe, name: str, folder: Path) -> None:
    """Plan the hardware of a model; leave its files and summary.txt behind."""
    exploration = explore(model, hardware, name)
    exploration.chosen.plan.save(folder / PLAN)
    write_json(folder / COST, asdict(exploration.chosen.used))
    write_json(folder / FRONT, front_file(exploration))
    filled_up = model.meta.get(FILLED, "")
    lines = [filled_up, *describe(exploration), levels_save_nothing(model.products)]
    write_text(folder / SUMMARY, "\n".join(filter(None, lines)) + "\n")
