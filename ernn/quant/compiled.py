"""Transforms and requantization compiled by numba, in float64 that holds whole numbers.

The readable reference is numpy on int64: `ernn.fixed.QFormat.requantize`, `Network.run` and
`ernn.quant.products`; tests compare the two bit for bit. Float64 is exact here, because
ernn.quant.check refuses models whose numbers need more than `EXACT_BITS`, and processors have
vector instructions for it.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit

from ernn.fixed import QFormat
from ernn.quant.network import Network, Scale, Sum

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
