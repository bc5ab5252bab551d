"""Sigmoid and tanh as straight lines over |x|: designed and evaluated here, built by ernn.hdl."""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, floor, log2

import numpy as np

from ernn.fixed import QFormat, round_shift

GRID_BITS = 4  # breakpoints lie on multiples of 2^-4, finer where the error asks for it
STEEPEST = (1 << 17) - 1  # of all slopes, raw: a signed one has at most 18 bits


@dataclass(frozen=True)
class Piecewise:
    """A function of ROW values in GATE values, a line per grid cell of |x|.

    y = intercept + round(slope * |x|) with the entries at index min(|x| >> index_shift, last);
    the last entry is the constant beyond the limit. Negative x: tanh -y, sigmoid 1 - y. No input
    takes y out of [0, gate.max_raw], so nothing saturates.
    """

    name: str  # "sigmoid" or "tanh"
    row: QFormat
    gate: QFormat
    index_shift: int  # |x| bits within a grid cell
    slope_frac_bits: int
    slopes: np.ndarray  # (cells + 1,) int64
    intercepts: np.ndarray  # (cells + 1,) int64, raw in GATE
    max_error: float  # largest |y - f(x)| over every representable x

    @property
    def product_shift(self) -> int:
        """Bits that slope * |x| is rounded right by; never negative."""
        return self.slope_frac_bits + self.row.frac_bits - self.gate.frac_bits

    @property
    def segments(self) -> int:
        """Different lines, the constant beyond the limit included."""
        changes = (np.diff(self.slopes) != 0) | (np.diff(self.intercepts) != 0)
        return 1 + int(changes.sum())

    def run(self, raw: np.ndarray) -> np.ndarray:
        """Return raw GATE values of raw ROW values, any shape."""
        size = np.abs(raw)
        index = np.minimum(size >> self.index_shift, len(self.slopes) - 1)
        y = self.intercepts[index] + round_shift(self.slopes[index] * size, self.product_shift)
        one = 0 if self.name == "tanh" else 1 << self.gate.frac_bits
        return np.where(raw < 0, one - y, y)


@lru_cache
def design(name: str, row: QFormat, gate: QFormat, error: float) -> Piecewise:
    """Choose as few lines as keep every representable input within ``error``.

    Args:
        name: "sigmoid" or "tanh".
        row: format of x.
        gate: format of y; an error below its step is read as its step.
        error: largest |y - f(x)|, rounding of slopes, intercepts and results included.
    """
    error = max(error, gate.step)
    frac_bits = max(ceil(log2(8 / error)), gate.frac_bits - row.frac_bits)
    for index_shift in range(max(row.frac_bits - GRID_BITS, 0), -1, -1):
        entries = _Cover(name, row, gate, error, index_shift, frac_bits).entries()
        if entries is not None:
            slopes, intercepts = np.array(entries, np.int64).T
            draft = Piecewise(name, row, gate, index_shift, frac_bits, slopes, intercepts, error)
            return replace(draft, max_error=measure(draft))
    raise AssertionError("a grid cell of one input always meets an error of one step")


def measure(function: Piecewise) -> float:
    """Return the largest error over every representable input."""
    raw = np.arange(function.row.min_raw, function.row.max_raw + 1)
    exact = _exact(function.name, function.row.to_float(raw))
    return float(np.abs(function.gate.to_float(function.run(raw)) - exact).max())


def _exact(name: str, x: np.ndarray) -> np.ndarray:
    return np.tanh(x) if name == "tanh" else 0.5 + 0.5 * np.tanh(0.5 * x)


class _Cover:
    """Cover [0, -row.min_raw] with lines, each as long as the error allows, and then a constant.

    The constant is the largest result there is: an open gate opens fully.

    Greedy is best: part of an interval that a line serves is served by that line too.
    """

    def __init__(
        self, name: str, row: QFormat, gate: QFormat, error: float, index_shift: int, frac_bits: int
    ) -> None:
        self.size = np.arange(-row.min_raw + 1)
        self.exact = _exact(name, row.to_float(self.size)) / gate.step
        self.error = error / gate.step
        self.last = gate.max_raw
        self.index_shift = index_shift
        self.product_shift = frac_bits + row.frac_bits - gate.frac_bits
        self.steepest = min(round((1.0 if name == "tanh" else 0.25) * 2**frac_bits), STEEPEST)

    def entries(self) -> list[tuple[int, int]] | None:
        """Return (slope, intercept) per grid cell, or None where a single cell is too long."""
        cells = (int(self.size[-1]) >> self.index_shift) + 1
        limit = -(-int((self.exact < self.last - self.error).sum()) >> self.index_shift)
        entries: list[tuple[int, int]] = []
        while len(entries) < min(limit, cells):
            line, count = self._longest(len(entries), min(limit, cells))
            if line is None:
                return None
            entries += [line] * count
        return entries if limit >= cells else [*entries, (0, self.last)]

    def _longest(self, start: int, cells: int) -> tuple[tuple[int, int] | None, int]:
        """Return the line that serves most cells from ``start`` on, and how many."""
        best, good, bad = None, 0, cells - start + 1
        step = 1
        while bad - good > 1:
            count = min(good + step, bad - 1)
            line = self._line(start, start + count)
            if line is None:
                bad, step = count, max(1, (count - good) // 2)
            else:
                best, good, step = line, count, 2 * step
        return best, good

    def _line(self, start: int, stop: int) -> tuple[int, int] | None:
        """Return (slope, intercept) for these cells, or None where no line is good enough."""
        inputs = slice(start << self.index_shift, stop << self.index_shift)
        x, exact = self.size[inputs], self.exact[inputs]
        rise, run = exact[-1] - exact[0], max(int(x[-1] - x[0]), 1)
        slope = min(round(rise / run * 2**self.product_shift), self.steepest)
        if start == 0:
            intercept = round(exact[0])  # f(0) is exact: cells that only pad a layer stay at rest
            slope = self._slope_from_zero(x, exact - intercept, slope)
        else:
            miss = exact - self._rounded(slope, x)
            highest = self.last - int(self._rounded(slope, x).max())
            intercept = min(floor((miss.max() + miss.min()) / 2 + 0.5), highest)
        y = intercept + self._rounded(slope, x)
        good = np.abs(y - exact).max() <= self.error and y.min() >= 0 and y.max() <= self.last
        return (slope, intercept) if good else None

    def _slope_from_zero(self, x: np.ndarray, exact: np.ndarray, chord: int) -> int:
        """Return the slope through (0, 0) whose largest errors above and below are equal."""
        low, high = chord, self.steepest
        while low < high:
            slope = (low + high) // 2
            miss = exact - self._rounded(slope, x)
            low, high = (slope + 1, high) if miss.max() + miss.min() > 0 else (low, slope)
        return low

    def _rounded(self, slope: int, x: np.ndarray) -> np.ndarray:
        return round_shift(slope * x, self.product_shift)
