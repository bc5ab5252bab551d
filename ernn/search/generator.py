"""The search by a generator: propose, plan, train for a short time, promote what is promising.

A round has the steps of arXiv:2012.13801. Predictors learn from the trials and plans so far. The
generator takes many cheap steps of REINFORCE against them: its reward is the score that a candidate
may reach, less what it costs beyond the budget that it was written for and beyond the user's
limits. What it then proposes is planned, and of what the part holds those are trained that would
add most to the hypervolume of the front. Trainings climb a ladder: a quarter of the recipe's
updates for all, then all of the updates for the better half.

All of it follows from the scores and a seed: asked again, it does the same.
"""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import replace
from math import log

import numpy as np

from ernn.errors import PlanError
from ernn.recipe import Recipe
from ernn.search.candidate_space import Space
from ernn.search.candidates import LADDER, Candidate
from ernn.search.controller import Controller
from ernn.search.costs import COSTS, Cost
from ernn.search.front import Goal, Place, conclude, front_of, hypervolume
from ernn.search.policy import Ask, InRounds
from ernn.search.predictors import Predictor, lessons

BATCH = 8  # candidates that begin to climb the ladder together
STEPS = 40  # of the controller between two rounds
POOL = 64  # what it proposes then
PLANNED = 2  # times as many are planned as are trained
ATTEMPTS = 60  # draws at random, for one that is new and that the part holds
PENALTY = 2.0  # of a cost e times the budget, in spreads of the loss
BASELINE = "what every loss is measured against"


def ladder(recipe: Recipe) -> tuple[int, ...]:
    """Return the rungs: models that are not begun from the dense one are trained in full."""
    return (1,) if recipe.compression.method == "direct" else LADDER


def first_candidates(
    space: Space, costs: Callable[[Candidate], Cost], count: int, rng: np.random.Generator
) -> list[Candidate]:
    """Return candidates at random that the part holds, and the smallest one of the space.

    Raises:
        PlanError: the planner refuses all that were drawn, and the smallest one too.
    """
    found = {space.smallest: None} if not costs(space.smallest).missing else {}
    for _ in range(ATTEMPTS):
        if len(found) >= count:
            break
        candidate = space.draw(rng)
        if candidate.compressed and not costs(candidate).missing:
            found[candidate] = None
    if not found:
        raise PlanError(
            f"the planner refuses every point of the space that was tried, {ATTEMPTS} and the "
            "smallest",
            given=costs(space.smallest).missing,
            remedy="give other --blocks or --keep, fewer bits or a larger --part",
        )
    return list(found)


def generate(
    space: Space,
    costs: Callable[[Candidate], Cost],
    goal: Goal,
    trainings: float,
    seed: int,
    rungs: Sequence[int] = LADDER,
) -> InRounds:
    """Search; a procedure of `ernn.search.policy.Rounds`.

    Args:
        space: to search.
        costs: of its candidates.
        goal: what is asked for.
        trainings: to spend, in full ones.
        seed: of all that is drawn.
        rungs: of the ladder, one in so many updates each, the full training last.
    """
    return (yield from _Search(space, costs, goal, trainings, seed, rungs).run())


