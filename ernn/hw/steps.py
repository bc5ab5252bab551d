"""The steps of a job: which words meet which weights, in which order. The one home of that order.

A job runs in passes; each makes the rows of `pe_rows` PE rows and walks the job's vectors, its
segments, once. A visit is one group of `pe_columns` words of a segment in a pass; it takes a step
for every block of a word. Rows are output words with the gates of each word side by side. Where a
structure has no weights, a visit has nothing to multiply and is left out; other passes may leave
out other ones. Builder, explorer, cycle model, memory writer, trace reader and sequencer read
this list and keep no order of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ernn.quant.products import Product, Segment

Groups = tuple[Sequence[int], ...]  # of each segment: the groups that a pass visits


class Visit(NamedTuple):
    """What the sequencer must know of a visit."""

    last: bool  # of its pass
    segment: int
    vector: int  # address in the segment's vector memory


class Step(NamedTuple):
    """What the array does in one cycle."""

    number: int  # of the pass
    segment: int
    group: int  # of words, within the segment
    sub: int  # block of the word
    weight: int  # address in weight memory
    vector: int  # address in the segment's vector memory
    first: bool  # of its pass
    last: bool  # of its pass


@dataclass(frozen=True)
class JobSteps:
    """How a product is cut into steps for an array; counts need no list."""

    passes: int
    groups: tuple[int, ...]  # of each segment: groups of pe_columns words
    subs: int  # steps of a visit: blocks of a word
    kept: tuple[tuple[tuple[int, ...], ...], ...] = ()  # by pass: visits; empty: all, in all passes

    def visits(self, number: int) -> Groups:
        """Return the groups of each segment that a pass visits, in order."""
        return self.kept[number] if self.kept else tuple(range(count) for count in self.groups)

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """Steps of each pass."""
        if not self.kept:
            return (self.subs * sum(self.groups),) * self.passes
        return tuple(self.subs * sum(map(len, visits)) for visits in self.kept)

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
        if not self.kept:
            return self.passes * max(self.lengths[0], least)
        return sum(max(length, least) for length in self.lengths)

    def most(self, segment: int) -> int:
        """Return the steps that one pass gives to a segment, at most."""
        if not self.kept:
            return self.subs * self.groups[segment]
        return self.subs * max(len(visits[segment]) for visits in self.kept)

    def steps(self, weight_base: int = 0, bases: Sequence[int] = ()) -> list[Step]:
        """Return every step in order.

        Args:
            weight_base: weight address of the first one.
            bases: vector address of each segment's first group; (): 0.
        """
        bases = bases or [0] * len(self.groups)
        found: list[Step] = []
        for number in range(self.passes):
            places = [
                (segment, group, sub)
                for segment, groups in enumerate(self.visits(number))
                for group in groups
                for sub in range(self.subs)
            ]
            last = len(places) - 1
            found += [
                Step(
                    number,
                    segment,
                    group,
                    sub,
                    weight_base + len(found) + place,
                    bases[segment] + group,
                    place == 0,
                    place == last,
                )
                for place, (segment, group, sub) in enumerate(places)
            ]
        return found


def visits(steps: Sequence[Step]) -> list[Visit]:
    """Return the visits that steps make: what a step memory holds."""
    return [
        Visit(behind is None or behind.first, step.segment, step.vector)
        for step, behind in zip(steps, [*steps[1:], None], strict=True)
        if behind is None or behind.sub == 0
    ]


def cut(
    product: Product, word: int, rows: int, columns: int, first_uses: Sequence[bool] = ()
) -> JobSteps:
    """Return the steps of a product on an array.

    Args:
        product: of any structure.
        word: K, values of a word.
        rows: PE rows, each of which makes an output word in a pass.
        columns: PE columns, each of which takes an input word in a step.
        first_uses: of each segment, whether the job is the first to read its vector; () for none.
    """
    every = JobSteps(
        passes=-(-product.bias.size // (word * rows)),
        groups=tuple(-(-segment.columns // (word * columns)) for segment in product.segments),
        subs=word // product.block,
    )
    if all(segment.present is None for segment in product.segments):
        return every
    needed = [
        _needed(segment, len(product.gates), every.subs, rows, columns)
        for segment in product.segments
    ]
    for at, first in zip(needed, first_uses, strict=False):
        at[0, -1] |= first  # words come in order: with the last group, all of the vector is there
    idle = ~np.any([at.any(axis=1) for at in needed], axis=0)
    needed[0][idle, 0] = True  # a pass without weights makes rows too: the biases
    if all(at.all() for at in needed):
        return every
    kept = (
        tuple(tuple(np.flatnonzero(at[number]).tolist()) for at in needed)
        for number in range(every.passes)
    )
    return replace(every, kept=tuple(kept))


def _needed(segment: Segment, gates: int, subs: int, rows: int, columns: int) -> np.ndarray:
    """Return which passes need which groups of a segment: (passes, groups) bool."""
    present = segment.present
    if present is None:
        present = np.ones(segment.spectra.shape[:2], np.int64)
    visits = by_visit(present[..., None] > 0, gates, subs, rows, columns)
    return np.asarray(visits.any(axis=(2, 3, 4, 5, 6)))


def by_visit(blocks: np.ndarray, gates: int, subs: int, rows: int, columns: int) -> np.ndarray:
    """Arrange what belongs to the blocks of a matrix as the array meets it, padded with zeros.

    Args:
        blocks: (p, q, width): of each block row, gate-major, and block column.
        gates: of the product.
        subs: blocks of a word.
        rows: PE rows.
        columns: PE columns.

    Returns:
        (passes, groups, subs, rows, columns, block rows of a word, width).
    """
    p, q, width = blocks.shape
    words = p // (gates * subs)
    passes, groups = -(-words * gates // rows), -(-q // (subs * columns))
    # Output words first, then gates, then the blocks of a word.
    found = blocks.reshape(gates, words, subs, q // subs, subs, width).swapaxes(0, 1)
    padded = np.zeros((passes * rows, subs, groups * columns, subs, width), blocks.dtype)
    padded[: words * gates, :, : q // subs] = found.reshape(words * gates, *found.shape[2:])
    shape = (passes, rows, subs, groups, columns, subs, width)
    return padded.reshape(shape).transpose(0, 3, 5, 1, 4, 2, 6)
