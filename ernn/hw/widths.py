"""Widths of the array, proved: no input and no weight of the formats can exceed them.

The intervals follow from formats alone, because weights may be rewritten at run time. A Fourier
transform's are `Transform.bounds`; a product's and a sum's are interval arithmetic on top of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from ernn.bilinear import spectral, terms
from ernn.fixed import QFormat
from ernn.graphs.fourier import Scale, Sum, Transform, forward

Interval = tuple[int, int]


def signed_bits(intervals: Iterable[Interval]) -> int:
    """Return the bits of a signed number that holds every value of the intervals."""
    return max(1 + max(high.bit_length(), (-low - 1).bit_length()) for low, high in intervals)


def operand_transform(block: int, twiddle_bits: int) -> Transform:
    """Return the forward transform followed by the operands of the block's form."""
    return _behind(forward(block, twiddle_bits), spectral(block).operands)


def weight_bounds(block: int, weight: Interval) -> list[Interval]:
    """Return what each multiplier's weight can be."""
    return row_bounds(spectral(block).words, weight)


def row_bounds(rows: np.ndarray, weight: Interval) -> list[Interval]:
    """Return what each row, of entries -1, 0 and 1, adds up of a spectrum's weights."""
    low, high = weight
    found = []
    for row in rows:
        plus, minus = int((row > 0).sum()), int((row < 0).sum())
        found.append((plus * low - minus * high, plus * high - minus * low))
    return found


@dataclass(frozen=True)
class Bounds:
    """What no pass of a job can exceed."""

    operands: tuple[Interval, ...]  # of each multiplier
    sums: tuple[Interval, ...]  # of each multiplier, behind the last step
    spectrum: tuple[Interval, ...]  # of the real bins, Re and Im that follow from the sums

    def columns(self, count: int) -> "Bounds":
        """Return the same with the sums of ``count`` columns of PEs added up."""
        return Bounds(self.operands, _times(self.sums, count), _times(self.spectrum, count))


@lru_cache
def bounds(
    block: int, twiddle_bits: int, weight: Interval, vectors: tuple[tuple[QFormat, int], ...]
) -> Bounds:
    """Return the bounds of a job in one column of PEs.

    Args:
        block: k.
        twiddle_bits: fraction bits of the rotations.
        weight: of a spectrum, before d - c and c + d.
        vectors: of each vector, the format that enters its transform, and its steps in a pass.
    """
    operands, sums, spectrum = [], [], []
    weights = weight_bounds(block, weight)
    for entering, steps in vectors:
        own = _operands(block, twiddle_bits, entering)
        products = [_product(a, w) for a, w in zip(own, weights, strict=True)]
        operands.append(own)
        sums.append(_times(products, steps))
        spectrum.append(_times(_spectrum(block, twiddle_bits, weights[0], entering), steps))
    return Bounds(
        operands=tuple(
            (min(low for low, _ in place), max(high for _, high in place))
            for place in zip(*operands, strict=True)
        ),
        sums=_added(sums),
        spectrum=_added(spectrum),
    )


@lru_cache
def _operands(block: int, twiddle_bits: int, entering: QFormat) -> list[Interval]:
    return operand_transform(block, twiddle_bits).bounds(entering.min_raw, entering.max_raw)[-1]


@lru_cache
def _spectrum(block: int, twiddle_bits: int, weight: Interval, entering: QFormat) -> list[Interval]:
    """Bound what a block of weights adds to a spectrum: less than its products could, apart.

    A value is the sum over some weights w of w times a combination of the vector's spectrum. With
    one weight that is a product. With several it is at most the largest weight times the sum of the
    combinations' magnitudes, which is the largest magnitude of their sums with any signs: of
    Re = c a - d b and Im = c b + d a, the larger of |a + b| and |a - b|.
    """
    tensor = spectral(block).tensor
    taken = [value[value.any(axis=1)] for value in tensor]  # (weights, k) of each value
    signed = [_signs(len(one)) @ one for one in taken]  # (combinations, k)
    graph = _behind(forward(block, twiddle_bits), np.concatenate(signed))
    found = iter(graph.bounds(entering.min_raw, entering.max_raw)[-1])
    result = []
    for one, rows in zip(taken, signed, strict=True):
        ends = [next(found) for _ in rows]
        most = max(-weight[0], weight[1]) * max(abs(end) for interval in ends for end in interval)
        result.append(_product(ends[0], weight) if len(one) == 1 else (-most, most))
    return result


def _signs(count: int) -> np.ndarray:
    """Return every choice of signs but for that of the first: (2 ** (count - 1), count)."""
    return np.array([(1, *rest) for rest in product((1, -1), repeat=count - 1)])


def _behind(graph: Transform, rows: np.ndarray) -> Transform:
    """Return a transform followed by the sums of one or two of its values that the rows name."""
    stage: list[Scale | Sum] = []
    for row in rows:
        first, *rest = terms(row)
        assert first.sign > 0 and len(rest) < 2, "a stage adds two values"
        stage.append(Sum(first.place, *rest[0]) if rest else Sum(first.place))
    return Transform(graph.size, (*graph.stages, tuple(stage)))


def _product(a: Interval, b: Interval) -> Interval:
    ends = [x * y for x in a for y in b]
    return min(ends), max(ends)


def _times(intervals: Iterable[Interval], count: int) -> tuple[Interval, ...]:
    return tuple((count * low, count * high) for low, high in intervals)


def _added(lists: Iterable[Sequence[Interval]]) -> tuple[Interval, ...]:
    """Add intervals by place."""
    return tuple(
        (sum(low for low, _ in place), sum(high for _, high in place))
        for place in zip(*lists, strict=True)
    )
