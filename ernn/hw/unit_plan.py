"""The cell units' part of a plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ernn.hw.array_plan import bits_for
from ernn.hw.program import UNITS
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
    gates: int
    value_bits: int
    gate_names: tuple[str, ...]
    paired: bool  # the "_x" half of another queue


class RowRead(NamedTuple):
    """A lane input: its wire, its port, the register it comes from, and that of its other half."""

    name: str
    port: str
    source: str
    half: str
    bits: int


class Maker(NamedTuple):
    """What writes vectors: the input or a unit."""

    name: str
    value_bits: int
    job_bits: int


@dataclass(frozen=True)
class UnitPlan:
    """A cell unit: rows in, vector words and state out."""

    name: str  # a key of ernn.hw.program.UNITS
    queues: tuple[int, ...]
    paired_queues: tuple[int, ...]  # "_x" halves, same order, or empty
    jobs: tuple[UnitJob, ...]
    lanes: int  # elements per cycle
    beats: int  # cycles per word
    lane_cycles: int
    latency_cycles: int  # from popping a word's rows to offering its vector word
    state_beats: int  # state memory per stream; 0: no state
    value_bits: int  # of a vector value
    peepholes: bool
    cell_activation: str
    memories: tuple[int, ...]  # written by it
    gate_queue: int | None  # gru_reset fills it with z, gru_update reads it

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
    def peephole_depth(self) -> int:
        """Words of peephole memory."""
        return max(2, self.state_beats)

    @property
    def pair_cycles(self) -> int:
        """1 if halves of rows are added."""
        return int(bool(self.paired_queues))

    @property
    def lane_start(self) -> int:
        """Cycles from a beat to the lanes' inputs."""
        return 3 + self.pair_cycles

    @property
    def end_cycles(self) -> int:
        """Cycles from a beat to the lanes' outputs."""
        return self.lane_start + self.lane_cycles

    @property
    def reads_state(self) -> bool:
        """Whether the cell has a state at all."""
        return self.state_beats > 0

    @property
    def writes_state(self) -> bool:
        """Whether this unit makes the new state."""
        return self.reads_state and not self.writes_gate

    @property
    def writes_gate(self) -> bool:
        """Whether this unit fills the queue of z."""
        return self.name == "gru_reset"

    @property
    def g_tanh(self) -> int:
        """LSTM: 1 if g is a tanh."""
        return int(self.cell_activation == "tanh")

    def reads(self, queues: Sequence[QueuePlan]) -> list[QueueRead]:
        """Return the queues it pops, with a name for every row of a word."""
        found = []
        for index in (*self.queues, *self.paired_queues):
            queue = queues[index]
            gates = UNITS[self.name][queue.name.removesuffix("_x")] if queue.from_array else "z"
            names = tuple(f"{queue.name}_{gate}" for gate in gates)
            paired = index in self.paired_queues
            found.append(QueueRead(queue.name, queue.gates, queue.value_bits, names, paired))
        return found

    def rows(self, queues: Sequence[QueuePlan]) -> list[RowRead]:
        """Return the lane inputs that come from queues."""
        reads = self.reads(queues)
        halves = {name for read in reads if read.paired for name in read.gate_names}
        rows = []
        for read in (read for read in reads if not read.paired):
            for name in read.gate_names:
                gate = read.name if read.name in ("nh", "nx") else name[-1]
                port = "z_i" if read.name == "z" else f"row_{gate}_i"
                half = f"{read.name}_x_{name[-1]}"
                rows.append(
                    RowRead(
                        "late_z" if read.name == "z" else f"row_{gate}",
                        port,
                        f"{name}_q",
                        f"{half}_q" if half in halves else "",
                        read.value_bits,
                    )
                )
        return rows

    def ready_expression(self, queues: Sequence[QueuePlan]) -> str:
        """Return the Verilog condition that all rows of the next word are there."""
        return " && ".join(
            f"(!paired || {read.name}_valid_i)" if read.paired else f"{read.name}_valid_i"
            for read in self.reads(queues)
        )

    @property
    def lane_module(self) -> str:
        """Verilog module of one lane."""
        return f"ernn_{self.name}_lane"

    @property
    def lane_row_frac(self) -> bool:
        """Whether the lane does arithmetic in the row format."""
        return self.name in ("lstm", "gru_after")

    @property
    def golden(self) -> str:
        """The function that defines what a lane computes."""
        step = {
            "lstm": "cells.lstm_step",
            "gru_reset": "cells.gru_reset_step",
            "gru_update": "cells.gru_update_step",
            "gru_after": "cells.gru_candidate_row",
            "projection": "integer_model.IntegerModel",
        }
        return f"ernn.quant.{step[self.name]}"
