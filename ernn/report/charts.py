"""Charts as inline SVG: bars and lines, nothing else.

Horizontal positions are percentages and text is in pixels, so a chart fills any width, from a
phone to a wide screen, and its text keeps its size. Colours are classes that the page defines for
light and dark. Every chart has a title and a description; its numbers stand in a table beside it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_LABEL, _BAR, _GAP = 20, 16, 12  # heights in pixels
_PANEL = 150


@dataclass(frozen=True)
class Bar:
    """One bar; ``kind`` is its colour class."""

    value: float
    kind: str
    text: str
    low: float | None = None  # ends of its whisker
    high: float | None = None


@dataclass(frozen=True)
class Row:
    """Bars under one label, and an optional diamond."""

    label: str
    bars: tuple[Bar, ...]
    marker: float | None = None


@dataclass(frozen=True)
class Line:
    """One panel of a line chart: y over x, gaps left out."""

    name: str
    points: tuple[tuple[float, float], ...]


def _tag(name: str, text: object = "", **attributes: object) -> Markup:
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
    )
    return Markup(f"<{name}{written}>{escape(text)}</{name}>")


def _svg(name: str, title: str, description: str, height: int, content: Sequence[str]) -> Markup:
    head = _tag("title", title, id=f"{name}-title") + _tag("desc", description, id=f"{name}-desc")
    return _tag(
        "svg",
        head + Markup("").join(content),
        class_="chart",
        role="img",
        width="100%",
        height=height,
        aria_labelledby=f"{name}-title {name}-desc",
    )


def short(value: float) -> str:
    """Return three significant digits with k or M, for the end of a bar or an axis."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def linear_axis(largest: float) -> tuple[Callable[[float], float], list[float]]:
    """Return the map from [0, top] to percent, and its ticks, for values up to ``largest``."""
    step = 10 ** math.floor(math.log10(largest)) if largest > 0 else 1.0
    step = next(step * part for part in (0.2, 0.5, 1, 2) if largest <= 6 * step * part)
    ticks = [step * index for index in range(math.ceil(largest / step) + 1)]
    return lambda value: 100 * value / ticks[-1], ticks


def log_axis(values: Sequence[float]) -> tuple[Callable[[float], float], list[float]]:
    """Return the map from whole decades around positive ``values`` to percent, and its ticks."""
    first = math.floor(math.log10(min(values)))
    last = max(math.ceil(math.log10(max(values))), first + 1)
    span = last - first
    ticks = [10.0**power for power in range(first, last + 1)]
    return lambda value: 100 * (math.log10(value) - first) / span, ticks


def bar_chart(
    name: str,
    title: str,
    description: str,
    rows: Sequence[Row],
    logarithmic: bool = False,
    largest: float | None = None,
) -> Markup:
    """Draw labelled groups of horizontal bars.

    Args:
        name: unique in the page; prefix of the ids.
        title: what is shown, with its unit.
        description: what a reader who cannot see it should know.
        rows: from top to bottom.
        logarithmic: decades on the axis; every value must be positive.
        largest: end of a linear axis, the largest value unless given.
    """
    ends = [(bar.value, bar.low, bar.high) for row in rows for bar in row.bars]
    values = [value for bar in ends for value in bar if value is not None]
    values += [row.marker for row in rows if row.marker is not None]
    axis, ticks = log_axis(values) if logarithmic else linear_axis(largest or max(values))
    heights = [_LABEL + _BAR * len(row.bars) + _GAP for row in rows]
    bottom = sum(heights)
    drawn = [_tick(axis(tick), short(tick), bottom) for tick in ticks]
    top = 0
    for row, height in zip(rows, heights, strict=True):
        drawn.append(_tag("text", row.label, x=0, y=top + 14, class_="label"))
        for index, bar in enumerate(row.bars):
            drawn.append(_bar(bar, axis, top + _LABEL + _BAR * index))
        if row.marker is not None:
            last = top + _LABEL + _BAR * (len(row.bars) - 1)
            drawn.append(_diamond(axis(row.marker), short(row.marker), last))
        top += height
    return _svg(name, title, description, bottom + 20, drawn)


