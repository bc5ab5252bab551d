"""What the generator is compared with: a grid of the space, and Optuna's samplers.

Samplers see the same space, matrix by matrix, and the same planner: what the part cannot hold is
not trained, and what was trained is not trained again. All their trainings are full ones.
"""

from collections.abc import Callable, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import TrialState

from ernn.errors import PlanError
from ernn.search.candidate_space import Space
from ernn.search.candidates import Candidate
from ernn.search.costs import Cost
from ernn.search.front import Goal, conclude
from ernn.search.generator import BASELINE
from ernn.search.policy import Ask, InRounds, Verdict
from ernn.search.predictors import lessons

PROPOSALS = 100  # in a row at most, for one that is new and that the part holds
TOGETHER = 4  # trainings of a round
GENERATION = 8  # of NSGA-II: Optuna's own 50 is more than a search can train
WHY = "trained in full"

SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed, multivariate=True),
    "nsga2": lambda seed: NSGAIISampler(seed=seed, population_size=GENERATION),
    "random": lambda seed: RandomSampler(seed=seed),
}


def grid(
    space: Space, costs: Callable[[Candidate], Cost], goal: Goal, trainings: float
) -> InRounds:
    """Train every candidate that the part holds; a procedure of `ernn.search.policy.Rounds`.

    Args:
        space: to train.
        costs: of its candidates.
        goal: what is asked for.
        trainings: no more than this many are allowed.

    Raises:
        PlanError: the space has more candidates than that.
    """
    if space.size > trainings:
        raise PlanError(
            "a grid of the whole space",
            given=f"up to {space.size:,} trainings",
            allowed=f"--trainings {trainings:g}",
            remedy="give fewer --blocks or --keep, more --trainings, or another --method",
        )
    scores = dict(zip([space.dense], (yield [Ask(space.dense, BASELINE)]), strict=True))
    every = [c for c in space if c.compressed and not costs(c).missing]
    if every:
        found = yield [Ask(candidate, WHY) for candidate in every]
        scores |= dict(zip(every, found, strict=True))
    return _end(space, costs, goal, scores)


def sample(
    space: Space,
    costs: Callable[[Candidate], Cost],
    goal: Goal,
    trainings: float,
    sampler: BaseSampler,
    together: int = TOGETHER,
) -> InRounds:
    """Train what a sampler of Optuna proposes; a procedure of `ernn.search.policy.Rounds`.

    Args:
        space: to search.
        costs: of its candidates.
        goal: what is asked for.
        trainings: to spend.
        sampler: new, so that it proposes the same again.
        together: trainings that it proposes before it learns of their scores.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(directions=["minimize", "minimize"], sampler=sampler)
    choices: dict[str, BaseDistribution] = {
        name: CategoricalDistribution([str(choice) for choice in found])
        for name, found in space.matrices.items()
    }
    named = {str(choice): choice for found in space.matrices.values() for choice in found}
    scores = dict(zip([space.dense], (yield [Ask(space.dense, BASELINE)]), strict=True))
    left = int(trainings)
    while left:
        trials: dict[Candidate, optuna.Trial] = {}
        for _ in range(PROPOSALS):
            if len(trials) == min(left, together):
                break
            trial = study.ask(choices)
            pairs = tuple((name, named[trial.params[name]]) for name in space.matrices)
            candidate = Candidate(space.cell, pairs)
            if candidate in scores and not costs(candidate).missing:
                study.tell(trial, goal.place(scores[candidate], costs(candidate)))
            elif candidate in trials or not space.allows(candidate) or costs(candidate).missing:
                study.tell(trial, state=TrialState.FAIL)
            else:
                trials[candidate] = trial
        if not trials:
            break  # the sampler comes back to what is known
        found = yield [Ask(candidate, WHY) for candidate in trials]
        for (candidate, trial), score in zip(trials.items(), found, strict=True):
            scores[candidate] = score
            study.tell(trial, goal.place(score, costs(candidate)))
        left -= len(trials)
    return _end(space, costs, goal, scores)


def _end(
    space: Space,
    costs: Callable[[Candidate], Cost],
    goal: Goal,
    scores: dict[Candidate, float],
) -> Verdict:
    losses = {c: goal.measure.loss(score) for c, score in scores.items()}
    learned: Sequence[str] = tuple(lessons(space, losses, goal.measure))
    return conclude(goal, space.dense, scores, costs, list(scores), learned)
