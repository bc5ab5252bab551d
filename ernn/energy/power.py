"""Watts of a design by component, from its blocks, their activity and public power reports.

What is computed here is the *prior*: what a vendor's tool would say. `ernn.energy.fit` weighs it
against the published boards, and `ernn.energy.estimate` gives the result with its interval.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean, stdev
from typing import Annotated

from pydantic import Field

from ernn.datafile import Strict, read_toml
from ernn.energy.interval import Figure
from ernn.errors import ErnnError
from ernn.parts.part import Part

RESOURCES = ("dsp", "bram36", "lut", "ff", "nets")
DYNAMIC = (*RESOURCES, "clock")
COMPONENTS = (*DYNAMIC, "static")
NODES_NM = (28, 20, 16)

Blocks = Annotated[float, Field(ge=0, le=1e9)]
Spread = Annotated[float, Field(ge=0.01, le=10)]  # a standard deviation, as a share
Deviation = Annotated[float, Field(ge=0.01, le=1e4)]  # a standard deviation, in watts
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=300)]


@dataclass(frozen=True)
class Counts(Strict):
    """Blocks that a report tells of."""

    dsp: Blocks
    bram36: Blocks
    lut: Blocks
    ff: Blocks
    nets: Blocks
    loads: Blocks  # LUTs with a clock


@dataclass(frozen=True)
class Watts(Strict):
    """Power by component; None: not told, or too small to say."""

    dsp: Figure | None = None
    bram36: Figure | None = None
    lut: Figure | None = None
    ff: Figure | None = None
    nets: Figure | None = None
    clock: Figure | None = None
    static: Figure | None = None


@dataclass(frozen=True)
class Report(Strict):
    """One public power report."""

    source: Text
    node_nm: Figure
    clock_mhz: Figure
    part_lut: Figure
    used: Counts
    watts: Watts


@dataclass(frozen=True)
class Activity(Strict):
    """What the reports assume of activity."""

    logic: Figure
    dsp: Figure
    bram36: Figure
    dsp_idle: Share
    bram36_idle: Share
    published: Figure
    clock_loads: Blocks


@dataclass(frozen=True)
class Prior(Strict):
    """How far the reports may be from silicon: see power.toml."""

    common: Spread
    least: Spread
    dsp: Spread
    bram36: Spread
    static: Spread
    node: Annotated[float, Field(ge=0, le=10)]
    own_resources: Annotated[float, Field(ge=0, le=10)]
    published_resources: Spread
    regulators: Annotated[float, Field(ge=0.01, le=1)]
    board_w: Figure
    board_sd_w: Deviation
    measured_sd_w: Deviation


@dataclass(frozen=True)
class IntervalRule(Strict):
    """How wide an interval is."""

    deviations: Annotated[float, Field(gt=0, le=10)]


@dataclass(frozen=True)
class PowerData(Strict):
    """The content of power.toml."""

    reports: Annotated[tuple[Report, ...], Field(min_length=1)]
    activity: Activity
    prior: Prior
    interval: IntervalRule

    def __post_init__(self) -> None:
        for name in COMPONENTS:
            if not any(getattr(report.watts, name) for report in self.reports):
                raise ValueError(f"no report tells of {name}; add one that does")

    @cached_property
    def coefficients(self) -> dict[str, dict[float, float]]:
        """pJ per block and cycle at the reports' activity, by component and node.

        Of static power it is W per million LUTs of the part. Means are geometric.
        """
        found: dict[str, dict[float, list[float]]] = {name: {} for name in COMPONENTS}
        for report in self.reports:
            for name in COMPONENTS:
                watts, count = getattr(report.watts, name), self._blocks(report, name)
                if watts and count:
                    rate = 1.0 if name == "static" else report.clock_mhz
                    each = found[name].setdefault(report.node_nm, [])
                    each.append(1e6 * watts / count / rate)
        return {
            name: {node: math.exp(fmean(map(math.log, values))) for node, values in nodes.items()}
            for name, nodes in found.items()
        }

    def _blocks(self, report: Report, name: str) -> float:
        if name == "static":
            return report.part_lut
        if name == "clock":
            used = report.used
            return used.ff + used.loads + self.activity.clock_loads * (used.dsp + used.bram36)
        return float(getattr(report.used, name))

    @cached_property
    def spread(self) -> dict[str, float]:
        """One standard deviation of each component, as a share."""
        found = {}
        for name in COMPONENTS:
            logs = []
            for report in self.reports:
                watts, count = getattr(report.watts, name), self._blocks(report, name)
                if watts and count:
                    rate = 1.0 if name == "static" else report.clock_mhz
                    each = 1e6 * watts / count / rate
                    logs.append(math.log(each / self.coefficients[name][report.node_nm]))
            alike = stdev([*logs, 0.0]) if logs else 0.0
            found[name] = max(getattr(self.prior, name, self.prior.least), alike)
        return found

    def coefficient(self, name: str, node_nm: float) -> float:
        """Return a component's coefficient at any node: a power law through the two nearest."""
        known = sorted(self.coefficients[name].items())
        if len(known) == 1:
            return known[0][1] * (node_nm / known[0][0])
        nodes = [node for node, _ in known]
        above = next((i for i, node in enumerate(nodes) if node >= node_nm), len(nodes) - 1)
        (low, first), (high, second) = known[max(0, above - 1)], known[max(1, above)]
        slope = math.log(second / first) / math.log(high / low)
        return first * (node_nm / low) ** slope


