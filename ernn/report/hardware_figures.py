"""The charts of the machine: front, resources, energy, and throughput beside the published."""

from collections.abc import Callable, Sequence

from markupsafe import Markup

from ernn.energy.published import Published, Reading
from ernn.report.bars import Bar, Point, Row, bar_chart
from ernn.report.content import Report
from ernn.report.hardware_content import Front, FrontDesign
from ernn.report.plot import Dot, Panel, Series, plot
from ernn.report.svg import axis_around, short

_MERITS: dict[str, Callable[[FrontDesign], float]] = {
    "Latency of a frame alone, \N{MICRO SIGN}s": lambda one: one.latency_us,
    "DSP blocks": lambda one: one.dsp,
    "LUTs, estimated": lambda one: one.lut,
    "Energy per frame, \N{MICRO SIGN}J, estimated": lambda one: one.energy_uj.typical,
}


def front_chart(front: Front) -> Markup:
    """Draw what each design of the front costs against its frames/s, a panel for each cost."""
    across = axis_around([one.frames_per_second for one in front.designs])
    ticks = tuple((across(tick), short(tick)) for tick in across.ticks)
    panels = []
    for name, merit in _MERITS.items():
        dots = tuple(
            Dot(
                across(one.frames_per_second),
                merit(one),
                told=f"{one.words}: {one.frames_per_second:,.0f} frames/s, {merit(one):,.4g}",
                chosen=one.chosen,
                mark="derived" if one.chosen else "measured",
            )
            for one in sorted(front.designs, key=lambda one: one.chosen)
        )
        axis = axis_around([merit(one) for one in front.designs])
        panels.append(Panel(name, axis, (Series("dot", dots, joined=False),), ticks))
    panels[-1] = Panel(panels[-1].name, panels[-1].axis, panels[-1].series, ticks, "frames/s")
    chosen = front.chosen
    return plot(
        "front-chart",
        "Pareto front: latency, DSP blocks, LUTs and energy against frames per second",
        f"{len(front.designs)} designs. Chosen: {chosen.words}, {chosen.frames_per_second:,.0f} "
        f"frames/s, {chosen.latency_us:.3g} microseconds. The table below has every figure.",
        panels,
        room=110,
    )


def resources_chart(report: Report) -> Markup:
    """Draw the share of the part in use: as planned, and as its synthesizer and router found."""
    own = [build for build in report.builds if build.part == report.plan.part]
    rows, words = [], []
    for planned in report.plan.resources:
        found = [("ours", "planned", planned)]
        found += [
            (build.origin.mark, build.origin.mark, one)
            for build in own
            for one in build.resources
            if one.name == planned.name
        ]
        bars = tuple(
            Bar(one.percent, kind, f"{one.percent:.0f} % {mark}", mark=mark)
            for kind, mark, one in found
        )
        rows.append(Row(f"{planned.name}, {planned.available:,} in the part", bars))
        words.append(f"{planned.name} " + ", ".join(bar.text for bar in bars))
    largest = max(100.0, *(bar.value for row in rows for bar in row.bars))
    title = f"Share of the {report.plan.part} in use, per cent"
    told = f"Bars up to 100: {'; '.join(words)}."
    return bar_chart("resources-chart", title, told, rows, largest=largest)


def energy_chart(report: Report, designs: Sequence[Sequence[Reading]], macs: Published) -> Markup:
    """Draw the energy of a frame, ours estimated, theirs from their published power and rate."""
    chip, card = report.energy_uj_per_frame, report.card_uj_per_frame
    ours = [
        Bar(one.typical, kind, f"{short(one.typical)} {what}", one.low, one.high, "estimated")
        for one, kind, what in ((chip, "ours", "chip"), (card, "ours-single", "with a card"))
    ]
    rows = [Row(f"{report.recipe} on {report.plan.part} (this design, estimated)", tuple(ours))]
    for readings in designs:
        row = next((one for one in readings if one.mark == "published" and one.power_w), None)
        if row is None or row.uj_per_frame is None:
            continue
        each = row.uj_per_frame.typical
        bar = Bar(each, "theirs", short(each), mark="published")
        scaled = row.scaled_uj_per_frame
        points = (Point(scaled, "derived", short(scaled)),) if scaled else ()
        rows.append(Row(f"{row.design} on {row.part} ({row.words})", (bar,), points))
    return bar_chart(
        "energy-chart",
        "Energy of one frame in microjoule, logarithmic axis",
        f"{report.recipe}: {chip.typical:.3g} for the chip, between {chip.low:.3g} and "
        f"{chip.high:.3g}, estimated. Published designs: board power over frame rate, of their "
        f"layer of {macs.dense_macs_per_frame['lstm']:,} weights. The table has every figure.",
        rows,
        logarithmic=True,
    )


def comparison_chart(report: Report, designs: Sequence[Sequence[Reading]]) -> Markup:
    """Draw frames/s of this design and of every published one, in all their readings."""
    rows = []
    for readings in designs:
        ours = readings[0].mark == "simulated"
        bars = tuple(
            Bar(
                reading.frames_per_second,
                f"{'ours-' if ours else ''}{reading.basis}",
                short(reading.frames_per_second),
                mark=reading.mark,
            )
            for reading in readings
        )
        label = f"{readings[0].design} on {readings[0].part}"
        scaled = readings[-1].scaled_frames_per_second
        points = (Point(scaled, "derived", short(scaled)),) if scaled else ()
        rows.append(Row(label + " (this design, simulated)" * ours, bars, points))
    return bar_chart(
        "comparison-chart",
        "Frames per second, logarithmic axis",
        f"{report.recipe} beside the published accelerators; each line of the axis is ten times "
        "the one before. Light bars are one sequence alone, dark bars several together. The "
        "table below has every figure.",
        rows,
        logarithmic=True,
    )
