"""What a search over matrices leaves behind: front.json, front.md and recipes of the front."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import ernn
from ernn.files import write_text
from ernn.flow.run_folder import RunFolder
from ernn.flow.scores import read_score
from ernn.recipe import Recipe
from ernn.recipe.toml import to_toml
from ernn.score import Interval
from ernn.search.candidate_space import Space
from ernn.search.candidates import Candidate
from ernn.search.costs import COSTS, Costs
from ernn.search.front import Goal
from ernn.search.policy import Verdict
from ernn.search.space import Variant
from ernn.search.trial import Outcome, run_trial

FORMAT = "ernn-search-front-1"  # of front.json
MARKS = {"score": "measured", "cycles": "planned", "memory": "planned", "energy": "estimated"}


@dataclass(frozen=True)
class FrontFound:
    """A search over matrices that has ended."""

    recipe: Recipe
    method: str
    goal: Goal
    space: Space
    verdict: Verdict
    outcomes: Mapping[Variant, Outcome]
    costs: Costs


def write_front(
    found: FrontFound,
    fitting: Recipe,
    out: Path,
    trials: Path,
    study: str,
    storage: str,
    say: Callable[[str], None] = print,
) -> Path:
    """Write all files into ``out`` and return the path of front.md.

    Args:
        found: what the search found.
        fitting: a recipe that the part can hold.
        out: its folder.
        trials: the folder of its trials.
        study: name of the study.
        storage: the database, as it may be shown.
        say: told what happens where the chosen model has to be trained here once more.
    """
    chosen, test = found.verdict.chosen, None
    if chosen is not None:
        test = _test(found, fitting, trials, say)
        recipe = chosen.applied(found.recipe)
        write_text(out / "chosen.toml", to_toml(recipe.model_dump(mode="json", exclude_none=True)))
    content = _content(found, test, study, storage)
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    write_text(out / "front.json", text + "\n")
    write_text(out / "front.md", "\n".join(_page(found, test, study, storage)) + "\n")
    return out / "front.md"


def _test(
    found: FrontFound, fitting: Recipe, trials: Path, say: Callable[[str], None]
) -> dict[str, Interval]:
    """Return the scores on the test set, which nothing else was judged by."""
    chosen, source = found.verdict.chosen, found.recipe.source.kind
    assert chosen is not None
    scores = {}
    for name, point in (("dense", found.space.dense), ("chosen", chosen)):
        run_trial(fitting, point, trials, say)  # up to date, unless trained on other disks
        step = "compress" if point.compressed else source
        scores[name] = read_score(RunFolder(trials / point.name).score(step))
    told = {name: score.interval() for name, score in scores.items()}
    return {**told, "loss": scores["chosen"].loss(scores["dense"])}


def _path(found: FrontFound) -> Iterator[tuple[Candidate, Outcome]]:
    for point in found.verdict.path:
        yield cast(Candidate, point), found.outcomes[point]


def _content(
    found: FrontFound, test: Mapping[str, Interval] | None, study: str, storage: str
) -> dict[str, Any]:
    verdict = found.verdict
    trials = [
        {
            "name": one.name,
            "matrices": {name: asdict(choice) for name, choice in one.choices},
            "fraction": one.fraction,
            "score": outcome.value,
            "low": outcome.low,
            "high": outcome.high,
            "seconds": outcome.seconds,
            **found.costs(one).told,
        }
        for one, outcome in _path(found)
    ]
    return {
        "format": FORMAT,
        "ernn": ernn.__version__,
        "recipe": found.recipe.name,
        "seed": found.recipe.seed,
        "part": found.recipe.hardware.part,
        "data": found.recipe.data_name,
        "measure": found.goal.measure.name,
        "marks": {
            "score": "measured",
            "cycles": "planned",
            "memory": "planned",
            "energy": "estimated",
        },
        "study": study,
        "storage": storage,
        "method": found.method,
        "space": found.space.told,
        "goal": str(found.goal),
        "trainings": sum(1 / one.fraction for one, _ in _path(found) if one.compressed),
        "trials": trials,
        "front": [point.name for point in verdict.front],
        "chosen": verdict.chosen.name if verdict.chosen else None,
        "failure": verdict.failure,
        "decisions": list(verdict.decisions),
        "test": {name: asdict(one) for name, one in test.items()} if test else None,
    }


def _page(
    found: FrontFound, test: Mapping[str, Interval] | None, study: str, storage: str
) -> Iterator[str]:
    """Yield front.md line by line."""
    verdict, one = found.verdict, found.goal.measure
    yield f"# {found.recipe.name}: search by {found.method}"
    yield ""
    yield f"Asked for: {found.goal}, on {found.recipe.hardware.part}."
    yield ""
    if test:
        loss = test["loss"]
        yield (
            f"**{verdict.chosen}**. On the test set it has {one.figure(test['chosen'].value)}, the "
            f"dense model {one.figure(test['dense'].value)}: {one.change(loss.value, '+')} worse "
            f"({one.number(loss.low, '+')} to {one.number(loss.high, '+')})."
        )
    else:
        yield f"**Nothing meets it**: {verdict.failure}."
    yield ""
    for decision in verdict.decisions:
        yield f"1. {decision}"
    spent = sum(1 / c.fraction for c, _ in _path(found) if c.compressed)
    yield from ["", "## Trainings, measured on the development set", ""]
    yield f"{spent:g} full trainings' worth of frames, in order; * on the front."
    costs = " | ".join(COSTS.values())
    yield from ["", f"| | Model | Updates | {one.name} | {costs} | Weights |"]
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for candidate, outcome in _path(found):
        cost, mark = found.costs(candidate), "*" if candidate in verdict.front else ""
        figures = f"{cost.cycles:,.0f} | {cost.memory:,.0f} | {cost.energy:.3g}"
        told = "does not fit | - | -" if cost.missing else figures
        ends = f"{one.number(outcome.low)} to {one.number(outcome.high)}"
        score = f"{one.number(outcome.value)} ({ends})"
        share = f"1/{candidate.fraction}" if candidate.fraction > 1 else "all"
        yield f"| {mark} | {candidate} | {share} | {score} | {told} | {cost.weights:,} |"
    yield ""
    marks = "scores measured, cycles and memory planned, energy estimated"
    yield f"Marks: {marks}; study {study} in `{storage}`."
