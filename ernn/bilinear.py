"""The bilinear form of a block: which real products make the product of two spectra.

A form has m products: product i multiplies ``operands[i] . x``, made once for all PEs, by
``words[i] . w``, which a weight memory holds, and value j of the result is ``sums[j] . products``,
made once behind all sums. x, w and the result are packed spectra (`ernn.graphs.fourier`). All that
the array does with a block follows from these three matrices: its multipliers, their operands and
memory words, what is added behind them, and the bounds of every width.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np


class Term(NamedTuple):
    """A value that is added (sign 1) or subtracted (sign -1)."""

    place: int
    sign: int


@dataclass(frozen=True, eq=False)
class Bilinear:
    """``sums @ ((operands @ x) * (words @ w))``; all entries are -1, 0 or 1."""

    operands: np.ndarray  # (m, k) int64
    words: np.ndarray  # (m, k) int64
    sums: np.ndarray  # (k, m) int64

    @property
    def products(self) -> int:
        """m, the multipliers of a block."""
        return len(self.operands)

    @cached_property
    def tensor(self) -> np.ndarray:
        """What each pair of values adds to each value of the result: (result, w, x) int64."""
        return np.einsum("rm,mw,mx->rwx", self.sums, self.words, self.operands)


def terms(row: np.ndarray) -> list[Term]:
    """Return what a row of a form adds up, the added ones first."""
    found = [Term(int(place), int(row[place])) for place in np.flatnonzero(row)]
    return sorted(found, key=lambda term: -term.sign)


def additions(matrix: np.ndarray) -> int:
    """Count the adders that the rows of a form's matrix take."""
    return sum(len(terms(row)) - 1 for row in matrix)


@cache
def spectral(block: int) -> Bilinear:
    """Return the form of a circulant block: m = 3 k / 2 - 1 products for k > 1.

    A real product for each of the real bins 0 and k/2, and three for every complex one. There are
    no fewer over the reals (Winograd 1980). A dense matrix has blocks of one value.

    Args:
        block: k, a power of two.
    """
    real, bins = min(block, 2), max(0, block // 2 - 1)
    # (a + jb)(c + jd) = (P1 - P3) + j (P1 + P2) of P1 = c (a + b), P2 = a (d - c), P3 = b (c + d)
    operands = _direct_sum(real, bins, [[1, 1], [1, 0], [0, 1]])
    words = _direct_sum(real, bins, [[1, 0], [-1, 1], [1, 1]])
    sums = _direct_sum(real, bins, [[1, 0, -1], [1, 1, 0]])
    return Bilinear(operands, words, sums)


def _direct_sum(real: int, bins: int, pair: list[list[int]]) -> np.ndarray:
    """Return the matrix that leaves real bins alone and does the same to every complex one."""
    each = np.array(pair)
    down, across = each.shape
    found = np.zeros((real + bins * down, real + bins * across), np.int64)
    found[:real, :real] = np.eye(real)
    for j in range(bins):
        found[real + j * down : real + (j + 1) * down, real + j * across :][:, :across] = each
    return found
