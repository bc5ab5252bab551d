"""A chart of measured points with intervals over a few settings, such as bits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ernn.report.charts import _svg, _tag, linear_axis

_TOP, _ROOM, _BELOW = 38, 140, 32  # pixels: for the name, for the points, for the axis


@dataclass(frozen=True)
class Point:
    """A measured value; the chosen one is marked."""

    x: str
    y: float
    low: float
    high: float
    chosen: bool = False


@dataclass(frozen=True)
class Level:
    """A horizontal line, such as a bound."""

    y: float
    text: str


@dataclass(frozen=True)
class Curve:
    """One panel."""

    name: str
    points: tuple[Point, ...]


def curve_chart(
    name: str,
    title: str,
    description: str,
    curves: Sequence[Curve],
    levels: Sequence[Level],
    highest: float,
) -> Markup:
    """Draw one panel per curve above each other, all with the same vertical axis.

    Args:
        name: unique in the page; prefix of the ids.
        title: what is shown, with its unit.
        description: what a reader who cannot see it should know.
        curves: the panels.
        levels: lines across every panel.
        highest: end of the vertical axis; a point above it becomes an arrow with its value.
    """
    values = [point.low for curve in curves for point in curve.points] + [one.y for one in levels]
    scale = _Scale(math.floor(min(values)), highest)
    height = _TOP + _ROOM + _BELOW
    drawn: list[Markup] = []
    for index, curve in enumerate(curves):
        drawn.append(_panel(curve, levels, scale, index * height + _TOP))
    return _svg(name, title, description, height * len(curves), drawn)


class _Scale:
    """Where a value stands below the top of a panel, in pixels."""

    def __init__(self, lowest: float, highest: float) -> None:
        self.axis, ticks = linear_axis(highest - lowest)
        self.lowest, self.highest = lowest, lowest + ticks[-1]
        self.ticks = [lowest + tick for tick in ticks]

    def __call__(self, value: float) -> float:
        return _ROOM * (1 - self.axis(min(value, self.highest) - self.lowest) / 100)


def _panel(curve: Curve, levels: Sequence[Level], scale: _Scale, top: int) -> Markup:
    drawn = _tag("text", curve.name, x=0, y=top - 20, class_="label")
    for tick in scale.ticks:
        drawn += _across(tick, f"{tick:.1f}", "grid", scale, top)
    for level in levels:
        drawn += _across(level.y, level.text, "level", scale, top)
    for index, point in enumerate(curve.points):  # side by side, whatever the distance of the x
        x = f"{10 + 80 * index / max(len(curve.points) - 1, 1):.2f}%"
        drawn += _tag("text", point.x, x=x, y=top + _ROOM + 16, class_="tick middle")
        if point.y > scale.highest:
            told = f"\N{UPWARDS ARROW} {point.y:.0f}"
            drawn += _tag("text", told, x=x, y=top + 10, class_="tick middle")
            continue
        ends = {"x1": x, "x2": x, "y1": f"{top + scale(point.low):.1f}"}
        drawn += _tag("line", **ends, y2=f"{top + scale(point.high):.1f}", class_="whisker")
        kind = "point chosen" if point.chosen else "point"
        drawn += _tag("circle", cx=x, cy=f"{top + scale(point.y):.1f}", r=4, class_=kind)
    return drawn


def _across(value: float, text: str, kind: str, scale: _Scale, top: int) -> Markup:
    """Draw a horizontal line with its text: a tick's on the left, a level's on the right."""
    y = f"{top + scale(value):.1f}"
    line = _tag("line", x1=0, x2="100%", y1=y, y2=y, class_=kind)
    x, place = (0, "tick") if kind == "grid" else ("100%", "tick end")
    return line + _tag("text", text, x=x, y=y, dy=-2, class_=place)
