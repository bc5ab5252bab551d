"""QFormat: the one rounding rule, compared with exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ernn.errors import ShapeError
from ernn.fixed import QFormat, round_shift


@st.composite
def formats(draw):
    width = draw(st.integers(2, 24))
    int_bits = draw(st.integers(-4, 12))
    return QFormat(int_bits, width - 1 - int_bits)


def rounded(value: Fraction, form: QFormat) -> int:
    """Round half up and saturate, in exact arithmetic."""
    raw = math.floor(value * Fraction(2) ** form.frac_bits + Fraction(1, 2))
    return min(max(raw, form.min_raw), form.max_raw)


def test_q3_8_is_what_the_name_says():
    form = QFormat.parse("Q3.8")
    assert (form.width, form.min_raw, form.max_raw, form.step) == (12, -2048, 2047, 2**-8)
    assert str(form) == "Q3.8"


@given(formats())
def test_text_and_format_are_each_others_inverse(form):
    assert QFormat.parse(str(form)) == form


@pytest.mark.parametrize("text", ["Q3", "3.8", "Q3.8 ", "UQ3.8", "Q3.8.1", ""])
def test_other_text_is_refused(text):
    with pytest.raises(ShapeError, match="write it like"):
        QFormat.parse(text)


@pytest.mark.parametrize("int_bits, frac_bits", [(0, 0), (3, -3), (-5, 5)])
def test_fewer_than_two_bits_are_refused(int_bits, frac_bits):
    with pytest.raises(ShapeError, match="at least 2"):
        QFormat(int_bits, frac_bits)


@given(formats(), st.floats(-1e6, 1e6))
def test_quantize_rounds_half_up_and_saturates(form, value):
    assert form.quantize(np.array([value])).tolist() == [rounded(Fraction(value), form)]


@given(formats(), st.integers(-(2**40), 2**40), st.integers(-4, 24))
def test_requantize_is_quantize_of_the_exact_value(form, raw, source_frac_bits):
    assume(form.frac_bits - source_frac_bits < 20)  # stays within int64
    expected = rounded(Fraction(raw) / Fraction(2) ** source_frac_bits, form)
    assert form.requantize(np.array([raw]), source_frac_bits).tolist() == [expected]


@given(formats(), st.integers(-(2**40), 2**40), st.integers(-4, 24), st.data())
def test_requantize_adds_before_it_saturates(form, raw, source_frac_bits, data):
    assume(form.frac_bits - source_frac_bits < 20)
    add = data.draw(st.integers(form.min_raw, form.max_raw))
    exact = Fraction(raw) / Fraction(2) ** source_frac_bits
    expected = rounded(exact + add * Fraction(2) ** -form.frac_bits, form)
    found = form.requantize(np.array([raw]), source_frac_bits, add=np.array([add]))
    assert found.tolist() == [expected]


def test_halves_go_up_on_both_sides_of_zero():
    assert round_shift(np.array([-6, -5, -2, -1, 1, 2, 5, 6]), 2).tolist() == [
        -1, -1, 0, 0, 0, 1, 1, 2,
    ]  # fmt: skip
    assert round_shift(np.array([-3, 3]), -2).tolist() == [-12, 12]


@given(formats(), st.data())
def test_every_raw_value_survives_the_way_to_float_and_back(form, data):
    raw = np.array([data.draw(st.integers(form.min_raw, form.max_raw))])
    assert form.quantize(form.to_float(raw)) == raw


@given(st.floats(1e-3, 1e3), st.integers(4, 18))
def test_for_range_is_the_finest_that_holds_the_range(largest, width):
    form = QFormat.for_range(largest, width)
    assert form.width == width
    assert largest <= 2.0**form.int_bits
    assert largest > 2.0 ** (form.int_bits - 1)
