"""Tiles: the nearest matrix of all choices, exact shares, masks that files and recipes carry."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.cells import CELLS
from ernn.compressed import CompressedModel, StructuredMatrix
from ernn.errors import ModelFileError, RecipeError, ShapeError
from ernn.hw.steps import by_rows
from ernn.random_model import random_model
from ernn.recipe import ModelRecipe
from ernn.structures.registry import axes_of, structure_named
from ernn.structures.tiles import Tiled, Tiling, count

torch.set_num_threads(1)

SHARES = st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9])


def draw(rows, cols, seed=0, ties=False):
    """Return a random matrix; with ties, of few values."""
    rng = np.random.default_rng(seed)
    return (
        rng.integers(-1, 2, (rows, cols)).astype(float) if ties else rng.normal(size=(rows, cols))
    )


def energies(matrix, structure, tiling):
    """Return what each tile takes away, by a loop over its blocks: (rows, columns)."""
    generators = structure.generators(structure.project(matrix))
    down, across = tiling.row_tiles(len(generators)), tiling.column_tiles(generators.shape[1])
    found = np.zeros((down.max() + 1, across.max() + 1))
    for i, j in np.ndindex(generators.shape[:2]):
        found[down[i], across[j]] += structure.block * (generators[i, j] ** 2).sum()
    return found


def best(tiles, tiling):
    """Return the most that any choice of tiles takes away, by trying all."""
    if tiling.columns and not tiling.balanced:
        return best_of_banks(tiles, tiling)
    lines = tiles if tiling.balanced and tiling.columns else tiles.reshape(1, -1)
    number = count(tiling.keep, lines.shape[1])
    return sum(
        max(
            sum(line[list(some)])
            for some in combinations(range(len(line)), number)
            if lines is not tiles or fair(some, number, tiling.banks)
        )
        for line in lines
    )


def best_of_banks(tiles, tiling):
    """Return the same where every bank keeps as many of a row, and rows as many as they like."""
    banks = tiling.banks
    depth = -(-tiles.shape[1] // banks)
    number = count(tiling.keep, len(tiles) * depth)
    taken = [
        [
            sum(sum(sorted(row[bank::banks])[::-1][:n]) for bank in range(banks))
            for n in range(depth + 1)
        ]
        for row in tiles
    ]
    every = product(range(depth + 1), repeat=len(tiles))
    return max(
        sum(row[n] for row, n in zip(taken, numbers, strict=True))
        for numbers in every
        if sum(numbers) == number
    )


def fair(columns, number, banks):
    most = -(-number // banks)
    return max(np.bincount(np.array(columns) % banks)) <= most


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["dense", "circulant"]),
    st.sampled_from([1, 2, 4]),
    SHARES,
    st.sampled_from([(1, 1), (2, 1), (3, 2), (0, 1), (2, 0), (1, 3)]),
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
    st.integers(0, 1000),
)
def test_no_choice_of_tiles_is_nearer(name, k, keep, tile, banks, balanced, ties, seed):
    k = 1 if name == "dense" else k
    tiling = Tiling(keep, *tile, banks, balanced, gates=(2, 1))
    inner = structure_named(name, k)
    matrix = draw(3 * 2 * k, 4 * k, seed, ties)
    structure = Tiled(inner.block, inner, tiling)
    factors = structure.project(matrix)
    near = structure.expand(factors)
    taken = (matrix**2).sum() - ((matrix - near) ** 2).sum()
    assert taken == pytest.approx(best(energies(matrix, inner, tiling), tiling), abs=1e-9)
    assert np.allclose(structure.nearest(near), near, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([2, 4]), SHARES, st.integers(0, 1000))
def test_with_scales_choosing_again_never_gets_farther(k, keep, seed):
    matrix, inner = draw(4 * k, 5 * k, seed), structure_named("scaled", k)
    structure = Tiled(k, inner, Tiling(keep, 2, 1, balanced=True))
    distance = structure.distance(matrix)
    first = structure.tiling.choose((inner.project(matrix)["generators"] ** 2).sum(-1))
    once = matrix * np.kron(first, np.ones((k, k)))
    assert distance <= np.linalg.norm(matrix - inner.nearest(once)) + 1e-9
    choices = [list(combinations(range(5), count(keep, 5)))] * 2
    every = []
    for chosen in product(*choices):
        mask = np.zeros((4, 5))
        for row, columns in enumerate(chosen):
            mask[2 * row : 2 * row + 2, list(columns)] = 1
        kept = np.kron(mask, np.ones((k, k)))
        every.append(np.linalg.norm(matrix - kept * inner.nearest(matrix * kept)))
    assert min(every) - 1e-9 <= distance <= 1.1 * min(every) + 1e-9


@settings(max_examples=40, deadline=None)
@given(SHARES, st.integers(1, 5), st.integers(1, 40), st.integers(0, 1000), st.booleans())
def test_the_share_is_exact_whatever_ties(keep, banks, columns, seed, zeros):
    energy = np.random.default_rng(seed).integers(0, 2, (6, columns)) * (not zeros)
    kept = Tiling(keep, 2, 1, banks, balanced=True).choose(energy)
    number = count(keep, columns)
    assert set(kept.sum(1)) == {number}
    each = [kept[:, bank::banks].sum(1) for bank in range(min(banks, columns))]
    assert np.max(each) <= -(-number // banks)
    assert (kept == Tiling(keep, 2, 1, banks, balanced=True).choose(energy)).all()


@settings(max_examples=40, deadline=None)
@given(SHARES, st.integers(1, 4), st.integers(1, 4), st.integers(0, 1000), st.booleans())
def test_banks_keep_as_many_of_a_row_of_tiles(keep, banks, groups, seed, zeros):
    energy = np.random.default_rng(seed).integers(0, 2, (6, banks * groups)) * (not zeros)
    kept = Tiling(keep, 2, 1, banks).choose(energy)
    assert kept[::2].sum() == count(keep, 3 * groups) * banks
    each = np.array([kept[:, bank::banks].sum(1) for bank in range(banks)])
    assert (each == each[0]).all()


def test_equal_tiles_are_kept_from_the_front():
    kept = Tiling(0.5, 1, 1, balanced=True).choose(np.ones((2, 4)))
    assert kept.tolist() == [[1, 1, 0, 0]] * 2


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize(("k", "word", "rows"), [(2, 2, 3), (2, 4, 4), (4, 4, 5)])
def test_a_tile_of_as_many_rows_as_a_pass_is_part_of_one_pass(cell, k, word, rows):
    """What a pass visits, it visits with all its rows."""
    blocks = {"input": k, "recurrent": k, "candidate": k, "projection": k, "output": word}
    tiling = Tiling(0.5, rows * word // k, word // k)
    model = random_model(np.random.default_rng(0), cell, 24, blocks=blocks, tiling=tiling)
    kind, options = model.layers[0].kind, model.layers[0].options
    for name, matrix in model.layers[0].matrices.items():
        start = 0
        for gates in kind.gates_by_product(options, name):
            words = matrix.rows // k // len(kind.matrices[name].gates)
            own = matrix.present[start : start + gates * words]
            start += gates * words
            found, real = (
                by_rows(one[..., None], gates, word // k, rows)
                .reshape(-(-words * gates // (rows * word // k)), -1, word // k, rows * word // k)
                .sum(axis=(2, 3))
                for one in (own, np.ones_like(own))
            )  # of a pass and a word
            used = found > 0
            assert (found == used * real).all()
            assert 0 < used.mean() < 1


def test_numpy_and_torch_agree():
    matrix = draw(24, 16)
    structure = Tiled(4, structure_named("scaled", 4), Tiling(0.5, 2, 1))
    factors, tensors = structure.project(matrix), structure.project(torch.from_numpy(matrix))
    assert factors.keys() == tensors.keys() == axes_of("scaled+tiles").keys()
    for name, value in factors.items():
        assert np.allclose(value, tensors[name].numpy()), name
    x = draw(3, 16)
    assert np.allclose(structure.matvec(factors, x), x @ structure.expand(factors).T)


def test_a_dropped_column_has_a_scale_of_one():
    factors = Tiled(4, structure_named("scaled", 4), Tiling(0.5, 0, 1)).project(draw(16, 16))
    dropped = np.repeat(~factors["present"].any(0), 4)
    assert dropped.sum() == 8
    assert (factors["scale"][dropped] == 1).all()


def test_padding_is_not_kept():
    kept = Tiling(0.5, 2, 1, balanced=True, used=4).choose(np.ones((4, 7)))
    assert kept.tolist() == [[1, 1, 0, 0, 0, 0, 0]] * 4


def test_less_is_dropped_on_the_way():
    structure = Tiled(1, structure_named("dense", 1), Tiling(0.25, 1, 1))
    kept = [structure.at(way).project(draw(4, 64))["present"].mean() for way in (0, 0.3, 0.6, 1)]
    assert kept[0] == 1
    assert kept[-1] == 0.25
    assert kept == sorted(kept, reverse=True)


def small(**changes):
    return random_model(
        np.random.default_rng(2), "gru_before", 16, tiling=Tiling(0.5, 2, 1), **changes
    )


def test_files_keep_the_mask(tmp_path):
    model = small()
    model.save(tmp_path / "model.safetensors")
    read = CompressedModel.load(tmp_path / "model.safetensors")
    for name, matrix in model.matrices().items():
        assert read.matrices()[name].structure == matrix.structure
        assert (read.matrices()[name].dense() == matrix.dense()).all()
    kept = read.matrices()["layer0.recurrent"]
    assert kept.structure == "scaled+tiles"
    assert kept.parameters == kept.generators.size // 2 + kept.cols


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda mask: mask[:-1], r"layer0.input: present has shape \(\d+, \d+\) \(allowed: p ="),
        (lambda mask: mask * 2, "layer0.input: present holds other values"),
    ],
)
def test_a_mask_that_does_not_belong_is_refused(tmp_path, change, told):
    model = small()
    tensors = model.tensors()
    tensors["layer0.input.present"] = change(tensors["layer0.input.present"])
    with pytest.raises(ShapeError, match=told):
        model.with_tensors(tensors)


def test_a_file_of_a_structure_that_is_not_known_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    small().save(path)
    path.write_bytes(path.read_bytes().replace(b"scaled+tiles", b"scaled+tales"))
    told = "'tales' is not known; choose one of"
    with pytest.raises(ModelFileError, match=told):
        CompressedModel.load(path)


def test_cutting_and_turning_keep_the_mask_in_step():
    matrix = small().matrices()["layer0.input"]
    assert (matrix.turned(4).present == matrix.present).all()
    part = matrix.cut(rows=4, cols=4)
    assert isinstance(part, StructuredMatrix)
    assert (part.present == matrix.present[:1, :1]).all()


@pytest.mark.parametrize(
    ("keys", "layer", "told"),
    [
        ({"keep": 0}, {}, "keep = 0: input should be greater than 0"),
        ({"keep": 1.5}, {}, "keep = 1.5: input should be less than or equal to 1"),
        ({"tile": [1]}, {}, "tile"),
        ({"tile": [-1, 1]}, {}, "greater than or equal to 0"),
        ({}, {"keep_projection": 0.5}, "keep_projection = 0.5: the layer has no such matrix"),
        (
            {"keep": 0.5, "tile": [20, 1]},
            {},
            r"tiles of 20 block rows are larger than the matrix \(allowed: at most 16\); choose",
        ),
        ({"keep": 0.5, "tile": [4, 9]}, {}, "tiles of 9 block columns are larger than the matrix"),
    ],
)
def test_recipes_that_ask_for_what_is_not(keys, layer, told):
    given = {"cell": "gru", "layers": [{"hidden": 32, "block": 4, **layer}], **keys}
    with pytest.raises(RecipeError, match=told):
        ModelRecipe.from_dict(given)


def test_each_matrix_may_keep_its_own_share():
    layer = {"hidden": 32, "block": 4, "keep": 0.5, "keep_candidate": 1.0, "tile": [2, 1]}
    model = ModelRecipe.from_dict({"cell": "gru", "layers": [layer]})
    own = {name: model.structure_of(model.layers[0], name) for name in ("input", "candidate")}
    assert own["input"].tiling.keep == 0.5
    assert own["input"].tiling.gates == (2, 1)
    assert own["candidate"] == structure_named("scaled", 4)
    assert model.structure_of() == structure_named("dense", 1)
    plain = ModelRecipe.from_dict({"cell": "gru", "layers": [{"hidden": 32, "block": 4}]})
    assert model.dense() == plain.dense()
    assert replace(own["input"].tiling, keep=1.0).choose(np.ones((24, 2))).all()
