"""The report of a search as search.html and search.md; the numbers are in search_content.py."""

from markupsafe import Markup

from ernn.report.blocks import aside, block_chart, places
from ernn.report.marks import MARKS
from ernn.report.plot import Dot, Level, Series
from ernn.report.render import environment
from ernn.report.search_content import SearchReport


def to_html(report: SearchReport) -> str:
    """Return one page that needs no network, no script and no other file."""
    charts = {"work": _work(report), "memory": _memory(report), "score": _score(report)}
    template = environment(True).get_template("search.html.j2")
    return template.render(r=report, charts=charts, marks=MARKS)


def to_markdown(report: SearchReport) -> str:
    """Return the same as text for a repository or an issue."""
    return environment(False).get_template("search.md.j2").render(r=report)


def _work(report: SearchReport) -> Markup:
    blocks = [size.block for size in report.sizes]
    across = places(blocks)
    kinds = {"ours": "multiplications", "dense": "products", "theirs": "transforms"}
    series = [
        Series(
            kind,
            tuple(
                Dot(across[size.block], value)
                for size in report.sizes
                if (value := getattr(size, name)) > 0  # dense: no transforms
            ),
        )
        for kind, name in kinds.items()
    ]
    told = "; ".join(f"{size.block}: {size.multiplications:,}" for size in report.sizes)
    return block_chart(
        "work-chart",
        "Multiplications per frame against the block size, logarithmic",
        f"All multiplications by block size: {told}. The band is what was searched.",
        blocks,
        series,
        shaded=(report.lower, report.upper),
        logarithmic=True,
    )


def _memory(report: SearchReport) -> Markup:
    blocks = [size.block for size in report.sizes]
    across = places(blocks)
    known = [size for size in report.sizes if size.memory_blocks]
    told = "; ".join(f"{size.block}: {size.memory_blocks:,}" for size in known)
    dots = tuple(Dot(across[size.block], size.memory_blocks) for size in known)
    return block_chart(
        "memory-chart",
        "36-kbit memory blocks of the smallest design against the block size, logarithmic",
        f"Memory blocks by block size: {told}; the part has {report.memory_blocks:,}.",
        blocks,
        [Series("ours", dots)],
        shaded=(report.lower, report.upper),
        level=Level(report.memory_blocks, f"{report.part} has {report.memory_blocks:,}"),
        logarithmic=True,
    )


def _score(report: SearchReport) -> Markup:
    """Draw every trial with its interval, and the path of the search through them."""
    blocks = [size.block for size in report.sizes]
    at = aside(blocks, [trial.block for trial in report.trials])
    of_trial = [
        (
            trial,
            Dot(
                at(number),
                trial.score.value,
                trial.score.low,
                trial.score.high,
                "" if trial.step is None else str(trial.step),
                told=trial.words,
            ),
        )
        for number, trial in enumerate(report.trials)
    ]
    series = [
        Series(kind, tuple(dot for trial, dot in of_trial if trial.cell == cell), joined=False)
        for cell, kind in report.series.items()
    ]
    steps = sorted(
        ((trial.step, dot) for trial, dot in of_trial if trial.step is not None),
        key=lambda step: step[0],
    )
    about = report.about
    told = "; ".join(f"{trial.words} {about.figure(trial.score.value)}" for trial in report.trials)
    return block_chart(
        "score-chart",
        f"{about.title} on the development set against the block size of the recurrent matrices",
        f"{told}. The bound is {about.figure(report.limit)}.",
        blocks,
        [one for one in series if one.dots],
        shaded=(report.lower, report.upper),
        level=Level(report.limit, f"bound {about.figure(report.limit)}"),
        path=[dot for _, dot in steps],
    )
