"""Horizontal bars under labels, on a linear or logarithmic axis, with whiskers and marks."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ernn.report.svg import Axis, axis_around, chart, line, shape, share, short, tag, text

_LABEL, _BAR, _GAP = 20, 16, 12  # heights in pixels
_CLOSE = 10  # saved on a row without bars
_FULL = 0.7  # a bar longer than this share of the width has its text inside, for phones


@dataclass(frozen=True)
class Bar:
    """One bar; ``kind`` is its colour class."""

    value: float
    kind: str
    text: str
    low: float | None = None  # ends of its whisker
    high: float | None = None
    mark: str = ""  # whose shape stands at its end


@dataclass(frozen=True)
class Point:
    """A mark on the line of the last bar, or on a line of its own where there is none."""

    value: float
    mark: str  # whose shape it has
    text: str = ""


@dataclass(frozen=True)
class Row:
    """Bars and points under one label."""

    label: str
    bars: tuple[Bar, ...] = ()
    points: tuple[Point, ...] = ()

    @property
    def values(self) -> list[float]:
        """Everything that the axis has to hold."""
        ends = [v for bar in self.bars for v in (bar.value, bar.low, bar.high) if v is not None]
        return ends + [point.value for point in self.points]

    @property
    def lines(self) -> int:
        """Lines below the label."""
        return max(1, len(self.bars))

    @property
    def height(self) -> int:
        """Pixels from its label to the next row."""
        return _LABEL + _BAR * self.lines + _GAP - (0 if self.bars else _CLOSE)


def bar_chart(
    name: str,
    title: str,
    description: str,
    rows: Sequence[Row],
    logarithmic: bool = False,
    largest: float | None = None,
) -> Markup:
    """Draw labelled groups of bars from top to bottom.

    Args:
        name, title, description: see `ernn.report.svg.chart`.
        rows: from top to bottom.
        logarithmic: decades on the axis; every value must be positive.
        largest: end of a linear axis, the largest value unless given.
    """
    values = [value for row in rows for value in row.values]
    ends = [min(0, *values), largest or max(0, *values)]
    axis = axis_around(values, True) if logarithmic else axis_around(ends)
    bottom = sum(row.height for row in rows)
    drawn = [Markup("")]
    for tick in axis.ticks:
        drawn.append(line(axis(tick), 0, axis(tick), bottom, "grid"))
        drawn.append(text(short(tick), axis(tick), bottom + 15, f"tick {_anchor(axis(tick))}"))
    top = 0
    for row in rows:
        drawn.append(text(row.label, 0, top + 14, "label"))
        for index, bar in enumerate(row.bars):
            drawn.append(_bar(bar, axis, top + _LABEL + _BAR * index))
        middle = top + _LABEL + _BAR * (row.lines - 1) + (_BAR - 3) / 2
        if not row.bars and row.points:
            ends = [axis(point.value) for point in row.points]
            drawn.append(line(min(ends), middle, max(ends), middle, "span"))
        drawn += [_point(point, axis, middle) for point in row.points]
        top += row.height
    return chart(name, title, description, bottom + 20, drawn)


def _anchor(at: float) -> str:
    return "" if at < 0.01 else "end" if at > 0.99 else "middle"


def _bar(bar: Bar, axis: Axis, top: float) -> Markup:
    end, middle = min(axis(bar.value), 1.0), top + (_BAR - 3) / 2
    zero = 0.0 if axis.logarithmic else axis(0)
    place = {"x": share(min(zero, end)) if zero else 0, "width": share(abs(end - zero))}
    size = {**place, "y": top, "height": _BAR - 3, "rx": 2}
    drawn = tag("rect", **size, class_=f"bar {bar.kind}")
    beside = end
    if bar.low is not None and bar.high is not None:
        low, high = axis(bar.low), axis(bar.high)
        beside = high
        drawn += line(low, middle, high, middle, "whisker")
        for edge in (low, high):
            drawn += line(edge, middle - 4, edge, middle + 4, "whisker")
    if bar.mark:
        drawn += shape(bar.mark, end, middle, f"at {bar.kind}")
    if end < zero:  # to the left of zero, where there may be no room on the right
        kind, aside = (f"value {bar.kind}", 6) if end < _FULL else ("value end", -6)
        return drawn + text(bar.text, end, top + 11, kind, dx=aside)
    if beside < _FULL:
        return drawn + text(bar.text, beside, top + 11, "value", dx=10 if bar.mark else 6)
    return drawn + text(bar.text, 0, top + 11, f"value {bar.kind}", dx=6)


def _point(point: Point, axis: Axis, middle: float) -> Markup:
    at = axis(point.value)
    drawn = shape(point.mark, at, middle, f"point {point.mark}", point.text)
    if not point.text:
        return drawn
    kind, aside = ("value end", -10) if at > _FULL else ("value", 10)
    return drawn + text(point.text, at, middle + 4, f"{kind} plate", aside)
