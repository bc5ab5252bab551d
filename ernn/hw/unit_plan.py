"""The cell units' part of a plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ernn.hw.array_plan import bits_for
from ernn.hw.lane_plan import LanePlan
from ernn.hw.storage_plan import QueuePlan


@dataclass(frozen=True)
class UnitJob:
    """A unit's share of one layer."""

    layer: int
    words: int
    state_base: int  # first beat in state memory
    paired: bool  # rows come in two halves
    top: bool  # its words are the accelerator's output

    @property
    def last_word(self) -> int:
        """Highest word."""
        return self.words - 1


class QueueRead(NamedTuple):
    """A queue as a unit sees it."""

    name: str
    values: tuple[str, ...]  # of a word
    value_bits: int
    half: bool  # the "_x" half of another queue

    def register(self, value: str) -> str:
        """Return the unit's register of a word's values."""
        return f"word_{value}_x_q" if self.half else f"word_{value}_q"


class RowRead(NamedTuple):
    """A lane input that comes from a queue: the register of its word, and of its other half."""

    name: str
    source: str
    half: str  # empty: there is none
    bits: int


class Maker(NamedTuple):
    """What writes vectors: the input or a unit."""

    name: str
    value_bits: int
    job_bits: int


@dataclass(frozen=True)
class Given:
    """A value that a unit puts into a queue for another unit."""

    name: str
    queue: int
    bits: int


@dataclass(frozen=True)
class UnitPlan:
    """A cell unit: rows in, vector words and state out."""

    name: str
    cell: str  # a key of ernn.cells.CELLS
    queues: tuple[int, ...]
    paired_queues: tuple[int, ...]  # "_x" halves, same order, or empty
    jobs: tuple[UnitJob, ...]
    lanes: int  # elements per cycle
    beats: int  # cycles per word
    lane: LanePlan
    pop_cycles: int  # from popping a word's rows to the lanes' inputs, halves of rows not added
    latency_cycles: int  # from popping a word's rows to offering its vector word
    vector: str  # that its words are, as the cell calls it
    value_bits: int  # of a vector value
    state: str  # the state memory that it reads; empty: none
    state_in: str  # the state as the cell calls it
    state_out: str  # and what takes its place; empty: another unit makes it
    constants: tuple[str, ...]  # values of a memory of its own, whose name follows
    constant_memory: str
    state_beats: int  # words of a stream's state, and of that memory; 0: it has neither
    memories: tuple[int, ...]  # written by it
    given: tuple[Given, ...]

    @property
    def job_bits(self) -> int:
        """Bits of a job number."""
        return bits_for(len(self.jobs))

    @property
    def last_job(self) -> int:
        """Highest job: the last layer."""
        return len(self.jobs) - 1

    @property
    def word_bits(self) -> int:
        """Bits of a word number."""
        return bits_for(max(job.words for job in self.jobs))

    @property
    def beat_bits(self) -> int:
        """Bits of a beat number."""
        return bits_for(self.beats)

    @property
    def last_beat(self) -> int:
        """Highest beat."""
        return self.beats - 1

    @property
    def beat_addr_bits(self) -> int:
        """Bits of a beat's address in one stream's state."""
        return bits_for(self.state_beats)

    @property
    def constant_depth(self) -> int:
        """Words of its own memory."""
        return max(2, self.state_beats)

    @property
    def pair_cycles(self) -> int:
        """1 if halves of rows are added."""
        return int(bool(self.paired_queues))

    @property
    def holds(self) -> bool:
        """Whether a register of its own holds a queue's word, and moves it on to the next beat."""
        return self.beats > 1 or self.pop_cycles > 2

    @property
    def direct(self) -> bool:
        """Whether its queues have no register behind their memory."""
        return self.beats > 1 and self.pop_cycles == 2

    @property
    def lane_start(self) -> int:
        """Cycles from a beat to the lanes' inputs."""
        return self.pop_cycles + self.pair_cycles

    @property
    def end_cycles(self) -> int:
        """Cycles from a beat to the lanes' outputs."""
        return self.lane_start + self.lane.cycles

    @property
    def lane_module(self) -> str:
        """Verilog module of one lane."""
        return f"ernn_lane_{self.name}"

    def reads(self, queues: Sequence[QueuePlan]) -> list[QueueRead]:
        """Return the queues it pops."""
        return [
            QueueRead(
                queues[index].name,
                queues[index].values,
                queues[index].value_bits,
                index in self.paired_queues,
            )
            for index in (*self.queues, *self.paired_queues)
        ]

    def rows(self, queues: Sequence[QueuePlan]) -> list[RowRead]:
        """Return the lane inputs that come from queues."""
        found = self.reads(queues)
        halves = {v: read.register(v) for read in found if read.half for v in read.values}
        return [
            RowRead(value, read.register(value), halves.get(value, ""), read.value_bits)
            for read in found
            if not read.half
            for value in read.values
        ]


def pop_cycles(lane: LanePlan, beats: int, words: int, found: Sequence[str]) -> int:
    """Return the cycles from the pop of a word to the lanes' inputs.

    Behind the queue's memory a register chooses among the words of an entry or moves a word on to
    the next beat. They are two where it would do both, and where a lane begins with what is found
    by an address that follows from the pop.

    Args:
        lane: of the unit.
        beats: of a word.
        words: of a queue's entry, at most.
        found: inputs of the lane that are found in that way and not held up by anything else.
    """
    both = beats > 1 and words > 1
    return 3 if both or any(lane.first_read(name) == 0 for name in found) else 2
