"""`ernn search --method generator`, and the methods it is compared with: a search over matrices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ernn.errors import BoundError, RecipeError
from ernn.flow.explore import choices
from ernn.folders import locked, own_folder
from ernn.recipe import BLOCK_SIZES, Recipe
from ernn.search.candidate_space import Space
from ernn.search.candidates import KEEPS
from ernn.search.costs import COSTS, Costs
from ernn.search.driver import Driver
from ernn.search.front import Goal
from ernn.search.front_result import FrontFound, write_front
from ernn.search.generator import generate, ladder
from ernn.search.policy import Bound, InRounds, Rounds
from ernn.search.samplers import SAMPLERS, grid, sample
from ernn.search.search import TRIALS, Workplace, common, on_part, require_alone
from ernn.search.space import largest_block
from ernn.search.storage import shown
from ernn.search.study import PHASE_1, Study
from ernn.search.trial import data

METHODS = ("generator", *SAMPLERS, "grid")
TRAININGS = 20.0


@dataclass(frozen=True)
class Asked:
    """What is asked of a search over every matrix."""

    method: str = "generator"
    trainings: float = TRAININGS  # to spend, in full ones
    blocks: Sequence[int] = BLOCK_SIZES  # what there is to choose from
    keeps: Sequence[float] = KEEPS
    cost: str = "cycles"  # what the front is over, beside the score
    limits: dict[str, float] = field(default_factory=dict)  # of costs, by name


def search_front(
    recipe: Recipe,
    asked: Asked,
    bound: Bound,
    part: str | None = None,
    out: Path | None = None,
    workplace: Workplace | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Find the front of score and cost of a recipe's models; return the path of front.md.

    Args:
        recipe: what to build; its block sizes and shares of tiles do not matter.
        asked: method, trainings, space and limits.
        bound: of the score on the development set; the recipe's if it is empty, if that has one.
        part: FPGA; the recipe's if not given.
        out: folder, out/NAME-METHOD if not given.
        workplace: database, processes, cluster.
        say: told what happens.

    Raises:
        BoundError: nothing meets bound and limits; everything is written all the same.
        RecipeError, PlanError: the space has no legal point, and which rule empties it.
        ErnnError: what trials, database or cluster raise; finished trials stay in the study.
    """
    require_alone()
    recipe, workplace = on_part(recipe, part), workplace or Workplace()
    if bound.loss is None and bound.worst is None:
        bound = Bound(recipe.task.bound)
    out = (out or Path("out") / f"{recipe.name}-{asked.method}").resolve()
    own_folder(out)
    url = workplace.storage or f"sqlite:///{out / 'search.db'}"
    task = data(recipe, out / TRIALS, say)
    blocks = [block for block in asked.blocks if block <= largest_block(recipe)]
    if not blocks:
        raise RecipeError(
            "the space has no point",
            given=f"--blocks {', '.join(map(str, asked.blocks))}",
            allowed=f"up to {largest_block(recipe)}, the size of the smallest layer",
            remedy="give smaller --blocks",
        )
    space = Space(recipe, task.features, task.outputs, blocks, asked.keeps)
    say(
        f"the space has up to {space.size:,} models: blocks of {', '.join(map(str, blocks))}, "
        f"tiles {', '.join(f'{100 * keep:g} %' for keep in space.keeps)}, for each of "
        f"{len(space.matrices)} matrices"
    )
    made_by = {"method": asked.method, "space": space.told}
    alike = common(recipe, space.dense)
    study = Study(url, workplace.study or recipe.name, alike, space, made_by)
    costs = Costs(recipe, task.features, task.outputs, study)
    goal = Goal(asked.cost, asked.limits, replace(bound, measure=task.measure), task.measure)
    fitting = recipe.model_copy(update={"model": space.smallest.applied(recipe).model})
    executor = workplace.executor(recipe, say)
    driver = Driver(fitting, out / TRIALS, study, executor, costs, say, task.measure)
    verdict = driver.run(Rounds(_procedure(asked, recipe, space, costs, goal)))
    for decision in verdict.decisions:
        say(decision)
    found = FrontFound(recipe, asked.method, goal, space, verdict, study.outcomes(), costs)
    with locked(out, wait=True):  # processes that share a study end at the same time
        page = write_front(found, fitting, out, out / TRIALS, study.name, shown(url), say)
    say(f"the report is {page}")
    if verdict.chosen is None:
        raise BoundError(verdict.failure)
    return page


def _procedure(asked: Asked, recipe: Recipe, space: Space, costs: Costs, goal: Goal) -> InRounds:
    if asked.method == "grid":
        return grid(space, costs, goal, asked.trainings)
    if asked.method == "generator":
        rungs = ladder(recipe)
        return generate(space, costs, goal, asked.trainings, recipe.seed, rungs)
    sampler = SAMPLERS[asked.method](recipe.seed)
    return sample(space, costs, goal, asked.trainings, sampler)


def read_asked(
    method: str, options: Mapping[str, Any], limits: Mapping[str, float | None]
) -> Asked | None:
    """Return what the command line asks for, None for Phase I; an option not given is None.

    Args:
        method: its name.
        options: trainings, blocks, keep and cost.
        limits: of costs, by name.

    Raises:
        RecipeError: an option is not what it may be, or says nothing to Phase I.
    """
    if method == PHASE_1["method"]:
        named = {**options, **{f"max-{name}": most for name, most in limits.items()}}
        if unread := [name for name, value in named.items() if value is not None]:
            raise RecipeError(
                f"--{unread[0]} says nothing to --method {method}",
                remedy=f"remove it, or give --method {' or '.join(METHODS)}",
            )
        return None
    if method not in METHODS:
        allowed = ", ".join(("phase1", *METHODS))
        raise RecipeError("--method", given=repr(method), allowed=allowed)
    asked = Asked(method, limits={name: one for name, one in limits.items() if one is not None})
    if options["trainings"] is not None:
        asked = replace(asked, trainings=options["trainings"])
    if options["blocks"] is not None:
        asked = replace(asked, blocks=choices(options["blocks"], BLOCK_SIZES, "--blocks"))
    if options["keep"] is not None:
        asked = replace(asked, keeps=_shares(options["keep"]))
    if options["cost"] is not None:
        if options["cost"] not in COSTS:
            given = repr(options["cost"])
            raise RecipeError("--cost", given=given, allowed=", ".join(COSTS))
        asked = replace(asked, cost=options["cost"])
    return asked


def _shares(text: str) -> list[float]:
    """Return the shares of a list such as ``"1,0.5,0.25"``, each once."""
    found: dict[float, None] = {}
    for word in text.split(","):
        try:
            share = float(word)
        except ValueError:
            share = 0.0
        if not 0 < share <= 1:
            allowed = "a list of shares above 0 and up to 1"
            raise RecipeError("--keep", given=repr(word.strip()), allowed=allowed)
        found[share] = None
    return list(found)
