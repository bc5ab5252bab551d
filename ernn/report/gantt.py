"""The chart of the schedule: a row for each unit, and when it works for which stream."""

from dataclasses import replace

from markupsafe import Markup

from ernn.report.svg import axis_around, chart, line, stretched, tag, text
from ernn.run.schedule import Schedule, Share, UnitSchedule

COLOURS = 8  # of streams; with more they come again
_LABEL, _BAR, _GAP = 15, 13, 5  # heights in pixels
_THIN = 5  # of what is still on its way through a unit
_ROOM = 0.022  # share of the width that a stream's number needs


def gantt(schedule: Schedule) -> Markup:
    """Draw the rounds whose shares the schedule lists, cycle by cycle.

    A full bar is a cycle in which the unit takes something, a thin one the time until the last of
    it has left. The title of a bar has its cycles.
    """
    first, span = schedule.first, schedule.shown - schedule.first + 1
    height = _LABEL + _BAR + _GAP
    bottom = height * len(schedule.units)
    ticks = [tick for tick in axis_around([first, schedule.shown]).ticks if tick >= first]
    drawn: list[Markup] = []
    for tick in (tick for tick in ticks if tick <= schedule.shown):
        x = (tick - first) / span
        drawn.append(line(x, 0, x, bottom, "grid"))
        place = "" if x < 0.03 else "end" if x > 0.97 else "middle"
        drawn.append(text(f"{tick:,.0f}", x, bottom + 13, f"tick {place}"))
    for number, unit in enumerate(schedule.units):
        drawn.append(_row(schedule, unit, height * number))
    drawn.append(text("clock cycle of the simulation", 0.5, bottom + 29, "tick middle"))
    told = "; ".join(f"{one.name} {schedule.percent(one):.0f} %" for one in schedule.units)
    return chart(
        "schedule-chart",
        "Which unit works in which clock cycle, and for which stream",
        f"A row for each unit, from cycle {first:,} to {schedule.shown:,}. "
        f"Share of the cycles in which each takes something: {told}. The tables below have all.",
        bottom + 34,
        drawn,
    )


def _row(schedule: Schedule, unit: UnitSchedule, top: int) -> Markup:
    span = schedule.shown - schedule.first + 1
    at = top + _LABEL
    drawn = text(unit.name.replace("_", " "), 0, top + 11, "unit")
    drawn += text(f"{schedule.percent(unit):.0f} %", 1, top + 11, "unit end")
    drawn += tag("rect", x=0, y=at, width="100%", height=_BAR, class_="lane")
    bars = Markup("").join(_bar(schedule, share) for share in unit.shares)
    drawn += stretched(bars, at, _BAR, span)
    for one in unit.shares if unit.unit == "array" else ():
        widest = max(one.runs, key=lambda run: run[1] - run[0])
        begin, end = (_inside(schedule, cycle) for cycle in (widest[0], widest[1] + 1))
        if (end - begin) / span > _ROOM:
            middle = (begin + end) / 2 / span
            drawn += text(one.stream, middle, at + 10.5, f"on middle s{one.stream % COLOURS}")
    return drawn


def _inside(schedule: Schedule, cycle: int) -> int:
    """Return a cycle counted from the first, and kept within what is shown."""
    return min(max(cycle, schedule.first), schedule.shown + 1) - schedule.first


def _bar(schedule: Schedule, one: Share) -> Markup:
    begin, end = (_inside(schedule, cycle) for cycle in (one.first, one.until + 1))
    low = (_BAR - _THIN) / 2
    path = f"M{begin} {low:g}H{end}v{_THIN}H{begin}Z"
    for first, last in one.runs:
        left, right = _inside(schedule, first), _inside(schedule, last + 1)
        if right > left:
            path += f"M{left} 0h{right - left}v{_BAR}h-{right - left}Z"
    job = f"{one.job}, " if one.job else ""
    told = (
        f"{job}stream {one.stream}, frame {one.frame}: cycles {one.first:,} to {one.until:,}, "
        f"works in {one.busy:,}"
    )
    return tag("path", tag("title", told), d=path, class_=f"s{one.stream % COLOURS}")


def glance(schedule: Schedule) -> list[tuple[str, Markup]]:
    """Return name and picture of the main units' lanes over one round; transforms are left out."""
    cycles = round(schedule.cycles / schedule.rounds)
    one = replace(schedule, shown=schedule.first + cycles - 1)
    lanes: dict[str, Markup] = {}
    for unit in schedule.units:
        if not unit.unit.startswith("transform"):
            name = unit.unit.removeprefix("unit_").replace("_", " ")
            bars = Markup("").join(_bar(one, share) for share in unit.shares)
            lanes[name] = lanes.get(name, Markup("")) + bars
    size = {"viewBox": f"0 0 {cycles} {_BAR}", "preserveAspectRatio": "none", "aria_hidden": "true"}
    return [(name, tag("svg", bars, **size)) for name, bars in lanes.items()]


def legend(streams: int) -> list[tuple[str, str]]:
    """Return class and words of each colour."""
    return [(f"s{stream % COLOURS}", f"stream {stream}") for stream in range(streams)]
