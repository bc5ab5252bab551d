"""The charts of the model: accuracy, training, and the error of its integers."""

from itertools import groupby

from markupsafe import Markup

from ernn.report.bars import Bar, Point, Row, bar_chart
from ernn.report.content import Report
from ernn.report.judged import Judged
from ernn.report.model_content import SignalFormat, Training, TrainingPoint
from ernn.report.plot import Band, Dot, Panel, Series, plot
from ernn.report.svg import axis_around, short


def accuracy_chart(report: Report) -> Markup:
    """Draw the scores of the three models from zero, with their intervals."""
    judged, scores = report.accuracy.judged, report.accuracy.scores
    bars = [
        Row(one.model, (Bar(one.value, one.model, judged.figure(one.value, 1), one.low, one.high),))
        for one in scores
    ]
    words = "; ".join(f"{one.model} {judged.figure(one.value, 1)}" for one in scores)
    title = f"{judged.title} on {judged.data}{judged.axis}, with 95 % intervals"
    return bar_chart("accuracy-chart", title, f"Bars from zero: {words}.", bars)


def training_chart(training: Training, judged: Judged) -> Markup:
    """Draw loss, gap and score over updates, and the phases behind them."""
    points = training.points
    if not points:
        return Markup("")
    last = max(1, *(point.update for point in points))
    curves = {
        "Loss": "loss",
        "Gap |W - Z| / |W| to block-circulant weights": "gap",
        f"{judged.title} on the development set{judged.axis}": "score",
    }
    panels = [
        panel for name, field in curves.items() if (panel := _curve(name, field, points, last))
    ]
    panels[-1:] = [
        Panel(
            panels[-1].name,
            panels[-1].axis,
            panels[-1].series,
            tuple((x, short(x * last)) for x in (0, 0.5, 1)),
            "updates",
        )
    ]
    return plot(
        "training-chart",
        f"Training: loss, gap and {judged.words} over updates",
        f"{len(points)} evaluations up to update {last}; the table below has them.",
        panels,
        _phases(points, last),
        room=110,
    )


def _curve(name: str, field: str, points: tuple[TrainingPoint, ...], last: int) -> Panel | None:
    dots = tuple(
        Dot(point.update / last, value)
        for point in points
        if (value := getattr(point, field)) is not None
    )
    if not dots:
        return None
    axis = axis_around([0, *(dot.y for dot in dots)])
    return Panel(name, axis, (Series("ours", dots, shown=False),))


def _phases(points: tuple[TrainingPoint, ...], last: int) -> list[Band]:
    bands: list[Band] = []
    for name, group in groupby(points, key=lambda point: point.phase):
        begin = bands[-1].end if bands else 0.0
        end = list(group)[-1].update / last
        bands.append(Band(name, begin, end, shaded=len(bands) % 2 == 1))
    return bands


def error_chart(formats: tuple[SignalFormat, ...]) -> Markup:
    """Draw how far each signal of the integer model is from the float model's."""
    known = [one for one in formats if one.rms_error and one.max_error]
    if not known:
        return Markup("")
    rows = [
        Row(
            f"{one.signal}, {one.format}",
            points=(
                Point(one.step, "step"),
                Point(one.rms_error or 0, "measured"),
                Point(one.max_error or 0, "estimated"),
            ),
        )
        for one in known
    ]
    worst = max(known, key=lambda one: one.max_error or 0)
    return bar_chart(
        "error-chart",
        "Error of each signal, integer against float model, logarithmic axis",
        f"{len(known)} signals. The largest error is {worst.max_error:.3g}, in {worst.signal}. "
        "The table below has every figure.",
        rows,
        logarithmic=True,
    )