class _Search:
    def __init__(
        self,
        space: Space,
        costs: Callable[[Candidate], Cost],
        goal: Goal,
        trainings: float,
        seed: int,
        rungs: Sequence[int],
    ) -> None:
        self.space, self.goal, self.left, self.seed = space, goal, trainings, seed
        self.rungs = rungs
        self.rng = np.random.default_rng(seed)
        self.controller = Controller(space, seed)
        self.plan = costs
        self.scores: dict[Candidate, float] = {}
        self.planned: dict[Candidate, Cost] = {}
        self.asked: list[Candidate] = []

    def run(self) -> InRounds:
        """Rounds until the trainings are spent."""
        yield from self._train([self.space.dense], BASELINE)
        self._cost(self.space.dense)
        while count := self._affordable():
            picked = self._propose(count)
            if not picked:
                break  # nothing new is left
            for rung in self.rungs:
                why = f"1/{rung} of its updates" if rung > 1 else "trained in full"
                yield from self._train([replace(c, fraction=rung) for c in picked], why)
                self.left -= len(picked) / rung
                picked = self._promoted(picked, rung)
        losses = {c: self.goal.measure.loss(s) for c, s in self.scores.items()}
        learned = tuple(lessons(self.space, losses, self.goal.measure))
        return conclude(self.goal, self.space.dense, self.scores, self._cost, self.asked, learned)

    def _train(
        self, candidates: Sequence[Candidate], why: str
    ) -> Generator[Sequence[Ask], list[float], None]:
        scores = yield [Ask(candidate, why) for candidate in candidates]
        self.scores |= dict(zip(candidates, scores, strict=True))
        self.asked += candidates

    def _affordable(self) -> int:
        """Return how many candidates may begin to climb with the trainings that are left."""

        def spent(count: int) -> float:
            return sum(max(1, count >> place) / rung for place, rung in enumerate(self.rungs))

        return next((n for n in range(BATCH, 0, -1) if spent(n) <= self.left + 1e-9), 0)

    def _cost(self, candidate: Candidate) -> Cost:
        full = candidate.full
        if full not in self.planned:
            self.planned[full] = self.plan(full)
        return self.planned[full]

    # What to train

    def _propose(self, count: int) -> list[Candidate]:
        """Return candidates that are new and that the part holds, the most promising first."""
        tried = {c.full for c in self.scores}
        if len(tried) == 1:
            return first_candidates(self.space, self._cost, count, self.rng)
        predicted = self._predictors()
        self.controller.learn(self._reward(*predicted), STEPS)
        pool = [c for c in dict.fromkeys(self.controller.propose(POOL)) if c not in tried]
        for candidate in self._best(pool, self._optimistic(pool, *predicted), PLANNED * count):
            self._cost(candidate)
        held = [c for c in self.planned if c not in tried and not self.planned[c].missing]
        held = [c for c in held if self.space.allows(c)]
        if not held:
            return self._at_random(count, tried)
        return self._best(held, self._optimistic(held, *predicted), count)

    def _at_random(self, count: int, tried: Collection[Candidate]) -> list[Candidate]:
        """Return candidates that are new and that the part holds, whatever is thought of them."""
        found: dict[Candidate, None] = {}
        for _ in range(ATTEMPTS):
            if len(found) == count:
                break
            candidate = self.space.draw(self.rng)
            if candidate not in tried and not self._cost(candidate).missing:
                found[candidate] = None
        return list(found)

    def _promoted(self, candidates: Sequence[Candidate], rung: int) -> list[Candidate]:
        """Return the half that is trained for longer: its scores, were they in full."""
        if rung == 1:
            return []
        gains = [
            self._loss(c) - self._loss(replace(c, fraction=rung))
            for c in self.scores
            if c.fraction == 1 and c.compressed and replace(c, fraction=rung) in self.scores
        ]
        gain = float(np.mean(gains)) if gains else 0.0
        places = [
            (self._cost(c).log(self.goal.cost), self._loss(replace(c, fraction=rung)) + gain)
            for c in candidates
        ]
        return self._best(candidates, places, max(1, len(candidates) // 2))

    def _loss(self, candidate: Candidate) -> float:
        return self.goal.measure.loss(self.scores[candidate])

    def _best(
        self, candidates: Sequence[Candidate], places: Sequence[Place], count: int
    ) -> list[Candidate]:
        """Return those that together add most to the front, were they at some places."""
        front = front_of(
            (self._cost(c).log(self.goal.cost), self._loss(c))
            for c in self.scores
            if c.fraction == 1 and self.goal.affords(self._cost(c))
        )
        left = dict(zip(candidates, places, strict=True))
        chosen: list[Candidate] = []
        while left and len(chosen) < count:
            candidate = max(left, key=lambda c: self._worth(c, left[c], front))
            chosen.append(candidate)
            front = front_of([*front, left.pop(candidate)])
        return chosen

    def _worth(
        self, candidate: Candidate, place: Place, front: Sequence[Place]
    ) -> tuple[float, float]:
        """Return what a candidate would add to a front, then how near to it it would be."""
        (low, high), worst = self._range(), max(map(self._loss, self.scores))
        best = min(map(self._loss, self.scores))
        wide, tall = high - low or 1.0, worst - best or 1.0
        corner = (high + wide / 20, worst + tall / 20)
        over = self._over(candidate)
        gained = hypervolume([*front, place], corner) - hypervolume(front, corner)
        behind = (place[0] - low) / wide + (place[1] - best) / tall
        return 0.0 if over else gained, -over - behind

    def _over(self, candidate: Candidate) -> float:
        """Return how far a candidate that was planned is beyond the user's limits."""
        cost = self.planned.get(candidate.full)
        if cost is None or cost.missing:
            return 0.0
        return self.goal.excess({name: cost.log(name) for name in COSTS})

    # What is thought of candidates

    def _range(self) -> tuple[float, float]:
        """Return the logarithms of the least and of the most cost that is looked at."""
        name = self.goal.cost
        able = [cost.log(name) for cost in self.planned.values() if not cost.missing]
        high = max(able)
        if name in self.goal.limits:
            high = min(high, log(self.goal.limits[name]))
        if self.goal.scored:  # cheaper than what meets the bound already
            limit = self.goal.limit(self.scores[self.space.dense])
            meeting = [
                self._cost(c).log(name)
                for c in self.scores
                if c.fraction == 1 and self.goal.affords(self._cost(c)) and self._loss(c) <= limit
            ]
            high = min([high, *meeting])
        return min(*able, high), high

    def _predictors(self) -> tuple[Predictor, dict[str, Predictor]]:
        """Return predictors of the loss and of the logarithms of the costs."""
        seed = self.seed + len(self.scores)
        losses = Predictor({c: self._loss(c) for c in self.scores}, seed)
        built = {c: cost for c, cost in self.planned.items() if not cost.missing}
        names = dict.fromkeys([self.goal.cost, *self.goal.limits])
        costs = {
            name: Predictor({c: cost.log(name) for c, cost in built.items()}, seed)
            for name in names
        }
        return losses, costs

    def _optimistic(
        self, candidates: Sequence[Candidate], losses: Predictor, costs: Mapping[str, Predictor]
    ) -> list[Place]:
        """Return where candidates may be: the cost as planned, or as predicted."""
        if not candidates:
            return []
        mean, unsure = losses(candidates)
        logs, _ = costs[self.goal.cost](candidates)
        for index, candidate in enumerate(candidates):
            cost = self.planned.get(candidate)
            if cost is not None and not cost.missing:
                logs[index] = cost.log(self.goal.cost)
        return list(zip(logs.tolist(), (mean - unsure).tolist(), strict=True))

    def _reward(
        self, losses: Predictor, costs: Mapping[str, Predictor]
    ) -> Callable[[Sequence[Candidate], np.ndarray], np.ndarray]:
        low, high = self._range()
        limits = {name: log(most) for name, most in self.goal.limits.items()}
        floor = -np.inf  # a score better than asked for is worth nothing more
        if self.goal.scored:
            floor = self.goal.limit(self.scores[self.space.dense])

        def reward(candidates: Sequence[Candidate], budgets: np.ndarray) -> np.ndarray:
            mean, unsure = losses(candidates)
            gained = -np.maximum(mean - unsure, floor) / losses.spread
            logs = {name: predictor(candidates)[0] for name, predictor in costs.items()}
            over = np.maximum(0.0, logs[self.goal.cost] - (low + budgets * (high - low)))
            for name, most in limits.items():
                over = over + np.maximum(0.0, logs[name] - most)
            return gained - PENALTY * over

        return reward
