"""A network on one accelerator of ours, beside ESE, C-LSTM, E-RNN and their models.

Plain frozen data: pages, tables and JSON print it. Every entry carries the mark of its speed and
that of its power, and the command that made it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ernn.energy.baselines import Deviation, deviations
from ernn.energy.crossbar import Crossbars, crossbars_of
from ernn.energy.entries import (
    Entry,
    ese_entries,
    machines,
    modelled_entries,
    published_entry,
)
from ernn.energy.ese import EseRun, Sparse, random_sparse, run_ese
from ernn.energy.fit import Fit
from ernn.energy.interval import Interval
from ernn.energy.published import Basis, Design, LaterWork, Published, Reading, readings
from ernn.energy.shape import Shape
from ernn.parts.part import Part, load_part

GOAL_RATIO = 3.0  # frames/s per watt, as a multiple of E-RNN's
GOAL_TOPS_PER_W, GOAL_BLOCK = 0.35, 16  # dense-equivalent, at this block size


@dataclass(frozen=True)
class GroupPower:
    """A part of our design: what it holds and what it takes."""

    name: str
    dsp: float
    bram36: float
    lut: float
    ff: float
    toggles: float | None  # per bit and cycle, of registers; None: not measured
    dsp_toggles: float | None  # of the registers in DSP blocks
    accesses: float | None  # per memory block and cycle
    watts: float  # typical, without the part's leakage


@dataclass(frozen=True)
class Efficiency:
    """Our frames/s per watt against one published board, by both readings.

    One divides by our estimated power; the other by the power that was published for the same board
    with the same layer, and so needs no power model, only that our design takes no more.
    """

    against: Design
    frames_per_second: float
    estimated_w: Interval
    dense: int

    @property
    def estimated(self) -> Interval:
        """Frames/s per watt by our estimate."""
        return self.estimated_w.under(self.frames_per_second)

    @property
    def borrowed(self) -> float:
        """Frames/s per published watt."""
        return self.frames_per_second / (self.against.power_w or 1)

    @property
    def published(self) -> float:
        """Frames/s per watt of the published design."""
        return self.against.frames_per_second / (self.against.power_w or 1)

    @property
    def estimated_ratio(self) -> Interval:
        """`estimated` as a multiple of the published."""
        return self.estimated.scaled(1 / self.published)

    @property
    def borrowed_ratio(self) -> float:
        """`borrowed` as a multiple of the published."""
        return self.borrowed / self.published

    @property
    def estimated_tops_per_w(self) -> Interval:
        """Dense-equivalent, by our estimate."""
        return self.estimated.scaled(2e-12 * self.dense)

    @property
    def borrowed_tops_per_w(self) -> float:
        """Dense-equivalent, by the published power."""
        return 2e-12 * self.dense * self.borrowed

    @property
    def most_w(self) -> float:
        """Power of the board at which the goal is just met."""
        most = self.frames_per_second / (GOAL_RATIO * self.published)
        if self.against.block_size == GOAL_BLOCK:
            most = min(most, 2e-12 * self.dense * self.frames_per_second / GOAL_TOPS_PER_W)
        return most

    @property
    def met(self) -> str:
        """Whether the goal is met: by both readings, and by how much of the interval."""
        if self.borrowed_ratio < GOAL_RATIO:
            return "missed by the published power"
        if self.estimated_w.high <= self.most_w:
            return "met, by the whole interval"
        if self.estimated_w.typical <= self.most_w:
            return "met by the typical estimate, not by its upper end"
        if self.estimated_w.low <= self.most_w:
            return "missed by the typical estimate, met by its lower end"
        return "missed, by the whole interval"


@dataclass(frozen=True)
class Ours:
    """What is known of an accelerator of ours."""

    name: str  # as the others are named
    plan: str  # digest
    part: str
    clock_mhz: float
    bits: int
    streams: int
    latency_us: float
    frames_per_second: float
    mark: str  # of frames_per_second: simulated or planned
    latency_mark: str
    checked: str
    power_w: Interval  # of a board, all streams busy
    chip_w: Interval
    components: dict[str, float]  # typical watts of the chip
    groups: tuple[GroupPower, ...]
    resources: str  # where the blocks of the groups are from, in words
    activity: str  # where their activity is from, in words
    speed_command: str
    power_command: str

    def entries(self, dense: int) -> Iterator[Entry]:
        """Yield one utterance alone, then all streams."""
        together = f"{self.streams} interleaved" if self.streams > 1 else "back to back"
        rows: tuple[tuple[str, Basis, float, str], ...] = (
            ("alone, 1 / latency", "single", 1e6 / self.latency_us, self.latency_mark),
            (together, "together", self.frames_per_second, self.mark),
        )
        for words, basis, rate, mark in rows:
            reading = Reading(
                *(self.name, self.part, self.bits, words, basis, self.latency_us, rate),
                *(mark, self.checked, "ernn", self.power_w),
            )
            yield Entry(reading, dense, "estimated", self.speed_command)


@dataclass(frozen=True)
class Subject:
    """One network with every reading of every design on it."""

    name: str
    network: str  # in words
    dense: int
    weights: int
    ours: Ours
    entries: tuple[Entry, ...]  # ours first, then published on the same layer, then modelled
    efficiency: tuple[Efficiency, ...]  # empty unless a board was published with this layer
    ese: EseRun | None  # None: the published figures have no ESE
    crossbars: tuple[Crossbars, ...]


@dataclass(frozen=True)
class Comparison:
    """Everything that the page shows."""

    title: str
    version: str  # of ernn
    command: str
    clock_mhz: float  # of the published designs
    subjects: tuple[Subject, ...]
    deviations: tuple[Deviation, ...]
    fit: Fit
    later: tuple[LaterWork, ...]


def subject(
    name: str,
    network: str,
    shape: Shape,
    ours: Ours,
    part: Part,
    published: Published,
    fit: Fit,
    command: str,
    own: Mapping[str, np.ndarray] | None = None,
    sparse: Sparse | None = None,
) -> Subject:
    """Put an accelerator of ours beside the others.

    Args:
        name: of the network, unique in a comparison.
        network: in words.
        shape: its sizes.
        ours: our accelerator.
        part: that it is on.
        published: figures; those of the same layer are shown as they are.
        fit: of the power model.
        command: that compares.
        own: its matrices with circulant blocks expanded; None: nothing in them is 0.
        sparse: the same network as ESE is to have it; None: random places.
    """
    sparse = sparse or random_sparse(shape)
    machine = next((one for one in machines(published) if one.name == "ESE"), None)
    ese = None
    if machine:
        ese = run_ese(shape, sparse, load_part(machine.part), published.clock_mhz)
    same = [design for design in published.designs if _same_layer(design, shape, published)]
    entries = [*ours.entries(shape.dense)]
    entries += [published_entry(one, design, shape) for design in same for one in readings(design)]
    entries += modelled_entries(shape, published, fit, part, command)
    if machine and ese:
        entries += ese_entries(machine, ese, shape, command)
    boards = [
        design
        for design in same
        if design.name.startswith("E-RNN") and design.power_w and design.part == ours.part
    ]
    efficiency = tuple(
        Efficiency(design, ours.frames_per_second, ours.power_w, shape.dense) for design in boards
    )
    return Subject(
        *(name, network, shape.dense, shape.weights, ours, tuple(entries), efficiency),
        *(ese, crossbars_of(shape, own, sparse)),
    )


def compare(
    title: str,
    version: str,
    command: str,
    subjects: Sequence[Subject],
    published: Published,
    fit: Fit,
) -> Comparison:
    """Return everything that the page shows."""
    return Comparison(
        *(title, version, command, published.clock_mhz, tuple(subjects)),
        *(deviations(published), fit, published.later),
    )


def _same_layer(design: Design, shape: Shape, published: Published) -> bool:
    alike = shape.cell == design.cell and shape.dense == published.dense_macs_per_frame[design.cell]
    return alike and design.block_size in (None, shape.block)
