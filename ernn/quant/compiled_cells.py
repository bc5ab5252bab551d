"""The cells compiled by numba: what ernn.quant.cells says, one pass over the cells of a step.

Arrays are float64 of whole numbers, (N,) or (B, size); the last ones are written.
"""

from typing import NamedTuple

import numpy as np

from ernn.quant.activation import Piecewise
from ernn.quant.compiled import Move, compiled, move, requantized
from ernn.quant.parameters import IntegerParameters


class Step(NamedTuple):
    """What an LSTM step needs to know of a model."""

    peep: Move  # peephole * state to ROW
    state: Move  # sums of products with gates to STATE
    squash: Move  # STATE to ROW
    output: Move  # gate * gate to VECTOR
    state_unit: float  # of STATE, in units of GATE
    sigmoid: np.ndarray
    tanh: np.ndarray


class Update(NamedTuple):
    """What a GRU update needs to know of a model."""

    state: Move  # sums of products with gates to STATE
    vector: Move  # STATE to VECTOR
    state_unit: float  # of STATE, in units of GATE
    gate_one: float  # 1 in units of GATE
    tanh: np.ndarray


class Rules:
    """Every requantization of a model's cells, and its activations as tables."""

    def __init__(self, model: IntegerParameters) -> None:
        row, gate, state, vector = model.row, model.gate, model.state, model.vector
        sums, unit = move(state, 2 * gate.frac_bits), 2.0 ** (gate.frac_bits - state.frac_bits)
        peep = move(row, model.peephole.frac_bits + state.frac_bits)
        squash, output = move(row, state.frac_bits), move(vector, 2 * gate.frac_bits)
        self.sigmoid, self.tanh = table(model.sigmoid), table(model.tanh)
        self.step = Step(peep, sums, squash, output, unit, self.sigmoid, self.tanh)
        out = move(vector, state.frac_bits)
        self.update = Update(sums, out, unit, 2.0**gate.frac_bits, self.tanh)
        self.add_rows = move(row, row.frac_bits)
        self.reset = move(vector, gate.frac_bits + state.frac_bits)
        self.candidate = move(row, gate.frac_bits + row.frac_bits)


def table(function: Piecewise) -> np.ndarray:
    """Return the results of every row there is, from the lowest."""
    every_row = np.arange(function.row.min_raw, function.row.max_raw + 1)
    return function.run(every_row).astype(np.int32)  # half of int64: more of it stays in a cache


@compiled
def _at(table: np.ndarray, row: float) -> float:
    return float(table[int(row) + len(table) // 2])


@compiled
def add_rows(to_row: Move, row_h: np.ndarray, row_x: np.ndarray, row: np.ndarray) -> None:
    """See `ernn.quant.cells.add_rows`."""
    for n in range(len(row)):
        row[n] = requantized(row_h[n], row_x[n], to_row)


@compiled
def lstm_step(
    rule: Step,
    rows: np.ndarray,
    state: np.ndarray,
    peepholes: np.ndarray,
    squash_g: np.ndarray,
    new_state: np.ndarray,
    output: np.ndarray,
) -> None:
    """See `ernn.quant.cells.lstm_step`; without peepholes, they are zeros."""
    hidden = state.shape[1]
    for b in range(len(state)):
        row_i, row_f, row_g, row_o = rows[b].reshape(4, hidden)
        for n in range(hidden):
            c = state[b, n]
            i = _at(rule.sigmoid, requantized(peepholes[0, n] * c, row_i[n], rule.peep))
            f = _at(rule.sigmoid, requantized(peepholes[1, n] * c, row_f[n], rule.peep))
            g = _at(squash_g, row_g[n])
            c = requantized(f * c * rule.state_unit + i * g, 0.0, rule.state)
            o = _at(rule.sigmoid, requantized(peepholes[2, n] * c, row_o[n], rule.peep))
            squashed = _at(rule.tanh, requantized(c, 0.0, rule.squash))
            new_state[b, n] = c
            output[b, n] = requantized(o * squashed, 0.0, rule.output)


@compiled
def gru_gates(sigmoid: np.ndarray, rows: np.ndarray, z: np.ndarray, r: np.ndarray) -> None:
    """See `ernn.quant.cells.gru_gates`."""
    hidden = z.shape[1]
    for b in range(len(rows)):
        for n in range(hidden):
            z[b, n] = _at(sigmoid, rows[b, n])
            r[b, n] = _at(sigmoid, rows[b, hidden + n])


@compiled
def gru_reset_step(to_vector: Move, r: np.ndarray, state: np.ndarray, vector: np.ndarray) -> None:
    """See `ernn.quant.cells.gru_reset_step`."""
    for n in range(len(vector)):
        vector[n] = requantized(r[n] * state[n], 0.0, to_vector)


@compiled
def gru_candidate_row(
    to_row: Move, row_nx: np.ndarray, row_nh: np.ndarray, r: np.ndarray, row: np.ndarray
) -> None:
    """See `ernn.quant.cells.gru_candidate_row`."""
    for n in range(len(row)):
        row[n] = requantized(r[n] * row_nh[n], row_nx[n], to_row)


@compiled
def gru_update_step(
    rule: Update,
    row_n: np.ndarray,
    z: np.ndarray,
    state: np.ndarray,
    new_state: np.ndarray,
    vector: np.ndarray,
) -> None:
    """See `ernn.quant.cells.gru_update_step`."""
    for n in range(len(state)):
        h = state[n] * rule.state_unit
        candidate = _at(rule.tanh, row_n[n])
        c = requantized(h * rule.gate_one + z[n] * (candidate - h), 0.0, rule.state)
        new_state[n] = c
        vector[n] = requantized(c, 0.0, rule.vector)
