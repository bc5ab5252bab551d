"""The step memory of a plan whose jobs leave steps out: the sequencer reads it and need not count.

A word is a visit: whether it is the last of its pass, which of the job's vectors it reads, and the
address of its group of words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ernn.hw.array_plan import JobPlan, bits_for
from ernn.hw.steps import Visit, visits


@dataclass(frozen=True)
class StepMemory:
    """Visits of all jobs, one after the other."""

    jobs: tuple[tuple[Visit, ...], ...]
    vector_bits: int  # of an address in any vector memory
    segment_bits: int  # of the number of a job's vector

    @property
    def depth(self) -> int:
        """Words: the last job looks two words ahead."""
        return sum(map(len, self.jobs)) + 2

    @property
    def addr_bits(self) -> int:
        """Bits of an address."""
        return bits_for(self.depth)

    @property
    def bits(self) -> int:
        """Bits of a word."""
        return 1 + self.segment_bits + self.vector_bits

    @property
    def words(self) -> list[int]:
        """All words, in order."""
        return [self.word(visit) for job in self.jobs for visit in job]

    def word(self, visit: Visit) -> int:
        """Return the word of a visit."""
        head = visit.last << self.segment_bits | visit.segment
        return head << self.vector_bits | visit.vector

    def first(self, job: int) -> int:
        """Return the word of a job's first visit."""
        return self.word(self.jobs[job][0])

    def base(self, job: int) -> int:
        """Return the address of a job's first visit."""
        return sum(map(len, self.jobs[:job]))


def step_memory(jobs: Sequence[JobPlan], vector_bits: int, segment_bits: int) -> StepMemory | None:
    """Return the step memory of some jobs; None where all of them have all steps."""
    if not any(job.order.kept for job in jobs):
        return None
    return StepMemory(
        tuple(tuple(visits(job.step_list)) for job in jobs), vector_bits, segment_bits
    )
