"""Golden models of the cell units: one time step of every cell on raw integers.

All arrays are int64 with one element per cell (any leading axes); a "row" is in ROW, a state in
STATE, a vector in VECTOR, everything else in GATE. Every function takes the formats first.
"""

from typing import Protocol

import numpy as np

from ernn.fixed import QFormat
from ernn.quant.activation import Piecewise


class Formats(Protocol):
    """What the cells need to know of an IntegerModel."""

    @property
    def row(self) -> QFormat: ...
    @property
    def gate(self) -> QFormat: ...
    @property
    def state(self) -> QFormat: ...
    @property
    def peephole(self) -> QFormat: ...
    @property
    def vector(self) -> QFormat: ...
    @property
    def sigmoid(self) -> Piecewise: ...
    @property
    def tanh(self) -> Piecewise: ...


def add_rows(formats: Formats, row_h: np.ndarray, row_x: np.ndarray) -> np.ndarray:
    """Add the two rows of a gate whose matrices have different block sizes."""
    return formats.row.saturate(row_h + row_x)


def peep(formats: Formats, row: np.ndarray, weight: np.ndarray, state: np.ndarray) -> np.ndarray:
    """Add a peephole to a row: row + weight * state."""
    return formats.row.requantize(
        weight * state, formats.peephole.frac_bits + formats.state.frac_bits, add=row
    )


def lstm_step(
    formats: Formats,
    rows: np.ndarray,
    state: np.ndarray,
    peepholes: np.ndarray | None,
    cell_activation: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the new state c and the output m = o tanh(c) (in VECTOR) of an LSTM.

    Args:
        formats: of the model.
        rows: (..., 4H) for i, f, g, o.
        state: (..., H), the previous c.
        peepholes: (3, H) for i, f, o, or None.
        cell_activation: of g, "tanh" or "sigmoid".
    """
    row_i, row_f, row_g, row_o = np.split(rows, 4, axis=-1)
    if peepholes is not None:
        row_i = peep(formats, row_i, peepholes[0], state)
        row_f = peep(formats, row_f, peepholes[1], state)
    i, f = formats.sigmoid.run(row_i), formats.sigmoid.run(row_f)
    g = (formats.tanh if cell_activation == "tanh" else formats.sigmoid).run(row_g)
    gate, fine = formats.gate.frac_bits, 2 * formats.gate.frac_bits
    state = formats.state.requantize(
        ((f * state) << (gate - formats.state.frac_bits)) + i * g, fine
    )
    if peepholes is not None:
        row_o = peep(formats, row_o, peepholes[2], state)
    o = formats.sigmoid.run(row_o)
    squashed = formats.tanh.run(formats.row.requantize(state, formats.state.frac_bits))
    return state, formats.vector.requantize(o * squashed, fine)


def gru_gates(formats: Formats, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return z and r of rows (..., 2H)."""
    z, r = np.split(formats.sigmoid.run(rows), 2, axis=-1)
    return z, r


def gru_reset_step(formats: Formats, r: np.ndarray, state: np.ndarray) -> np.ndarray:
    """Return r * h in VECTOR (reset before the product)."""
    return formats.vector.requantize(r * state, formats.gate.frac_bits + formats.state.frac_bits)


def gru_candidate_row(
    formats: Formats, row_nx: np.ndarray, row_nh: np.ndarray, r: np.ndarray
) -> np.ndarray:
    """Return row_nx + r * row_nh in ROW (reset after the product)."""
    return formats.row.requantize(
        r * row_nh, formats.gate.frac_bits + formats.row.frac_bits, add=row_nx
    )


def gru_update_step(
    formats: Formats, row_n: np.ndarray, z: np.ndarray, state: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the new state h + z (n - h), n = tanh(row_n), and the same in VECTOR."""
    gate = formats.gate.frac_bits
    h = state << (gate - formats.state.frac_bits)
    n = formats.tanh.run(row_n)
    state = formats.state.requantize((h << gate) + z * (n - h), 2 * gate)
    return state, formats.vector.requantize(state, formats.state.frac_bits)
