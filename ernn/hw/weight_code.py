"""How a weight memory writes a weight: the fewest bits that hold the weights of all products.

Weights of few levels are few integers. Where all of them are 0 and powers of two with a sign, a
word holds sign and exponent, and no multiplier is needed; where all are odd, the lowest bit is left
out. Both together write binary weights in one bit.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ernn.bilinear import Term, spectral, terms
from ernn.hw.array_plan import Mode
from ernn.hw.stored import Stored, stored_bits, stored_once, stored_thrice
from ernn.hw.widths import signed_bits, weight_bounds
from ernn.quant.products import Product

POWER_BITS = 3  # a sign and an exponent: 0, or a power of two up to 4


@dataclass(frozen=True)
class WeightCode:
    """Bits of a stored weight, and what they say."""

    bits: int
    powers: bool = False  # a sign above an exponent e: 0 for e = 0, else 2 ** (e - 1)
    odd: bool = False  # without the lowest bit, which is 1

    @property
    def value_bits(self) -> int:
        """Bits with those that are left out."""
        return self.bits + self.odd

    def encode(self, weights: np.ndarray) -> np.ndarray:
        """Return the stored words of int64 weights; a 0 that no code has becomes any weight."""
        words = weights
        if self.powers:
            exponents = np.where(weights, np.frexp(np.abs(weights))[1], 0)
            words = ((weights < 0) << (self.value_bits - 1)) + exponents
        return words >> 1 if self.odd else words


def weight_code(products: Iterable[Product], zeros: bool) -> WeightCode:
    """Return the shortest code of all weights.

    Args:
        products: of a model.
        zeros: whether places of the array without a weight need one that is 0.
    """
    every = tuple(products)
    found = {value for one in every for value in one.levels_raw or ()} | ({0} if zeros else set())
    few = all(one.levels_raw for one in every)
    odd = few and all(value % 2 for value in found)
    if few and all(abs(value) in (0, 1) for value in found):
        return WeightCode(2 - odd, powers=True, odd=odd)
    if few and all(abs(value) in (0, 1, 2, 4) for value in found):
        return WeightCode(POWER_BITS, powers=True)
    bits = max(signed_bits(weight_bounds(one.block, one.weight_range)) for one in every)
    return WeightCode(bits - odd, odd=odd)


def least_bits(products: Iterable[Product], once: bool) -> int:
    """Return the bits of all weights, stored once or thrice, without what fills a memory up."""
    every = tuple(products)
    bits, largest = weight_code(every, zeros=False).bits, max(one.block for one in every)
    if once:
        bits = stored_bits(every, largest, bits)
    return sum(
        segment.blocks * (one.block if once else spectral(one.block).products) * bits
        for one in every
        for segment in one.segments
    )


def levels_save_nothing(products: Iterable[Product]) -> str:
    """Say which products take all that levels of others could save; empty if none does."""
    every = tuple(products)
    free = [one for one in every if one.levels is None]
    if not free or len(free) == len(every):
        return ""
    names = ", ".join(f"{one.name} of layer {one.layer}" for one in free)
    return (
        f"levels save nothing: every word of weights has room for the {free[0].weight.width} bits "
        f"of {names}; give these levels, too ([model] output_levels is the output layer's)"
    )


class Factors:
    """The weights of a plan and what multiplies by them; the plan has the fields."""

    pe_columns: int
    macs: int
    logic_macs: int
    weight_bits: int
    weight_powers: bool
    weight_odd: bool
    once_bits: int
    word: int
    modes: tuple[Mode, ...]

    @property
    def weight_code(self) -> WeightCode:
        """How weight memories write a weight."""
        return WeightCode(self.weight_bits, self.weight_powers, self.weight_odd)

    @property
    def factor_bits(self) -> int:
        """Bits of a weight that meets an operand."""
        return self.weight_code.value_bits

    @property
    def row_weight_bits(self) -> int:
        """Bits of a word of one PE row's weights."""
        return self.pe_columns * self.pe_words * self.pe_word_bits

    @property
    def pe_words(self) -> int:
        """Numbers that a word of weight memory holds for a PE."""
        return self.word if self.once_bits else self.macs

    @property
    def pe_word_bits(self) -> int:
        """Bits of each of them."""
        return self.once_bits or self.weight_bits

    def stored(self, mode: Mode) -> Stored:
        """Return which words are stored of blocks of a size, and where their products lie."""
        if self.once_bits:
            return stored_once(mode.block, self.modes[0].block, self.word)
        return stored_thrice(mode.block, self.word)

    def products_on(self, mode: Mode) -> list[int | None]:
        """Return the product of a word's blocks on each multiplier of a PE; None: it rests."""
        return self.stored(mode).products(self.macs)

    def post_adds(self, mode: Mode) -> list[list[Term]]:
        """Return how each number of a word's spectra follows from the sums of the multipliers."""
        places = self.stored(mode).places
        return [
            [Term(places[group * mode.macs + place], sign) for place, sign in terms(row)]
            for group in range(mode.groups)
            for row in mode.form.sums
        ]

    @property
    def dsp_macs(self) -> int:
        """Multipliers of each PE that are DSP blocks."""
        return 0 if self.weight_powers else self.macs - self.logic_macs
