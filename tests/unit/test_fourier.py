"""The fixed-point transforms against numpy's FFT, and their intervals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.graphs.fourier import Scale, forward, inverse

SIZES = (1, 2, 4, 8, 16, 32, 64)


def pack(spectra: np.ndarray, size: int) -> np.ndarray:
    """Pack numpy's spectra: [X0, X(k/2), Re X1, Im X1, ...]."""
    lines = [spectra[..., 0].real]
    if size > 1:
        lines.append(spectra[..., size // 2].real)
    for bin_ in range(1, size // 2):
        lines += [spectra[..., bin_].real, spectra[..., bin_].imag]
    return np.stack(lines, axis=-1)


def forward_error(size: int, largest: int, twiddle_bits: int) -> float:
    """What rotations add at most: half a unit, and each factor is half a unit of 2^-T off."""
    if size <= 4:
        return 0.0
    odd = math.sqrt(2) * size / 2 * largest  # |re| + |im| of a bin that is rotated
    before = (1 + math.sqrt(2)) * forward_error(size // 2, largest, twiddle_bits)
    return before + 0.5 + odd * 2.0 ** -(twiddle_bits + 1)


def inverse_error(size: int, largest: int, twiddle_bits: int) -> float:
    """The same on the way back, where every rotated bin counts twice in every output."""
    if size <= 4:
        return 0.0
    one = 0.5 + 4 * largest * 2.0 ** -(twiddle_bits + 1)
    rotated = 2 * math.sqrt(2) * (size // 4 - 1) * one
    return rotated + inverse_error(size // 2, 2 * largest, twiddle_bits)


@st.composite
def blocks(draw):
    size, bits = draw(st.sampled_from(SIZES)), draw(st.integers(2, 18))
    seed = draw(st.integers(0, 2**32 - 1))
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    values = np.random.default_rng(seed).integers(low, high + 1, (20, size))
    corners = np.random.default_rng(seed).choice([low, high], (20, size))  # nothing is larger
    return size, low, high, np.concatenate([values, corners])


@given(blocks(), st.integers(8, 16))
def test_forward_is_the_real_fft(block, twiddle_bits):
    size, low, _, values = block
    found = forward(size, twiddle_bits).run(values)
    error = np.abs(found - pack(np.fft.rfft(values), size)).max()
    assert error <= forward_error(size, -low, twiddle_bits) + 1e-6


@given(blocks(), st.integers(8, 16))
def test_inverse_is_size_times_the_inverse_fft(block, twiddle_bits):
    size, low, _, packed = block
    spectra = np.zeros((len(packed), size // 2 + 1), complex)
    spectra[:, 0] = packed[:, 0]
    if size > 1:
        spectra[:, -1] = packed[:, 1]
        spectra[:, 1:-1] = packed[:, 2::2] + 1j * packed[:, 3::2]
    expected = size * np.fft.irfft(spectra, n=size) if size > 1 else packed
    error = np.abs(inverse(size, twiddle_bits).run(packed) - expected).max()
    assert error <= inverse_error(size, -low, twiddle_bits) + 1e-6


@given(blocks())
def test_small_sizes_are_exact_both_ways(block):
    size, _, _, values = block
    if size > 4:  # only larger ones rotate by irrational factors
        return
    there_and_back = inverse(size, 12).run(forward(size, 12).run(values))
    assert np.array_equal(there_and_back, size * values)


@given(blocks(), st.sampled_from([forward, inverse]))
def test_no_value_leaves_its_interval(block, transform):
    size, low, high, values = block
    graph = transform(size, 12)
    bounds = graph.bounds(low, high)
    assert len(bounds) == 1 + graph.latency_cycles
    for count in range(len(bounds)):
        partial = type(graph)(size, graph.stages[:count])
        found = partial.run(values)
        for line, (least, most) in enumerate(bounds[count]):
            assert least <= found[:, line].min() and found[:, line].max() <= most


def test_intervals_are_reached_where_nothing_rounds():
    corners = np.array(np.meshgrid(*[[-8, 7]] * 4)).reshape(4, -1).T
    found = forward(4, 12).run(corners)
    expected = list(zip(found.min(axis=0), found.max(axis=0), strict=True))
    assert forward(4, 12).bounds(-8, 7)[-1] == expected


@pytest.mark.parametrize("size", SIZES)
def test_a_constant_block_has_one_bin(size):
    assert forward(size, 12).run(np.full(size, 5)).tolist() == [5 * size] + [0] * (size - 1)


@pytest.mark.parametrize("transform", [forward, inverse])
def test_rotations_are_the_nearest_integers(transform):
    found = {
        abs(op.factor)
        for stage in transform(32, 13).stages
        for op in stage
        if isinstance(op, Scale) and abs(op.factor) > 2
    }
    assert found == {round(math.cos(math.pi * j / 16) * 2**13) for j in range(1, 8)}
