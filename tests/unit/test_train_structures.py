"""Structures: every projection is the nearest, every verb agrees with the dense matrix."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.train.structures import BlockCirculant, Factors, ScaledCirculant, Structure

torch.set_num_threads(1)

SIZES = st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 2, 4, 8, 16]))
STRUCTURES = [BlockCirculant, ScaledCirculant]


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
        blocks = BlockCirculant(k)
        weights = blocks.project((scale**2).expand_as(matrix))["generators"]
        generators = blocks.project(matrix * scale)["generators"] / weights
        dense = blocks.expand({"generators": generators})
        scale = (matrix * dense).sum(0) / (dense**2).sum(0)
        distance = torch.linalg.norm(matrix - dense * scale).item()
        assert distance <= before + 1e-9
        before = distance
    assert ScaledCirculant(k).distance(matrix) <= before + 1e-9
    assert ScaledCirculant(k).distance(matrix) <= BlockCirculant(k).distance(matrix) + 1e-9


def test_scales_are_normalised_and_mostly_positive():
    factors = ScaledCirculant(8).project(draw(3, 2, 8))
    scale = factors["scale"].view(2, 8)
    assert torch.allclose(scale.square().mean(1), torch.ones(2, dtype=scale.dtype))
    assert (scale.sum(1) >= 0).all()


def test_a_block_of_zeros_has_a_projection():
    factors = ScaledCirculant(4).project(torch.zeros(8, 8))
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
    """The matrices with at most `kept` entries that are not 0: not a linear subspace."""

    def __init__(self, kept: int) -> None:
        self.kept = kept

    def project(self, matrix: torch.Tensor) -> Factors:
        least = matrix.abs().flatten().topk(self.kept).values[-1]
        return {"weight": matrix * (matrix.abs() >= least)}

    def expand(self, factors: Factors) -> torch.Tensor:
        return factors["weight"]


def test_another_structure_needs_only_two_verbs():
    matrix, structure = draw(1, 1, 4), Pruned(3)
    factors = structure.project(matrix)
    assert int((factors["weight"] != 0).sum()) == 3
    assert 0 < structure.distance(matrix) < torch.linalg.norm(matrix)
    assert torch.equal(structure.matvec(factors, matrix), matrix @ factors["weight"].t())
