"""What the search is worth: its trainings and its model beside an exhaustive grid's and TPE's.

    .venv/bin/python benchmarks/search.py benchmarks/small_search.toml --per-bound 1 2 4 --seed 1

All choose among the same models (cell, block size, block size outside the recurrent matrices) under
the same bound, on the development set, and share every training: the grid trains them all once, in
the folder of `ernn search`. A finished training is never repeated.

TPE is Optuna's sampler. It minimises the multiplications of a model within the bound, and the error
rate's distance from the bound of one that is not; trainings of a point that it proposes again are
not counted. It is run from several seeds, since it depends on them.
"""

import argparse
import statistics
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import optuna

from ernn.flow.chain import load_recipe
from ernn.recipe import Recipe
from ernn.search.bounds import Bounds, find_bounds, measure
from ernn.search.phase1 import phase_one
from ernn.search.policy import Bound, Verdict, replay
from ernn.search.search import TRIALS
from ernn.search.space import Point, dense, variant
from ernn.search.trial import Outcome, data, run_trial

TPE_SEEDS = 20
TPE_TRIALS = 60  # proposals at most; far fewer are new


class Models:
    """Every model of the space: its size, and its error rate as it is asked for."""

    def __init__(self, recipe: Recipe, out: Path) -> None:
        self.recipe, self.root = recipe, out / TRIALS
        task = data(recipe, self.root, lambda line: None)
        self.size_of = cache(lambda point: measure(recipe, point, task.features, task.outputs))
        self.bounds: Bounds = find_bounds(recipe, self.size_of)
        self.cells: tuple[str, ...] = ("lstm", "gru") if recipe.model.cell == "lstm" else ("gru",)
        block = max(2, self.bounds.lower)
        fitting = variant(recipe, Point(recipe.model.cell, block, block)).model
        self.trained = recipe.model_copy(update={"model": fitting})
        self.outcome = cache(lambda point: self._train(point))
        self.baseline = dense(recipe.model.cell)

    def _train(self, point: Point) -> Outcome:
        return run_trial(self.trained, point, self.root, lambda line: None)

    def grid(self) -> Iterator[Point]:
        """Yield every compressed model of the space that the part can hold."""
        for cell in self.cells:
            for block in self.bounds.blocks:
                for wide in self.bounds.blocks:
                    point = Point(cell, block, wide)
                    if wide >= block and not self.size_of(point).missing:
                        yield point

    def within(self, point: Point, bound: Bound) -> bool:
        """Tell whether a model meets a bound."""
        return self.outcome(point).value <= bound.limit(self.outcome(self.baseline).value)

    def work(self, point: Point) -> int:
        """Return a model's multiplications per frame."""
        return self.size_of(point).multiplications


def by_grid(models: Models, bound: Bound) -> tuple[Point | None, int]:
    """Return the smallest model within the bound, and the trainings: all, and the dense one."""
    points = list(models.grid())
    meeting = [point for point in points if models.within(point, bound)]
    return min(meeting, key=models.work, default=None), len(points) + 1


def by_search(models: Models, bound: Bound) -> tuple[Point | None, int]:
    """Return the model that `ernn search` finds, and its trainings."""
    known: dict[Point, float] = {}
    while True:
        policy = phase_one(models.recipe.model.cell, models.bounds, bound, models.size_of)
        ask, _ = replay(policy, known)
        if isinstance(ask, Verdict):
            return ask.chosen, len(known)
        known[ask.point] = models.outcome(ask.point).value


def by_tpe(models: Models, bound: Bound, seed: int, trainings: int) -> Point | None:
    """Return the smallest model within the bound that TPE meets in so many trainings."""
    blocks, limit = models.bounds.blocks, bound.limit(models.outcome(models.baseline).value)
    worst = models.work(models.baseline)
    tried: set[Point] = set()

    def objective(trial: optuna.Trial) -> float:
        cell = models.cells[trial.suggest_int("cell", 0, len(models.cells) - 1)]
        first = trial.suggest_int("block", 0, len(blocks) - 1)
        second = trial.suggest_int("wide", 0, len(blocks) - 1)
        point = Point(cell, blocks[first], blocks[max(first, second)])
        if models.size_of(point).missing:
            return 2.0 * worst
        tried.add(point)
        if len(tried) >= trainings - 1:  # the dense model was the first
            trial.study.stop()
        above = models.outcome(point).value - limit
        return models.work(point) if above <= 0 else worst * (1 + above / 100)

    sampler = optuna.samplers.TPESampler(seed=seed)
    optuna.create_study(sampler=sampler).optimize(objective, n_trials=TPE_TRIALS)
    meeting = [point for point in tried if models.within(point, bound)]
    return min(meeting, key=models.work, default=None)


def told(models: Models, point: Point | None, best: Point | None) -> str:
    """Return a model with its size, and how far it is from the grid's."""
    if point is None or best is None:
        return "nothing within the bound"
    outcome, work = models.outcome(point), models.work(point)
    ratio = work / models.work(best)
    return f"{point}, {outcome.value:.2f} %, {work:,} multiplications, {ratio:.2f} x the grid's"


def compare(models: Models, bound: Bound) -> None:
    """Print what each method finds under one bound."""
    best, all_trainings = by_grid(models, bound)
    chosen, trainings = by_search(models, bound)
    print(f"\nbound: {bound}")
    print(f"  grid, {all_trainings} trainings: {told(models, best, best)}")
    print(f"  ernn search, {trainings} trainings: {told(models, chosen, best)}")
    found = [by_tpe(models, bound, seed, trainings) for seed in range(TPE_SEEDS)]
    sizes = [models.work(point) for point in found if point is not None]
    if not sizes or best is None:
        print(f"  TPE, {trainings} trainings, {TPE_SEEDS} seeds: nothing within the bound")
        return
    ratios = [size / models.work(best) for size in sizes]
    middle = statistics.median(ratios)
    print(
        f"  TPE, {trainings} trainings, {TPE_SEEDS} seeds: {len(sizes)} times something within the "
        f"bound, then {min(ratios):.2f} to {max(ratios):.2f} x the grid's, median {middle:.2f}"
    )


def main() -> None:
    """Train the grid and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipe")
    parser.add_argument("--per-bound", type=float, nargs="+", required=True, metavar="POINTS")
    parser.add_argument("--seed", type=int, help="of all trainings; the recipe's if not given")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    recipe = load_recipe(given.recipe)
    if given.seed is not None:
        recipe = recipe.model_copy(update={"seed": given.seed})
    out = (given.out or Path("out") / f"{recipe.name}-search-{recipe.seed}").resolve()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    models = Models(recipe, out)
    print(f"{recipe.name}, seed {recipe.seed}, {recipe.hardware.part}, development set")
    for line in models.bounds.in_words():
        print(line)
    for point in (models.baseline, *models.grid()):
        found = models.outcome(point)
        interval = f"[{found.low:.2f}, {found.high:.2f}]"
        print(f"{point}: {found.value:.2f} % {interval}, {models.work(point):,}", flush=True)
    for points in given.per_bound:
        compare(models, Bound(points))


if __name__ == "__main__":
    main()
