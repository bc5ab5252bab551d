"""Transforms compiled by numba: what `Network.run` and `QFormat.requantize` say, in one pass.

Everything is float64 that holds whole numbers (`ernn.fixed.whole`), in tiles that stay in the
nearest cache while a network walks over them. The readable twin is `ernn.quant.products`, which
computes the same in int64 with numpy; the tests compare them bit for bit.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit

from ernn.fixed import QFormat
from ernn.quant.network import Network, Scale, Sum

TILE = 64  # blocks that walk through a network together


def _compiled(function: Callable) -> Callable:
    """Compile a function at its first call, and keep the machine code where that is possible."""
    try:
        return njit(cache=True)(function)
    except RuntimeError:  # no folder can be written
        return njit(function)


class Code(NamedTuple):
    """A network as a table: operations floor((u * lines[a] + v * lines[b]) * step + 1/2)."""

    ends: np.ndarray  # (stages,) operations up to the end of each stage
    lines: np.ndarray  # (operations, 2) a and b
    factors: np.ndarray  # (operations, 3) u, v and step; step 1 where nothing is rounded
    widest: int  # lines of the widest stage


@lru_cache
def code_of(make: Callable[[int, int], Network], size: int, twiddle_bits: int) -> Code:
    """Return the table of `ernn.quant.network.forward` or `inverse`."""
    network = make(size, twiddle_bits)
    operations = [op for stage in network.stages for op in stage]
    sizes = [len(stage) for stage in network.stages]
    rows = [_row(op) for op in operations]
    lines = np.array([row[:2] for row in rows], np.int64).reshape(-1, 2)
    factors = np.array([row[2:] for row in rows], np.float64).reshape(-1, 3)
    return Code(np.cumsum(sizes, dtype=np.int64), lines, factors, max([size, *sizes]))


def _row(op: Scale | Sum) -> tuple[int, int, float, float, float]:
    if isinstance(op, Scale):
        return op.a, op.a, op.factor, 0.0, 1.0
    if op.b is None:
        return op.a, op.a, 1.0, 0.0, 2.0**-op.shift
    return op.a, op.b, 1.0, op.sign, 2.0**-op.shift


def transform(code: Code, k: int, vectors: np.ndarray) -> np.ndarray:
    """Run a network on every block: (..., q * k) -> (k, ..., q)."""
    blocks = np.ascontiguousarray(vectors).reshape(-1, k)
    result = np.empty((k, len(blocks)))
    _transform(code, blocks, result)
    return result.reshape(k, *vectors.shape[:-1], -1)


def finish(
    code: Code,
    acc: np.ndarray,
    entering: tuple[QFormat, int],
    leaving: tuple[QFormat, int],
    bias: np.ndarray,
) -> np.ndarray:
    """Requantize, run a network, requantize and add: (k, ..., p) -> (..., p * k).

    Args:
        code: of a network with k values in and out.
        acc: raw.
        entering: format of what enters the network, and fraction bits of ``acc``.
        leaving: format of the result, and fraction bits of what leaves the network.
        bias: (p * k,), raw in the result's format, added before the saturation.
    """
    k, p = len(acc), acc.shape[-1]
    result = np.empty((*acc.shape[1:-1], p * k))
    blocks = np.ascontiguousarray(acc).reshape(k, -1)
    adds = bias.astype(np.float64).reshape(p, k)
    _finish(code, blocks, _move(*entering), _move(*leaving), adds, result.reshape(-1, k))
    return result


def _move(target: QFormat, source_frac_bits: int) -> tuple[float, float, float, float]:
    """Return the step, the half, and the ends of a requantization."""
    shift = source_frac_bits - target.frac_bits
    half = 0.5 if shift > 0 else 0.0
    return 2.0**-shift, half, float(target.min_raw), float(target.max_raw)


def look_up(table: np.ndarray, raw: np.ndarray) -> np.ndarray:
    """Return ``table[raw]`` for any shape; negative values index from the end."""
    result = np.empty(raw.shape)
    _look_up(table, np.ascontiguousarray(raw).reshape(-1), result.reshape(-1))
    return result


@_compiled
def _look_up(table: np.ndarray, raw: np.ndarray, result: np.ndarray) -> None:
    for i in range(len(raw)):
        result[i] = table[int(raw[i])]


@_compiled
def _walk(code: Code, a: np.ndarray, b: np.ndarray, width: int) -> np.ndarray:
    """Run all stages on (lines, TILE) scratch; return the one of the two that has the results."""
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


@_compiled
def _transform(code: Code, blocks: np.ndarray, result: np.ndarray) -> None:
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


@_compiled
def _finish(
    code: Code,
    acc: np.ndarray,
    entering: tuple[float, float, float, float],
    leaving: tuple[float, float, float, float],
    bias: np.ndarray,
    result: np.ndarray,
) -> None:
    k, count = acc.shape
    a, b = np.empty((code.widest, TILE)), np.empty((code.widest, TILE))
    step, half, low, high = entering
    last_step, last_half, last_low, last_high = leaving
    for start in range(0, count, TILE):
        width = min(TILE, count - start)
        for line in range(k):
            for i in range(width):
                value = np.floor(acc[line, start + i] * step + half)
                a[line, i] = min(max(value, low), high)
        found = _walk(code, a, b, width)
        block = start % len(bias)
        for i in range(width):
            for line in range(k):
                value = np.floor(found[line, i] * last_step + last_half) + bias[block, line]
                result[start + i, line] = min(max(value, last_low), last_high)
            block += 1
            if block == len(bias):
                block = 0
