"""Formats chosen from values and from what calibration saw."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ernn.fixed import QFormat
from ernn.quant.ranges import Ranges, constant_format


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=40), st.integers(4, 16))
def test_constants_are_never_coarser_than_their_largest_needs(values, width):
    chosen = constant_format(np.array(values), width)
    assert chosen.width == width
    needed = QFormat.for_range(np.abs(values).max(), width)

    def error(form):
        return np.square(form.to_float(form.quantize(np.array(values))) - values).sum()

    # A bit coarser only where that keeps a power of two and costs all together nothing.
    assert chosen.frac_bits >= needed.frac_bits - 1
    assert chosen.frac_bits >= needed.frac_bits or error(chosen) < error(needed)


def test_one_outlier_does_not_cost_all_constants_a_bit():
    values = np.linspace(-0.9, 0.9, 10_000)
    assert constant_format(values, 6) == QFormat(0, 5)
    assert constant_format(np.append(values, 1.1), 6) == QFormat(0, 5)
    assert constant_format(np.append(values, 50.0), 6) != QFormat(0, 5)


def test_a_signal_holds_all_but_one_value_in_ten_thousand():
    ranges = Ranges()
    ranges.add("quiet", np.r_[np.full(99_999, 0.9), 7.0])
    ranges.add("loud", np.r_[np.full(9_990, 0.9), np.full(10, 7.0)])
    assert ranges.int_bits("quiet") == 0 and ranges.int_bits("loud") == 3
    assert ranges.int_bits("quiet", "loud") == 3


def test_parts_of_a_signal_count_together_and_zeros_do_not():
    ranges = Ranges()
    ranges.add("x", np.r_[np.full(6_000, 0.9), np.zeros(10**6)])
    ranges.add("x", np.r_[np.full(6_000, 0.9), -3.0])
    assert ranges.int_bits("x") == 0
    ranges.add("x", np.array([-3.0]))
    assert ranges.int_bits("x") == 2


def test_a_power_of_two_needs_no_extra_bit():
    ranges = Ranges()
    ranges.add("x", np.array([1.0, -1.0, 0.25]))
    assert ranges.int_bits("x") == 0


def test_silence_needs_nothing():
    ranges = Ranges()
    ranges.add("x", np.zeros(5))
    assert ranges.int_bits("x") < 0 and ranges.int_bits() < 0
