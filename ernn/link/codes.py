"""Whole numbers as bits: Golomb-Rice codes, and a bit before numbers that are often all zero.

Source: R. F. Rice, Some Practical Universal Noiseless Coding Techniques, JPL 79-22, 1979.
"""

import numpy as np

from ernn.link.tables import ESCAPE, MOST_RICE, LinkTables

MOST_FLAGGED = 32  # numbers that share a bit


def folded(indices: np.ndarray) -> np.ndarray:
    """Return 0, 1, 2, 3, 4 ... for 0, -1, 1, -2, 2 ..."""
    return np.where(indices < 0, -2 * indices - 1, 2 * indices)


def unfolded(number: int) -> int:
    """Return what `folded` made a number of."""
    return -(number + 1) // 2 if number & 1 else number // 2


def rice_bits(numbers: np.ndarray, rice: np.ndarray | int, index_bits: int) -> np.ndarray:
    """Return the length of each number's code."""
    ones = numbers >> rice
    return np.where(ones < ESCAPE, ones + 1 + rice, ESCAPE + index_bits)


def flags(tables: LinkTables, indices: np.ndarray) -> np.ndarray:
    """Return whether anything but zeros is behind the flag before each number: (N, K) bool.

    Numbers before the first flag are always told.
    """
    run = np.cumsum(tables.flagged)  # (K,) 0: before the first flag
    some = np.ones((len(indices), run[-1] + 1), bool)
    for one in range(1, run[-1] + 1):
        some[:, one] = (indices[:, run == one] != 0).any(1)
    return some[:, run]


def lengths(tables: LinkTables, indices: np.ndarray) -> np.ndarray:
    """Return the bits of each frame's indices (N, K): (N,), without header and checksum."""
    bits = rice_bits(folded(indices), tables.rice, tables.index_bits)
    return (bits * flags(tables, indices)).sum(1) + tables.flagged.sum()


def write(tables: LinkTables, indices: np.ndarray) -> list[tuple[int, int]]:
    """Return the bits of each frame's indices (N, K), first bit highest, and how many they are."""
    some, numbers = flags(tables, indices), folded(indices)
    ones, sizes = numbers >> tables.rice, rice_bits(numbers, tables.rice, tables.index_bits)
    rest = numbers & ((1 << tables.rice) - 1)
    unary = ((1 << np.minimum(ones, ESCAPE)) - 1) << (tables.rice + 1)
    escape = (((1 << ESCAPE) - 1) << tables.index_bits) | numbers
    words = np.where(ones < ESCAPE, unary | rest, escape)
    sizes *= some
    words *= some
    flagged = tables.flagged.tolist()
    made = []
    for row_some, row, row_sizes in zip(some.tolist(), words.tolist(), sizes.tolist(), strict=True):
        bits = count = 0
        for told, word, size, flag in zip(row_some, row, row_sizes, flagged, strict=True):
            if flag:
                bits, count = bits << 1 | told, count + 1
            bits, count = bits << size | word, count + size
        made.append((bits, count))
    return made


def fit_codes(indices: np.ndarray, index_bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the Golomb-Rice parameter of each index (K,), and where flags are (K,).

    Args:
        indices: (N, K) of training frames, rarest last.
        index_bits: of an escaped number.

    Both make the mean length least; the flags by dynamic programming over the last of them.
    """
    numbers = folded(indices)
    sizes = [rice_bits(numbers, rice, index_bits).mean(0) for rice in range(MOST_RICE + 1)]
    rice = np.argmin(sizes, 0)
    bits, some = rice_bits(numbers, rice, index_bits), numbers > 0
    count = numbers.shape[1]
    before = np.concatenate([[0], np.cumsum(bits.mean(0))])  # bits of numbers without flags
    best, start = before.copy(), np.full(count + 1, -1)  # of the first numbers; -1: no flag yet
    for first in range(count):
        told: np.ndarray = np.zeros(len(bits), bool)
        length: np.ndarray = np.zeros(len(bits))
        for last in range(first, min(first + MOST_FLAGGED, count)):
            told, length = told | some[:, last], length + bits[:, last]
            cost = best[first] + 1 + (length * told).mean()
            if cost < best[last + 1]:
                best[last + 1], start[last + 1] = cost, first
    flagged = np.zeros(count, np.int64)
    end = count
    while end > 0 and start[end] >= 0:
        end = start[end]
        flagged[end] = 1
    return rice.astype(np.int64), flagged
