"""Cell arithmetic on integers against the same equations in exact fractions."""

import math
from fractions import Fraction

import hand_written_cells as cells
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import random_integer_model

from ernn.fixed import QFormat
from ernn.graphs.activation import Piecewise
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import QuantizationRecipe

BITS = [(12, 12, 16), (4, 5, 8), (10, 16, 18)]


@pytest.fixture(scope="module", params=BITS, ids=lambda bits: "w{}a{}s{}".format(*bits))
def model(request) -> IntegerModel:
    weight_bits, activation_bits, state_bits = request.param
    settings = QuantizationRecipe(
        weight_bits=weight_bits, activation_bits=activation_bits, state_bits=state_bits
    )
    return random_integer_model(np.random.default_rng(3), settings, cell="lstm", peepholes=True)


def value(raw: int, form: QFormat) -> Fraction:
    return Fraction(raw) / Fraction(2) ** form.frac_bits


def to(form: QFormat, exact: Fraction, add: int = 0) -> int:
    """Round half up, add, saturate."""
    raw = math.floor(exact * Fraction(2) ** form.frac_bits + Fraction(1, 2)) + add
    return min(max(raw, form.min_raw), form.max_raw)


def activate(model: IntegerModel, function: Piecewise, row: int) -> Fraction:
    return value(int(function.run(np.array(row))), model.gate)


def draw_raw(data, form: QFormat) -> int:
    """A raw integer, often a corner."""
    corners = [form.min_raw, form.max_raw, 0, -1, 1]
    return data.draw(st.one_of(st.sampled_from(corners), st.integers(form.min_raw, form.max_raw)))


several = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize("cell_activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("peepholes", [False, True])
@several
@given(data=st.data())
def test_lstm_step(model, peepholes, cell_activation, data):
    rows = [draw_raw(data, model.row) for _ in range(4)]
    peeps = [draw_raw(data, model.peephole) if peepholes else 0 for _ in range(3)]
    c = draw_raw(data, model.state)

    def peeped(row: int, weight: int, state: int) -> int:
        return to(model.row, value(weight, model.peephole) * value(state, model.state), row)

    i = activate(model, model.sigmoid, peeped(rows[0], peeps[0], c))
    f = activate(model, model.sigmoid, peeped(rows[1], peeps[1], c))
    g = activate(model, getattr(model, cell_activation), rows[2])
    new = to(model.state, f * value(c, model.state) + i * g)
    o = activate(model, model.sigmoid, peeped(rows[3], peeps[2], new))
    squashed = activate(model, model.tanh, to(model.row, value(new, model.state)))
    found = cells.lstm_step(
        model,
        np.array(rows),
        np.array([c]),
        np.array(peeps).reshape(3, 1) if peepholes else None,
        cell_activation,
    )
    assert (found[0].item(), found[1].item()) == (new, to(model.vector, o * squashed))


@several
@given(data=st.data())
def test_gru_steps(model, data):
    row_z, row_r, row_n, row_nh = (draw_raw(data, model.row) for _ in range(4))
    h = draw_raw(data, model.state)
    z, r = (activate(model, model.sigmoid, row) for row in (row_z, row_r))
    found_z, found_r = cells.gru_gates(model, np.array([row_z, row_r]))
    assert (value(found_z.item(), model.gate), value(found_r.item(), model.gate)) == (z, r)

    state = value(h, model.state)
    found = cells.gru_reset_step(model, found_r, np.array([h]))
    assert found.item() == to(model.vector, r * state)

    row = to(model.row, r * value(row_nh, model.row), row_n)
    found_row = cells.gru_candidate_row(model, np.array([row_n]), np.array([row_nh]), found_r)
    assert found_row.item() == row

    n = activate(model, model.tanh, row)
    new = to(model.state, state + z * (n - state))
    found = cells.gru_update_step(model, found_row, found_z, np.array([h]))
    assert [each.item() for each in found] == [new, to(model.vector, value(new, model.state))]


@several
@given(data=st.data())
def test_halves_of_a_pair_saturate_once(model, data):
    first, second = draw_raw(data, model.row), draw_raw(data, model.row)
    expected = min(max(first + second, model.row.min_raw), model.row.max_raw)
    assert cells.add_rows(model, np.array(first), np.array(second)) == expected
