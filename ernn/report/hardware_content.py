"""What a report says about the machine: plan, front, resources, time, schedule and energy."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from ernn.datafile import Count, NotNegative, Positive, Some, Strict
from ernn.energy.estimate import Interval
from ernn.report.marks import Origin
from ernn.run.schedule import Schedule


@dataclass(frozen=True)
class Resource(Strict):
    """Blocks of the part that the plan needs."""

    name: str
    used: Count
    available: Count

    @property
    def percent(self) -> float:
        """Share of the part."""
        return 100 * self.used / self.available if self.available else 0.0


@dataclass(frozen=True)
class Plan(Strict):
    """The machine."""

    part: str
    clock_mhz: Positive
    pes: Some
    column_split: Some
    drain_lanes: Some
    cell_lanes: Some
    streams: Some
    resources: tuple[Resource, ...]
    origin: Origin


@dataclass(frozen=True)
class FrontDesign(Strict):
    """A design that the planner judged and that no other one beats in everything."""

    words: str  # its sizes
    frames_per_second: Positive
    latency_us: Positive
    dsp: Count
    bram36: Count
    lut: Count
    ff: Count
    energy_uj: Interval  # of the chip for one frame, estimated
    chosen: bool


@dataclass(frozen=True)
class Front(Strict):
    """The Pareto front, and what limits the chosen design."""

    designs: Annotated[tuple[FrontDesign, ...], Field(min_length=1)]
    roofline_cycles: NotNegative
    limit: str
    larger: str  # why the next faster design does not fit; empty if there is none
    origin: Origin
    once: str = ""  # why weights are stored once; empty: they are not

    @property
    def chosen(self) -> FrontDesign:
        """The design that was generated."""
        return next(one for one in self.designs if one.chosen)


@dataclass(frozen=True)
class Build(Strict):
    """What a synthesizer or router found for a part."""

    part: str
    tool: str
    note: str  # such as the family that stood in for the part's; empty if there is nothing to say
    resources: tuple[Resource, ...]
    origin: Origin
    clock_mhz: Positive | None = None  # asked for
    fmax_mhz: Positive | None = None
    power_w: Positive | None = None  # of the chip, as the tool says
    analysed_mhz: Interval | None = None  # before anything is placed

    @property
    def met(self) -> bool | None:
        """Whether the clock that was asked for is met; None: not routed."""
        if self.fmax_mhz is None or self.clock_mhz is None:
            return None
        return self.fmax_mhz >= self.clock_mhz

    @property
    def analysed(self) -> str:
        """Where the analysed interval lies: "above" the clock asked for, "below" or "around"."""
        if self.analysed_mhz is None or self.clock_mhz is None:
            return ""
        return self.analysed_mhz.against(self.clock_mhz)


@dataclass(frozen=True)
class Timing(Strict):
    """Cycles, planned and simulated, and the comparison word by word."""

    frame_cycles_planned: Positive  # per frame, all streams interleaved
    frame_cycles_simulated: Positive
    latency_cycles_planned: Positive  # of one frame of one stream alone
    latency_cycles_simulated: Positive
    frames: Some
    words_compared: Count
    mismatches: Count
    origin: Origin

    @property
    def cycles_agree(self) -> bool:
        """Whether the simulation took exactly the planned cycles."""
        return (
            self.frame_cycles_planned == self.frame_cycles_simulated
            and self.latency_cycles_planned == self.latency_cycles_simulated
        )

    @property
    def exact(self) -> bool:
        """Whether words were compared and every one was equal."""
        return self.words_compared > 0 and self.mismatches == 0


@dataclass(frozen=True)
class Working(Strict):
    """Which unit works in which cycle."""

    schedule: Schedule
    origin: Origin


@dataclass(frozen=True)
class GroupEnergy(Strict):
    """Typical watts of a part of the design, without leakage, and how often its bits toggle."""

    name: str
    watts: NotNegative
    toggles: NotNegative | None  # per bit of a register and cycle; None: not measured


@dataclass(frozen=True)
class Energy(Strict):
    """Estimated power: see ernn.energy.estimate."""

    chip_w: Interval
    card_w: Interval  # with a card like those of the published figures
    origin: Origin
    activity: str = ""  # where toggle rates are from
    components: dict[str, NotNegative] = field(default_factory=dict)  # typical watts of the chip
    groups: tuple[GroupEnergy, ...] = ()  # most first
