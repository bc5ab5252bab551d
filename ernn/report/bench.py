"""The benchmark's table: what was planned and simulated, beside what was published and aimed at."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ernn.energy.published import Design

LEGEND = """\
planned: by the cycle model. simulated: counted in a cycle-accurate simulation of the generated
Verilog, in which every word equals the integer model's and every bus beat has its planned cycle;
frames/s and us follow from the clock, an assumption until it is analysed or routed. DSP: as
planned, plus multipliers built from logic. roofline: the cycles of a frame if every DSP block of
the part multiplied in every cycle, in per cent of ours; logic can take it above 100. E-RNN: as
published (Li et al., HPCA 2019); its frames/s need three utterances in flight, one utterance alone
gets 1 / latency. Its arithmetic has 12 bits, as ours."""

_HEAD = (
    *("layer", "board", "streams", "cycles planned", "simulated", "frames/s", "E-RNN", "ratio"),
    *("alone: cycles planned", "simulated", "us", "E-RNN", "ratio"),
    *("DSP", "roofline", "words compared", "target"),
)


@dataclass(frozen=True)
class Verdict:
    """A limit in words, and whether it is kept."""

    words: str
    met: bool

    def __str__(self) -> str:
        return f"{self.words}: {'met' if self.met else 'MISSED'}"


@dataclass(frozen=True)
class Target:
    """What a layer on a board should reach; None: nothing is asked."""

    frames_per_second: float | None = None
    latency_us: float | None = None
    roofline: float | None = None  # share of it

    def judge_rate(self, frames_per_second: float, roofline: float) -> Iterator[Verdict]:
        """Yield the verdicts on all streams at full speed."""
        if self.frames_per_second is not None:
            words = f">= {self.frames_per_second:,.0f} frames/s"
            yield Verdict(words, frames_per_second >= self.frames_per_second)
        if self.roofline is not None:
            words = f">= {100 * self.roofline:.0f} % of the roofline"
            yield Verdict(words, roofline >= self.roofline)

    def judge_latency(self, latency_us: float) -> Iterator[Verdict]:
        """Yield the verdict on a frame that comes alone."""
        if self.latency_us is not None:
            yield Verdict(f"<= {self.latency_us:g} us", latency_us <= self.latency_us)


@dataclass(frozen=True)
class Measured:
    """One accelerator in one kind of traffic."""

    sizes: str
    streams: int  # that it is made for
    dsp: int
    logic_multipliers: int
    bram36: int
    lut: int  # estimated
    cycles_planned: float  # of a frame
    cycles_simulated: float | None = None  # None, and no frames: not simulated
    frames: int = 0
    words_compared: int = 0  # every one equal: the first that is not is an error
    rtl: str = ""  # digest of its Verilog and memory files

    def simulated(self, cycles: float, frames: int, words: int) -> "Measured":
        """Return the same with what its simulation counted."""
        counted = {"cycles_simulated": cycles, "frames": frames, "words_compared": words}
        return replace(self, **counted)  # type: ignore[arg-type]

    def simulated_as(self, known: "Measured | None") -> "Measured":
        """Return the same with what the simulation of the same Verilog counted, if it is known."""
        if known is None or known.cycles_simulated is None:
            return self
        if (known.rtl, known.cycles_simulated) != (self.rtl, self.cycles_planned):
            return self
        return self.simulated(known.cycles_simulated, known.frames, known.words_compared)

    @property
    def multipliers(self) -> str:
        """DSP blocks, and multipliers built from logic."""
        return f"{self.dsp:,}" + (f" + {self.logic_multipliers:,}" * (self.logic_multipliers > 0))


@dataclass(frozen=True)
class Row:
    """One layer on one board."""

    layer: str
    part: str
    part_dsp: int
    clock_mhz: float
    roofline_cycles: float
    busy: Measured  # all streams at full speed
    alone: Measured  # one frame at a time, on the accelerator with the shortest latency
    target: Target
    published: Design | None

    @property
    def frames_per_second(self) -> float:
        """All streams together."""
        return self.clock_mhz * 1e6 / self.busy.cycles_planned

    @property
    def latency_us(self) -> float:
        """Of a frame that comes alone."""
        return self.alone.cycles_planned / self.clock_mhz

    @property
    def roofline(self) -> float:
        """Share of the DSP roofline."""
        return self.roofline_cycles / self.busy.cycles_planned

    @property
    def verdicts(self) -> list[Verdict]:
        """Whether each part of the target is met."""
        rate = self.target.judge_rate(self.frames_per_second, self.roofline)
        return [*rate, *self.target.judge_latency(self.latency_us)]

    @property
    def faster(self) -> float | None:
        """Frames/s, as a multiple of the published."""
        if self.published is None:
            return None
        return self.frames_per_second / self.published.frames_per_second

    @property
    def sooner(self) -> float | None:
        """The published latency, as a multiple of this."""
        return None if self.published is None else self.published.latency_us / self.latency_us

    def to_dict(self) -> dict[str, Any]:
        """Return everything for a JSON file, with what follows from it."""
        derived = {
            "frames_per_second": self.frames_per_second,
            "latency_us": self.latency_us,
            "roofline_share": self.roofline,
            "frames_per_second_ratio": self.faster,
            "latency_ratio": self.sooner,
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
        }
        return {**asdict(self), "derived": derived}


def in_words(row: Row) -> Iterator[str]:
    """Yield what there is to say about a row, by line."""
    busy, alone, published = row.busy, row.alone, row.published
    yield f"{row.layer}, on {row.part} at {row.clock_mhz:g} MHz"
    yield f"  {busy.sizes}"
    told = f", {row.faster:.1f} x E-RNN's {published.frames_per_second:,.0f}" if published else ""
    yield f"    {_cycles(busy)}: {row.frames_per_second:,.0f} frames/s{told}"
    yield (
        f"    {busy.multipliers} of {row.part_dsp:,} DSP blocks, {100 * row.roofline:.1f} % of the "
        f"DSP roofline{_compared(busy)}"
    )
    yield f"  {alone.sizes}"
    told = f", {row.sooner:.1f} x sooner than E-RNN's {published.latency_us:g}" if published else ""
    yield f"    {_cycles(alone)}, frames alone: {row.latency_us:.3f} us{told}"
    yield f"    {alone.multipliers} of {row.part_dsp:,} DSP blocks{_compared(alone)}"
    if row.verdicts:
        yield f"  target {'; '.join(map(str, row.verdicts))}"


def markdown(rows: Sequence[Row]) -> str:
    """Return the table in Markdown, and how it is to be read."""
    cells = [_HEAD, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in cells]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join([*lines, "", LEGEND]) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    busy, alone, published = row.busy, row.alone, row.published
    return (
        row.layer,
        row.part,
        str(busy.streams),
        f"{busy.cycles_planned:g}",
        _simulated(busy),
        f"{row.frames_per_second:,.0f}",
        f"{published.frames_per_second:,.0f}" if published else "-",
        f"{row.faster:.1f}" if row.faster else "-",
        f"{alone.cycles_planned:g}",
        _simulated(alone),
        f"{row.latency_us:.3f}",
        f"{published.latency_us:g}" if published else "-",
        f"{row.sooner:.1f}" if row.sooner else "-",
        f"{busy.multipliers} of {row.part_dsp:,}",
        f"{100 * row.roofline:.1f} %",
        f"{busy.words_compared + alone.words_compared:,}" if busy.frames else "-",
        "; ".join(map(str, row.verdicts)) or "-",
    )


def _simulated(measured: Measured) -> str:
    return "-" if measured.cycles_simulated is None else f"{measured.cycles_simulated:g}"


def _cycles(measured: Measured) -> str:
    found = f"{_simulated(measured)} simulated"
    if measured.cycles_simulated is None:
        found = "not simulated"
    return f"{measured.cycles_planned:g} cycles a frame planned, {found}"


def _compared(measured: Measured) -> str:
    if not measured.frames:
        return ""
    return f"; {measured.frames:,} frames, {measured.words_compared:,} words bit-exact"
