"""Widths of the array, proved: no input and no weight of the formats can exceed them.

The intervals follow from formats alone, because weights may be rewritten at run time. A Fourier
transform's are `Network.bounds`; a product's and a sum's are interval arithmetic on top of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ernn.fixed import QFormat
from ernn.quant.network import Network, Scale, Sum, forward

Interval = tuple[int, int]


def signed_bits(intervals: Iterable[Interval]) -> int:
    """Return the bits of a signed number that holds every value of the intervals."""
    return max(1 + max(high.bit_length(), (-low - 1).bit_length()) for low, high in intervals)


def operand_network(block: int, twiddle_bits: int) -> Network:
    """Return the forward transform followed by the operands: real bins, then a + b, a, b."""
    operands = [Sum(line) for line in range(min(block, 2))]
    for re in range(2, block, 2):
        operands += [Sum(re, re + 1), Sum(re), Sum(re + 1)]
    return _behind(forward(block, twiddle_bits), operands)


def weight_bounds(block: int, bits: int) -> list[Interval]:
    """Return what each multiplier's weight can be: real bins, then c, d - c, c + d."""
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    complex_bin = [(low, high), (low - high, high - low), (2 * low, 2 * high)]
    return [(low, high)] * min(block, 2) + complex_bin * max(0, block // 2 - 1)


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
    block: int, twiddle_bits: int, weight_bits: int, vectors: tuple[tuple[QFormat, int], ...]
) -> Bounds:
    """Return the bounds of a job in one column of PEs.

    Args:
        block: k.
        twiddle_bits: fraction bits of the rotations.
        weight_bits: of a spectrum, before d - c and c + d.
        vectors: of each vector, the format that enters its transform, and its steps in a pass.
    """
    operands, sums, spectrum = [], [], []
    weights = weight_bounds(block, weight_bits)
    for entering, steps in vectors:
        own = operand_network(block, twiddle_bits).bounds(entering.min_raw, entering.max_raw)[-1]
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


def _spectrum(block: int, twiddle_bits: int, weight: Interval, entering: QFormat) -> list[Interval]:
    """Bound what a block of weights adds to a spectrum.

    Re = ca - db and Im = da + cb are at most the largest weight times |a| + |b|, and that is the
    larger one of |a + b| and |a - b|: less than P1, P2 and P3 could make without each other.
    """
    ends: list[Scale | Sum] = [Sum(line) for line in range(min(block, 2))]
    for re in range(2, block, 2):
        ends += [Sum(re, re + 1), Sum(re, re + 1, -1)]
    network = _behind(forward(block, twiddle_bits), ends)
    found = network.bounds(entering.min_raw, entering.max_raw)[-1]
    result = [_product(value, weight) for value in found[:2]]
    for plus, minus in zip(found[2::2], found[3::2], strict=True):
        most = -weight[0] * max(abs(end) for end in (*plus, *minus))
        result += [(-most, most)] * 2
    return result


def _behind(network: Network, stage: Sequence[Scale | Sum]) -> Network:
    return Network(network.size, (*network.stages, tuple(stage)))


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
