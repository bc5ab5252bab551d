"""Whether one DSP block can compute two products that share an operand, bit by bit.

All rows of the array multiply the same broadcast operand x, so two rows' weights could share a
block: W = w2 * 2^s + w1 on one port, x on the other, and the block adds up

    sum W x = 2^s * sum w2 x + sum w1 x.

The low s bits, read as a signed number, are sum w1 x if and only if that fits s bits. Subtracting
it (a low half below zero has borrowed one from the high half) and shifting leaves sum w2 x. Both
are exact then, and nothing is exact one bit below.
"""

from dataclasses import dataclass

from ernn.hw.widths import signed_bits
from ernn.parts.part import Part


@dataclass(frozen=True)
class Packing:
    """Two products in one DSP block, or why not."""

    fits: bool
    shift: int  # s: bits of sum w1 x
    weight_bits: int  # of W
    sum_bits: int  # of sum W x
    why: str


def pack(operand_bits: int, weight_bits: int, steps: int, part: Part) -> Packing:
    """Decide whether two products fit one DSP block of a part.

    Args:
        operand_bits: of x, signed.
        weight_bits: of w1 and w2, signed.
        steps: products added up before the halves are read; 1: they are read after every one.
        part: for its DSP block's ports and accumulator.
    """
    shift = signed_bits([_sums(operand_bits, weight_bits, steps)])
    low, high = -(1 << (weight_bits - 1)), (1 << (weight_bits - 1)) - 1
    # The smallest W lies below what weight_bits + shift bits hold, because w1 is below zero too.
    packed = signed_bits([((low << shift) + low, (high << shift) + high)])
    lowest, highest = _sums(operand_bits, weight_bits, steps)
    total = signed_bits([((lowest << shift) + lowest, (highest << shift) + highest)])
    block = part.family.multiplier
    wide, narrow = block.a_bits, block.b_bits
    ports = (packed <= wide and operand_bits <= narrow) or (
        packed <= narrow and operand_bits <= wide
    )
    fits = ports and total <= block.acc_bits
    counted = f"{steps} products need" if steps > 1 else "one product needs"
    why = (
        f"two {weight_bits}-bit weights against a {operand_bits}-bit operand: {counted} "
        f"{shift} bits, so the weights side by side need {packed} and their sum {total}; the DSP "
        f"block of {part.name} has ports of {wide} and {narrow} bits and adds {block.acc_bits}"
    )
    return Packing(fits, shift, packed, total, why)


def unpack(total: int, shift: int) -> tuple[int, int]:
    """Return sum w1 x and sum w2 x of a packed sum."""
    low = total & ((1 << shift) - 1)
    if low >> (shift - 1):
        low -= 1 << shift
    return low, (total - low) >> shift


def _sums(operand_bits: int, weight_bits: int, steps: int) -> tuple[int, int]:
    """Return the smallest and the largest sum of products."""
    most = 1 << (operand_bits + weight_bits - 2)  # both at their lower ends
    return steps * -(most - (1 << (min(operand_bits, weight_bits) - 1))), steps * most
