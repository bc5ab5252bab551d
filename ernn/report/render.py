"""Write a report as report.json, report.md and one self-contained report.html.

The templates only print; what they print is decided here and in content.py.
"""

import json
import math
from dataclasses import asdict
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ernn.datafile import parse
from ernn.energy.estimate import Interval
from ernn.energy.published import Published, Reading, comparison, load_published
from ernn.errors import ErnnError
from ernn.files import write_text
from ernn.report.bits import SWEEPS, bits_chart, in_words
from ernn.report.blocks import search_chart
from ernn.report.content import Report
from ernn.report.gantt import gantt, glance, legend
from ernn.report.hardware_figures import (
    comparison_chart,
    energy_chart,
    front_chart,
    resources_chart,
)
from ernn.report.marks import MARKS, TRUST
from ernn.report.model_figures import accuracy_chart, error_chart, training_chart
from ernn.report.svg import SHAPES

FORMAT = "ernn-report-2"
_TEMPLATES = Path(__file__).parent


def write_report(report: Report, folder: Path, published: Published | None = None) -> Path:
    """Write the three files into ``folder`` and return the path of report.html.

    Raises:
        ErnnError: the report holds a number that no report can have, such as NaN.
    """
    report = parse(asdict(report), Report, ErnnError, "the report")
    published = published or load_published()
    texts = {
        "report.json": to_json(report, published),
        "report.md": to_markdown(report, published),
        "report.html": to_html(report, published),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_text(folder / name, text)
    return folder / "report.html"


def load_report(path: Path) -> Report:
    """Read the report in a report.json; what follows from it is computed again.

    Raises:
        ErnnError: the file is not one that `write_report` wrote.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ErnnError(
            f"{path} cannot be read as a report", given=str(problem), remedy="write it again"
        ) from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ErnnError(
            f"{path} was not written by ernn", remedy="give a report.json of `ernn report`"
        )
    return parse(data.get("report"), Report, ErnnError, str(path))


def to_json(report: Report, published: Published) -> str:
    """Return the content, and under ``derived`` what follows from it."""
    derived = {
        "passed": report.passed,
        "compression_ratio": report.compression.ratio,
        "loss": report.accuracy.loss,
        "frames_per_second": report.frames_per_second,
        "frames_per_second_single": report.frames_per_second_single,
        "latency_us": report.latency_us,
        "dense_equivalent_tops": report.dense_equivalent_tops,
        "energy_uj_per_frame": asdict(report.energy_uj_per_frame),
        "card_uj_per_frame": asdict(report.card_uj_per_frame),
    }
    compared = [
        {
            **asdict(row),
            "frames_per_joule": row.frames_per_joule and asdict(row.frames_per_joule),
            "uj_per_frame": row.uj_per_frame and asdict(row.uj_per_frame),
        }
        for row in _rows(report, published)
    ]
    data = {"format": FORMAT, "report": asdict(report), "derived": derived, "comparison": compared}
    return json.dumps(data, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def to_markdown(report: Report, published: Published) -> str:
    """Return the report as text for a repository or an issue."""
    return environment(False).get_template("report.md.j2").render(_context(report, published))


def to_html(report: Report, published: Published) -> str:
    """Return one page that needs no network, no script and no other file."""
    context = _context(report, published)
    context["lanes"] = glance(report.working.schedule) if report.working else []
    context["charts"] = _charts(report, context["designs"], published)
    return environment(True).get_template("report.html.j2").render(context)


def _rows(report: Report, published: Published) -> tuple[Reading, ...]:
    return report.readings() + comparison(published, report.compression.dense_parameters)


def _context(report: Report, published: Published) -> dict[str, Any]:
    rows = _rows(report, published)
    by_design = groupby(rows, key=lambda row: (row.mark == "simulated", row.design, row.part))
    return {
        "r": report,
        "judged": report.accuracy.judged,
        "rows": rows,
        "designs": [list(readings) for _, readings in by_design],
        "published": published,
        "marks": MARKS,
        "trust": TRUST,
        "sweeps": {**SWEEPS, "joint": "Together"},
        "chosen": in_words(report.bits.chosen) if report.bits else "",
        "shapes": SHAPES,
        "streams": legend(report.plan.streams),
    }


@cache
def environment(html: bool) -> Environment:
    """Return what renders the templates of this folder, as HTML or as Markdown."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=html,
        finalize=None if html else _markdown_safe,
    )
    made.filters["num"] = _html_number if html else _plain_number
    made.filters["ranges"] = _ranges
    return made


def _markdown_safe(value: object) -> object:
    """Escape what Markdown would interpret in a name that a user chose."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    marks = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]<>|#"})
    return value.translate(marks).replace("\n", " ")


def format_number(value: float, decimals: int | None = None) -> str:
    """Return a number with thousands separated; three significant digits unless told."""
    if decimals is None:
        size = math.floor(math.log10(abs(value))) if value else 0
        decimals = 0 if value == int(value) else max(0, 2 - size)
    text = f"{value:,.{decimals}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def _ranges(cycles: str) -> str:
    """Return runs of cycles as text for people: "4,211 to 4,219; 4,223"."""
    runs = ([f"{int(end):,}" for end in run.split("-")] for run in cycles.split())
    return "; ".join(first if first == last else f"{first} to {last}" for first, last in runs)


def _plain_number(value: float | Interval | None, decimals: int | None = None) -> Markup:
    if value is None:
        return Markup("\N{EN DASH}")
    if isinstance(value, Interval):
        text = format_number(value.typical, decimals)
        if value.low == value.high:
            return Markup(text)
        low, high = (format_number(bound, decimals) for bound in (value.low, value.high))
        return Markup(f"{text} ({low} to {high})")
    return Markup(format_number(value, decimals))


def _html_number(value: float | Interval | None, decimals: int | None = None) -> Markup:
    """Return the number as text for people, with its exact value for programs."""
    if value is None:
        return Markup('<span class="none">\N{EN DASH}</span>')
    if isinstance(value, Interval):
        typical = _html_number(value.typical, decimals)
        if value.low == value.high:
            return typical
        low, high = _html_number(value.low, decimals), _html_number(value.high, decimals)
        return typical + Markup(' <span class="range">{} to {}</span>').format(low, high)
    return Markup('<data value="{}">{}</data>').format(value, format_number(value, decimals))


def _charts(
    report: Report, designs: list[list[Reading]], published: Published
) -> dict[str, Markup]:
    none = Markup("")
    return {
        "accuracy": accuracy_chart(report),
        "blocks": search_chart(report.blocks, report.accuracy.judged) if report.blocks else none,
        "training": training_chart(report.training, report.accuracy.judged),
        "errors": error_chart(report.numbers.formats),
        "bits": bits_chart(report.bits, report.accuracy.judged) if report.bits else none,
        "front": front_chart(report.front) if report.front else none,
        "resources": resources_chart(report),
        "schedule": gantt(report.working.schedule) if report.working else none,
        "energy": energy_chart(report, designs, published),
        "comparison": comparison_chart(report, designs),
    }
