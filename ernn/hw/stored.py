"""Which words the weight memories hold: every multiplier's weight, or each weight once.

A complex bin c + jd meets three multipliers, whose weights are c, d - c and c + d (ernn.bilinear).
Stored thrice, all of them lie in memory. Stored once, c and d do, and adders between the memory and
the PEs (hw_templates/lib/ernn_weight_sums.v) make the others.

The adders are those of the largest block size. Smaller blocks have more real bins, fewer complex
ones and as many values in all, so their products lie on other multipliers: complex bins on a three
of its own each, real bins on those of the largest blocks' real bins, then two on each three that is
left: r on that of c, and s on that of d - c where d = r + s. Sums are taken modulo the bits of a
multiplier's weight, and so is what is stored: nothing is rounded, and no weight is another one.
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numpy as np

from ernn.bilinear import spectral
from ernn.hw.widths import row_bounds, signed_bits
from ernn.quant.products import Product


class Stored(NamedTuple):
    """How the blocks of a word of one size meet the multipliers and the memory of a PE."""

    places: tuple[int, ...]  # of each product, block by block, its multiplier
    words: np.ndarray  # (stored words, K) int64: what each adds up of the blocks' spectra

    def products(self, macs: int) -> list[int | None]:
        """Return the product on each multiplier of a PE; None where there is none."""
        of = {place: product for product, place in enumerate(self.places)}
        return [of.get(place) for place in range(macs)]


@cache
def stored_thrice(block: int, word: int) -> Stored:
    """Return the form without adders: of blocks of ``block`` values in words of ``word``."""
    groups, form = word // block, spectral(block)
    words = np.kron(np.eye(groups, dtype=np.int64), form.words)
    return Stored(tuple(range(len(words))), words)


@cache
def stored_once(block: int, largest: int, word: int) -> Stored:
    """Return the form with adders, which are those of blocks of ``largest`` values, 4 or more."""
    reals, complexes = _bins(block, word)
    own_reals, own_complexes = _bins(largest, word)
    places = np.zeros(word // block * spectral(block).products, np.int64)
    words = np.zeros((word, word), np.int64)
    for (product, value), (place, at) in zip(complexes, own_complexes, strict=False):
        places[product : product + 3] = range(place, place + 3)
        words[[at, at + 1], [value, value + 1]] = 1
    for (product, value), (place, at) in zip(reals, own_reals, strict=False):
        places[product], words[at, value] = place, 1
    rest, free = reals[len(own_reals) :], own_complexes[len(complexes) :]
    for (first, r), (second, s), (place, at) in zip(rest[::2], rest[1::2], free, strict=True):
        places[first], places[second] = place, place + 1
        words[at, r] = words[at + 1, r] = words[at + 1, s] = 1
    return Stored(tuple(places.tolist()), words)


def stored_bits(products: Iterable[Product], word: int, weight_bits: int) -> int:
    """Return the bits of a word that is stored once; 0: no weight has more than one multiplier.

    Args:
        products: of a model.
        word: K.
        weight_bits: of a multiplier's weight.
    """
    every = tuple(products)
    largest = max(product.block for product in every)
    if largest <= 2:
        return 0
    bounds = (
        row_bounds(stored_once(one.block, largest, word).words, one.weight_range) for one in every
    )
    return min(weight_bits, max(map(signed_bits, bounds)))


def _bins(block: int, word: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the first product and the first value of each real and each complex bin of a word."""
    products, real = spectral(block).products, min(block, 2)
    starts = [(group * products, group * block) for group in range(word // block)]
    return (
        [(product + bin, value + bin) for product, value in starts for bin in range(real)],
        [
            (product + real + 3 * bin, value + real + 2 * bin)
            for product, value in starts
            for bin in range(max(0, block // 2 - 1))
        ],
    )
