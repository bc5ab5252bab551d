"""Requantization, transforms and cells compiled by numba, in float64 that holds whole numbers.

The readable reference is numpy on int64: `ernn.fixed.QFormat.requantize`, `Transform.run`,
`ernn.quant.products` and `ernn.quant.operations`; tests compare the two bit for bit. Float64 is
exact here, because ernn.quant.check refuses models whose numbers need more than `EXACT_BITS`, and
processors have vector instructions for it.

All compiled functions are in this one file: numba keeps machine code until the file of a function
changes, and does not look at the files of the functions that it calls.
"""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit

from ernn.fixed import QFormat
from ernn.graphs.activation import Piecewise
from ernn.graphs.cell import Act, Dot2, Lerp, Mul, Operation, Region
from ernn.graphs.cell import Move as MoveNode
from ernn.graphs.fourier import Scale, Sum, Transform

EXACT_BITS = 52  # whole numbers below 2**52, and their halves, are exact in float64
TILE = 64  # blocks that go through a transform together, in the nearest cache


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
    """A transform as a table of operations floor((u * a + v * b) * step + 1/2)."""

    ends: np.ndarray  # (stages,) operations up to the end of each stage
    lines: np.ndarray  # (operations, 2) where a and b are among the values of the stage before
    factors: np.ndarray  # (operations, 3) u, v and step; nothing is rounded where step is 1
    widest: int  # values of the widest stage


@lru_cache
def code_of(make: Callable[[int, int], Transform], size: int, twiddle_bits: int) -> Code:
    """Return the table of `ernn.graphs.fourier.forward` or `inverse`."""
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
def _execute(code: Code, a: np.ndarray, b: np.ndarray, width: int) -> np.ndarray:
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
    """Run a transform on blocks (N, k) into spectra (k, N)."""
    count, k = blocks.shape
    a, b = np.empty((code.widest, TILE)), np.empty((code.widest, TILE))
    for start in range(0, count, TILE):
        width = min(TILE, count - start)
        for i in range(width):
            for line in range(k):
                a[line, i] = blocks[start + i, line]
        found = _execute(code, a, b, width)
        for line in range(k):
            for i in range(width):
                result[line, start + i] = found[line, i]


@compiled
def finish(
    code: Code,
    acc: np.ndarray,
    units: np.ndarray,
    enter: Move,
    leave: Move,
    bias: np.ndarray,
    rows: np.ndarray,
) -> None:
    """Requantize accumulators (k, N) times units (p,), powers of two that align them, run a
    transform, requantize with bias (p, k) into (N, k).
    """
    k, count = acc.shape
    a, b = np.empty((code.widest, TILE)), np.empty((code.widest, TILE))
    for start in range(0, count, TILE):
        width = min(TILE, count - start)
        first = start % len(bias)
        for line in range(k):
            block = first
            for i in range(width):
                a[line, i] = requantized(acc[line, start + i] * units[block], 0.0, enter)
                block += 1
                if block == len(bias):
                    block = 0
        found = _execute(code, a, b, width)
        block = first
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


def table(function: Piecewise) -> np.ndarray:
    """Return the results of every row there is, from the lowest."""
    every_row = np.arange(function.row.min_raw, function.row.max_raw + 1)
    return function.run(every_row).astype(np.int32)  # half of int64: more of it stays in a cache


@compiled
def add_rows(to_row: Move, row_h: np.ndarray, row_x: np.ndarray, row: np.ndarray) -> None:
    """Add the two rows of a gate whose matrices have different block sizes."""
    for n in range(len(row)):
        row[n] = requantized(row_h[n], row_x[n], to_row)


# Cells: a region of `ernn.graphs.cell` is a table of operations on the lines of one array, whose
# columns are the elements. A few elements at a time go through the region, in the nearest cache.

TABLE, RELU, SUM = range(3)  # kinds of operations
TILE_ELEMENTS = 256


class RegionCode(NamedTuple):
    """A region as a table: out = tables[b][a], max(a, 0), or, clipped to low and high,
    floor(u a b + v c d + w d + half) + add.
    """

    lines: np.ndarray  # (operations, 7) kind, and where out, a, b, c, d and add are
    inner: np.ndarray  # (lines,) whether a value is of the region alone, and forgotten behind it
    factors: np.ndarray  # (operations, 6) u, v, w, half, low, high
    tables: np.ndarray  # (functions, rows) results of every row there is, from the lowest


@compiled
def _part(
    inner: np.ndarray, values: np.ndarray, scratch: np.ndarray, line: int, start: int, end: int
) -> np.ndarray:
    if inner[line]:
        return scratch[line, : end - start]
    return values[line, start:end]


