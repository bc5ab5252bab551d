"""What the generator is worth: hypervolume of its front at equal frames trained, beside others'.

    .venv/bin/python benchmarks/search_methods.py benchmarks/small_search.toml --blocks 1,4,8 \
        --keep 1,0.5 --trainings 10 30 --seeds 3 --minutes 60

The space is small enough to be trained as a whole, so that its true front is known. Every model is
trained at every rung of the ladder, in the folder of a search; a finished training is never
repeated. Each leaves one JSON in RESULTS. Then every method searches the trained space, which takes
seconds, and is judged by the hypervolume that its full trainings reach, as a share of the true
front's: loss against the logarithm of planned cycles, the corner at the worst model of the space.
`--minutes` ends the trainings early: rows that need what was not trained are printed as not run.
"""

import argparse
import json
import platform
import time
from dataclasses import replace
from pathlib import Path

from ernn.files import write_text
from ernn.flow.chain import load_recipe
from ernn.flow.explore import choices
from ernn.recipe import BLOCK_SIZES, Recipe
from ernn.search.candidate_space import Space
from ernn.search.candidates import LADDER, Candidate
from ernn.search.costs import Cost, plan
from ernn.search.front import Goal, hypervolume
from ernn.search.generator import generate
from ernn.search.policy import InRounds, Rounds, Verdict
from ernn.search.samplers import SAMPLERS, sample
from ernn.search.search import TRIALS
from ernn.search.trial import data, run_trial

METHODS = ("generator", *SAMPLERS)


class NotTrained(Exception):
    """A search asked for a model that was not trained."""


class Table:
    """Every model of the space, as far as it was trained."""

    def __init__(self, recipe: Recipe, given: argparse.Namespace) -> None:
        self.recipe, self.trials, self.results = recipe, given.out / TRIALS, given.results
        task = data(recipe, self.trials, lambda line: None)
        self.sizes, self.measure = (task.features, task.outputs), task.measure
        keeps = [float(word) for word in given.keep.split(",")]
        blocks = choices(given.blocks, BLOCK_SIZES, "--blocks")
        self.space = Space(recipe, *self.sizes, blocks, keeps)
        self.goal = Goal(measure=self.measure)
        fitting = self.space.smallest.applied(recipe).model
        self.fitting = recipe.model_copy(update={"model": fitting})
        self.rows = {row["name"]: row for row in map(_read, sorted(self.results.glob("*.json")))}

    def train(self, candidate: Candidate) -> None:
        """Train and plan a model, if nobody has."""
        if candidate.name in self.rows:
            return
        full = self.rows.get(candidate.full.name)
        cost = (
            Cost(**full["cost"]) if full else plan(candidate.full.applied(self.recipe), *self.sizes)
        )
        score = None
        if not cost.missing or candidate == self.space.dense:
            score = run_trial(self.fitting, candidate, self.trials, lambda line: None).value
        row = {
            "name": candidate.name,
            "score": score,
            "measure": self.measure.name,
            "cost": {key: value for key, value in vars(cost).items() if value != float("inf")},
            "recipe": self.recipe.name,
            "part": self.recipe.hardware.part,
            "machine": platform.machine(),
            "command": "benchmarks/search_methods.py",
        }
        write_text(self.results / f"{candidate.name}.json", json.dumps(row, indent=1) + "\n")
        self.rows[candidate.name] = row

    def cost(self, candidate: Candidate) -> Cost:
        """Return a model's cost."""
        if candidate.full.name not in self.rows:
            raise NotTrained(candidate.full.name)
        return Cost(**self.rows[candidate.full.name]["cost"])

    def score(self, candidate: Candidate) -> float:
        """Return a model's score."""
        if candidate.name not in self.rows:
            raise NotTrained(candidate.name)
        return float(self.rows[candidate.name]["score"])

    def volume(self, candidates: list[Candidate]) -> float:
        """Return the hypervolume of some models."""
        every = [c for c in (self.space.dense, *self.space) if not self.cost(c).missing]
        places = {c: self.goal.place(self.score(c), self.cost(c)) for c in every}
        corner = (max(x for x, _ in places.values()), max(y for _, y in places.values()))
        return hypervolume([places[c] for c in candidates if c in places], corner)


def _read(path: Path) -> dict:
    found: dict = json.loads(path.read_text())
    return found


def found_by(table: Table, procedure: InRounds) -> list[Candidate]:
    """Return the full trainings of a search."""
    policy, known = Rounds(procedure), {}
    while not isinstance(asks := policy.wants(known), Verdict):
        known |= {ask.point: table.score(ask.point) for ask in asks}
    return [candidate for candidate in known if candidate.fraction == 1]


def procedure_of(table: Table, method: str, trainings: float, seed: int) -> InRounds:
    """Return a method's procedure; samplers learn of every score before they propose again."""
    if method == "generator":
        return generate(table.space, table.cost, table.goal, trainings, seed)
    sampler = SAMPLERS[method](seed)
    return sample(table.space, table.cost, table.goal, trainings, sampler, together=1)


def main() -> None:
    """Train the space and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipe")
    parser.add_argument("--blocks", default="1,4,8")
    parser.add_argument("--keep", default="1,0.5")
    parser.add_argument("--trainings", type=float, nargs="+", default=[10.0, 30.0])
    parser.add_argument("--seeds", type=int, default=3, help="Of each method.")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="Of new trainings.")
    parser.add_argument("--out", type=Path, default=Path("out/search_methods"))
    parser.add_argument("--results", type=Path, default=Path("out/search_methods/results"))
    given = parser.parse_args()
    given.out, given.results = given.out.resolve(), given.results.resolve()
    given.results.mkdir(parents=True, exist_ok=True)
    (given.out / "ernn.lock").touch()
    table = Table(load_recipe(given.recipe), given)
    wanted = [table.space.dense]
    every = [candidate for candidate in table.space if candidate.compressed]
    wanted += [replace(c, fraction=rung) for c in every for rung in reversed(LADDER)]
    ends = time.monotonic() + 60 * given.minutes
    for candidate in wanted:
        if time.monotonic() < ends:
            table.train(candidate)
    there = sum(candidate.name in table.rows for candidate in wanted)
    recipe = table.recipe
    print(f"{recipe.name}, {recipe.hardware.part}: {there} of {len(wanted)} models trained")
    print(f"{'trainings':>10} {'method':<10} hypervolume, % of the true front's, by seed")
    for trainings in given.trainings:
        for method in METHODS:
            shares = []
            for seed in range(given.seeds):
                try:
                    models = found_by(table, procedure_of(table, method, trainings, seed))
                    shares.append(f"{100 * table.volume(models) / table.volume(every):.1f}")
                except NotTrained:
                    shares.append("not run")
            print(f"{trainings:10g} {method:<10} {', '.join(shares)}")


if __name__ == "__main__":
    main()
