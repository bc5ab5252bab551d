"""Points and lines in panels above each other: over block sizes, bits, updates or rates."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ernn.report.svg import Axis, chart, joined, line, rule, shape, share, short, tag, text

_HEAD, _FOOT, _SPACE = 26, 20, 14  # pixels: name above, ticks below, between panels
_AIR = 8  # between the highest tick and the name


@dataclass(frozen=True)
class Dot:
    """A value at a share of the width, with its interval and a word beside it."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    word: str = ""
    told: str = ""  # when it is pointed at
    chosen: bool = False
    mark: str = "measured"  # whose shape it has


@dataclass(frozen=True)
class Series:
    """Dots of one colour class, joined by a line or not, shown or only joined."""

    kind: str
    dots: tuple[Dot, ...]
    joined: bool = True
    shown: bool = True


@dataclass(frozen=True)
class Level:
    """A horizontal line, such as a bound."""

    y: float
    text: str


@dataclass(frozen=True)
class Panel:
    """One plot; a dot above its axis becomes an arrow with its value."""

    name: str
    axis: Axis  # upwards
    series: tuple[Series, ...]
    ticks: tuple[tuple[float, str], ...] = ()  # below it, by share of the width
    below: str = ""  # what the ticks are
    levels: tuple[Level, ...] = ()
    path: tuple[Dot, ...] = ()  # a dotted line through these, in their order

    @property
    def foot(self) -> int:
        """Pixels below the plot."""
        return (_FOOT if self.ticks else 0) + (_FOOT if self.below else 0) + _SPACE


@dataclass(frozen=True)
class Band:
    """A part of the width, shaded if told so, with its name at the bottom of the chart."""

    text: str
    start: float
    end: float
    shaded: bool = True


def spread(count: int, margin: float = 0.1) -> list[float]:
    """Return shares of the width for this many neighbours, whatever their values."""
    return [margin + (1 - 2 * margin) * index / max(count - 1, 1) for index in range(count)]


def plot(
    name: str,
    title: str,
    description: str,
    panels: Sequence[Panel],
    bands: Sequence[Band] = (),
    room: int = 140,
) -> Markup:
    """Draw panels above each other.

    Args:
        name, title, description: see `ernn.report.svg.chart`.
        panels: from top to bottom.
        bands: through all panels.
        room: pixels from the lowest tick of a panel to its highest.
    """
    heights = [_HEAD + _AIR + room + panel.foot for panel in panels]
    drawn = [
        tag(
            "rect",
            x=share(band.start),
            y=_HEAD,
            width=share(band.end - band.start),
            height=sum(heights) - _HEAD - panels[-1].foot,
            class_="band",
        )
        for band in bands
        if band.shaded
    ]
    top = 0
    for panel, height in zip(panels, heights, strict=True):
        drawn.append(_panel(panel, top + _HEAD + _AIR, room))
        top += height
    drawn += [text(band.text, band.start, top, "tick", dx=4) for band in bands if band.text]
    return chart(name, title, description, top + 4, drawn)


def _panel(panel: Panel, top: float, room: int) -> Markup:
    def down(value: float) -> float:
        return top + room * (1 - panel.axis(value))

    drawn = text(panel.name, 0, top - _AIR - 8, "label")
    for tick in panel.axis.ticks:
        drawn += rule(down(tick), "grid")
    for level in panel.levels:
        drawn += rule(down(level.y), "level")
    for x, words in panel.ticks:
        drawn += text(words, x, top + room + 16, f"tick {_anchor(x)}")
    if panel.below:
        drawn += text(panel.below, 0.5, top + room + 16 + _FOOT * bool(panel.ticks), "tick middle")
    bottom = top + room + _FOOT
    for one in panel.series:
        if one.joined:
            inside = [(dot.x, down(dot.y)) for dot in one.dots if _within(dot, panel.axis)]
            drawn += joined(inside, bottom, one.kind)
    if panel.path:
        drawn += joined([(dot.x, down(dot.y)) for dot in panel.path], bottom, "path")
    for tick in panel.axis.ticks:
        drawn += text(short(tick), 1, down(tick) - 2, "tick end halo", dx=-4)
    for level in panel.levels:
        drawn += text(level.text, 0, down(level.y) - 3, "tick halo", dx=4)
    for one in panel.series:
        for dot in one.dots if one.shown else ():
            drawn += _dot(dot, panel.axis, top, room, one.kind)
    return drawn


def _anchor(x: float) -> str:
    return "" if x < 0.01 else "end" if x > 0.99 else "middle"


def _within(dot: Dot, axis: Axis) -> bool:
    return dot.y <= axis.ticks[-1]


def _dot(dot: Dot, axis: Axis, top: float, room: int, kind: str) -> Markup:
    if not _within(dot, axis):
        told = f"\N{UPWARDS ARROW} {dot.y:.0f}"
        return text(told, dot.x, top + 10, "tick middle")
    y = top + room * (1 - axis(dot.y))
    drawn = Markup("")
    if dot.low is not None and dot.high is not None:
        ends = (top + room * (1 - min(axis(end), 1.0)) for end in (dot.low, dot.high))
        drawn += line(dot.x, next(ends), dot.x, next(ends), "whisker")
    drawn += shape(dot.mark, dot.x, y, f"{kind} chosen" if dot.chosen else kind, dot.told)
    return drawn + (text(dot.word, dot.x, y - 6, "value halo", dx=7) if dot.word else Markup(""))
