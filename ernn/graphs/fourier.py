"""Fixed-point Fourier transforms as graphs: one description for numpy and for hardware.

A `Transform` is a list of stages; a stage computes each of its values from those of the stage
before, and is one pipeline register deep in hardware (ernn/hdl/datapath.py). Additions are exact;
only `Sum` with a shift rounds. A spectrum of k reals is packed as
[X0, X(k/2), Re X1, Im X1, Re X2, Im X2, ...].
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
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
class Transform:
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

        A proof: no input can leave these, so they give the widths of the hardware. And a tight one:
        but for the roundings, an input reaches either end.
        """
        return [[line.interval(low, high) for line in lines] for lines in self._lines]

    @cached_property
    def _lines(self) -> list[list["_Line"]]:
        """Every value behind every stage, as a function of the inputs."""
        fraction = sum(
            max((op.shift for op in s if isinstance(op, Sum)), default=0) for s in self.stages
        )
        inputs = np.eye(self.size, dtype=np.int64).astype(object) << fraction
        lines = [_Line(fraction, factors, 0, 0) for factors in inputs]
        result = [lines]
        for stage in self.stages:
            lines = [_combine(op, lines) for op in stage]
            result.append(lines)
        return result


@dataclass(frozen=True)
class _Line:
    """A value as a weighted sum of the inputs plus what roundings added, all in 2**-fraction.

    Intervals of the parts of a sum would forget that Re and Im of a bin share their inputs: a + b
    of a bin stays below k inputs, the sum of its parts' largest values does not.
    """

    fraction: int
    factors: np.ndarray  # (size,) Python integers, exact however many rotations
    low: int  # of the roundings
    high: int

    def interval(self, low: int, high: int) -> tuple[int, int]:
        """Return the whole numbers that inputs in [low, high] can make of it."""
        up, down = self.factors[self.factors > 0].sum(), self.factors[self.factors < 0].sum()
        least = up * low + down * high + self.low
        most = up * high + down * low + self.high
        return -(-least >> self.fraction), most >> self.fraction

    def times(self, factor: int) -> "_Line":
        low, high = sorted((self.low * factor, self.high * factor))
        return _Line(self.fraction, self.factors * factor, low, high)

    def plus(self, other: "_Line") -> "_Line":
        factors = self.factors + other.factors
        return _Line(self.fraction, factors, self.low + other.low, self.high + other.high)

    def rounded(self, shift: int) -> "_Line":
        """Half up: at most a half is added, and less than a half taken away."""
        half = 1 << (self.fraction - 1)
        low = (self.low >> shift) - half + (1 << (self.fraction - shift))
        high = -(-self.high >> shift) + half
        return _Line(self.fraction, self.factors >> shift, low, high)


def _combine(op: Scale | Sum, lines: list[_Line]) -> _Line:
    if isinstance(op, Scale):
        return lines[op.a].times(op.factor)
    total = lines[op.a] if op.b is None else lines[op.a].plus(lines[op.b].times(op.sign))
    return total.rounded(op.shift) if op.shift else total


def _apply(op: Scale | Sum, lines: list[np.ndarray]) -> np.ndarray:
    if isinstance(op, Scale):
        return lines[op.a] * op.factor
    a, b = lines[op.a], None if op.b is None else lines[op.b]
    total = a if b is None else a + b if op.sign > 0 else a - b
    return round_shift(total, op.shift) if op.shift else total


@lru_cache
def forward(size: int, twiddle_bits: int) -> Transform:
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
    return Transform(size, tuple(stages))


@lru_cache
def inverse(size: int, twiddle_bits: int) -> Transform:
    """Return ``size`` times the inverse of `forward`: packed spectrum in, real values out."""
    stages: list[Stage] = []
    for n in reversed(_sizes(size)):
        stages.append(
            tuple(op for base in range(0, size, n) for op in _butterfly_inverse(base, n // 2))
        )
        stages += _rotation(size, n, sign=1, twiddle_bits=twiddle_bits)
    if stages:
        stages[-1] = tuple(stages[-1][i] for i in _bit_reversed(size))
    return Transform(size, tuple(stages))


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
