"""A suite's table: simulated accelerators beside the systems that others measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ernn.energy.interval import Interval
from ernn.report.bench import Measured
from ernn.suites.suite import Case, Network, Suite, System

_OURS = """\
Ours is no measurement of a system. It is an accelerator in a cycle-accurate simulation of its
generated Verilog: one stream, a frame alone in it, from the first beat of its input to the last
beat of its output. No bus, no host and no software is in it. Microseconds follow from the clock, an
assumption until a place and route confirms it. simulated: every word equals the integer model's,
and every beat has its planned cycle. planned: by the cycle model, not simulated yet."""
_THEIRS = """\
Theirs are measured systems with their bus and host, numbered as in the table below: compare with
care, and not by a ratio."""
_ROWS = """\
Weights are random: speed does not depend on them, and nothing is said of accuracy. Blocks of 4 and
more are compressed networks, which would have to be trained; dense rows are the published networks.
Weights and activations have 12 bits; peepholes there are none. Sizes of dense networks are padded
to a multiple of 8, those of others to one of 8, 16 or 32 that the blocks fit, whichever is fastest.
cycles a frame: one stream, frames back to back. DSP: as planned, plus multipliers built from logic;
BRAM counted, LUT estimated. uJ a frame: of the chip alone at that rate, estimated from typical
activity, with its 90 % interval."""

_HEAD = (
    *("network", "blocks", "part", "ours: latency, cycles", "us, no bus", "cycles a frame"),
    *("DSP", "BRAM36", "LUT", "uJ a frame", "words compared"),
    "mark",
)
_HEAD_OF_THEIRS = "theirs: us, bus and host in it"
_SYSTEMS = (
    *("", "system", "us by network", "one inference", "statistic", "numbers", "in it"),
    *("standing", "date", "source"),
)


@dataclass(frozen=True)
class SuiteRow:
    """What became of one case."""

    name: str  # of the case
    part: str  # that holds it; empty: none does
    clock_mhz: float
    refusal: str = ""  # the planner's words, where the board of the house, or every part, is small
    alone: Measured | None = None  # a frame that comes alone
    busy: Measured | None = None  # frames of one stream, back to back
    uj_per_frame: Interval | None = None  # of the chip, back to back

    @property
    def mark(self) -> str:
        """What kind of figures these are."""
        if self.alone is None:
            return "does not fit"
        return "planned" if self.alone.cycles_simulated is None else "simulated"


def markdown(suite: Suite, rows: Mapping[str, SuiteRow]) -> str:
    """Return a suite's tables in Markdown, and how they are to be read.

    Args:
        suite: its networks and what was published of them.
        rows: what was run, by the case's name; the others are said to be "not run".
    """
    ours = [_cells(suite, case, rows.get(case.name)) for case in suite.cases]
    theirs = [_system(number, system) for number, system in enumerate(suite.systems, 1)]
    found = [case for case in suite.cases if case.name in rows]
    refusals = [
        f"{case.name} {_where(row)}: {row.refusal}"
        for case in found
        if (row := rows[case.name]).refusal
    ]
    sizes = [f"{each.name}: {in_words(each)}" for each in suite.networks]
    blocks = [
        f"{suite.title}, sizes {suite.sizes}:\n" + "\n".join(f"- {line}" for line in sizes),
        _table([(*_HEAD, *[_HEAD_OF_THEIRS] * bool(theirs)), *ours]),
        _OURS,
        _THEIRS if theirs else "",
        _ROWS,
        "\n".join(f"- {line}" for line in refusals),
        _table([_SYSTEMS, *theirs]) if theirs else "",
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def in_words(network: Network) -> str:
    """Say what a network is."""
    cell = network.cell.partition("_")[0].upper()
    return (
        f"{network.layers} {cell} layer{'s' * (network.layers > 1)} of "
        f"{network.hidden:,} cells on {network.inputs:,} inputs, "
        f"linear layer of {network.outputs}, {network.weights:,} weights"
    )


def _where(row: SuiteRow) -> str:
    return f"is on {row.part}" if row.part else "does not fit"


def _cells(suite: Suite, case: Case, row: SuiteRow | None) -> tuple[str, ...]:
    first = (case.network.name, case.blocks)
    last = [", ".join(_latencies(suite, case.network)) or "-"] * bool(suite.systems)
    if row is None or row.alone is None or row.busy is None or row.uj_per_frame is None:
        empty = ("-",) * (len(_HEAD) - len(first) - 1)
        return (*first, *empty, "not run" if row is None else row.mark, *last)
    alone, busy, energy = row.alone, row.busy, row.uj_per_frame
    return (
        *first,
        row.part,
        f"{alone.cycles_planned:g}",
        f"{alone.cycles_planned / row.clock_mhz:.3f}",
        f"{busy.cycles_planned:g}",
        *(alone.multipliers, f"{alone.bram36:,}", f"{alone.lut:,}"),
        f"{energy.typical:.2f} ({energy.low:.2f} to {energy.high:.2f})",
        f"{alone.words_compared + busy.words_compared:,}" if alone.frames else "-",
        row.mark,
        *last,
    )


def _latencies(suite: Suite, network: Network) -> Iterator[str]:
    """Yield the published latencies of one step of a network, each with its system's number."""
    for number, system in enumerate(suite.systems, 1):
        if system.work == "one step" and network.name in system.latency_us:
            yield f"{_us(system, network.name)} [{number}]"


def _us(system: System, network: str) -> str:
    return f"{'< ' * system.at_most}{system.latency_us[network]:,g}"


def _system(number: int, system: System) -> tuple[str, ...]:
    means = system.mean_us or {}
    figures = [
        f"{name} {_us(system, name)}" + (f" (mean {means[name]:g})" if name in means else "")
        for name in system.latency_us
    ]
    return (
        *(f"[{number}]", system.name, ", ".join(figures), system.work, system.statistic),
        *(system.numbers, system.includes, system.standing, system.date, system.source),
    )


def _table(cells: Sequence[Sequence[str]]) -> str:
    head, *rows = (f"| {' | '.join(line)} |" for line in cells)
    return "\n".join([head, f"|{' --- |' * len(cells[0])}", *rows])
