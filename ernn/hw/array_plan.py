"""The array's part of a plan: block sizes, transforms, jobs."""

from dataclasses import dataclass

from ernn.bilinear import Bilinear, Term, spectral, terms
from ernn.hw.steps import JobSteps


def bits_for(count: int) -> int:
    """Bits of an unsigned number that reaches ``count - 1``; at least one."""
    return max(1, (count - 1).bit_length())


@dataclass(frozen=True)
class Mode:
    """How the array computes with one block size."""

    block: int  # k
    macs: int  # multipliers of one block against one block row
    groups: int  # K / k: steps per word, and block rows side by side in a PE
    align_bits: int  # log2(K / k): binary point of its inverse transform against the word's
    forward_cycles: int
    inverse_cycles: int

    @property
    def group_list(self) -> range:
        """Blocks of a word."""
        return range(self.groups)

    @property
    def form(self) -> Bilinear:
        """Which products make the product of two spectra."""
        return spectral(self.block)

    @property
    def operands(self) -> list[list[Term]]:
        """What each multiplier takes of a block's spectrum."""
        return [terms(row) for row in self.form.operands]


@dataclass(frozen=True)
class TransformPlan:
    """A transform of one block size; module is empty for k = 1, which has nothing to do."""

    module: str
    block: int
    groups: int
    inverse: bool
    in_bits: int
    out_bits: int
    wait_cycles: int  # until the slowest transform beside it is done

    @property
    def group_list(self) -> range:
        """Blocks of a word."""
        return range(self.groups)


@dataclass(frozen=True)
class SegmentPlan:
    """One vector of a job."""

    memory: int  # index of its vector memory
    base: int  # offset of its first word, per bank
    first_use: bool  # the job takes a token per group
    previous: bool  # of the frame before


@dataclass(frozen=True)
class JobPlan:
    """One product of one layer, as the array runs it."""

    name: str  # "layer0.gates"
    product: int  # index into IntegerModel.products
    layer: int
    mode: int
    order: JobSteps
    segments: tuple[SegmentPlan, ...]
    weight_base: int  # first word of weight memory
    bias_base: int  # first entry of bias memory
    entries: int  # drained entries of drain_lanes rows
    last_entries: int  # of them in the last pass
    queue: int  # index of the row queue it fills
    align: int  # index into HardwarePlan.aligns
    releases_input: bool  # the last job that reads the features

    @property
    def passes(self) -> int:
        """How often the job's vectors are walked."""
        return self.order.passes

    @property
    def steps(self) -> int:
        """Cycles in which the array works on the job, for a frame."""
        return self.order.count

    @property
    def last_pass(self) -> int:
        """Highest pass."""
        return self.passes - 1

    @property
    def last_segment(self) -> int:
        """Highest number of a vector that it reads."""
        return len(self.segments) - 1

    def first_segments(self, count: int) -> list[tuple[SegmentPlan, int]]:
        """Return so many vectors with their highest groups, the last one in missing places."""
        last = [(one, n - 1) for one, n in zip(self.segments, self.order.groups, strict=True)]
        return last + [last[-1]] * (count - len(last))
