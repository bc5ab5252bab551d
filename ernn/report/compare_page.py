"""Write a comparison as compare.html (one self-contained file), compare.md and compare.json."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ernn.energy.baselines import C_LSTM, E_RNN, MOST_DSP
from ernn.energy.comparison import GOAL_RATIO, GOAL_TOPS_PER_W, Comparison, Subject
from ernn.energy.entries import Entry
from ernn.energy.interval import Interval
from ernn.energy.power import COMPONENTS, DYNAMIC, NODES_NM
from ernn.files import write_text
from ernn.folders import make_folder
from ernn.report.bars import Bar, Row, bar_chart
from ernn.report.marks import MARKS, TRUST
from ernn.report.render import environment
from ernn.report.svg import short

FORMAT = "ernn-compare-1"
COMPARE_MARKS = {
    **MARKS,
    "modelled": "from a cycle-level model of a published design; docs/energy.md and the table of "
    "deviations say how far such a model is from the published rows",
    "run": "counted by a model of ESE's machine that works off its own encoded matrices, entry by "
    "entry and cycle by cycle; no published latency goes into it",
}
MODELS = ("modelled", "run")


def write_comparison(made: Comparison, folder: Path) -> Path:
    """Write the three files into ``folder`` and return the path of compare.html."""
    context = _context(made)
    texts = {
        "compare.json": json.dumps(to_dict(made), indent=1, allow_nan=False) + "\n",
        "compare.md": environment(False).get_template("compare.md.j2").render(context),
        "compare.html": environment(True).get_template("compare.html.j2").render(context),
    }
    make_folder(folder)
    for name, text in texts.items():
        write_text(folder / name, text)
    return folder / "compare.html"


def to_dict(made: Comparison) -> dict[str, Any]:
    """Return everything for a JSON file, with what follows from it."""
    return {
        "format": FORMAT,
        "title": made.title,
        "ernn": made.version,
        "command": made.command,
        "goal": {"ratio": GOAL_RATIO, "tops_per_w": GOAL_TOPS_PER_W},
        "subjects": [_subject_dict(one) for one in made.subjects],
        "deviations": [{**asdict(one), "percent": one.percent} for one in made.deviations],
        "fit": _fit_dict(made),
        "later": [asdict(work) for work in made.later],
    }


def _subject_dict(one: Subject) -> dict[str, Any]:
    return {
        "name": one.name,
        "network": one.network,
        "dense": one.dense,
        "weights": one.weights,
        "ours": asdict(one.ours),
        "entries": [_entry_dict(entry) for entry in one.entries],
        "ese": one.ese and {**asdict(one.ese), "stored_bits": one.ese.stored_bits},
        "crossbars": [asdict(found) for found in one.crossbars],
        "efficiency": [
            {
                "against": asdict(found.against),
                "frames_per_joule_published": found.published,
                "by_estimate": asdict(found.estimated),
                "by_estimate_ratio": asdict(found.estimated_ratio),
                "by_estimate_tops_per_w": asdict(found.estimated_tops_per_w),
                "by_published_power": found.borrowed,
                "by_published_power_ratio": found.borrowed_ratio,
                "by_published_power_tops_per_w": found.borrowed_tops_per_w,
                "most_w": found.most_w,
                "goal": found.met,
            }
            for found in one.efficiency
        ],
    }


def _entry_dict(entry: Entry) -> dict[str, Any]:
    per_watt = entry.reading.frames_per_joule
    return {
        **asdict(entry.reading),
        "dense": entry.dense,
        "power_mark": entry.power_mark,
        "command": entry.command,
        "frames_per_joule": per_watt and asdict(per_watt),
        "energy_uj": entry.energy_uj and asdict(entry.energy_uj),
        "gops": entry.gops,
        "gops_per_watt": entry.gops_per_watt and asdict(entry.gops_per_watt),
    }


def _fit_dict(made: Comparison) -> dict[str, Any]:
    fit = made.fit
    return {
        "coefficients": {
            name: {str(node): fit.data.coefficient(name, node) for node in NODES_NM}
            for name in COMPONENTS
        },
        "fitted": {name: fit.value(name) for name in fit.names},
        "rows": [
            {**asdict(row), "left_out_w": float(left)}
            for row, left in zip(fit.rows, fit.left_out, strict=True)
        ],
        "left_out_rms_w": fit.left_out_rms_w,
        "left_out_percent": fit.left_out_percent,
    }


def _context(made: Comparison) -> dict[str, Any]:
    marks = {entry.reading.mark for one in made.subjects for entry in one.entries}
    marks |= {entry.power_mark for one in made.subjects for entry in one.entries}
    return {
        "c": made,
        "designs": {one.name: _by_design(one.entries) for one in made.subjects},
        "charts": {one.name: _charts(one) for one in made.subjects},
        "marks": {name: words for name, words in COMPARE_MARKS.items() if name in marks},
        "trust": TRUST,
        "goal": GOAL_RATIO,
        "goal_tops": GOAL_TOPS_PER_W,
        "nodes": NODES_NM,
        "dynamic": DYNAMIC,
        "components": COMPONENTS,
        "shares": {machine.name: machine.useful_share for machine in (C_LSTM, E_RNN)},
        "most_dsp": MOST_DSP,
        "left_out": list(zip(made.fit.rows, made.fit.left_out.tolist(), strict=True)),
    }


def _by_design(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Return the readings of each design together."""
    return [list(rows) for _, rows in groupby(entries, key=_design)]


