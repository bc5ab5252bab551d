"""HardwarePlan: every width, depth, address, latency and schedule entry of one accelerator.

A plan is frozen and holds only numbers and names; templates print it and compute nothing. It is
made from an integer model and the sizes of the array by `build_plan`; `ernn.hw.explore` chooses
the sizes.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ernn.errors import ModelFileError
from ernn.fixed import QFormat


@dataclass(frozen=True)
class Mode:
    """How the array computes with one block size."""

    block: int  # k
    macs: int  # multipliers of one block against one block row
    groups: int  # K / k: steps per word, and block rows side by side in a PE
    align_bits: int  # log2(K / k): binary point of its inverse transform against the word's
    forward_cycles: int
    inverse_cycles: int


@dataclass(frozen=True)
class SegmentPlan:
    """One vector of a job."""

    memory: int  # index of its vector memory
    base: int  # offset of its first word, per bank
    groups: int  # groups of pe_columns words
    first_use: bool  # the job takes a token per group
    previous: bool  # of the frame before


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
    modes: tuple[int, ...]  # the transforms it needs
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


@dataclass(frozen=True)
class UnitJob:
    """A unit's share of one layer."""

    layer: int
    words: int
    state_base: int  # first beat in state memory
    paired: bool  # rows come in two halves
    top: bool  # its words are the accelerator's output


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
    output_queue: int | None  # of top words
    gate_queue: int | None  # gru_reset: z; gru_update reads it


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