@dataclass(frozen=True)
class Load:
    """A part of a design: its blocks and what they do. Activities that are None were not measured.

    A toggle rate is toggles per bit and cycle, an access rate accesses per memory block and cycle.
    """

    dsp: float = 0
    bram36: float = 0
    lut: float = 0
    ff: float = 0
    toggles: float | None = None  # of flip-flops, and so of LUTs and nets
    dsp_toggles: float | None = None  # of all registers in DSP blocks
    accesses: float | None = None


def load_power(path: Path | None = None) -> PowerData:
    """Read the data, from a user's own file if a path is given.

    Raises:
        ErnnError: the file is not of the form of power.toml.
    """
    return read_toml(path or Path(__file__).with_name("power.toml"), PowerData, ErnnError)


def component_watts(
    data: PowerData, part: Part, clock_mhz: float, loads: Iterable[Load]
) -> dict[str, float]:
    """Return what the vendor's tool would say of a design, in watts by component.

    Args:
        data: content of power.toml.
        part: the FPGA; its leakage counts wholly, used or not.
        clock_mhz: clock of everything.
        loads: the parts of the design.
    """
    known = data.activity
    cycles = dict.fromkeys(DYNAMIC, 0.0)  # blocks x activity relative to the reports'
    for load in loads:
        toggles = known.logic if load.toggles is None else load.toggles
        inside = known.dsp if load.dsp_toggles is None else load.dsp_toggles
        accesses = known.bram36 if load.accesses is None else load.accesses
        cycles["dsp"] += load.dsp * _active(inside / known.dsp, known.dsp_idle)
        cycles["bram36"] += load.bram36 * _active(accesses / known.bram36, known.bram36_idle)
        cycles["lut"] += load.lut * toggles / known.logic
        cycles["ff"] += load.ff * toggles / known.logic
        cycles["nets"] += (load.lut + load.ff) * toggles / known.logic
        cycles["clock"] += load.ff + known.clock_loads * (load.dsp + load.bram36)
    watts = {
        name: 1e-6 * clock_mhz * data.coefficient(name, part.node_nm) * count
        for name, count in cycles.items()
    }
    return {**watts, "static": 1e-6 * data.coefficient("static", part.node_nm) * part.lut}


def _active(relative: float, idle: float) -> float:
    return idle + (1 - idle) * relative
