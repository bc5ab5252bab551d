"""Which blocks a job has weights for, and how the paths of an array gather them.

Where a structure has no weights, there is nothing to multiply. So that cycles fall with the blocks
that are left, `tile_rows` neighbouring PE rows have blocks of their own: each column of theirs is
a path with its own address into its own copy of the vectors. A path may hold only a slice of each
word, one of `slices`: of the units of the largest block size, the ones whose number is the slice's
modulo `slices`. In a pass, the blocks that a group of rows has weights for are dealt to its paths
in order; the pass takes as many steps as the longest of its groups.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np

from ernn.quant.products import Product

NONE = -1  # a path without a block: its weights are zeros
MOST_HEIGHTS = 16  # row groups of so many heights are tried, the highest first


@dataclass(frozen=True)
class Gather:
    """What each path takes in each step of a job."""

    lengths: tuple[int, ...]  # steps of each pass
    blocks: tuple[tuple[int, ...], ...]  # by step and path, row group by column; NONE
    tokens: tuple[tuple[int, int, int], ...]  # step, segment and word that is waited for: see `cut`

    @property
    def table(self) -> np.ndarray:
        """The blocks as (steps, paths) int64."""
        return np.array(self.blocks, np.int64)

    def most(self, first: int, behind: int) -> int:
        """Return how many blocks of ``first`` to ``behind`` - 1 a path takes in a pass, at most."""
        table = self.table
        inside = ((table >= first) & (table < behind)).astype(np.int64)
        starts = np.cumsum([0, *self.lengths[:-1]])
        return int(np.add.reduceat(inside, starts).max())


class Mask:
    """Which blocks of a product have weights, in the order of the array's rows."""

    def __init__(self, product: Product, subs: int, units: int) -> None:
        """Take a product, its blocks of a word, and a word's blocks of the largest size."""
        self.subs, self.units = subs, units
        self.words = [-(-segment.spectra.shape[1] // subs) for segment in product.segments]
        parts = [
            np.ones(segment.spectra.shape[:2], bool)
            if segment.present is None
            else segment.present > 0
            for segment in product.segments
        ]
        self.complete = all(part.all() for part in parts)
        # Blocks of all vectors, one after the other, each vector filled up to whole words
        blocks = np.concatenate([filled(part, subs) for part in parts], axis=1)
        found: np.ndarray = blocks.reshape(len(product.gates), -1, subs, blocks.shape[1])
        rows: np.ndarray = np.asarray(found.any(axis=2)).swapaxes(0, 1)
        self.rows = rows.reshape(-1, blocks.shape[1])  # (output words x gates, q)
        self._kept: dict[int, np.ndarray] = {}
        self._counts: dict[tuple[int, int], np.ndarray] = {}

    def kept(self, tile_rows: int) -> np.ndarray:
        """Return which blocks each group of rows has weights for: (groups, q) bool."""
        if tile_rows not in self._kept:
            starts = np.arange(0, len(self.rows), tile_rows)
            self._kept[tile_rows] = np.logical_or.reduceat(self.rows, starts)
        return self._kept[tile_rows]

    def slice_of(self, slices: int) -> np.ndarray:
        """Return the slice that each block lies in."""
        unit = np.arange(self.rows.shape[1]) * self.units // self.subs
        return unit % slices

    def lengths(self, rows: int, columns: int, tile_rows: int, slices: int) -> np.ndarray:
        """Return the steps of each pass, at least one: rows without weights are the biases."""
        key = tile_rows, slices
        if key not in self._counts:
            of = self.slice_of(slices)
            kept = self.kept(tile_rows)
            counts = [kept[:, of == one].sum(axis=1) for one in range(slices)]
            self._counts[key] = np.max(counts, axis=0)
        steps = -(-self._counts[key] // (columns // slices))
        return np.maximum(np.maximum.reduceat(steps, _starts(steps, rows // tile_rows)), 1)

    def gather(
        self,
        rows: int,
        columns: int,
        tile_rows: int,
        slices: int,
        first_uses: Sequence[str],
    ) -> Gather:
        """Return what each path takes; see `Sizes` and `cut` for the arguments."""
        lengths = self.lengths(rows, columns, tile_rows, slices)
        groups, share = rows // tile_rows, columns // slices
        table = np.full((lengths.sum(), groups * columns), NONE)
        of, starts = self.slice_of(slices), np.cumsum([0, *lengths])
        for group, kept in enumerate(self.kept(tile_rows)):
            number, path = divmod(group, groups)
            for one in range(slices):
                found = np.flatnonzero(kept & (of == one))
                step, place = np.divmod(np.arange(found.size), share)
                table[starts[number] + step, path * columns + place * slices + one] = found
        return Gather(
            tuple(lengths.tolist()),
            tuple(map(tuple, table.tolist())),
            tuple(sorted(self._tokens(table[: lengths[0]], first_uses))),
        )

    def _tokens(
        self, table: np.ndarray, first_uses: Sequence[str]
    ) -> Iterator[tuple[int, int, int]]:
        """Yield what the first pass waits for, of the vectors that it is the first to use.

        Words of a memory come in the order of its vectors here, and tokens with them.
        """
        segments = [n for n, words in enumerate(self.words) for _ in range(words)]
        places = [place for words in self.words for place in range(words)]
        for memory in dict.fromkeys(filter(None, first_uses)):
            own = [word for word, at in enumerate(segments) if first_uses[at] == memory]
            order = np.full(len(segments) + 1, NONE)  # of each word, as it comes; NONE: another's
            order[own] = np.arange(len(own))
            latest = order[np.where(table == NONE, len(segments), table // self.subs)].max(axis=1)
            needed = np.maximum.accumulate(latest)
            needed[-1] = len(own) - 1  # behind the pass, all is in memory
            for step, (word, before) in enumerate(zip(needed, [NONE, *needed[:-1]], strict=True)):
                if word > before:
                    yield step, segments[own[word]], places[own[word]]


def filled(blocks: np.ndarray, subs: int) -> np.ndarray:
    """Return what belongs to the blocks (p, q, ...) of a matrix, with zeros up to whole words."""
    more = -blocks.shape[1] % subs
    return np.pad(blocks, ((0, 0), (0, more), *[(0, 0)] * (blocks.ndim - 2)))


def _starts(groups: np.ndarray, size: int) -> np.ndarray:
    return np.arange(0, len(groups), size)


def arrange(
    masks: Sequence[Mask], rows: int, columns: int, least: int, slices: int = 0
) -> tuple[int, int]:
    """Return the tile rows and slices that an array needs fewest cycles with.

    Among equals the highest groups, which need the fewest paths, and then the most slices, which
    need the smallest copies.

    Args:
        masks: of all products.
        rows: PE rows.
        columns: PE columns.
        least: cycles that a pass takes at least.
        slices: 0: what needs no more cycles than whole words.
    """

    def cycles(tile_rows: int, cut: int) -> int:
        found = (mask.lengths(rows, columns, tile_rows, cut) for mask in masks)
        return sum(int(np.maximum(lengths, least).sum()) for lengths in found)

    heights = [height for height in range(rows, 0, -1) if rows % height == 0]
    if len(heights) > MOST_HEIGHTS:
        heights = heights[-MOST_HEIGHTS:]
    first = slices or 1
    tile_rows = min(heights, key=lambda height: cycles(height, first))
    best = cycles(tile_rows, first)
    if not slices:
        most = gcd(columns, *(mask.units for mask in masks))
        allowed = [one for one in range(most, 0, -1) if most % one == 0]
        first = next(one for one in allowed if cycles(tile_rows, one) == best)
    return tile_rows, first
