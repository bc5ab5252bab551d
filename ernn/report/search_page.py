"""The report of a search as search.html and search.md; the numbers are in search_content.py."""

from markupsafe import Markup

from ernn.report.block_chart import Dot, Series, block_chart
from ernn.report.content import MARKS
from ernn.report.render import environment
from ernn.report.search_content import SearchReport, TrialRow


def to_html(report: SearchReport) -> str:
    """Return one page that needs no network, no script and no other file."""
    charts = {"work": _work(report), "memory": _memory(report), "per": _per(report)}
    template = environment(True).get_template("search.html.j2")
    return template.render(r=report, charts=charts, marks=MARKS)


def to_markdown(report: SearchReport) -> str:
    """Return the same as text for a repository or an issue."""
    return environment(False).get_template("search.md.j2").render(r=report)


def _work(report: SearchReport) -> Markup:
    kinds = {"ours": "multiplications", "dense": "products", "theirs": "transforms"}
    series = [
        Series(
            kind,
            tuple(
                Dot(size.block, value)
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
        [size.block for size in report.sizes],
        series,
        shaded=(report.lower, report.upper),
        logarithmic=True,
    )


def _memory(report: SearchReport) -> Markup:
    dots = tuple(Dot(size.block, size.memory_blocks) for size in report.sizes if size.memory_blocks)
    told = "; ".join(f"{dot.block}: {dot.value:,}" for dot in dots)
    return block_chart(
        "memory-chart",
        "36-kbit memory blocks of the smallest design against the block size, logarithmic",
        f"Memory blocks by block size: {told}; the part has {report.memory_blocks:,}.",
        [size.block for size in report.sizes],
        [Series("ours", dots)],
        shaded=(report.lower, report.upper),
        level=(report.memory_blocks, f"{report.part} has {report.memory_blocks:,}"),
        logarithmic=True,
    )


def _per(report: SearchReport) -> Markup:
    """Draw every trial with its interval, and the path of the search through them."""
    dots = _dots(report.trials)
    of_cell = [(trial, dots[index]) for index, trial in enumerate(report.trials)]
    kinds = {"lstm": "theirs", "gru": "ours"}
    series = [
        Series(kind, tuple(dot for trial, dot in of_cell if trial.cell == cell), joined=False)
        for cell, kind in kinds.items()
    ]
    steps = sorted((trial.step, dot) for trial, dot in of_cell if trial.step is not None)
    told = "; ".join(f"{trial.words} {trial.per.value:.2f} %" for trial in report.trials)
    return block_chart(
        "per-chart",
        "Phone error rate on the development set against the block size of the recurrent matrices",
        f"{told}. The bound is {report.limit_percent:.2f} %.",
        [size.block for size in report.sizes],
        [one for one in series if one.dots],
        shaded=(report.lower, report.upper),
        level=(report.limit_percent, f"bound {report.limit_percent:.2f} %"),
        path=[dot for _, dot in steps],
    )


def _dots(trials: tuple[TrialRow, ...]) -> list[Dot]:
    """Return a dot for each trial; those of one block size stand beside each other."""
    taken: dict[int, int] = {}
    dots = []
    for trial in trials:
        aside = taken[trial.block] = taken.get(trial.block, -1) + 1
        word = "" if trial.step is None else str(trial.step)
        per = trial.per
        dots.append(Dot(trial.block, per.value, per.low, per.high, word, aside))
    return dots
