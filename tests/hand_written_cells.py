"""LSTM and GRU steps written by hand on raw integers: the oracle of the graphs in ernn.cells.

All arrays are int64 with one element per cell (any leading axes); a "row" is in ROW, a state in
STATE, a vector in VECTOR, everything else in GATE. Every function takes the model, for its
formats and activations, first.
"""

import numpy as np

from ernn.quant.parameters import IntegerParameters


def add_rows(model: IntegerParameters, row_h: np.ndarray, row_x: np.ndarray) -> np.ndarray:
    """Add the two rows of a gate whose matrices have different block sizes."""
    return model.row.saturate(row_h + row_x)


def peep(
    model: IntegerParameters, row: np.ndarray, weight: np.ndarray, state: np.ndarray
) -> np.ndarray:
    """Add a peephole to a row: row + weight * state."""
    return model.row.requantize(
        weight * state, model.peephole.frac_bits + model.state.frac_bits, add=row
    )


def lstm_step(
    model: IntegerParameters,
    rows: np.ndarray,
    state: np.ndarray,
    peepholes: np.ndarray | None,
    cell_activation: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the new state c and the output m = o tanh(c) (in VECTOR) of an LSTM.

    Args:
        model: for its formats and activations.
        rows: (..., 4H) for i, f, g, o.
        state: (..., H), the previous c.
        peepholes: (3, H) for i, f, o, or None.
        cell_activation: of g, "tanh" or "sigmoid".
    """
    row_i, row_f, row_g, row_o = np.split(rows, 4, axis=-1)
    if peepholes is not None:
        row_i = peep(model, row_i, peepholes[0], state)
        row_f = peep(model, row_f, peepholes[1], state)
    i, f = model.sigmoid.run(row_i), model.sigmoid.run(row_f)
    g = (model.tanh if cell_activation == "tanh" else model.sigmoid).run(row_g)
    gate, fine = model.gate.frac_bits, 2 * model.gate.frac_bits
    state = model.state.requantize(((f * state) << (gate - model.state.frac_bits)) + i * g, fine)
    if peepholes is not None:
        row_o = peep(model, row_o, peepholes[2], state)
    o = model.sigmoid.run(row_o)
    squashed = model.tanh.run(model.row.requantize(state, model.state.frac_bits))
    return state, model.vector.requantize(o * squashed, fine)


def gru_gates(model: IntegerParameters, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return z and r of rows (..., 2H)."""
    z, r = np.split(model.sigmoid.run(rows), 2, axis=-1)
    return z, r


def gru_reset_step(model: IntegerParameters, r: np.ndarray, state: np.ndarray) -> np.ndarray:
    """Return r * h in VECTOR (reset before the product)."""
    return model.vector.requantize(r * state, model.gate.frac_bits + model.state.frac_bits)


def gru_candidate_row(
    model: IntegerParameters, row_nx: np.ndarray, row_nh: np.ndarray, r: np.ndarray
) -> np.ndarray:
    """Return row_nx + r * row_nh in ROW (reset after the product)."""
    return model.row.requantize(r * row_nh, model.gate.frac_bits + model.row.frac_bits, add=row_nx)


def gru_update_step(
    model: IntegerParameters, row_n: np.ndarray, z: np.ndarray, state: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the new state h + z (n - h), n = tanh(row_n), and the same in VECTOR."""
    gate = model.gate.frac_bits
    h = state << (gate - model.state.frac_bits)
    n = model.tanh.run(row_n)
    state = model.state.requantize((h << gate) + z * (n - h), 2 * gate)
    return state, model.vector.requantize(state, model.state.frac_bits)
