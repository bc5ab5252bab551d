"""Products: float64 BLAS against Python integers, and integers against the dense matrix."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.circulant import expand, packed
from ernn.fixed import QFormat
from ernn.graphs.fourier import forward, inverse
from ernn.quant.products import Product, Segment, Weights, finish, scale_vector, transform

ROW = QFormat(4, 11)
SIZES = [1, 2, 4, 8, 16]


def random_product(rng, block, activation_bits=12, weight=None, grids=((2, 3), (2, 1))) -> Product:
    """A product of two segments with raw weights over their whole range."""
    weight = weight or QFormat(1, 10)
    vector = QFormat(2, activation_bits - 1)
    segments = tuple(
        Segment(
            name,
            matrix,
            rng.integers(weight.min_raw, weight.max_raw + 1, (p, q, block)),
            None,
            None,
            vector,
        )
        for (p, q), name, matrix in zip(grids, "xh", ("input", "recurrent"), strict=True)
    )
    bias = rng.integers(ROW.min_raw, ROW.max_raw + 1, grids[0][0] * block)
    return Product(0, "gates", "ifgo", block, weight, segments, bias)


def by_hand(spectra: list[list[int]], weights: np.ndarray, row: int) -> list[int]:
    """Accumulate one block row with three products per complex bin, in Python's integers."""
    block = weights.shape[2]
    acc = [0] * block
    for column, x in enumerate(spectra):
        w = [int(each) for each in weights[row, column]]
        for line in range(min(block, 2)):
            acc[line] += w[line] * x[line]
        for re in range(2, block, 2):
            (a, b), (c, d) = x[re : re + 2], w[re : re + 2]
            p1, p2, p3 = c * (a + b), a * (d - c), b * (c + d)
            acc[re] += p1 - p3
            acc[re + 1] += p1 + p2
    return acc


@pytest.mark.parametrize("block", SIZES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), extreme=st.booleans())
def test_accumulators_are_exact(block, seed, extreme):
    rng = np.random.default_rng(seed)
    product = random_product(rng, block, activation_bits=16, weight=QFormat(0, 15))
    segment = product.segments[0]
    low, high = segment.scaled.min_raw, segment.scaled.max_raw
    vector = rng.integers(low, high + 1, 3 * block)
    if extreme:
        vector = rng.choice([low, high], 3 * block)
    spectra = transform(segment, vector, twiddle_bits=16)
    expected = forward(block, 16).run(vector.reshape(3, block))
    assert np.array_equal(spectra, expected.T)
    found = Weights(segment).multiply(spectra)
    for row in range(2):
        assert by_hand(expected.tolist(), segment.spectra, row) == found[:, row].tolist()


@pytest.mark.parametrize("block", SIZES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_rows_leave_as_docs_numbers_says(block, seed):
    """One rounding into the inverse transform, exact growth, one rounding with the bias."""
    rng = np.random.default_rng(seed)
    product, spectrum = random_product(rng, block), QFormat(4 + 5, 11)
    acc = rng.integers(-(2**33), 2**33, (block, 2)).astype(float)
    shift = product.weight.frac_bits + 11 - spectrum.frac_bits
    found = finish(product, acc, ROW, spectrum, twiddle_bits=12).reshape(2, block)
    for row in range(2):
        entering = [math.floor(value / 2**shift + 0.5) for value in acc[:, row].tolist()]
        entering = [min(max(v, spectrum.min_raw), spectrum.max_raw) for v in entering]
        values = inverse(block, 12).run(np.array(entering)).tolist()
        for value, bias, result in zip(
            values, product.bias[row * block :], found[row], strict=False
        ):
            exact = math.floor(value / block + 0.5) + int(bias)
            assert result == min(max(exact, ROW.min_raw), ROW.max_raw)


@pytest.mark.parametrize("block", SIZES)
def test_a_product_is_the_dense_matrix_product(block):
    rng = np.random.default_rng(block)
    generators = rng.normal(0, 0.2, (3, 4, block))
    weight, vector, row = QFormat(2, 21), QFormat(0, 15), QFormat(4, 16)
    spectra = weight.quantize(packed(generators))
    segment = Segment("x", "input", spectra, None, None, vector)
    product = Product(0, "n", "n", block, weight, (segment,), np.zeros(3 * block, int))
    raw = rng.integers(vector.min_raw, vector.max_raw + 1, (5, 4 * block))
    acc = Weights(segment).multiply(transform(segment, raw, 16))
    found = row.to_float(finish(product, acc, row, QFormat(4 + 6, 16), 16))
    wanted = vector.to_float(raw) @ expand(generators).T
    # The rounding of the row and, averaged over the block, those of the rotations and spectra.
    assert np.abs(found - wanted).max() < 4 * row.step


def test_batches_and_chunks_change_nothing():
    rng = np.random.default_rng(0)
    segment = random_product(rng, 8).segments[0]
    vectors = rng.integers(-2000, 2000, (3, 4, 24))
    whole = Weights(segment).multiply(transform(segment, vectors, 12))
    assert whole.shape == (8, 3, 4, 2)
    for frame in range(3):
        part = Weights(segment).multiply(transform(segment, vectors[frame], 12))
        assert np.array_equal(part, whole[:, frame])


def test_a_scale_is_applied_once_and_saturates():
    scaled = QFormat(0, 11)
    segment = Segment(
        "x",
        "input",
        np.zeros((1, 1, 4), int),
        np.array([1024, -512, 3, 2047]),
        QFormat(1, 10),
        scaled,
    )
    raw = np.array([[100, 101, 512, 4000]])
    assert scale_vector(segment, raw, QFormat(2, 11)).tolist() == [[100, -50, 2, 2047]]
