"""What else a network could be on a part: its plans over block sizes and bits.

Nothing is trained, so nothing is said of accuracy. What stands in for it is how much was done to
the network: larger blocks and fewer bits take more away. So the front keeps what is fast or small
for as little of that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ernn.errors import PlanError
from ernn.hw.explore import Design, Exploration, explore
from ernn.hw.variants import with_bits, with_block
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import HardwareRecipe


@dataclass(frozen=True)
class Point:
    """A variant of a network: the block size of its layers, and the bits of what it computes."""

    block: int
    bits: int  # of weights and activations
    weights: int  # stored numbers of all products, without biases
    found: Exploration | None  # None: refused
    refusal: str = ""

    def milder(self, other: "Point") -> bool:
        """Whether it takes no more from the network than the other one."""
        return self.block <= other.block and self.bits >= other.bits


@dataclass(frozen=True)
class Choice:
    """A design of a variant."""

    point: Point
    design: Design

    def beats(self, other: "Choice") -> bool:
        """Whether it takes no more from the network, is as good, and better in something."""
        if not self.point.milder(other.point):
            return False
        mine, theirs = _merits(self.design), _merits(other.design)
        as_good = all(a <= b for a, b in zip(mine, theirs, strict=True))
        return as_good and (mine != theirs or not other.point.milder(self.point))


def _merits(design: Design) -> tuple[float, ...]:
    used, rate = design.used, design.rate
    return rate.cycles_per_frame, rate.latency_cycles, used.dsp, used.bram36, used.lut


def sweep(
    model: IntegerModel,
    hardware: HardwareRecipe,
    name: str,
    blocks: Sequence[int],
    bits: Sequence[int],
) -> Iterator[Point]:
    """Yield a plan of every block size and number of bits, in the order given.

    Args:
        model: whose sizes and ranges count; its weights do not.
        hardware: part, clock, streams and objective of every plan.
        name: that plans carry.
        blocks: sizes of the layers' blocks; the output layer keeps its own.
        bits: of weights and activations.
    """
    for block in blocks:
        for width in bits:
            variant = with_bits(with_block(model, block), width)
            weights = sum(one.spectra.size for p in variant.products for one in p.segments)
            try:
                yield Point(block, width, weights, explore(variant, hardware, name))
            except PlanError as error:
                yield Point(block, width, weights, None, str(error))


def front(points: Sequence[Point]) -> list[Choice]:
    """Return the designs of all points that no other one beats, the mildest and fastest first."""
    choices = [
        Choice(point, design) for point in points if point.found for design in point.found.front
    ]
    kept = [one for one in choices if not any(other.beats(one) for other in choices)]
    return sorted(
        kept,
        key=lambda one: (one.point.block, -one.point.bits, one.design.rate.cycles_per_frame),
    )
