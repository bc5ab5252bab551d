"""Piecewise linear sigmoid and tanh: the promised error, and promises to the hardware."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.fixed import QFormat
from ernn.graphs.activation import design

USUAL = QFormat(3, 12), QFormat(0, 15)


def exact(name: str, x: float) -> float:
    return math.tanh(x) if name == "tanh" else 1 / (1 + math.exp(-x))


@st.composite
def functions(draw):
    activation_bits, state_bits = draw(st.integers(4, 13)), draw(st.integers(8, 18))
    int_bits = draw(st.integers(3, 6))
    row = QFormat(int_bits, activation_bits + 3 - int_bits)
    gate = QFormat(0, max(activation_bits + 4, state_bits) - 1)
    error = 10 ** draw(st.floats(math.log10(1e-4), -1))
    return design(draw(st.sampled_from(["sigmoid", "tanh"])), row, gate, error), error


@settings(max_examples=30, deadline=None)
@given(functions())
def test_every_input_is_within_the_error(drawn):
    function, error = drawn
    raw = np.arange(function.row.min_raw, function.row.max_raw + 1)
    results = function.gate.to_float(function.run(raw))
    wanted = np.array([exact(function.name, x) for x in function.row.to_float(raw)])
    assert np.abs(results - wanted).max() == pytest.approx(function.max_error, abs=1e-12)
    assert function.max_error <= max(error, function.gate.step)


@settings(max_examples=30, deadline=None)
@given(functions())
def test_tables_are_what_hardware_can_hold(drawn):
    function, _ = drawn
    assert 0 <= function.slopes.min() and function.slopes.max() < 2**17
    assert 0 <= function.intercepts.min() and function.intercepts.max() <= function.gate.max_raw
    assert function.slope_frac_bits <= 17 and function.product_shift >= 0
    assert function.index_shift >= 0 and len(function.slopes) == len(function.intercepts)
    raw = np.arange(function.row.min_raw, function.row.max_raw + 1)
    results = function.run(raw)
    assert function.gate.min_raw < results.min() and results.max() <= function.gate.max_raw


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
@settings(max_examples=20, deadline=None)
@given(raw=st.integers(-(2**15), 2**15 - 1))
def test_run_is_the_formula_of_one_element(name, raw):
    function = design(name, *USUAL, 2e-3)
    index = min(abs(raw) >> function.index_shift, len(function.slopes) - 1)
    product = int(function.slopes[index]) * abs(raw)
    y = int(function.intercepts[index]) + math.floor(product / 2**function.product_shift + 0.5)
    expected = y if raw >= 0 else -y if name == "tanh" else 2**15 - y
    assert function.run(np.array(raw)) == expected


@pytest.mark.parametrize("error", [1e-2, 2e-3, 2e-4])
def test_rest_is_exact_and_open_is_open(error):
    """A cell that only pads a layer stays at zero, and a saturated gate does not leak."""
    sigmoid, tanh = design("sigmoid", *USUAL, error), design("tanh", *USUAL, error)
    assert tanh.run(np.array(0)) == 0 and sigmoid.run(np.array(0)) == 1 << 14
    assert tanh.run(np.array([USUAL[0].max_raw, USUAL[0].min_raw])).tolist() == [32767, -32767]
    if error > 1 / (1 + math.exp(8)):  # else sigmoid(8) is still less than the largest result
        assert sigmoid.run(np.array([USUAL[0].max_raw, USUAL[0].min_raw])).tolist() == [32767, 1]


def test_lines_are_as_few_as_the_error_allows():
    counts = [design("tanh", *USUAL, error).segments for error in (1e-1, 1e-2, 2e-3, 5e-4)]
    assert counts == sorted(counts) and counts[0] <= 4 and counts[2] <= 13
    # Uniform cells of the same error would be hundreds of lines.
    assert len(design("tanh", *USUAL, 2e-3).slopes) > 4 * counts[2]


def test_the_grid_gets_finer_where_the_error_asks_for_it():
    coarse, fine = (design("tanh", *USUAL, error) for error in (2e-3, 2e-4))
    assert coarse.index_shift == 12 - 4 and fine.index_shift < coarse.index_shift
