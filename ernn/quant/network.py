"""Fixed-point Fourier transforms as networks: one description for numpy and for hardware.

A `Network` is a list of stages; a stage computes each of its values from those of the stage
before, and is one pipeline register deep in hardware (ernn/hdl/datapath.py). Additions are exact;
only `Sum` with a shift rounds. A spectrum of k reals is packed as
[X0, X(k/2), Re X1, Im X1, Re X2, Im X2, ...].
"""

from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, sin

import numpy as np

from ernn.fixed import round_shift


@dataclass(frozen=True)
class Scale:
    """Value ``a`` times an integer constant."""

    a: int
    factor: int


@dataclass(frozen=True)
class Sum:
    """Values ``a`` + sign * ``b`` (b = None: a alone), then rounded right by ``shift`` bits."""

    a: int
    b: int | None = None
    sign: int = 1
    shift: int = 0


Stage = tuple[Scale | Sum, ...]


@dataclass(frozen=True)
class Network:
    """``size`` values in, ``size`` values out, ``len(stages)`` clock cycles."""

    size: int
    stages: tuple[Stage, ...]

    @property
    def latency_cycles(self) -> int:
        """One register per stage."""
        return len(self.stages)

    def run(self, values: np.ndarray) -> np.ndarray:
        """Compute on int64: (..., size) -> (..., size)."""
        lines = list(np.moveaxis(np.asarray(values, dtype=np.int64), -1, 0))
        for stage in self.stages:
            lines = [_apply(op, lines) for op in stage]
        return np.stack(lines, axis=-1)

    def bounds(self, low: int, high: int) -> list[list[tuple[int, int]]]:
        """Return the interval of every value behind every stage for inputs in [low, high].

        Interval arithmetic: no input can leave these, so they give the widths of the hardware.
        """
        lines = [(low, high)] * self.size
        result = [lines]
        for stage in self.stages:
            lines = [_interval(op, lines) for op in stage]
            result.append(lines)
        return result


def _apply(op: Scale | Sum, lines: list[np.ndarray]) -> np.ndarray:
    if isinstance(op, Scale):
        return lines[op.a] * op.factor
    a, b = lines[op.a], None if op.b is None else lines[op.b]
    total = a if b is None else a + b if op.sign > 0 else a - b
    return round_shift(total, op.shift) if op.shift else total


def _interval(op: Scale | Sum, lines: list[tuple[int, int]]) -> tuple[int, int]:
    if isinstance(op, Scale):
        ends = [end * op.factor for end in lines[op.a]]
    elif op.b is None:
        ends = list(lines[op.a])
    else:
        ends = [a + op.sign * b for a, b in zip(lines[op.a], _turned(lines[op.b], op), strict=True)]
    if isinstance(op, Sum) and op.shift:
        ends = [(end + (1 << (op.shift - 1))) >> op.shift for end in ends]
    return min(ends), max(ends)


def _turned(interval: tuple[int, int], op: Sum) -> tuple[int, int]:
    """Order the ends so that adding ``sign * end`` pairs lowest with lowest."""
    return interval if op.sign > 0 else (interval[1], interval[0])


@lru_cache
def forward(size: int, twiddle_bits: int) -> Network:
    """Return the real FFT of ``size`` (a power of two) values, packed, unscaled.

    Decimation in time: transforms of the even and the odd samples, the odd one rotated by
    exp(-2 pi i j / n), then sums and differences.
    """
    stages: list[Stage] = []
    for n in _sizes(size):
        stages += _rotation(size, n, sign=-1, twiddle_bits=twiddle_bits)
        stages.append(
            tuple(op for base in range(0, size, n) for op in _butterfly_forward(base, n // 2))
        )
    if stages:
        order = _bit_reversed(size)
        stages[0] = tuple(
            Sum(order[base + a], order[base + b], sign)
            for base in range(0, size, 2)
            for a, b, sign in ((0, 1, 1), (0, 1, -1))
        )
    return Network(size, tuple(stages))


@lru_cache
def inverse(size: int, twiddle_bits: int) -> Network:
    """Return ``size`` times the inverse of `forward`: packed spectrum in, real values out."""
    stages: list[Stage] = []
    for n in reversed(_sizes(size)):
        stages.append(
            tuple(op for base in range(0, size, n) for op in _butterfly_inverse(base, n // 2))
        )
        stages += _rotation(size, n, sign=1, twiddle_bits=twiddle_bits)
    if stages:
        stages[-1] = tuple(stages[-1][i] for i in _bit_reversed(size))
    return Network(size, tuple(stages))


def _sizes(size: int) -> list[int]:
    """2, 4, ... size."""
    return [1 << bit for bit in range(1, size.bit_length())]


def _bit_reversed(size: int) -> list[int]:
    bits = size.bit_length() - 1
    return [int(format(i, f"0{bits}b")[::-1], 2) if bits else 0 for i in range(size)]


def _butterfly_forward(base: int, half: int) -> list[Scale | Sum]:
    """X[j] = E[j] + T[j] and X[half - j] = conj(E[j] - T[j]), T the rotated odd transform."""
    odd = base + half
    bins: list[list[Scale | Sum]] = [[] for _ in range(half)]
    bins[0] = [Sum(base, odd), Sum(base, odd, -1)]
    if half > 1:  # j = half / 2: both are real and the rotation is by -i
        bins[half // 2] = [Sum(base + 1), Scale(odd + 1, -1)]
    for j in range(1, half // 2):
        re, im = 2 * j, 2 * j + 1
        bins[j] = [Sum(base + re, odd + re), Sum(base + im, odd + im)]
        bins[half - j] = [Sum(base + re, odd + re, -1), Sum(odd + im, base + im, -1)]
    return [op for pair in bins for op in pair]


def _butterfly_inverse(base: int, half: int) -> list[Scale | Sum]:
    """E[j] = X[j] + conj(X[half - j]) and, still to be rotated, O[j] = X[j] - conj(X[half - j])."""
    even: list[Scale | Sum] = [Sum(base, base + 1)]
    odd: list[Scale | Sum] = [Sum(base, base + 1, -1)]
    if half > 1:
        even.append(Scale(base + half, 2))
        odd.append(Scale(base + half + 1, -2))
    for j in range(1, half // 2):
        a, b = base + 2 * j, base + 2 * (half - j)
        even += [Sum(a, b), Sum(a + 1, b + 1, -1)]
        odd += [Sum(a, b, -1), Sum(a + 1, b + 1)]
    return even + odd


def _rotation(size: int, n: int, sign: int, twiddle_bits: int) -> list[Stage]:
    """Multiply bins 1 .. n/4 - 1 of every odd transform by exp(sign * 2 pi i j / n): two stages."""
    if n <= 4:
        return []
    half = n // 2
    products: list[Scale | Sum] = []
    sums: list[Scale | Sum] = []
    for i in range(size):
        j, start = (i % n - half) // 2, len(products)
        if j < 1:  # the even transform and the real bins of the odd one wait
            products.append(Sum(i))
            sums.append(Sum(start))
        elif i % 2 == 0:
            c = round(cos(2 * pi * j / n) * (1 << twiddle_bits))
            s = round(sin(2 * pi * j / n) * (1 << twiddle_bits))
            products += [Scale(i, c), Scale(i + 1, s), Scale(i + 1, c), Scale(i, s)]
            sums += [
                Sum(start, start + 1, -sign, twiddle_bits),
                Sum(start + 2, start + 3, sign, twiddle_bits),
            ]
    return [tuple(products), tuple(sums)]
