"""The steps of a job: which blocks meet which weights, in which order. The one home of that order.

A job runs in passes; each makes the rows of `pe_rows` PE rows and walks the job's vectors, its
segments, once. Rows are output words with the gates of each word side by side. Where all blocks
have weights, a pass visits every group of `pe_columns` words of a segment, a step for every block
of a word. Where a structure has no weights in some, each path gathers what its rows need
(ernn.hw.gather). Builder, explorer, cycle model, memory writer, trace reader and sequencer read
this list and keep no order of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ernn.hw.gather import NONE, Gather, Mask
from ernn.quant.products import Product


@dataclass(frozen=True)
class JobSteps:
    """How a product is cut into steps for an array; counts need no list."""

    passes: int
    columns: int  # PE columns
    words: tuple[int, ...]  # of each segment
    subs: int  # steps of a visit: blocks of a word
    gather: Gather | None = None  # None: every group of words is visited in every pass

    @property
    def groups(self) -> tuple[int, ...]:
        """Groups of `columns` words of each segment."""
        return tuple(-(-words // self.columns) for words in self.words)

    @property
    def bases(self) -> list[int]:
        """The first block of each segment, and the number of all."""
        return [0, *(np.cumsum(self.words) * self.subs).tolist()]

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """Steps of each pass."""
        if self.gather:
            return self.gather.lengths
        return (self.subs * sum(self.groups),) * self.passes

    @cached_property
    def count(self) -> int:
        """Steps of all passes."""
        return sum(self.lengths)

    @property
    def ends(self) -> list[int]:
        """The last step of each pass, counted from the job's first."""
        return (np.cumsum(self.lengths) - 1).tolist()

    def busy(self, least: int) -> int:
        """Return the cycles of all passes if none is shorter than ``least`` cycles."""
        if not self.gather:
            return self.passes * max(self.lengths[0], least)
        return sum(max(length, least) for length in self.lengths)

    def most(self, segment: int) -> int:
        """Return the steps that one pass gives to a segment in one column, at most."""
        if self.gather:
            return self.gather.most(*self.bases[segment : segment + 2])
        return self.subs * self.groups[segment]

    @cached_property
    def tokens(self) -> tuple[tuple[int, int, int], ...]:
        """What the first pass waits for, in order: step, segment, and the segment's word.

        Of vectors that the job is the first to use; those that it is not do not count.
        """
        if self.gather:
            return self.gather.tokens
        found, step = [], 0
        for segment, (groups, words) in enumerate(zip(self.groups, self.words, strict=True)):
            for group in range(groups):
                last = min(words, (group + 1) * self.columns) - 1
                found.append((step, segment, last))
                step += self.subs
        return tuple(found)

    @property
    def blocks(self) -> np.ndarray:
        """The block that each path takes in each step: (steps, paths) int64.

        Blocks count through all segments; NONE where there is none. Without a gather there is a
        path for each column.
        """
        if self.gather:
            return self.gather.table
        parts = []
        for base, words, groups in zip(self.bases, self.words, self.groups, strict=False):
            word = np.arange(groups * self.columns).reshape(groups, 1, self.columns)
            block = base + word * self.subs + np.arange(self.subs)[:, None]
            parts.append(np.where(word < words, block, NONE).reshape(-1, self.columns))
        return np.tile(np.concatenate(parts), (self.passes, 1))

    @property
    def numbers(self) -> np.ndarray:
        """The pass of each step (steps,)."""
        return np.repeat(np.arange(self.passes), self.lengths)


def cut(
    product: Product,
    word: int,
    rows: int,
    columns: int,
    tiles: tuple[int, int, Mask] | None = None,
    first_uses: Sequence[str] = (),
) -> JobSteps:
    """Return the steps of a product on an array.

    Args:
        product: of any structure.
        word: K, values of a word.
        rows: PE rows, each of which makes an output word in a pass.
        columns: PE columns.
        tiles: rows of a group with blocks of their own, slices of a word and the product's mask;
            None: every group of words is visited in every pass.
        first_uses: of each segment, the memory of its vector if the job is the first to read it,
            else ""; () for none. The first pass takes a token in each step that needs words of a
            memory which no step before it did, and in the end one for the memory's last word.
    """
    every = JobSteps(
        passes=-(-product.bias.size // (word * rows)),
        columns=columns,
        words=tuple(-(-segment.columns // word) for segment in product.segments),
        subs=word // product.block,
    )
    if tiles is None:
        return every
    tile_rows, slices, mask = tiles
    return replace(every, gather=mask.gather(rows, columns, tile_rows, slices, first_uses))


def by_rows(blocks: np.ndarray, gates: int, subs: int, rows: int) -> np.ndarray:
    """Arrange what belongs to the blocks of a matrix as PE rows meet it, padded with zeros.

    Args:
        blocks: (p, q, width): of each block row, gate-major, and block column.
        gates: of the product.
        subs: blocks of a word.
        rows: PE rows of a group.

    Returns:
        (row groups, q, rows, block rows of a word, width).
    """
    p, q, width = blocks.shape
    words = p // (gates * subs)
    groups = -(-words * gates // rows)
    found = blocks.reshape(gates, words, subs, q, width).swapaxes(0, 1)
    padded = np.zeros((groups * rows, subs, q, width), blocks.dtype)
    padded[: words * gates] = found.reshape(words * gates, subs, q, width)
    return padded.reshape(groups, rows, subs, q, width).transpose(0, 3, 1, 2, 4)
