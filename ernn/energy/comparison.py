"""A network on one accelerator of ours, beside ESE, C-LSTM, E-RNN and their models.

Plain frozen data: pages, tables and JSON print it. Every entry carries the mark of its speed and
that of its power, and the command that made it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ernn.energy.baselines import (
    PIPELINES,
    Deviation,
    Modelled,
    deviations,
    model_ese,
    model_pipeline,
)
from ernn.energy.fit import Fit, pipeline_watts
from ernn.energy.interval import Interval
from ernn.energy.published import Basis, Design, LaterWork, Published, Reading, readings
from ernn.energy.shape import Shape
from ernn.parts.part import Part, load_part

GOAL_RATIO = 3.0  # frames/s per watt, as a multiple of E-RNN's
GOAL_TOPS_PER_W, GOAL_BLOCK = 0.35, 16  # dense-equivalent, at this block size


@dataclass(frozen=True)
class Entry:
    """One reading of one design on one network."""

    reading: Reading
    dense: int  # weights of the network without compression
    power_mark: str  # of reading.power_w; "" without
    command: str

    @property
    def energy_uj(self) -> Interval | None:
        """Of the board, for one frame."""
        return self.reading.uj_per_frame

    @property
    def gops(self) -> float:
        """Dense-equivalent: two operations per weight before compression and frame."""
        return 2e-9 * self.dense * self.reading.frames_per_second

    @property
    def gops_per_watt(self) -> Interval | None:
        """Dense-equivalent, of the board."""
        power = self.reading.power_w
        return power.under(self.gops) if power else None


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
    name: str, network: str, shape: Shape, ours: Ours, published: Published, fit: Fit, command: str
) -> Subject:
    """Put an accelerator of ours beside the others.

    Args:
        name: of the network, unique in a comparison.
        network: in words.
        shape: its sizes.
        ours: our accelerator.
        published: figures; those of the same layer are shown as they are.
        fit: of the power model.
        command: that compares.
    """
    same = [design for design in published.designs if _same_layer(design, shape, published)]
    entries = [*ours.entries(shape.dense)]
    entries += [_published(one, design, shape) for design in same for one in readings(design)]
    entries += modelled_entries(shape, published, fit, ours.part, command)
    boards = [
        design
        for design in same
        if design.name.startswith("E-RNN") and design.power_w and design.part == ours.part
    ]
    efficiency = tuple(
        Efficiency(design, ours.frames_per_second, ours.power_w, shape.dense) for design in boards
    )
    return Subject(name, network, shape.dense, shape.weights, ours, tuple(entries), efficiency)


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


def _published(reading: Reading, design: Design, shape: Shape) -> Entry:
    mark = "published" if design.power_w else ""
    return Entry(reading, shape.dense, mark, "ernn/energy/published.toml")


def modelled_entries(
    shape: Shape, published: Published, fit: Fit, own_part: str, command: str
) -> list[Entry]:
    """Return what the models say of a network: on the published boards, and on our own part."""
    found: list[Entry] = []
    for design in _machines(published):
        boards = [design.part, own_part] if design.name != "ESE" else [design.part]
        for board in dict.fromkeys(boards):
            part = load_part(board)
            if design.name == "ESE":
                found += _ese(design, shape, part, published.clock_mhz, command)
            else:
                found += _pipeline(design, shape, part, published, fit, command)
    return found


def _machines(published: Published) -> list[Design]:
    """Return one published row of each design that has a model, its board with a known power."""
    found: dict[str, Design] = {}
    for design in published.designs:
        machine = design.name.split()[0]
        if (machine in PIPELINES or machine == "ESE") and design.power_w:
            found.setdefault(machine, design)
    return list(found.values())


def _ese(
    design: Design, shape: Shape, part: Part, clock_mhz: float, command: str
) -> Iterator[Entry]:
    """Yield ESE's three readings; its machine, and so its power, is the same for any network."""
    computed, measured = model_ese(shape, part, clock_mhz)
    rows: tuple[tuple[str, Basis, Modelled, float], ...] = (
        ("1 channel, computed", "single", computed, 1e6 / computed.latency_us),
        ("1 channel, measured", "single", measured, 1e6 / measured.latency_us),
        (f"{design.channels} channels, measured", "together", measured, measured.frames_per_second),
    )
    power = Interval.exact(design.power_w) if design.power_w else None
    for words, basis, told, rate in rows:
        yield _modelled(design, told, words, basis, rate, power, "published", shape, command)


def _pipeline(
    design: Design, shape: Shape, part: Part, published: Published, fit: Fit, command: str
) -> Iterator[Entry]:
    machine = PIPELINES[design.name.split()[0]]
    told = model_pipeline(machine, shape, part, published.clock_mhz)
    watts = pipeline_watts(fit.data, published, machine, told)
    mean, deviation = fit.predict(watts, True, fit.node_spread(part.node_nm), machine.name)
    power = Interval.around(mean, deviation, fit.data.interval.deviations)
    flight = f"{told.frames_in_flight} in flight"
    single = told.frames_per_second_single
    yield _modelled(design, told, "alone", "single", single, power, "modelled", shape, command)
    rate = told.frames_per_second
    yield _modelled(design, told, flight, "together", rate, power, "modelled", shape, command)


def _modelled(
    design: Design,
    told: Modelled,
    words: str,
    basis: Basis,
    rate: float,
    power: Interval | None,
    power_mark: str,
    shape: Shape,
    command: str,
) -> Entry:
    reading = Reading(
        *(told.design, told.part, design.bits, words, basis, told.latency_us, rate),
        *("modelled", "" if told.fits else "does not fit on chip", design.source, power),
    )
    return Entry(reading, shape.dense, power_mark, command)
