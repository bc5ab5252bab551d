"""A chart over block sizes, which stand at equal steps because each is twice the one before.

As in charts.py, horizontal positions are percentages and vertical ones pixels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from ernn.report.charts import _svg, _tag, short

_TOP, _PLOT, _HEIGHT = 14, 200, 256  # pixels
_ASIDE = 3.6  # percent between points of the same block size


@dataclass(frozen=True)
class Dot:
    """One value at a block size, with its interval and a word beside it."""

    block: int
    value: float
    low: float | None = None
    high: float | None = None
    word: str = ""
    aside: int = 0  # places to the right of its block size, where several share it


@dataclass(frozen=True)
class Series:
    """Dots of one colour class, joined by a line or not."""

    kind: str
    dots: tuple[Dot, ...]
    joined: bool = True


@dataclass(frozen=True)
class Axis:
    """From values to pixels, downwards."""

    ticks: tuple[float, ...]
    logarithmic: bool

    def __call__(self, value: float) -> float:
        """Return where a value lies."""
        first, last, at = (
            math.log10(v) if self.logarithmic else v for v in (self.ticks[0], self.ticks[-1], value)
        )
        return _TOP + _PLOT * (1 - (at - first) / (last - first))


def value_axis(values: Sequence[float], logarithmic: bool) -> Axis:
    """Return an axis around values, with round ticks; a logarithmic one needs positive values."""
    low, high = min(values), max(values)
    if logarithmic:
        first = math.floor(math.log10(low))
        last = max(math.ceil(math.log10(high)), first + 1)
        return Axis(tuple(10.0**power for power in range(first, last + 1)), True)
    span = (high - low) or abs(high) or 1.0
    size = 10 ** math.floor(math.log10(span))
    step = next(size * part for part in (0.2, 0.5, 1, 2, 5) if span <= 6 * size * part)
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)
    return Axis(tuple(step * index for index in range(first, last + 1)), False)


def block_chart(
    name: str,
    title: str,
    description: str,
    blocks: Sequence[int],
    series: Sequence[Series],
    shaded: tuple[int, int] | None = None,
    level: tuple[float, str] | None = None,
    path: Sequence[Dot] = (),
    logarithmic: bool = False,
) -> Markup:
    """Draw values against block sizes.

    Args:
        name: unique in the page; prefix of the ids.
        title: what is shown, with its unit.
        description: what a reader who cannot see it should know.
        blocks: the block sizes on the axis.
        series: what is shown.
        shaded: first and last block size of a band.
        level: a value with a line across, and its name.
        path: dots in the order in which an arrowed line joins them.
        logarithmic: decades on the axis; every value must be positive.
    """
    dots = [dot for one in series for dot in one.dots]
    values = [v for dot in dots for v in (dot.value, dot.low, dot.high) if v is not None]
    axis = value_axis([*values, level[0]] if level else values, logarithmic)
    across = {block: 100 * (i + 0.5) / len(blocks) for i, block in enumerate(blocks)}

    def place(dot: Dot) -> tuple[float, float]:
        return across[dot.block] + _ASIDE * dot.aside, axis(dot.value)

    drawn = [_band(across, shaded, len(blocks))] if shaded else []
    for tick in axis.ticks:
        drawn.append(_rule(axis(tick), "grid"))
        drawn.append(_text(short(tick), 100, axis(tick) - 2, "tick end", dx=-4))
    for block, x in across.items():
        words = "dense" if block == 1 else str(block)
        drawn.append(_text(words, x, _TOP + _PLOT + 18, "tick middle"))
    drawn.append(_text("block size", 50, _TOP + _PLOT + 36, "tick middle"))
    if level:
        drawn.append(_rule(axis(level[0]), "level"))
        drawn.append(_text(level[1], 0, axis(level[0]) - 4, "tick", dx=4))
    for one in series:
        if one.joined:
            drawn += _joined([place(dot) for dot in one.dots], f"join {one.kind}")
    drawn += _joined([place(dot) for dot in path], "path")
    for one in series:
        drawn += [_dot(dot, place(dot), axis, one.kind) for dot in one.dots]
    return _svg(name, title, description, _HEIGHT, drawn)


def _band(across: dict[int, float], shaded: tuple[int, int], count: int) -> Markup:
    half = 50 / count
    left, right = across[shaded[0]] - half, across[shaded[1]] + half
    return _tag(
        "rect",
        x=f"{left:.2f}%",
        y=_TOP,
        width=f"{right - left:.2f}%",
        height=_PLOT,
        class_="band band1",
    )


def _rule(y: float, kind: str) -> Markup:
    return _tag("line", x1=0, x2="100%", y1=f"{y:.1f}", y2=f"{y:.1f}", class_=kind)


def _text(words: str, x: float, y: float, kind: str, dx: float = 0) -> Markup:
    return _tag("text", words, x=f"{x:.2f}%", dx=dx, y=f"{y:.1f}", class_=kind)


def _joined(places: Sequence[tuple[float, float]], kind: str) -> list[Markup]:
    return [
        _tag(
            "line",
            x1=f"{x1:.2f}%",
            x2=f"{x2:.2f}%",
            y1=f"{y1:.1f}",
            y2=f"{y2:.1f}",
            class_=kind,
        )
        for (x1, y1), (x2, y2) in pairwise(places)
    ]


def _dot(dot: Dot, place: tuple[float, float], axis: Axis, kind: str) -> Markup:
    x, y = f"{place[0]:.2f}%", place[1]
    drawn = Markup("")
    if dot.low is not None and dot.high is not None:
        ends = axis(dot.low), axis(dot.high)
        drawn += _tag(
            "line", x1=x, x2=x, y1=f"{ends[0]:.1f}", y2=f"{ends[1]:.1f}", class_="whisker"
        )
    drawn += _tag("circle", cx=x, cy=f"{y:.1f}", r=5, class_=f"bar {kind}")
    return drawn + _text(dot.word, place[0], y - 6, "value", dx=7)
