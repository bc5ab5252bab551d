"""Circulant algebra: projection is optimal, FFT products equal dense ones, numpy equals torch."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ernn import circulant
from ernn.errors import ShapeError

BLOCKS = (1, 2, 4, 8, 16, 32)
grids = st.tuples(st.integers(1, 4), st.integers(1, 4), st.sampled_from(BLOCKS))
seeds = st.integers(0, 2**32 - 1)


def draw(shape, seed):
    return np.random.default_rng(seed).normal(size=shape)


def test_a_block_has_its_generator_as_first_column_and_rotates_it():
    dense = circulant.expand(np.array([[[1.0, 2, 3, 4]]]))
    assert dense.tolist() == [[1, 4, 3, 2], [2, 1, 4, 3], [3, 2, 1, 4], [4, 3, 2, 1]]


def test_blocks_lie_at_their_place_in_the_grid():
    dense = circulant.expand(draw((3, 2, 4), 0))
    single = circulant.expand(draw((3, 2, 4), 0)[2:, 1:])
    assert np.array_equal(dense[8:, 4:], single)


@given(grids, seeds)
def test_projecting_an_expansion_gives_the_generators_back(grid, seed):
    generators = draw(grid, seed)
    found = circulant.project(circulant.expand(generators), grid[2])
    assert np.allclose(found, generators, rtol=0, atol=1e-14)


@given(grids, seeds)
def test_no_other_generators_are_nearer_than_the_projection(grid, seed):
    p, q, k = grid
    matrix, change = draw((p * k, q * k), seed), draw(grid, seed + 1)
    nearest = circulant.project(matrix, k)
    # The residual is orthogonal to the subspace: the condition for a least-squares optimum.
    residual = matrix - circulant.expand(nearest)
    assert abs((residual * circulant.expand(change)).sum()) < 1e-9
    for step in (1e-3, -1e-3):
        other = matrix - circulant.expand(nearest + step * change)
        assert (other**2).sum() >= (residual**2).sum()


@given(grids, seeds, st.sampled_from([(), (3,), (2, 3)]))
def test_fft_product_equals_dense_product(grid, seed, batch):
    _, q, k = grid
    generators, vectors = draw(grid, seed), draw((*batch, q * k), seed + 1)
    expected = vectors @ circulant.expand(generators).T
    assert np.allclose(circulant.matvec(generators, vectors), expected, rtol=0, atol=1e-12)


@given(st.sampled_from(BLOCKS), seeds)
def test_the_bilinear_form_is_the_block_with_the_fewest_products(block, seed):
    spread, change, gather = circulant.bilinear(block)
    generator, vector = draw((1, 1, block), seed), draw(block, seed + 1)
    found = gather @ ((spread @ vector) * (change @ generator[0, 0]))
    assert np.allclose(found, circulant.expand(generator) @ vector, rtol=0, atol=1e-12)
    assert len(spread) == len(change) == gather.shape[1] == max(1, 3 * block // 2 - 1)


@given(grids, seeds)
def test_torch_gives_what_numpy_gives(grid, seed):
    p, q, k = grid
    matrix, vectors = draw((p * k, q * k), seed), draw((2, q * k), seed + 1)
    generators = circulant.project(matrix, k)
    matrix_t, vectors_t = torch.from_numpy(matrix), torch.from_numpy(vectors)
    generators_t = circulant.project(matrix_t, k)
    for found, expected in [
        (generators_t, generators),
        (circulant.expand(generators_t), circulant.expand(generators)),
        (circulant.matvec(generators_t, vectors_t), circulant.matvec(generators, vectors)),
        (circulant.distance(matrix_t, k), circulant.distance(matrix, k)),
    ]:
        assert np.allclose(found.numpy(), expected, rtol=0, atol=1e-12)


def test_distance_is_zero_inside_and_euclidean_outside():
    inside = circulant.expand(draw((2, 3, 4), 0))
    assert circulant.distance(inside, 4) < 1e-14
    outside = draw((8, 12), 1)
    expected = np.linalg.norm(outside - circulant.expand(circulant.project(outside, 4)))
    assert circulant.distance(outside, 4) == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(6, 8), (8, 6)])
def test_a_matrix_that_does_not_divide_is_refused(shape):
    with pytest.raises(ShapeError) as told:
        circulant.project(np.zeros(shape), 4)
    fault = told.value.fault
    assert f"{shape[0]}x{shape[1]} matrix" in fault.what
    assert (fault.given, fault.allowed) == ("blocks of 4", "divisors of 2")
