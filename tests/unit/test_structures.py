"""Structures: every projection is the nearest, every verb agrees with the dense matrix."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.circulant import packed
from ernn.errors import Fault, ShapeError
from ernn.structures.circulant import Circulant
from ernn.structures.registry import KNOWN, structure_named
from ernn.structures.scaled import Scaled
from ernn.structures.structure import Factors, Structure

torch.set_num_threads(1)

SIZES = st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 2, 4, 8, 16]))
STRUCTURES = [Circulant, Scaled]


def draw(p: int, q: int, k: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(p * k, q * k, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("kind", STRUCTURES)
@settings(max_examples=20, deadline=None)
@given(SIZES)
def test_a_matrix_of_the_set_is_its_own_projection(kind, size):
    structure = kind(size[2])
    member = structure.nearest(draw(*size))
    assert torch.allclose(structure.nearest(member), member, atol=1e-9)
    assert structure.distance(member) < 1e-9 * torch.linalg.norm(member) + 1e-9


@pytest.mark.parametrize("kind", STRUCTURES)
@settings(max_examples=20, deadline=None)
@given(SIZES, st.integers(0, 2**31), st.floats(1e-3, 10))
def test_no_other_member_is_nearer(kind, size, seed, step):
    structure, matrix = kind(size[2]), draw(*size)
    factors = structure.project(matrix)
    generator = torch.Generator().manual_seed(seed)
    moved = {
        name: value + step * torch.randn(value.shape, generator=generator, dtype=value.dtype)
        for name, value in factors.items()
    }
    away = torch.linalg.norm(matrix - structure.expand(moved))
    assert structure.distance(matrix) <= away + 1e-9


@settings(max_examples=30, deadline=None)
@given(SIZES, st.integers(1, 20))
def test_alternating_least_squares_never_gets_nearer(size, rounds):
    """Generators and scales in turn never increase the distance, and end no nearer than here."""
    matrix, k = draw(*size), size[2]
    scale, before = torch.ones(matrix.shape[1], dtype=matrix.dtype), float("inf")
    for _ in range(rounds):
        blocks = Circulant(k)
        weights = blocks.project((scale**2).expand_as(matrix))["generators"]
        generators = blocks.project(matrix * scale)["generators"] / weights
        dense = blocks.expand({"generators": generators})
        scale = (matrix * dense).sum(0) / (dense**2).sum(0)
        distance = torch.linalg.norm(matrix - dense * scale).item()
        assert distance <= before + 1e-9
        before = distance
    assert Scaled(k).distance(matrix) <= before + 1e-9
    assert Scaled(k).distance(matrix) <= Circulant(k).distance(matrix) + 1e-9


def test_scales_are_normalised_and_mostly_positive():
    factors = Scaled(8).project(draw(3, 2, 8))
    scale = factors["scale"].view(2, 8)
    assert torch.allclose(scale.square().mean(1), torch.ones(2, dtype=scale.dtype))
    assert (scale.sum(1) >= 0).all()


def test_a_block_of_zeros_has_a_projection():
    factors = Scaled(4).project(torch.zeros(8, 8))
    assert not factors["generators"].any()
    assert factors["scale"].isfinite().all()


@pytest.mark.parametrize("kind", STRUCTURES)
@settings(max_examples=20, deadline=None)
@given(SIZES)
def test_matvec_is_the_dense_product(kind, size):
    structure = kind(size[2])
    factors = structure.project(draw(*size))
    vectors = draw(2, size[1], size[2], seed=1)
    dense = structure.expand(factors)
    assert torch.allclose(structure.matvec(factors, vectors), vectors @ dense.t(), atol=1e-9)


@pytest.mark.parametrize("kind", STRUCTURES)
@settings(max_examples=8, deadline=None)
@given(st.integers(1, 2), st.integers(1, 2), st.sampled_from([1, 2, 4, 8]))
def test_expand_has_the_right_gradient(kind, p, q, k):
    structure = kind(k)
    factors = structure.project(draw(p, q, k))
    names = list(factors)

    def expand(*values: torch.Tensor) -> torch.Tensor:
        return structure.expand(dict(zip(names, values, strict=True)))

    values = [factors[name].clone().requires_grad_() for name in names]
    assert torch.autograd.gradcheck(expand, values)


class Pruned(Structure):
    """The matrices with at most 3 entries that are not 0: not a linear subspace."""

    name, axes = "pruned", {"weight": "pqk"}

    def project(self, matrix: torch.Tensor) -> Factors:
        least = matrix.abs().flatten().topk(3).values[-1]
        return {"weight": (matrix * (matrix.abs() >= least))[..., None]}

    def generators(self, factors: Factors) -> torch.Tensor:
        return factors["weight"]

    def expand(self, factors: Factors) -> torch.Tensor:
        return factors["weight"][..., 0]


def test_another_structure_needs_only_three_verbs():
    matrix, structure = draw(1, 1, 4), Pruned(1)
    factors = structure.project(matrix)
    dense = factors["weight"][..., 0]
    assert int((dense != 0).sum()) == 3
    assert 0 < structure.distance(matrix) < torch.linalg.norm(matrix)
    assert torch.equal(structure.matvec(factors, matrix), matrix @ dense.t())


@pytest.mark.parametrize("kind", STRUCTURES)
@settings(max_examples=20, deadline=None)
@given(SIZES)
def test_numpy_gives_what_torch_gives(kind, size):
    structure, matrix = kind(size[2]), draw(*size)
    tensors, arrays = structure.project(matrix), structure.project(matrix.numpy())
    for name, value in tensors.items():
        assert torch.allclose(torch.from_numpy(arrays[name]), value, atol=1e-9), name
    dense = torch.from_numpy(structure.expand(arrays))
    assert torch.allclose(dense, structure.expand(tensors), atol=1e-9)
    assert structure.distance(matrix.numpy()) == pytest.approx(float(structure.distance(matrix)))
    spectra = packed(structure.generators(tensors))
    assert torch.allclose(spectra, torch.from_numpy(packed(structure.generators(arrays))))


@pytest.mark.parametrize("kind", STRUCTURES)
@given(SIZES)
def test_parts_of_a_matrix(kind, size):
    """Cut and turned by factors, as the dense matrix is; sizes are those of the factors."""
    (p, q, k), structure = size, kind(size[2])
    factors = structure.project(draw(*size).numpy())
    assert structure.sizes(factors) == {"p": p, "q": q, "k": k, "c": q * k}
    dense = structure.expand(factors)
    part = structure.cut(factors, slice(1), slice(max(1, q - 1)))
    assert (structure.expand(part) == dense[:k, : max(1, q - 1) * k]).all()
    turned = structure.expand(structure.turned(factors, slice(1)))
    assert (turned[:k] == -dense[:k]).all() and (turned[k:] == dense[k:]).all()


def test_blocks_of_one_value_are_dense():
    assert {structure_named(name, 1).name for name in KNOWN} == {"dense"}
    assert structure_named("scaled", 4) == Scaled(4)


def test_a_structure_that_is_not_known():
    with pytest.raises(ShapeError) as told:
        structure_named("tiles", 4)
    remedy = "choose one of circulant, dense, scaled"
    assert told.value.fault == Fault("structure 'tiles' is not known", remedy=remedy)


@pytest.mark.parametrize(
    ("factors", "what", "allowed"),
    [
        ({"generators": (2, 3, 4)}, "a scaled matrix", "generators, scale"),
        ({"generators": (2, 3), "scale": (12,)}, "generators of shape (2, 3)", "(p, q, k)"),
        ({"generators": (2, 3, 2), "scale": (12,)}, "generators has shape (2, 3, 2)", "k = 4"),
        ({"generators": (2, 3, 4), "scale": (8,)}, "8 columns", "12"),
    ],
)
def test_factors_that_do_not_go_together(factors, what, allowed):
    with pytest.raises(ShapeError) as told:
        Scaled(4).sizes({name: np.zeros(shape) for name, shape in factors.items()})
    assert (told.value.fault.what, told.value.fault.allowed) == (what, allowed)
