"""The step memories of a plan whose jobs leave blocks out: read, where others count.

A word of `control` tells the sequencer whether a step ends its pass and of which of the job's
vectors it takes a token. A word of `addresses` has for each path: where its block's word lies in a
copy of the vector memory, where the block lies in it, and which of the job's vectors it is of. A
path without a block keeps its last address, so that nothing toggles; its weights are zeros.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ernn.hw.array_plan import JobPlan, Mode, bits_for
from ernn.hw.gather import NONE


@dataclass(frozen=True)
class StepMemory:
    """Steps of all jobs, one after the other."""

    jobs: tuple[JobPlan, ...]
    blocks: tuple[int, ...]  # k of each job
    tile_rows: int  # PE rows that share paths
    slices: int  # of a word, one of which a path's copy holds
    word: int  # K
    offset_bits: int  # of an address in any vector memory
    segments: int  # vectors of a job, at most

    @property
    def steps(self) -> int:
        """Words in use."""
        return sum(job.steps for job in self.jobs)

    @property
    def depth(self) -> int:
        """Words: the last job looks two words ahead."""
        return self.steps + 2

    @property
    def addr_bits(self) -> int:
        """Bits of an address."""
        return bits_for(self.depth)

    # Control: the tokens in the low bits, then the pass's end

    @property
    def control_bits(self) -> int:
        """Bits of a word of control."""
        return 1 + self.segments

    @cached_property
    def control(self) -> np.ndarray:
        """All words of control (steps,)."""
        words = np.zeros(self.steps, np.int64)
        for job in self.jobs:
            words[[job.weight_base + end for end in job.order.ends]] |= 1 << self.segments
            for step, segment, _ in job.order.tokens:
                words[job.weight_base + step] |= 1 << segment
        return words

    # Addresses: of each path offset, choice, segment, from the low bits

    @property
    def largest(self) -> int:
        """The largest block size, in units of which words are cut into slices."""
        return max(self.blocks)

    @property
    def unit(self) -> int:
        """Values between two places of a block: the smallest block size."""
        return min(self.blocks)

    @property
    def choices(self) -> range:
        """Places of a block in a slice, in units."""
        return range(self.word // self.slices // self.unit)

    @property
    def choice_bits(self) -> int:
        """Bits of a place; 0: there is but one."""
        return bits_for(len(self.choices)) if len(self.choices) > 1 else 0

    @property
    def path_bits(self) -> int:
        """Bits of a path's address."""
        return self.offset_bits + self.choice_bits + bits_for(self.segments)

    @cached_property
    def addresses(self) -> np.ndarray:
        """All words of addresses (steps, paths)."""
        found = np.concatenate(list(self._addresses()))
        here = np.where(found == NONE, 0, np.arange(len(found))[:, None])
        kept = np.take_along_axis(found, np.maximum.accumulate(here), axis=0)
        return np.where(kept == NONE, 0, kept)

    def _addresses(self) -> Iterator[np.ndarray]:
        for job, size in zip(self.jobs, self.blocks, strict=True):
            order, blocks = job.order, job.order.blocks
            segment = np.zeros_like(blocks)
            base = np.zeros_like(blocks)
            for number, (first, at) in enumerate(zip(order.bases, job.segments, strict=False)):
                inside = blocks >= first
                segment[inside], base[inside] = number, at.base - first // order.subs
            value = blocks % order.subs * size  # first value within the word
            place = value // self.largest // self.slices * self.largest + value % self.largest
            choice = place // self.unit if self.choice_bits else 0
            address = segment << self.choice_bits | choice
            address = address << self.offset_bits | base + blocks // order.subs
            yield np.where(blocks == NONE, NONE, address)


class Paths:
    """What the array of a plan reads at once, and where; the plan has the fields."""

    pe_rows: int
    pe_columns: int
    tile_rows: int
    slices: int
    word: int
    jobs: tuple[JobPlan, ...]
    modes: tuple[Mode, ...]

    @property
    def offset_bits(self) -> int:
        """Bits of an offset in any vector memory."""
        raise NotImplementedError

    @property
    def segments(self) -> int:
        """Vectors of a job, at most."""
        raise NotImplementedError

    @cached_property
    def gather(self) -> StepMemory | None:
        """The step memories; None where all jobs have all steps."""
        if not any(job.order.gather for job in self.jobs):
            return None
        blocks = tuple(self.modes[job.mode].block for job in self.jobs)
        return StepMemory(
            *(self.jobs, blocks, self.tile_rows, self.slices, self.word),
            *(self.offset_bits, self.segments),
        )

    @property
    def row_groups(self) -> int:
        """Groups of PE rows that gather their blocks together."""
        return self.pe_rows // self.tile_rows

    @property
    def paths(self) -> int:
        """Words, or slices of words, that are read at once: columns of each row group."""
        return self.row_groups * self.pe_columns

    @property
    def readers(self) -> int:
        """Addresses of vector memories at once: banks have one address together."""
        return self.paths if self.gather else 1

    @property
    def slice_values(self) -> int:
        """Values that a path reads."""
        return self.word // self.slices