def _tick(percent: float, text: str, bottom: int) -> Markup:
    anchor = "start" if percent < 1 else "end" if percent > 99 else "middle"
    line = _tag("line", x1=f"{percent:.2f}%", x2=f"{percent:.2f}%", y1=0, y2=bottom, class_="grid")
    return line + _tag(
        "text", text, x=f"{percent:.2f}%", y=bottom + 15, class_="tick", text_anchor=anchor
    )


def _bar(bar: Bar, axis: Callable[[float], float], top: float) -> Markup:
    end = min(axis(bar.value), 100.0)
    drawn = _tag(
        "rect", x=0, y=top, width=f"{end:.2f}%", height=_BAR - 3, rx=2, class_=f"bar {bar.kind}"
    )
    beside = end
    if bar.low is not None and bar.high is not None:
        low, high, middle = axis(bar.low), axis(bar.high), top + (_BAR - 3) / 2
        beside = high
        drawn += _tag(
            "line", x1=f"{low:.2f}%", x2=f"{high:.2f}%", y1=middle, y2=middle, class_="whisker"
        )
        for edge in (low, high):
            at = f"{edge:.2f}%"
            drawn += _tag("line", x1=at, x2=at, y1=middle - 4, y2=middle + 4, class_="whisker")
    if beside < 85:
        return drawn + _tag("text", bar.text, x=f"{beside:.2f}%", dx=6, y=top + 11, class_="value")
    return drawn + _tag("text", bar.text, x=0, dx=6, y=top + 11, class_=f"value {bar.kind}")


def _diamond(percent: float, text: str, top: float) -> Markup:
    x, left = f"{percent:.2f}%", percent > 80
    shape = _tag("path", d="M0 -6 L6 0 L0 6 L-6 0 Z", class_="diamond")
    drawn = _tag("svg", shape, x=x, y=top + (_BAR - 3) / 2, overflow="visible", aria_hidden="true")
    anchor = "end" if left else "start"
    return drawn + _tag(
        "text", text, x=x, dx=-10 if left else 10, y=top + 11, class_="value", text_anchor=anchor
    )


def line_chart(
    name: str,
    title: str,
    description: str,
    lines: Sequence[Line],
    bands: Sequence[tuple[str, float, float]],
) -> Markup:
    """Draw one panel per line above each other, over one x axis from 0.

    Args:
        name: unique in the page; prefix of the ids.
        title: what is shown.
        description: what a reader who cannot see it should know.
        lines: the panels.
        bands: phases, each with its first and last x.
    """
    last = max([x for line in lines for x, _ in line.points] + [end for *_, end in bands] + [1])
    height = _PANEL * len(lines)
    drawn: list[Markup] = []
    for index, (text, start, end) in enumerate(bands):
        left = f"{100 * start / last:.2f}%"
        drawn.append(
            _tag(
                "rect",
                x=left,
                y=0,
                width=f"{100 * (end - start) / last:.2f}%",
                height=height,
                class_=f"band band{index % 2}",
            )
        )
        drawn.append(_tag("text", text, x=left, dx=4, y=height + 32, class_="tick"))
    for index, line in enumerate(lines):
        drawn.append(_panel(line, _PANEL * index, last))
    drawn += [_tick(100 * x / last, short(x), height) for x in (0, last / 2, last)]
    return _svg(name, title, description, height + 38, drawn)


def _panel(line: Line, top: int, last: float) -> Markup:
    largest = max((y for _, y in line.points), default=0.0)
    axis, ticks = linear_axis(largest)
    room = _PANEL - 34  # label above, space below

    def down(value: float) -> float:
        return 100 - axis(value)

    drawn = _tag("text", line.name, x=4, y=top + 16, class_="label")
    for tick in ticks:
        y = f"{top + 26 + room * down(tick) / 100:.1f}"
        drawn += _tag("line", x1=0, x2="100%", y1=y, y2=y, class_="grid")
        drawn += _tag("text", short(tick), x="100%", dx=-4, y=y, dy=-2, class_="tick end")
    points = " ".join(f"{1000 * x / last:.2f},{down(y):.2f}" for x, y in line.points)
    curve = _tag("polyline", points=points, class_="line")
    return drawn + _tag(
        "svg",
        curve,
        x=0,
        y=top + 26,
        width="100%",
        height=room,
        viewBox="0 0 1000 100",
        preserveAspectRatio="none",
        overflow="visible",
        aria_hidden="true",
    )
