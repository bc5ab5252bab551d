"""Tiles in hardware: what is dropped is neither stored nor visited, and not a bit differs."""

from dataclasses import replace

import numpy as np
import pytest
from accelerators import Accelerator
from models import random_frames
from trainings import COMPRESSION, DATA, LABELS, TRAINING, F

from ernn.compressed import CompressedModel
from ernn.hdl.project import write_project
from ernn.hw.build import Target, build_plan
from ernn.hw.cycles import rate
from ernn.hw.layout import Sizes
from ernn.quant.quantize import quantize
from ernn.random_model import random_model
from ernn.recipe import ModelRecipe, QuantizationRecipe
from ernn.structures.tiles import Tiling
from ernn.train.acoustic import AcousticModel
from ernn.train.fit import Run
from ernn.train.loop import compress

RECIPE = {
    "cell": "gru",
    "layers": [{"hidden": 32, "block": 4, "keep_candidate": 0.25}],
    "keep": 0.5,
    "tile": [4, 1],
    "output_block": 4,
    "pad": 8,  # one more block column of inputs, which is cut off again
}


def quantized(floats):
    frames = random_frames(np.random.default_rng(1), floats.features, 4, 24)
    return quantize(floats, QuantizationRecipe(), list(frames))


def whole(integer):
    """Return the same integers, visited where there is nothing too."""
    products = tuple(
        replace(p, segments=tuple(replace(s, present=None) for s in p.segments))
        for p in integer.products
    )
    return replace(integer, products=products)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the model of a recipe with tiles, from its file."""
    model = AcousticModel(ModelRecipe.from_dict(RECIPE), F, LABELS)
    history = compress(model, COMPRESSION, TRAINING, DATA, Run(tmp_path_factory.mktemp("run")))
    gaps = [found["gap"] for found in history if "gap" in found]
    assert gaps[-1] < gaps[0] / 2
    path = tmp_path_factory.mktemp("tiles") / "compressed.safetensors"
    model.export().save(path)
    return CompressedModel.load(path)


def test_training_keeps_the_share_that_was_asked_for(trained):
    for name, share in (("input", 0.5), ("recurrent", 0.5), ("candidate", 0.25)):
        matrix = trained.layers[0].matrices[name]
        assert matrix.present.mean() == share, name
        blocks = matrix.dense().reshape(matrix.rows // 4, 4, -1, 4).any(axis=(1, 3))
        assert (blocks == matrix.present).all(), name


@pytest.mark.needs("verilator")
def test_a_trained_model_is_bit_exact_with_fewer_cycles(trained, folder):
    integer = quantized(trained)
    sizes, target = Sizes(4, 1, 1, 1), Target("tiles", "xc7a35t", 200.0, 4)
    plan, every = (build_plan(one, sizes, target) for one in (integer, whole(integer)))
    assert plan.steps < 0.6 * every.steps
    assert rate(plan).cycles_per_frame < 0.8 * rate(every).cycles_per_frame
    write_project(plan, integer, folder / "project")
    Accelerator(plan, integer, folder).run((3, 2), (4,), (1, 2), (2,))


@pytest.mark.needs("verilator")
@pytest.mark.parametrize(
    ("cell", "blocks", "tiling", "sizes"),
    [
        ("lstm", 4, Tiling(0.5, 4, 1), Sizes(4, 1, 1, 1)),
        ("gru_after", 2, Tiling(0.25, 2, 2, banks=2), Sizes(2, 2, 1, 1)),
        ("gru_before", {"input": 2, "recurrent": 4}, Tiling(0.3, 3, 1), Sizes(3, 2, 1, 1)),
        ("mgu", 1, Tiling(0.5, 0, 1), Sizes(4, 2, 1, 1)),
    ],
)
def test_random_models_are_bit_exact(cell, blocks, tiling, sizes, folder):
    rng = np.random.default_rng(5)
    model = random_model(rng, cell, 16, blocks=blocks, tiling=tiling)
    integer = quantized(model)
    target = Target("tiles", "xc7a35t", 200.0, 2)
    plan = build_plan(integer, sizes, target)
    assert plan.steps < build_plan(whole(integer), sizes, target).steps
    write_project(plan, integer, folder / "project")
    Accelerator(plan, integer, folder).run((3, 2), (4,))


@pytest.mark.needs("verilator")
@pytest.mark.parametrize(
    ("cell", "levels", "tiling"),
    [("gru_before", "ternary", Tiling(0.5, 4, 1)), ("lstm", "powers", None)],
)
def test_levels_are_bit_exact(cell, levels, tiling, folder):
    rng = np.random.default_rng(6)
    integer = quantized(random_model(rng, cell, 8, blocks=1, tiling=tiling, levels=levels))
    plan = build_plan(integer, Sizes(4, 2, 1, 1), Target("levels", "xc7a35t", 200.0, 2))
    write_project(plan, integer, folder / "project")
    Accelerator(plan, integer, folder).run((3, 2), (4,))
