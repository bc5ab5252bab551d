"""What a search over every matrix is after: bounds, the front of score and cost, its hypervolume.

Losses here are scores turned so that less is better; costs are logarithms, since what is saved is a
share. A point of the front is one that no other beats in both.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log

from ernn.score import PER, Measure
from ernn.search.candidates import Candidate
from ernn.search.costs import COSTS, Cost
from ernn.search.policy import Bound, Verdict

Place = tuple[float, float]  # logarithm of the cost, loss


def front_of(places: Iterable[Place]) -> list[Place]:
    """Return the places that no other one beats, the cheapest first."""
    kept: list[Place] = []
    for place in sorted(places):
        if not kept or place[1] < kept[-1][1]:
            kept.append(place)
    return kept


def hypervolume(places: Iterable[Place], worst: Place) -> float:
    """Return the area between a front and a place that is worse than all of it."""
    inside = [place for place in places if place[0] < worst[0] and place[1] < worst[1]]
    area, above = 0.0, worst[1]
    for cost, loss in front_of(inside):
        area += (worst[0] - cost) * (above - loss)
        above = loss
    return area


@dataclass(frozen=True)
class Goal:
    """What is asked of a search; without any bound, the front alone."""

    cost: str = "cycles"  # what the front is over, beside the score
    limits: Mapping[str, float] = field(default_factory=dict)  # of costs, by name
    bound: Bound = field(default_factory=Bound)  # of the score
    measure: Measure = PER

    def excess(self, logs: Mapping[str, float]) -> float:
        """Return by how much logarithms of costs are above their limits, added up."""
        return sum(max(0.0, logs[name] - log(limit)) for name, limit in self.limits.items())

    def affords(self, cost: Cost) -> bool:
        """Tell whether a design exists and is within all limits."""
        limits = self.limits.items()
        return not cost.missing and all(getattr(cost, name) <= most for name, most in limits)

    def place(self, score: float, cost: Cost) -> Place:
        """Return where a trained candidate is."""
        return cost.log(self.cost), self.measure.loss(score)

    def limit(self, dense: float) -> float:
        """Return the largest loss allowed, given the dense model's score."""
        return self.measure.loss(self.bound.limit(dense))

    @property
    def scored(self) -> bool:
        """Whether the score has a bound."""
        return self.bound.loss is not None or self.bound.worst is not None

    def __str__(self) -> str:
        """Return what is asked for, in words."""
        told = [f"{limit:g} {COSTS[name]}" for name, limit in self.limits.items()]
        within = " and ".join(told + ([str(self.bound)] if self.scored else []))
        best = f"the fewest {COSTS[self.cost]}" if self.scored else f"the best {self.measure.words}"
        return f"{best} within {within}" if within else f"the front of score and {self.cost}"


def conclude(
    goal: Goal,
    baseline: Candidate,
    scores: Mapping[Candidate, float],
    costs: Callable[[Candidate], Cost],
    asked: Sequence[Candidate],
    lessons: Sequence[str] = (),
) -> Verdict:
    """Return the end of a search: its front, and the model that is asked for.

    Args:
        goal: what was asked for.
        baseline: the dense model, which may be on the front if the part holds it.
        scores: of all trials.
        costs: of candidates.
        asked: the path.
        lessons: what to tell beside it.
    """
    dense = scores[baseline]
    trained = {c: costs(c) for c in scores if c.fraction == 1}
    built = {c: cost for c, cost in trained.items() if not cost.missing}
    able = {c: goal.place(scores[c], cost) for c, cost in built.items() if goal.affords(cost)}
    on_front = set(front_of(able.values()))
    front = sorted((c for c in able if able[c] in on_front), key=lambda c: able[c])
    told = [f"{goal.measure.figure(dense)} of the dense model is what losses are against."]
    told += [
        f"On the front: {c}, {goal.measure.figure(scores[c])}, {figures(trained[c])}."
        for c in front
    ]
    limit = goal.limit(dense)
    meeting = [c for c in front if able[c][1] <= limit]
    failure, chosen = "", None
    if not able:
        failure = _unaffordable(goal, built)
    elif not meeting:
        best = min(able, key=lambda c: able[c][1])
        failure = (
            f"no model within the limits of the cost is within {goal.bound}: the nearest, {best}, "
            f"has {goal.measure.figure(scores[best])} at {figures(trained[best])}; raise the "
            "bound or a limit, or search longer (--trainings)"
        )
    else:
        chosen = meeting[0] if goal.scored else meeting[-1]
        told.append(f"Chosen: {chosen}.")
    told += [*lessons, *([f"{failure[0].upper()}{failure[1:]}."] if failure else [])]
    return Verdict(chosen, tuple(told), tuple(asked), failure, tuple(front))


def figures(cost: Cost) -> str:
    """Return a cost in words."""
    return (
        f"{cost.cycles:,.0f} cycles per frame, {cost.memory:,.0f} memory blocks, "
        f"{cost.energy:.3g} uJ"
    )


def _unaffordable(goal: Goal, built: Mapping[Candidate, Cost]) -> str:
    """Say what came nearest to the limits of the cost."""
    if not built:
        return "nothing was trained that the part can hold; search longer (--trainings)"

    def excess(candidate: Candidate) -> float:
        cost = built[candidate]
        return goal.excess({name: cost.log(name) for name in COSTS})

    nearest = min(built, key=excess)
    limits = " and ".join(f"{most:g} {COSTS[name]}" for name, most in goal.limits.items())
    return (
        f"no model of the search is within {limits}: the nearest, {nearest}, takes "
        f"{figures(built[nearest])}; raise the limit, or give larger --blocks or a smaller --keep"
    )
