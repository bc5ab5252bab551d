"""`ernn search`: bounds, policy, study and executor put together."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

from ernn.errors import BoundError, RecipeError, ToolError
from ernn.flow.chain import steps_of
from ernn.flow.dependencies import Code
from ernn.flow.process_group import launched
from ernn.folders import locked, own_folder
from ernn.parts.part import load_part
from ernn.progress import progress
from ernn.recipe import Recipe
from ernn.search.bounds import find_bounds, measure
from ernn.search.driver import Driver
from ernn.search.executor import Executor, Here, Processes, Ray
from ernn.search.phase1 import MAX_TRAININGS, phase_one
from ernn.search.policy import Bound, OneByOne, Procedure
from ernn.search.result import Found, write_results
from ernn.search.space import Point, Variant, dense, variant
from ernn.search.storage import shown
from ernn.search.study import Study
from ernn.search.trial import Outcome, data

TRIALS = "trials"  # folder of all trials in the output folder


@dataclass(frozen=True)
class Workplace:
    """Where a search works; nothing here changes what it finds."""

    storage: str | None = None  # URL of a database; None: an SQLite file in the output folder
    study: str | None = None  # name in the database; None: the recipe's
    jobs: int = 1  # trials at a time
    ray: str | None = None  # address of a Ray cluster to run them on

    def executor(self, recipe: Recipe, say: Callable[[str], None]) -> Executor:
        """Return what trials run on."""
        if self.ray:
            return Ray(self.ray, self.jobs, recipe.training.threads)
        return Processes(self.jobs) if self.jobs > 1 else Here(say)


def search(
    recipe: Recipe,
    bound: Bound,
    part: str | None = None,
    out: Path | None = None,
    workplace: Workplace | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Find the smallest model of a recipe within a bound; return the path of search.html.

    Args:
        recipe: what to build; its block sizes do not matter.
        bound: of the score on the development set; the recipe's if it is empty.
        part: FPGA; the recipe's if not given.
        out: folder, out/NAME-search if not given.
        workplace: database, processes, cluster.
        say: told what happens.

    Raises:
        BoundError: nothing meets the bound; everything is written all the same.
        ErnnError: what trials, database or cluster raise; finished trials stay in the study.
    """
    require_alone()
    recipe, bound = on_part(recipe, part), _known(bound, recipe)
    workplace = workplace or Workplace()
    out = (out or Path("out") / f"{recipe.name}-search").resolve()
    own_folder(out)
    url = workplace.storage or f"sqlite:///{out / 'search.db'}"
    study = Study(url, workplace.study or recipe.name, common(recipe))
    executor = workplace.executor(recipe, say)
    task = data(recipe, out / TRIALS, say)
    bound = replace(bound, measure=task.measure)
    size_of: Callable[[Point], Any] = cache(
        lambda p: measure(recipe, p, task.features, task.outputs)
    )
    with progress("bounds: block sizes") as told:
        bounds = find_bounds(recipe, size_of, told)
    for line in bounds.in_words():
        say(line)

    def make() -> Procedure:
        return phase_one(recipe.model.cell, bounds, bound, size_of, recipe.source.kind == "import")

    fitting = _fitting(recipe, max(2, bounds.lower))
    policy = OneByOne(make, MAX_TRAININGS, (task.measure.best, task.measure.worst))
    driver = Driver(fitting, out / TRIALS, study, executor, size_of, say, task.measure)
    verdict = driver.run(policy)
    for decision in verdict.decisions:
        say(decision)
    outcomes = cast(dict[Point, Outcome], study.outcomes())
    reasons = cast(dict[Point, str], study.reasons())
    found = Found(fitting, bound, bounds, verdict, outcomes, reasons, size_of)
    with locked(out, wait=True):  # processes that share a study end at the same time
        page = write_results(found, out, out / TRIALS, study.name, shown(url), say)
    say(f"the report is {page}")
    if verdict.chosen is None:
        raise BoundError(verdict.failure)
    return page


def require_alone() -> None:
    """Refuse the processes of torchrun.

    Raises:
        ToolError: this is one of them.
    """
    if launched():
        raise ToolError(
            "ernn search is no work for torchrun", remedy="start it once, with --jobs or --ray"
        )


def common(recipe: Recipe, baseline: Variant | None = None) -> dict[str, Any]:
    """Return what all trials of a search have in common: whatever goes into a training.

    Args:
        recipe: of the search.
        baseline: the dense model as a point of the space; that of Phase I if not given.
    """
    alike = variant(recipe, baseline or dense(recipe.model.cell))
    read: dict[str, Any] = {}
    code: dict[str, str] = {}
    outside: dict[str, str] = {}
    source = Code()
    for step in steps_of(alike):
        if step.name in ("corpus", alike.source.kind, "compress"):
            read |= step.reading(alike)
            code |= step.depends_on(source, alike)
            outside |= step.outside(alike, Path())  # speech: nothing of a run's folder
    return {"recipe": dict(sorted(read.items())), "code": code, "outside": outside}


def on_part(recipe: Recipe, part: str | None) -> Recipe:
    """Return the recipe for another part."""
    if part is None:
        return recipe
    load_part(part)
    hardware = recipe.hardware.model_copy(update={"part": part})
    return recipe.model_copy(update={"hardware": hardware})


def _fitting(recipe: Recipe, block: int) -> Recipe:
    """Return the recipe with a block size that the part can hold."""
    fitting = variant(recipe, Point(recipe.model.cell, block, block))
    return recipe.model_copy(update={"model": fitting.model})


def _known(bound: Bound, recipe: Recipe) -> Bound:
    """Return the bound, or the recipe's where none was given."""
    if bound.loss is None and bound.worst is None:
        bound = Bound(recipe.task.bound)
    if bound.loss is None and bound.worst is None:
        raise RecipeError(
            "a search needs a bound",
            remedy="give --bound LOSS or --worst SCORE, or set [task] bound in the recipe",
        )
    return bound
