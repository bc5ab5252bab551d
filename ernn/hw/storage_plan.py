"""The storage part of a plan: vector memories with their transforms, row queues, kinds of RAM."""

from dataclasses import dataclass
from typing import NamedTuple

from ernn.hw.array_plan import TransformPlan, bits_for


class LoadTarget(NamedTuple):
    """A memory that can be written through the registers; its number is its place in the list."""

    name: str
    bits: int  # of a word
    depth: int  # words


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

    name: str  # see ernn.hw.program.Memory
    maker: str  # "input" or a unit
    modes: tuple[int, ...]  # the block sizes it needs
    networks: tuple[TransformPlan, ...]  # by mode
    views: tuple[ViewPlan, ...]  # by job of the maker
    input_bits: int  # of a value of the maker
    transform_bits: int  # of a value that enters the transform
    scaled: bool
    scaled_bits: int  # of a scaled value, at which it saturates; 0: none
    scale_bits: int
    scale_words: int
    scale_shift: int  # bits that value * scale is rounded right by
    spectrum_bits: int
    forward_cycles: int  # of its slowest transform
    latency_cycles: int  # from a word of the maker to its write: at least 1
    offset_bits: int
    initial_tokens: int
    count_bits: int
    silent: tuple[int, ...]  # offsets that put no token: no first use waits for them

    @property
    def buffered(self) -> bool:
        """Whether a register lies in front of the transform, or there is none."""
        return self.latency_cycles > 3 * self.scaled + self.forward_cycles

    @property
    def token_cycles(self) -> int:
        """From a word of the maker to its token: the array reads a cycle behind its decision."""
        return self.latency_cycles - 1

    @property
    def job_bits(self) -> int:
        """Bits of a job number of its maker."""
        return bits_for(len(self.views))

    @property
    def mode_bits(self) -> int:
        """Bits of an index into its transforms."""
        return bits_for(len(self.modes))

    def mode_index(self, view: ViewPlan) -> int:
        """Index of a view's transform; 0 where nothing is kept."""
        return self.modes.index(view.mode) if view.enabled else 0

    @property
    def silent_bits(self) -> int:
        """The silent offsets, a bit each."""
        return sum(1 << offset for offset in self.silent)

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
    values: tuple[str, ...]  # of a word: one row each
    value_bits: int
    depth: int  # entries
    count_bits: int

    @property
    def words(self) -> int:
        """Words of an entry."""
        return max(1, self.lanes // self.gates)

    @property
    def gates(self) -> int:
        """Rows of a word."""
        return len(self.values)

    @property
    def addr_bits(self) -> int:
        """Bits of an entry's address."""
        return bits_for(self.depth)


@dataclass(frozen=True)
class OutputPlan:
    """Packets of the output: vector words, then logit words."""

    vector_queue: int
    vector_words: int
    logit_queue: int | None
    logit_words: int


@dataclass(frozen=True)
class StatePlan:
    """What the layers of a kind keep from frame to frame, for every stream: a copy per reader."""

    name: str  # "state"; with the kind's name behind it where several kinds have one
    signal: str  # of a trace, behind "layer0."
    writer: str  # a unit
    readers: tuple[str, ...]  # units
    lanes: int  # values of a word
    beats: int  # words of a stream
    streams: int

    @property
    def beat_bits(self) -> int:
        """Bits of a beat's address in one stream's state."""
        return bits_for(self.beats)

    @property
    def addr_bits(self) -> int:
        """Bits of an address: stream, then beat."""
        return bits_for(self.streams) + self.beat_bits

    @property
    def depth(self) -> int:
        """Words of a copy."""
        return max(2, self.streams << self.beat_bits)


@dataclass(frozen=True)
class RamPlan:
    """A memory and what it is built from; `ernn.hw.rams` lists and places them."""

    name: str  # "weights", "bias", "row_shifts", "state", "peepholes", "memory_x", "scale_x", ...
    width: int
    depth: int
    copies: int
    style: str  # Verilog's ram_style: "block" or "distributed"
    why: str
    group: str = ""  # of ernn.hw.groups
