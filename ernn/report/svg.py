"""What every chart is drawn with: tags, texts, shapes and axes, as inline SVG.

Horizontal positions are shares of the width and become percentages; vertical ones are pixels. So a
chart fills any width, from a phone to a wide screen, and its text keeps its size. Colours are
classes that the page defines for light and dark. Every chart has a title and a description; its
numbers stand in a table beside it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

# Around 0,0: what kind of figure a point is, told apart without colour
SHAPES = {
    "simulated": "M5 0A5 5 0 1 1 -5 0A5 5 0 1 1 5 0Z",
    "measured": "M5 0A5 5 0 1 1 -5 0A5 5 0 1 1 5 0Z",
    "planned": "M-5 0H5M0 -5V5",
    "synthesized": "M-5 -5L5 5M-5 5L5 -5",
    "routed": "M-5 -4H5V4H-5ZM-5 0H5",
    "published": "M-4.5 -4.5H4.5V4.5H-4.5Z",
    "estimated": "M0 -5.5L5.5 4.5H-5.5Z",
    "derived": "M0 -6L6 0L0 6L-6 0Z",
    "step": "M0 -7V7",
}


def tag(name: str, text: object = "", **attributes: object) -> Markup:
    """Return an element; ``class_`` and ``aria_label`` are written without and with a hyphen."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value != ""
    )
    return Markup(f"<{name}{written}>{escape(text)}</{name}>")


def chart(name: str, title: str, description: str, height: float, content: Iterable[str]) -> Markup:
    """Return a chart of this height, named for those who cannot see it.

    Args:
        name: unique in the page; prefix of the ids.
        title: what is shown, with its unit.
        description: what a reader who cannot see it should know.
        height: in pixels.
        content: what is drawn, from back to front.
    """
    head = tag("title", title, id=f"{name}-title") + tag("desc", description, id=f"{name}-desc")
    return tag(
        "svg",
        head + Markup("").join(content),
        class_="chart",
        role="img",
        width="100%",
        height=f"{height:g}",
        aria_labelledby=f"{name}-title {name}-desc",
    )


def share(part: float) -> str:
    """Return a share of the width as a position."""
    return f"{100 * part:.2f}%"


def text(words: object, x: float, y: float, kind: str, dx: float = 0) -> Markup:
    """Return a text at a share of the width; ``kind`` may hold ``middle`` or ``end``."""
    return tag("text", words, x=share(x), dx=f"{dx:g}" if dx else "", y=f"{y:.1f}", class_=kind)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """Return a straight line."""
    ends = {"x1": share(x1), "x2": share(x2), "y1": f"{y1:.1f}", "y2": f"{y2:.1f}"}
    return tag("line", **ends, class_=kind)


def rule(y: float, kind: str) -> Markup:
    """Return a line across the chart."""
    return line(0, y, 1, y, kind)


def shape(mark: str, x: float, y: float, kind: str, told: str = "") -> Markup:
    """Return the shape of a mark; ``told`` appears when it is pointed at."""
    content = (tag("title", told) if told else Markup("")) + tag("path", d=SHAPES[mark])
    moved = {"x": share(x), "y": f"{y:.1f}", "overflow": "visible", "aria_hidden": "true"}
    return tag("svg", content, **moved, class_=f"shape {kind}")


def stretched(content: Markup, y: float, height: float, width: float) -> Markup:
    """Return what is drawn in units of ``width``, stretched to the width of the chart."""
    return tag(
        "svg",
        content,
        x=0,
        y=f"{y:g}",
        width="100%",
        height=f"{height:g}",
        viewBox=f"0 0 {width:g} {height:g}",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def joined(points: Sequence[tuple[float, float]], height: float, kind: str) -> Markup:
    """Return a line through points (share of the width, pixels)."""
    told = " ".join(f"{1000 * x:.1f},{y:.1f}" for x, y in points)
    return stretched(tag("polyline", points=told, class_=f"line {kind}"), 0, height, 1000)


def short(value: float) -> str:
    """Return three significant digits with k, M or G, for the end of a bar or an axis."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


@dataclass(frozen=True)
class Axis:
    """From values to shares of a length, the first tick at 0 and the last at 1."""

    ticks: tuple[float, ...]
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return where a value lies."""
        first, last, at = (
            math.log10(v) if self.logarithmic else v for v in (self.ticks[0], self.ticks[-1], value)
        )
        return (at - first) / (last - first)


def axis_around(values: Sequence[float], logarithmic: bool = False) -> Axis:
    """Return an axis that holds all values, with round ticks; decades need positive values."""
    low, high = min(values), max(values)
    if logarithmic:
        first = math.floor(math.log10(low))
        last = max(math.ceil(math.log10(high)), first + 1)
        return Axis(tuple(10.0**power for power in range(first, last + 1)), True)
    span = (high - low) or abs(high) or 1.0
    size = 10 ** math.floor(math.log10(span))
    step = next(size * part for part in (0.2, 0.5, 1, 2) if span <= 6 * size * part)
    first = math.floor(low / step)
    last = max(math.ceil(high / step), first + 1)
    return Axis(tuple(step * index for index in range(first, last + 1)))
