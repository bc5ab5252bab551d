"""Readings of designs on one network: published ones, and what the models say of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from ernn.energy.baselines import PIPELINES, Modelled, model_ese, model_pipeline
from ernn.energy.ese import EseRun
from ernn.energy.fit import Fit, pipeline_watts
from ernn.energy.interval import Interval
from ernn.energy.published import Basis, Design, Published, Reading
from ernn.energy.shape import Shape
from ernn.parts.part import Part, load_part

NOT_FITTING = "does not fit on chip"


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


def published_entry(reading: Reading, design: Design, shape: Shape) -> Entry:
    """Return a published reading of a network."""
    mark = "published" if design.power_w else ""
    return Entry(reading, shape.dense, mark, "ernn/energy/published.toml")


def modelled_entries(
    shape: Shape, published: Published, fit: Fit, own: Part, command: str
) -> list[Entry]:
    """Return what the models say of a network: on the published boards, and on our own part."""
    found: list[Entry] = []
    for design in machines(published):
        board = load_part(design.part)
        if design.name == "ESE":
            found += _ese(design, shape, board, published.clock_mhz, command)
            continue
        for part in [board] if own.name == board.name else [board, own]:
            found += _pipeline(design, shape, part, published, fit, command)
    return found


def machines(published: Published) -> list[Design]:
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


def ese_entries(design: Design, told: EseRun, shape: Shape, command: str) -> Iterator[Entry]:
    """Yield the two readings of ESE's machine run: its channels work in the same cycles."""
    rows: tuple[tuple[str, Basis, int], ...] = (
        ("1 channel, run", "single", 1),
        (f"{told.channels} channels, run", "together", told.channels),
    )
    power = Interval.exact(design.power_w) if design.power_w else None
    for words, basis, channels in rows:
        reading = Reading(
            *("ESE, run", design.part, design.bits, words, basis, told.latency_us),
            *(channels * 1e6 / told.latency_us, "run", "" if told.fits else NOT_FITTING),
            *(design.source, power),
        )
        yield Entry(reading, shape.dense, "published", command)


def _pipeline(
    design: Design, shape: Shape, part: Part, published: Published, fit: Fit, command: str
) -> Iterator[Entry]:
    machine = PIPELINES[design.name.split()[0]]
    told = model_pipeline(machine, shape, part, published.clock_mhz)
    watts = pipeline_watts(fit.data, published, machine, told, part)
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
        *("modelled", "" if told.fits else NOT_FITTING, design.source, power),
    )
    return Entry(reading, shape.dense, power_mark, command)
