"""HardwarePlan: every width, depth, address, latency and schedule entry of one accelerator.

A plan is frozen and holds only numbers and names; templates print it and compute nothing. It is
made from an integer model and the sizes of the array by `build_plan`; `ernn.hw.explore` chooses
the sizes.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from ernn import __version__
from ernn.errors import ModelFileError
from ernn.fixed import QFormat
from ernn.hw import latency
from ernn.hw.program import UNITS

DRAIN_CYCLES = 9  # 3 to the operands, 2 broadcast, 3 in the PE, 1 shadow


class Bin(NamedTuple):
    """Places of a complex bin in a packed spectrum."""

    re: int
    im: int


class PostAdd(NamedTuple):
    """Sum ``a``, plus or minus sum ``b`` unless ``sign`` is 0."""

    a: int
    b: int = 0
    sign: int = 0


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
    def last_group(self) -> int:
        """Highest step of a word."""
        return self.groups - 1

    @property
    def group_list(self) -> range:
        """Blocks of a word."""
        return range(self.groups)

    @property
    def bins_down(self) -> list[Bin]:
        """Complex bins of a block, highest first: places of Re and Im in the packed spectrum."""
        return [Bin(2 * j, 2 * j + 1) for j in reversed(range(1, self.block // 2))]

    @property
    def post_adds(self) -> list[PostAdd]:
        """How each number of a word's spectra follows from the sums of the multipliers."""
        adds = []
        for group in range(self.groups):
            first = group * self.macs
            adds += [PostAdd(first + i) for i in range(min(self.block, 2))]
            for j in range(1, self.block // 2):
                p1 = first + 2 + 3 * (j - 1)
                adds += [PostAdd(p1, p1 + 2, -1), PostAdd(p1, p1 + 1, 1)]
        return adds


@dataclass(frozen=True)
class NetworkPlan:
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
    groups: int  # groups of pe_columns words
    first_use: bool  # the job takes a token per group
    previous: bool  # of the frame before

    @property
    def last_group(self) -> int:
        """Highest group."""
        return self.groups - 1


@dataclass(frozen=True)
class JobPlan:
    """One product of one layer, as the array runs it."""

    name: str  # "layer0.gates"
    product: int  # index into IntegerModel.products
    layer: int
    mode: int
    passes: int
    segments: tuple[SegmentPlan, ...]  # one or two
    steps: int
    weight_base: int  # first word of weight memory
    bias_base: int  # first entry of bias memory
    entries: int  # drained entries of drain_lanes rows
    last_entries: int  # of them in the last pass
    queue: int  # index of the row queue it fills
    align: int  # index into HardwarePlan.aligns
    releases_input: bool  # the last job that reads the features

    @property
    def last_pass(self) -> int:
        """Highest pass."""
        return self.passes - 1

    @property
    def pair(self) -> int:
        """1 if it reads two vectors."""
        return len(self.segments) - 1

    @property
    def two_segments(self) -> tuple[SegmentPlan, SegmentPlan]:
        """Its vectors; the only one twice if there is no second."""
        return self.segments[0], self.segments[-1]


@dataclass(frozen=True)
class ViewPlan:
    """What a vector memory keeps of the words of one job of its maker."""

    enabled: bool
    base: int  # offset per bank
    words: int
    mode: int
    scaled: bool
    scale_base: int  # first word of scale memory


@dataclass(frozen=True)
class MemoryPlan:
    """A vector memory and the transform in front of it."""

    name: str  # "x", "rec", "ff", "rh" or "m"
    maker: str  # "input" or a unit
    modes: tuple[int, ...]  # the block sizes it needs
    networks: tuple[NetworkPlan, ...]  # by mode
    views: tuple[ViewPlan, ...]  # by job of the maker
    input_bits: int  # of a value of the maker
    transform_bits: int  # of a value that enters the transform
    scaled: bool
    scale_bits: int
    scale_words: int
    scale_shift: int  # bits that value * scale is rounded right by
    spectrum_bits: int
    forward_cycles: int  # of its slowest transform
    latency_cycles: int  # from a word of the maker to its write
    offset_bits: int
    initial_tokens: int
    count_bits: int

    @property
    def job_bits(self) -> int:
        """Bits of a job number of its maker."""
        return bits_for(len(self.views))

    @property
    def mode_bits(self) -> int:
        """Bits of an index into its networks."""
        return bits_for(len(self.modes))

    def mode_index(self, view: ViewPlan) -> int:
        """Index of a view's network; 0 where nothing is kept."""
        return self.modes.index(view.mode) if view.enabled else 0

    @property
    def scale_addr_bits(self) -> int:
        """Bits of an address of scale memory."""
        return bits_for(self.scale_words)

    @property
    def product_bits(self) -> int:
        """Bits of value times scale."""
        return self.input_bits + self.scale_bits


@dataclass(frozen=True)
class QueuePlan:
    """A queue of rows between the drain (or a unit) and a unit (or the output)."""

    name: str
    from_array: bool
    lanes: int  # rows written at once
    gates: int  # rows of a word
    value_bits: int
    depth: int  # entries
    count_bits: int

    @property
    def addr_bits(self) -> int:
        """Bits of an entry's address."""
        return bits_for(self.depth)


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

    def reads(self, plan: "HardwarePlan") -> list[QueueRead]:
        """Return the queues it pops, with a name for every row of a word."""
        found = []
        for index in (*self.queues, *self.paired_queues):
            queue = plan.queues[index]
            gates = UNITS[self.name][queue.name.removesuffix("_x")] if queue.from_array else "z"
            names = tuple(f"{queue.name}_{gate}" for gate in gates)
            paired = index in self.paired_queues
            found.append(QueueRead(queue.name, queue.gates, queue.value_bits, names, paired))
        return found

    def rows(self, plan: "HardwarePlan") -> list[RowRead]:
        """Return the lane inputs that come from queues."""
        reads = self.reads(plan)
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

    def ready_expression(self, plan: "HardwarePlan") -> str:
        """Return the Verilog condition that all rows of the next word are there."""
        return " && ".join(
            f"(!paired || {read.name}_valid_i)" if read.paired else f"{read.name}_valid_i"
            for read in self.reads(plan)
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
            "gru_after": "cells.gru_after_step",
            "projection": "integer_model.IntegerModel",
        }
        return f"ernn.quant.{step[self.name]}"


@dataclass(frozen=True)
class OutputPlan:
    """Packets of the output: vector words, then logit words."""

    vector_queue: int
    vector_words: int
    logit_queue: int | None
    logit_words: int


@dataclass(frozen=True)
class HardwarePlan:
    """One accelerator. Counts are exact; `ernn.hw.cost` estimates resources from them."""

    name: str
    part: str
    clock_mhz: float
    streams: int
    features: int
    labels: int
    word: int  # K
    input_words: int
    element_bits: int  # of an AXI4-Stream element
    pe_rows: int
    pe_columns: int
    drain_lanes: int
    fanout: int  # rows behind a leaf of the broadcast tree
    macs: int
    operand_bits: int
    weight_bits: int  # stored: one more than the recipe's
    acc_bits: int
    sum_bits: int  # of pe_columns accumulators
    sum_cycles: int  # levels of the adder tree
    acc_frac_bits: int  # of the finest product
    aligns: tuple[int, ...]  # left shifts to acc_frac_bits
    inverse_input: QFormat
    inverse_networks: tuple[NetworkPlan, ...]  # by mode
    inverse_bits: int  # of a value leaving the inverse transform, aligned
    inverse_cycles: int
    rows_cycles: int  # from the shadow to the row queue
    modes: tuple[Mode, ...]
    jobs: tuple[JobPlan, ...]
    weight_depth: int
    bias_depth: int
    memories: tuple[MemoryPlan, ...]
    queues: tuple[QueuePlan, ...]
    units: tuple[UnitPlan, ...]
    output: OutputPlan
    row: QFormat
    gate: QFormat
    state: QFormat
    peephole: QFormat
    vector: QFormat  # of the cell's values
    top: QFormat  # of the output vector
    feature: QFormat

    @property
    def header(self) -> str:
        """First comment of every generated file."""
        return f"Generated by ernn {__version__} from plan {self.digest} by `ernn generate`."

    @property
    def pes(self) -> int:
        """Processing elements."""
        return self.pe_rows * self.pe_columns

    @property
    def pass_cycles(self) -> int:
        """Cycles that a drain takes: passes end at least this far apart."""
        return self.pe_rows // self.drain_lanes

    @property
    def steps(self) -> int:
        """Steps of the array per frame, all jobs."""
        return sum(job.steps for job in self.jobs)

    @property
    def mask_msb(self) -> int:
        """Highest bit of a mask over streams and frame parity."""
        return 2 * self.streams - 1

    @property
    def memory_count(self) -> int:
        """Vector memories."""
        return len(self.memories)

    @property
    def token_msb(self) -> int:
        """Highest bit of a flag per memory and stream."""
        return self.memory_count * self.streams - 1

    @property
    def stream_bits(self) -> int:
        """Bits of a stream number."""
        return bits_for(self.streams)

    @property
    def memory_bits(self) -> int:
        """Bits of a memory number."""
        return bits_for(self.memory_count)

    @property
    def mode_bits(self) -> int:
        """Bits of an index into `modes`."""
        return bits_for(len(self.modes))

    @property
    def job_bits(self) -> int:
        """Bits of a job number."""
        return bits_for(len(self.jobs))

    @property
    def pass_bits(self) -> int:
        """Bits of a pass number, one beyond the last included."""
        return bits_for(max(job.passes for job in self.jobs) + 1)

    @property
    def sub_bits(self) -> int:
        """Bits of a step's number within its word."""
        return bits_for(max(mode.groups for mode in self.modes))

    @property
    def offset_bits(self) -> int:
        """Bits of an offset in any vector memory."""
        return max(memory.offset_bits for memory in self.memories)

    @property
    def weight_addr_bits(self) -> int:
        """Bits of a weight address."""
        return bits_for(self.weight_depth)

    @property
    def bias_addr_bits(self) -> int:
        """Bits of a bias address, steps of a whole pass included."""
        return bits_for(max(self.bias_depth, self.pass_cycles + 1))

    @property
    def entry_bits(self) -> int:
        """Bits of a number of drained entries."""
        return bits_for(self.pass_cycles + 1)

    @property
    def align_bits(self) -> int:
        """Bits of an index into `aligns`."""
        return bits_for(len(self.aligns))

    @property
    def queue_bits(self) -> int:
        """Bits of a queue number."""
        return bits_for(len(self.array_queues))

    @property
    def aligned_bits(self) -> int:
        """Bits of Re or Im at the finest binary point."""
        return self.sum_bits + 1 + max(self.aligns)

    @property
    def row_frac_bits(self) -> int:
        """Binary point of aligned inverse transforms."""
        return self.row.frac_bits + self.word.bit_length() - 1

    @property
    def spectrum_bits(self) -> int:
        """Bits of a spectrum value of any memory."""
        return max(memory.spectrum_bits for memory in self.memories)

    @property
    def drain_cycles(self) -> int:
        """From a step leaving the sequencer to its pass's first drained row."""
        return DRAIN_CYCLES

    @property
    def array_queues(self) -> list[QueuePlan]:
        """Queues that the drain fills; they come first in `queues`."""
        return [queue for queue in self.queues if queue.from_array]

    @property
    def _pass_fields(self) -> dict[str, int]:
        """What follows a pass to the drain, and its bits; constants are left out."""
        fields = {"entries": self.entry_bits, "bias": self.bias_addr_bits, "queue": self.queue_bits}
        if len(self.modes) > 1:
            fields["mode"] = self.mode_bits
        if len(self.aligns) > 1:
            fields["align"] = self.align_bits
        return fields

    @property
    def pass_tag_bits(self) -> int:
        """Bits that follow a pass to the drain."""
        return sum(self._pass_fields.values())

    def pass_tag(self, prefix: str, suffix: str) -> str:
        """Return the names of what follows a pass, for a Verilog concatenation."""
        return ", ".join(f"{prefix}{name}{suffix}" for name in self._pass_fields)

    @property
    def input_count_bits(self) -> int:
        """Bits of a beat number of a feature vector."""
        return bits_for(self.input_words)

    @property
    def output_count_bits(self) -> int:
        """Bits of a beat number of an output packet."""
        return bits_for(self.output.vector_words + self.output.logit_words)

    @property
    def macs_wires(self) -> int:
        """Values of the largest block: wires of a word's first block."""
        return self.modes[0].block

    @property
    def smaller_modes(self) -> list[tuple[int, Mode]]:
        """Modes with several blocks in a word, with their index."""
        return [(index, mode) for index, mode in enumerate(self.modes) if mode.groups > 1]

    @property
    def top_unit(self) -> UnitPlan:
        """The unit that makes the output vector."""
        return next(unit for unit in self.units if any(job.top for job in unit.jobs))

    @property
    def state_unit(self) -> str:
        """The unit that writes the state."""
        return next(unit.name for unit in self.units if unit.writes_state)

    @property
    def state_beats(self) -> int:
        """State words per stream."""
        return max(unit.state_beats for unit in self.units)

    @property
    def state_lanes(self) -> int:
        """State values per word."""
        return next(unit.lanes for unit in self.units if unit.reads_state)

    @property
    def state_addr_bits(self) -> int:
        """Bits of a state address: stream, then beat."""
        return self.stream_bits + bits_for(self.state_beats)

    @property
    def state_depth(self) -> int:
        """Words of a state memory."""
        return max(2, self.streams << bits_for(self.state_beats))

    @property
    def activation_cycles(self) -> int:
        """Latency of sigmoid and tanh."""
        return latency.ACTIVATION_CYCLES

    @property
    def makers(self) -> list[Maker]:
        """What writes vectors: the input, then the units."""
        return [Maker("input", self.feature.width, 1)] + [
            Maker(unit.name, unit.value_bits, unit.job_bits) for unit in self.units
        ]

    def unused_macs(self, mode: Mode) -> int:
        """Multipliers of a PE that a block size leaves idle."""
        return self.macs - mode.groups * mode.macs

    def to_json(self) -> str:
        """Return the plan as JSON, the same bytes for the same plan."""
        return _ADAPTER.dump_json(self, indent=1).decode() + "\n"

    @property
    def digest(self) -> str:
        """Twelve hex digits that name the plan in generated files."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    def save(self, path: Path) -> None:
        """Write plan.json."""
        partial = Path(path).with_name(Path(path).name + ".part")
        partial.write_text(self.to_json(), encoding="utf-8")
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> "HardwarePlan":
        """Read plan.json.

        Raises:
            ModelFileError: the file is missing or not a plan.
        """
        try:
            return _ADAPTER.validate_json(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            reason = str(error).splitlines()[0]
            raise ModelFileError(f"{path} is not a plan of ernn ({reason}); plan again") from None


_ADAPTER = TypeAdapter(HardwarePlan)


def bits_for(count: int) -> int:
    """Bits of an unsigned number that reaches ``count - 1``; at least one."""
    return max(1, (count - 1).bit_length())