def _design(entry: Entry) -> tuple[str, ...]:
    told = entry.reading
    kind = told.mark if told.mark in MODELS else told.source
    return told.design, told.part, kind


def _charts(one: Subject) -> dict[str, Markup]:
    groups = _by_design(one.entries)
    named = f"{one.name}-"
    return {
        "rate": _chart(
            f"{named}rate",
            f"Frames per second, {one.network}, logarithmic axis",
            groups,
            lambda entry: Interval.exact(entry.reading.frames_per_second),
        ),
        "latency": _chart(
            f"{named}latency",
            f"Latency of a frame in microseconds, {one.network}, logarithmic axis",
            groups,
            lambda entry: Interval.exact(entry.reading.latency_us),
        ),
        "efficiency": _chart(
            f"{named}efficiency",
            f"Frames per second and watt of the board, {one.network}, logarithmic axis",
            groups,
            lambda entry: entry.reading.frames_per_joule,
            one,
        ),
        "energy": _chart(
            f"{named}energy",
            f"Energy of the board for one frame in microjoules, {one.network}, logarithmic axis",
            groups,
            lambda entry: entry.energy_uj,
        ),
    }


def _chart(
    name: str,
    title: str,
    groups: Sequence[Sequence[Entry]],
    value: Callable[[Entry], Interval | None],
    borrowed: Subject | None = None,
) -> Markup:
    rows = []
    for entries in groups:
        bars = [_bar(entry, told) for entry in entries if (told := value(entry))]
        bars = [bar for index, bar in enumerate(bars) if bar.value not in _values(bars[:index])]
        if bars:
            rows.append(Row(_label(entries[0]), tuple(bars)))
    if borrowed:
        for one in borrowed.efficiency:
            bar = Bar(one.borrowed, "ours-together", short(one.borrowed))
            words = f"{borrowed.ours.name} with the power of {one.against.name}, derived"
            rows.insert(1, Row(words, (bar,)))
    words = "; ".join(f"{row.label}: {', '.join(bar.text for bar in row.bars)}" for row in rows)
    return bar_chart(name, title, f"{words}. The table below has every figure.", rows, True)


def _values(bars: Sequence[Bar]) -> set[float]:
    """Return what is drawn already: readings may share a latency."""
    return {bar.value for bar in bars}


def _bar(entry: Entry, told: Interval) -> Bar:
    kind = entry.reading.basis
    if entry.reading.mark in MODELS:
        colour = f"model-{kind}"
    else:
        colour = f"ours-{kind}" if entry.reading.source == "ernn" else kind
    if told.low == told.high:
        return Bar(told.typical, colour, short(told.typical))
    return Bar(told.typical, colour, short(told.typical), told.low, told.high)


def _label(entry: Entry) -> str:
    told = entry.reading
    mark = told.mark if told.mark in (*MODELS, "simulated", "planned") else "published"
    return f"{told.design} on {told.part}, {mark}"
