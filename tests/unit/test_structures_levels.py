"""Levels: the nearest weights of few values, exact in the integer model, alone and in tiles."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.compressed import CompressedModel
from ernn.errors import RecipeError, ShapeError
from ernn.quant.quantize import quantize
from ernn.recipe import ModelRecipe, QuantizationRecipe
from ernn.structures.level_sets import LEVELS
from ernn.structures.levels import Levels
from ernn.structures.registry import structure_named
from ernn.structures.tiles import Tiled, Tiling
from ernn.train.acoustic import AcousticModel
from ernn.train.fit import Run
from ernn.train.loop import compress
from tests.models import random_frames
from tests.trainings import COMPRESSION, DATA, LABELS, TRAINING, F

torch.set_num_threads(1)

KINDS = st.sampled_from(list(LEVELS))


def dense(kind):
    return structure_named(f"dense+{kind}", 1)


def draw(rows, cols, seed):
    return np.random.default_rng(seed).normal(size=(rows, cols))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["binary", "ternary", "2bit"]), st.integers(1, 5), st.integers(0, 1000))
def test_hardly_any_choice_of_levels_is_nearer(kind, rows, seed):
    """The alternation of several starts finds the best of all choices, or nearly."""
    column = draw(rows, 1, seed)
    choices = np.array(list(product(LEVELS[kind], repeat=rows)))
    size = (choices**2).sum(1)
    taken = np.divide((choices @ column[:, 0]) ** 2, size, out=np.zeros(len(size)), where=size > 0)
    least = (column**2).sum() - taken.max()
    assert least - 1e-9 <= dense(kind).distance(column) ** 2 <= 1.05 * least + 1e-9


@settings(max_examples=40, deadline=None)
@given(KINDS, st.integers(1, 6), st.integers(1, 4), st.integers(0, 1000))
def test_scale_and_levels_are_each_the_best_for_the_other(kind, rows, cols, seed):
    matrix, structure = draw(rows, cols, seed), dense(kind)
    factors = structure.project(matrix)
    levels, scale = structure.generators(factors)[..., 0], factors["scale"]
    for other in LEVELS[kind]:
        near = np.abs(matrix - levels * scale)
        assert (near <= np.abs(matrix - other * scale) + 1e-9).all()
    best = (matrix * levels).sum(0) / np.maximum((levels**2).sum(0), 1e-12)
    assert np.allclose(levels * scale, levels * best)


@pytest.mark.parametrize("kind", list(LEVELS))
def test_a_matrix_of_levels_is_its_own_projection(kind):
    levels = np.random.default_rng(0).choice(LEVELS[kind], (20, 3))
    matrix = levels * [0.3, 1.7, 0.02]
    assert np.allclose(dense(kind).nearest(matrix), matrix)
    assert not dense(kind).nearest(np.zeros((3, 2))).any()


@pytest.mark.parametrize("kind", list(LEVELS))
def test_numpy_and_torch_agree_and_files_hold_levels(kind):
    matrix = draw(12, 6, 1)
    structure = Levels(1, Tiled(1, structure_named("dense", 1), Tiling(0.5, 2, 1)), kind)
    factors, tensors = structure.project(matrix), structure.project(torch.from_numpy(matrix))
    assert factors.keys() == tensors.keys() == structure.axes.keys()
    for name, value in factors.items():
        assert np.allclose(value, tensors[name].numpy()), name
    settled = structure.settled(factors)
    assert set(np.unique(settled["generators"])) <= {*LEVELS[kind], 0.0}
    assert (structure.expand(settled) == structure.expand(factors)).all()
    assert factors["present"].mean() == 0.5


def test_gradients_pass_the_rounding_but_not_the_ends():
    structure = dense("ternary")
    values = torch.tensor([[[-3.0]], [[0.2]], [[0.9]]], requires_grad=True)
    structure.generators({"generators": values}).sum().backward()
    assert values.grad.flatten().tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("kind", "keep"), [("binary", 1.0), ("ternary", 0.5), ("powers", 1.0), ("4bit", 0.5)]
)
def test_a_trained_model_keeps_its_levels_in_the_integer_model(kind, keep, tmp_path):
    layer = {"hidden": 16, "block": 1, "keep": keep, "tile": [4, 1]}
    recipe = ModelRecipe.from_dict({"cell": "gru", "layers": [layer], "levels": kind})
    model = AcousticModel(recipe, F, LABELS)
    history = compress(model, COMPRESSION, TRAINING, DATA, Run(tmp_path))
    gaps = [found["gap"] for found in history if "gap" in found]
    assert gaps[-1] < gaps[0] / 2
    model.export().save(tmp_path / "model.safetensors")
    floats = CompressedModel.load(tmp_path / "model.safetensors")
    frames = random_frames(np.random.default_rng(1), F, 4, 24)
    integer = quantize(floats, QuantizationRecipe(), list(frames))
    for product_ in integer.products[:-1]:
        for segment in product_.segments:
            exact = product_.weight.to_float(segment.spectra)
            assert set(np.unique(exact)) <= {*LEVELS[kind], 0.0}
            assert segment.scale is not None


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"levels": "trinary"}, "levels = 'trinary': choose one of binary, ternary"),
        ({"levels": "ternary"}, "ternary levels in blocks of 4 .allowed: blocks of 1.; set block"),
        ({"output_levels": "trinary"}, "output_levels = 'trinary': choose one of binary"),
        (
            {"output_levels": "4bit", "output_block": 4},
            "output_levels = 4bit: levels are of blocks of 1, and output_block = 4; set",
        ),
        (
            {"output_levels": "4bit", "output_layer": False},
            "output_levels = 4bit: there is no output layer; remove it",
        ),
    ],
)
def test_recipes_that_ask_for_what_is_not(keys, told):
    given_ = {"cell": "gru", "layers": [{"hidden": 32, "block": 4}], **keys}
    with pytest.raises(RecipeError, match=told):
        ModelRecipe.from_dict(given_)


def test_blocks_of_a_file_are_checked():
    with pytest.raises(ShapeError, match="'quaternary' is not known; choose one of"):
        structure_named("dense+quaternary", 1)
