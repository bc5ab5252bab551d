"""Requantization, transforms and cells compiled by numba, in float64 that holds whole numbers.

The readable reference is numpy on int64: `ernn.fixed.QFormat.requantize`, `Network.run`,
`ernn.quant.products` and `ernn.quant.cells`; tests compare the two bit for bit. Float64 is exact
here, because ernn.quant.check refuses models whose numbers need more than `EXACT_BITS`, and
processors have vector instructions for it.

All compiled functions are in this one file: numba keeps machine code until the file of a function
changes, and does not look at the files of the functions that it calls.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit

from ernn.fixed import QFormat
from ernn.quant.activation import Piecewise
from ernn.quant.network import Network, Scale, Sum
from ernn.quant.parameters import IntegerParameters

EXACT_BITS = 52  # whole numbers below 2**52, and their halves, are exact in float64
TILE = 64  # blocks that walk through a network together, in the nearest cache


def compiled(function: Callable) -> Callable:
    """Compile a function at its first call, and keep the machine code where that is possible."""
    try:
        return njit(cache=True)(function)
    except RuntimeError:  # no folder can be written
        return njit(function)


class Move(NamedTuple):
    """A requantization: multiply by step, add half, round down, add, and clip to low and high."""

    step: float
    half: float
    low: float
    high: float


def move(target: QFormat, source_frac_bits: int) -> Move:
    """Return what `QFormat.requantize` does to numbers with a binary point."""
    shift = source_frac_bits - target.frac_bits
    half = 0.5 if shift > 0 else 0.0
    return Move(2.0**-shift, half, float(target.min_raw), float(target.max_raw))


@compiled
def requantized(value: float, add: float, to: Move) -> float:
    """Requantize one number; for compiled functions."""
    return min(max(np.floor(value * to.step + to.half) + add, to.low), to.high)


class Code(NamedTuple):
    """A network as a table of operations floor((u * a + v * b) * step + 1/2)."""

    ends: np.ndarray  # (stages,) operations up to the end of each stage
    lines: np.ndarray  # (operations, 2) where a and b are among the values of the stage before
    factors: np.ndarray  # (operations, 3) u, v and step; nothing is rounded where step is 1
    widest: int  # values of the widest stage


@lru_cache
def code_of(make: Callable[[int, int], Network], size: int, twiddle_bits: int) -> Code:
    """Return the table of `ernn.quant.network.forward` or `inverse`."""
    stages = make(size, twiddle_bits).stages
    rows = [_row(op) for stage in stages for op in stage]
    sizes = [len(stage) for stage in stages]
    return Code(
        np.cumsum(sizes, dtype=np.int64),
        np.array([row[:2] for row in rows], np.int64).reshape(-1, 2),
        np.array([row[2:] for row in rows], np.float64).reshape(-1, 3),
        max([size, *sizes]),
    )


def _row(op: Scale | Sum) -> tuple[int, int, float, float, float]:
    if isinstance(op, Scale):
        return op.a, op.a, op.factor, 0.0, 1.0
    if op.b is None:
        return op.a, op.a, 1.0, 0.0, 2.0**-op.shift
    return op.a, op.b, 1.0, op.sign, 2.0**-op.shift


@compiled
def _walk(code: Code, a: np.ndarray, b: np.ndarray, width: int) -> np.ndarray:
    """Run all stages from scratch ``a``, (widest, TILE), and return ``a`` or ``b``: the result."""
    start = 0
    for end in code.ends:
        for index in range(start, end):
            x, y = a[code.lines[index, 0]], a[code.lines[index, 1]]
            u, v, step = code.factors[index]
            out = b[index - start]
            for i in range(width):
                out[i] = u * x[i] + v * y[i]
            if step != 1.0:
                for i in range(width):
                    out[i] = np.floor(out[i] * step + 0.5)
        a, b = b, a
        start = end
    return a


@compiled
def transform(code: Code, blocks: np.ndarray, result: np.ndarray) -> None:
    """Run a network on blocks (N, k) into spectra (k, N)."""
    count, k = blocks.shape
    a, b = np.empty((code.widest, TILE)), np.empty((code.widest, TILE))
    for start in range(0, count, TILE):
        width = min(TILE, count - start)
        for i in range(width):
            for line in range(k):
                a[line, i] = blocks[start + i, line]
        found = _walk(code, a, b, width)
        for line in range(k):
            for i in range(width):
                result[line, start + i] = found[line, i]


@compiled
def finish(
    code: Code, acc: np.ndarray, enter: Move, leave: Move, bias: np.ndarray, rows: np.ndarray
) -> None:
    """Requantize accumulators (k, N), run a network, requantize with bias (p, k) into (N, k)."""
    k, count = acc.shape
    a, b = np.empty((code.widest, TILE)), np.empty((code.widest, TILE))
    for start in range(0, count, TILE):
        width = min(TILE, count - start)
        for line in range(k):
            for i in range(width):
                a[line, i] = requantized(acc[line, start + i], 0.0, enter)
        found = _walk(code, a, b, width)
        block = start % len(bias)
        for i in range(width):
            for line in range(k):
                rows[start + i, line] = requantized(found[line, i], bias[block, line], leave)
            block += 1
            if block == len(bias):
                block = 0


@compiled
def requantize(raw: np.ndarray, factors: np.ndarray, to: Move, result: np.ndarray) -> None:
    """Requantize (N, size) times one factor (size,) per column."""
    for n in range(len(raw)):
        for i in range(len(factors)):
            result[n, i] = requantized(raw[n, i] * factors[i], 0.0, to)


# The cells: arrays are float64 of whole numbers, (N,) or (B, size); the last ones are written.


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
