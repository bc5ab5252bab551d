"""What a search leaves behind: search.json, search.md, search.html and the chosen recipe."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import ernn
from ernn.files import write_text
from ernn.flow.about import about
from ernn.flow.run_folder import RunFolder
from ernn.flow.scores import read_score
from ernn.parts.part import load_part
from ernn.recipe import Recipe
from ernn.recipe.toml import to_toml
from ernn.report.search_content import FinalResult, Rate, SearchReport, SizeRow, TrialRow, save
from ernn.report.search_page import to_html, to_markdown
from ernn.score import Interval
from ernn.search.bounds import Bounds, Size
from ernn.search.policy import Bound, Verdict
from ernn.search.space import Point, dense, variant
from ernn.search.trial import Outcome, run_trial


@dataclass(frozen=True)
class Found:
    """A search that has ended."""

    recipe: Recipe  # with a block size that the part can hold
    bound: Bound
    bounds: Bounds
    verdict: Verdict
    outcomes: dict[Point, Outcome]
    reasons: dict[Point, str]
    size_of: Callable[[Point], Size]


def write_results(
    found: Found,
    out: Path,
    trials: Path,
    study: str,
    storage: str,
    say: Callable[[str], None] = print,
) -> Path:
    """Write all four files into ``out`` and return the path of search.html.

    Args:
        found: what the search found.
        out: its folder.
        trials: the folder of its trials.
        study: name of the study.
        storage: the database, as it may be shown.
        say: told what happens where the chosen model has to be trained here once more.
    """
    test = None
    if found.verdict.chosen is not None:
        test = _test(found, trials, say)
        recipe = variant(found.recipe, found.verdict.chosen)
        write_text(out / "chosen.toml", to_toml(recipe.model_dump(mode="json", exclude_none=True)))
    report = _report(found, test, study, storage)
    save(report, out / "search.json")
    write_text(out / "search.md", to_markdown(report))
    write_text(out / "search.html", to_html(report))
    return out / "search.html"


def _test(found: Found, trials: Path, say: Callable[[str], None]) -> FinalResult:
    """Return the chosen model's score on the test set, and the dense model's."""
    chosen, baseline = found.verdict.chosen, dense(found.recipe.model.cell)
    assert chosen is not None
    source = found.recipe.source.kind
    step = "compress" if chosen.compressed else source
    for point in (baseline, chosen):  # up to date, unless it was trained on other disks
        run_trial(found.recipe, point, trials, say)
    score = read_score(RunFolder(trials / chosen.name).score(step))
    reference = read_score(RunFolder(trials / baseline.name).score(source))
    loss = score.loss(reference)
    return FinalResult(*map(_rate, (reference.interval(), score.interval(), loss)))


def _report(found: Found, test: FinalResult | None, study: str, storage: str) -> SearchReport:
    recipe, bounds, verdict = found.recipe, found.bounds, found.verdict
    baseline = found.outcomes.get(dense(recipe.model.cell))
    limit = found.bound.limit(baseline.value) if baseline else found.bound.limit(0)
    part = load_part(recipe.hardware.part)
    return SearchReport(
        recipe=recipe.name,
        seed=recipe.seed,
        data_name=recipe.data_name,
        about=about(recipe, found.bound.measure),
        version=ernn.__version__,
        study=study,
        storage=storage,
        part=part.name,
        memory_blocks=part.bram36,
        bound=str(found.bound),
        limit=limit,
        lower=bounds.lower,
        why_lower=bounds.why_lower,
        upper=bounds.upper,
        why_upper=bounds.why_upper,
        sizes=tuple(_size_row(bounds, block, size) for block, size in bounds.sizes.items()),
        trials=_trials(found),
        decisions=verdict.decisions,
        chosen="" if verdict.chosen is None else str(verdict.chosen),
        failure=verdict.failure,
        test=test,
    )


def _size_row(bounds: Bounds, block: int, size: Size) -> SizeRow:
    return SizeRow(
        block=block,
        products=size.products,
        transforms=size.transforms,
        scales=size.scales,
        weights=size.weights,
        memory_blocks=size.memory_blocks,
        within=bounds.lower <= block <= bounds.upper,
        missing=size.missing,
    )


def _trials(found: Found) -> tuple[TrialRow, ...]:
    """Return the path of the search, then what ran ahead of need."""
    path = cast(tuple[Point, ...], found.verdict.path)
    order = [*path, *sorted(found.outcomes.keys() - set(path))]
    baseline = found.outcomes[path[0]]
    return tuple(
        TrialRow(
            cell=point.cell,
            block=point.block,
            wide=point.wide,
            words=str(point),
            why=found.reasons[point],
            score=Rate(outcome.value, outcome.low, outcome.high),
            loss=None if point == path[0] else _rate(outcome.loss(baseline)),
            multiplications=found.size_of(point).multiplications,
            weights=found.size_of(point).weights,
            seconds=outcome.seconds,
            step=path.index(point) + 1 if point in path else None,
        )
        for point, outcome in ((point, found.outcomes[point]) for point in order)
    )


def _rate(interval: Interval) -> Rate:
    return Rate(interval.value, interval.low, interval.high)
