"""Magnitude: the largest weights of every PE's rows, exactly; refused by the array."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ernn.compressed import CompressedModel, StructuredMatrix
from ernn.errors import PlanError, RecipeError
from ernn.flow.chain import bring
from ernn.hw.explore import explore
from ernn.quant.quantize import quantize
from ernn.random_model import random_model
from ernn.recipe import HardwareRecipe, ModelRecipe, QuantizationRecipe, Recipe
from ernn.structures.magnitude import Balance, Magnitude
from ernn.structures.registry import axes_of, structure_named
from tests.models import random_frames

torch.set_num_threads(1)


@given(
    st.integers(1, 9),
    st.integers(1, 6),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from([0.05, 0.112, 0.5, 1.0]),
    st.booleans(),
    st.integers(0, 999),
)
def test_every_pe_of_every_gate_keeps_its_largest(rows, cols, pes, gates, keep, ties, seed):
    rng = np.random.default_rng(seed)
    shape = gates * rows, cols
    matrix = rng.integers(-1, 2, shape) * 1.0 if ties else rng.normal(size=shape)
    kept = Balance(keep, pes, gates).choose(matrix**2)
    for gate in range(gates):
        for pe in range(min(pes, rows)):
            own = slice(gate * rows + pe, (gate + 1) * rows, pes)
            energy, mask = (matrix[own] ** 2).ravel(), kept[own].ravel()
            number = max(1, int(keep * energy.size + 0.5))
            assert mask.sum() == number
            assert (energy * mask).sum() == pytest.approx(np.sort(energy)[-number:].sum())


def test_equal_weights_are_kept_from_the_front_and_padding_never():
    kept = Balance(0.5, 2, used=4).choose(np.ones((4, 6)))
    assert kept.tolist() == [[1, 1, 1, 1, 0, 0]] * 2 + [[0] * 6] * 2


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_it_is_a_structure_like_any_other(library):
    structure = Magnitude(1, structure_named("dense", 1), Balance(0.25, 4))
    matrix = np.random.default_rng(0).normal(size=(16, 8))
    given_ = torch.from_numpy(matrix) if library == "torch" else matrix
    near = np.asarray(structure.nearest(given_))
    assert np.count_nonzero(near) == 32 and (near[near != 0] == matrix[near != 0]).all()
    assert (np.asarray(structure.nearest(structure.nearest(given_))) == near).all()
    assert structure.name == "dense+magnitude"
    assert axes_of(structure.name) == {"generators": "pqk", "present": "pq"}
    assert structure.at(0.5).tiling.keep == pytest.approx(0.25 + 0.75 / 8)


LSTM = {"cell": "lstm", "structure": "magnitude", "keep": 0.112, "tile_banks": 32}


def test_what_a_recipe_says_of_it():
    recipe = ModelRecipe.from_dict({**LSTM, "layers": [{"hidden": 8, "block": 1}]}, "m")
    structure = recipe.structure_of(recipe.layers[0], "input", 5)
    assert isinstance(structure, Magnitude)
    assert structure.tiling == Balance(0.112, 32, 4, 5)
    assert recipe.structure_of().name == "dense"
    assert ModelRecipe.from_dict(recipe.model_dump(exclude_none=True), "m") == recipe
    for wrong, words in (
        ({"layers": [{"hidden": 8}]}, 'block = 8: structure = "magnitude" chooses single'),
        ({"tile": [2, 1]}, "tile = [2, 1]: it says nothing where structure"),
        ({"tile_balanced": True}, "tile_balanced = True: it says nothing"),
    ):
        data = {**LSTM, "layers": [{"hidden": 8, "block": 1}], **wrong}
        with pytest.raises(RecipeError) as told:
            ModelRecipe.from_dict(data, "m")
        assert words in str(told.value) and str(told.value).count("\n") == 0


def test_it_starts_from_the_dense_model_of_every_other_structure():
    layers = [{"hidden": 8, "block": 1}]
    sparse = ModelRecipe.from_dict({**LSTM, "layers": layers, "pad": 8}, "m")
    circulant = ModelRecipe.from_dict({"cell": "lstm", "layers": [{"hidden": 8}]}, "m")
    assert sparse.dense() == circulant.dense()


def sparse_model() -> CompressedModel:
    """An LSTM of which a quarter of the weights is kept."""
    model = random_model(np.random.default_rng(0), "lstm", 16, blocks=1, features=5, labels=3)
    structure = Magnitude(1, structure_named("dense", 1), Balance(0.25, 4, 4))
    for layer in model.layers:
        for name, matrix in layer.matrices.items():
            factors = structure.project(matrix.dense())
            layer.matrices[name] = StructuredMatrix(structure.name, factors)
    return model


def test_files_carry_it_and_the_array_refuses_it(tmp_path):
    sparse_model().save(tmp_path / "m.safetensors")
    model = CompressedModel.load(tmp_path / "m.safetensors")
    one = model.matrices()["layer0.input"]
    assert one.structure == "dense+magnitude" and one.parameters == 64 * 5 // 4
    integer = quantize(
        model, QuantizationRecipe(), list(random_frames(np.random.default_rng(1), 5, 2, 9))
    )
    with pytest.raises(PlanError, match=r"layer0.input: weights chosen one by one.*drop tiles"):
        explore(integer, HardwareRecipe(part="XC7A35T"), "m")


def test_a_run_that_would_need_an_array_is_refused_before_it_trains(tmp_path):
    model = {**LSTM, "layers": [{"hidden": 8, "block": 1}]}
    recipe = Recipe.from_dict({"name": "m", "model": model, "hardware": {"part": "XC7A35T"}})
    with pytest.raises(RecipeError, match=r"structure = \"magnitude\": weights.*drop tiles"):
        bring("report", recipe, tmp_path / "out")
    assert not (tmp_path / "out").exists()
