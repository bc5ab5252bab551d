"""Published accelerators and the readings of their figures.

A reading is one honest sentence about one throughput: how many utterances it takes to get it. The
figures are in published.toml; a user can give another file of the same form.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ernn.datafile import Finite, Strict, read_toml
from ernn.energy.interval import Figure, Interval
from ernn.errors import ErnnError

Some = Annotated[int, Field(strict=True, ge=1, le=10**12)]
Blocks = Annotated[int, Field(strict=True, ge=0, le=10**9)]
Text = Annotated[str, Field(pattern=r"\S", max_length=300)]
Cell = Literal["lstm", "gru"]
Checked = Literal["abstract", "table", "unchecked"]
Basis = Literal["single", "together"]


@dataclass(frozen=True)
class Design(Strict):
    """One published accelerator on the benchmark layer."""

    name: Text
    cell: Cell
    part: Text
    bits: Some
    compression: Figure
    latency_us: Figure
    frames_per_second: Figure
    checked: Checked
    source: Text
    block_size: Some | None = None
    latency_measured_us: Figure | None = None
    channels: Some = 1  # utterances that one measured latency serves
    frames_in_flight: Some = 1  # that frames_per_second needs
    power_w: Figure | None = None  # of the board
    frames_per_joule: Figure | None = None
    per_loss_points: Finite | None = None
    used: dict[Literal["dsp", "bram36", "lut", "ff"], Blocks] | None = None  # blocks of the part

    def __post_init__(self) -> None:
        if self.frames_per_joule and self.power_w:
            derived = self.frames_per_second / self.power_w
            if abs(derived / self.frames_per_joule - 1) > 0.01:
                raise ValueError(
                    f"{self.name}: frames_per_joule = {self.frames_per_joule:g}, but "
                    f"frames_per_second / power_w = {derived:.0f}; correct one of the three"
                )


@dataclass(frozen=True)
class LaterWork(Strict):
    """Work that is not on the benchmark layer: quoted, not computed with."""

    name: Text
    year: Some
    device: Text
    what: Text
    figure: Text
    checked: Checked


@dataclass(frozen=True)
class Published(Strict):
    """The content of published.toml."""

    clock_mhz: Figure
    dense_macs_per_frame: dict[Cell, Some]
    designs: tuple[Design, ...]
    later: tuple[LaterWork, ...] = ()


@dataclass(frozen=True)
class Reading:
    """One throughput of one design, and what it takes to get it."""

    design: str
    part: str
    bits: int
    words: str  # how the figure is to be read
    basis: Basis  # one utterance, or several together
    latency_us: float
    frames_per_second: float
    mark: str  # published, derived, simulated: see ernn.report.content.MARKS
    checked: str  # how far it was checked, in one word
    source: str
    power_w: Interval | None = None  # of the board
    per_loss_points: float | None = None
    scaled_frames_per_second: float | None = None  # at the user's layer, where it differs

    @property
    def frames_per_joule(self) -> Interval | None:
        """Frames/s per watt."""
        return self.power_w.under(self.frames_per_second) if self.power_w else None

    @property
    def uj_per_frame(self) -> Interval | None:
        """Energy of one frame in microjoules, of the board."""
        return self.power_w.scaled(1e6 / self.frames_per_second) if self.power_w else None

    @property
    def scaled_uj_per_frame(self) -> float | None:
        """The same at the user's layer, where it differs."""
        if self.power_w is None or self.scaled_frames_per_second is None:
            return None
        return 1e6 * self.power_w.typical / self.scaled_frames_per_second


def load_published(path: Path | None = None) -> Published:
    """Read the published figures, from a user's own file if a path is given.

    Raises:
        ErnnError: the file is not of the form of published.toml.
    """
    return read_toml(path or Path(__file__).with_name("published.toml"), Published, ErnnError)


def readings(design: Design) -> tuple[Reading, ...]:
    """Return every honest reading of a design's throughput, the single utterance first."""
    cell = "" if design.cell in design.name.lower() else f" {design.cell.upper()}"
    base = Reading(
        design=design.name + cell,
        part=design.part,
        bits=design.bits,
        words="alone, 1 / latency",
        basis="single",
        latency_us=design.latency_us,
        frames_per_second=1e6 / design.latency_us,
        mark="derived",
        checked=design.checked,
        source=design.source,
        power_w=Interval.exact(design.power_w) if design.power_w else None,
        per_loss_points=design.per_loss_points,
    )
    as_published = replace(base, frames_per_second=design.frames_per_second, mark="published")
    if design.latency_measured_us is None:
        words = f"{design.frames_in_flight} in flight"
        return base, replace(as_published, words=words, basis="together")
    measured = replace(base, latency_us=design.latency_measured_us)
    together = f"{design.channels} channels, measured"
    return (
        replace(as_published, words="1 channel, computed"),
        replace(
            measured,
            words="1 channel, measured",
            frames_per_second=1e6 / design.latency_measured_us,
        ),
        replace(
            measured,
            words=together,
            basis="together",
            frames_per_second=design.channels * 1e6 / design.latency_measured_us,
        ),
    )


def comparison(published: Published, dense_macs_per_frame: int) -> tuple[Reading, ...]:
    """Return the readings of all designs, each also scaled to a layer of another size.

    Scaling assumes that a design keeps its rate of dense-equivalent multiplications; it is left
    out (None) where the layer is the benchmark layer itself.

    Args:
        published: the figures.
        dense_macs_per_frame: multiplications of one frame of the user's layers, uncompressed.
    """
    rows = []
    for design in published.designs:
        factor = published.dense_macs_per_frame[design.cell] / dense_macs_per_frame
        for reading in readings(design):
            scaled = None if factor == 1 else reading.frames_per_second * factor
            rows.append(replace(reading, scaled_frames_per_second=scaled))
    return tuple(rows)