@compiled
def operate(code: RegionCode, values: np.ndarray, count: int) -> None:
    """Run a region on the first ``count`` columns of values (lines, elements)."""
    middle = code.tables.shape[1] // 2
    scratch = np.zeros((len(code.inner), TILE_ELEMENTS))  # small: it stays in the nearest cache
    for start in range(0, count, TILE_ELEMENTS):
        end = min(start + TILE_ELEMENTS, count)
        for index in range(len(code.lines)):
            kind, to, first, second, third, fourth, fifth = code.lines[index]
            out = _part(code.inner, values, scratch, to, start, end)
            a = _part(code.inner, values, scratch, first, start, end)
            if kind == TABLE:
                results = code.tables[second]
                for i in range(end - start):
                    out[i] = results[int(a[i]) + middle]
            elif kind == RELU:
                for i in range(end - start):
                    out[i] = max(a[i], 0.0)
            else:
                b = _part(code.inner, values, scratch, second, start, end)
                c = _part(code.inner, values, scratch, third, start, end)
                d = _part(code.inner, values, scratch, fourth, start, end)
                add = _part(code.inner, values, scratch, fifth, start, end)
                u, v, w, half, low, high = code.factors[index]
                for i in range(end - start):
                    exact = u * a[i] * b[i] + v * c[i] * d[i] + w * d[i]
                    out[i] = min(max(np.floor(exact + half) + add[i], low), high)


FUNCTIONS = ("sigmoid", "tanh")  # in the order of `RegionCode.tables`


def region_code(
    region: Region,
    shown: Collection[str],
    formats: Mapping[str, QFormat],
    line: Mapping[str, int],
    tables: np.ndarray,
) -> RegionCode:
    """Return the table of a region.

    Args:
        region: its operations.
        shown: values that somebody asks for although no other region reads them.
        formats: of every value; see `ernn.quant.operations.formats`.
        line: of every value, and of "": a line of zeros.
        tables: (functions, rows) in the order of `FUNCTIONS`.
    """
    rows = [_operation(node, formats) for node in region.nodes]
    lines = [
        (kind, line[node.out], *(of if isinstance(of, int) else line[of] for of in operands))
        for node, (kind, operands, _) in zip(region.nodes, rows, strict=True)
    ]
    alone = {node.out for node in region.nodes}.difference(region.writes, shown) | {""}
    inner = np.array([name in alone for name in line])  # in the order of the lines
    factors = np.array([row[2] for row in rows])
    return RegionCode(np.array(lines, np.int64), inner, factors, tables)


def _operation(
    node: Operation, formats: Mapping[str, QFormat]
) -> tuple[int, tuple[str | int, ...], tuple[float, ...]]:
    """Return kind, operands a, b, c, d and add, and factors of an operation."""
    to, frac = formats[node.out], {name: form.frac_bits for name, form in formats.items()}

    def factors(point: int, *units: float) -> tuple[float, ...]:
        """u, v and w from what a term is a multiple of; the finest point decides the rounding."""
        rounded = move(to, point)
        return (*units, rounded.half, rounded.low, rounded.high)

    match node:
        case Act(function=("sigmoid" | "tanh") as function, row=row):
            return TABLE, (row, FUNCTIONS.index(function), "", "", ""), (0.0,) * 6
        case Act(function="relu", row=row):
            return RELU, (row, "", "", "", ""), (0.0,) * 6
        case Act(row=a):
            return SUM, ("", "", "", a, ""), factors(to.frac_bits, 0, 0, 1)
        case Mul(a=a, b=b, add=add):
            point = frac[a] + frac[b]
            unit = 2.0 ** (to.frac_bits - point)
            return SUM, (a, b, "", "", add or ""), factors(point, unit, 0, 0)
        case Dot2(a=a, b=b, c=c, d=d):
            points = frac[a] + frac[b], frac[c] + frac[d]
            u, v = (2.0 ** (to.frac_bits - point) for point in points)
            return SUM, (a, b, c, d, ""), factors(max(points), u, v, 0)
        case Lerp(a=a, b=b, weight=weight):
            u, v = (2.0 ** (to.frac_bits - frac[weight] - frac[name]) for name in (b, a))
            point = max(frac[a], frac[b]) + frac[weight]
            return (
                SUM,
                (weight, b, weight, a, ""),
                factors(point, u, -v, 2.0 ** (to.frac_bits - frac[a])),
            )
        case MoveNode(a=a):
            return SUM, ("", "", "", a, ""), factors(frac[a], 0, 0, 2.0 ** (to.frac_bits - frac[a]))
