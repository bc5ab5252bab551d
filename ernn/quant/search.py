"""Search the fewest bits, and the fewest activation segments, within a bound on accuracy.

The policy, in words. Each of the four settings is swept alone, from its finest value to its
coarsest, with the other three at their finest; it can go as far as the last value before the first
that breaks the bound (a lucky one behind that does not count). Losses add up, so the four ends
are then tried together: while the bound is broken, the setting whose next finer value gives the
best accuracy takes one step back; between equals the one that saves least hardware.

What is within the bound is decided by the score alone, on the development set.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ernn.errors import BoundError
from ernn.recipe import QuantizationRecipe
from ernn.score import Score

Value = int | float
Evaluate = Callable[[QuantizationRecipe], "Trial"]
Progress = Callable[[int, int], None]

# Finest first; the segments follow from the error (see ernn.graphs.activation).
ACTIVATION_ERRORS = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2, 6.4e-2)
# In the order in which a step back is cheapest: a table entry, a state memory, an FFT and an
# operand of every multiplier, every stored weight.
SETTINGS = ("activation_error", "state_bits", "activation_bits", "weight_bits")


@dataclass(frozen=True)
class Trial:
    """One choice of the four settings and its score."""

    recipe: QuantizationRecipe
    score: Score
    segments: int  # of sigmoid and tanh together


@dataclass(frozen=True)
class Search:
    """What was tried, and what was chosen."""

    reference: Score  # of the dense model
    bound: float
    sweeps: dict[str, tuple[Trial, ...]]  # by setting, finest first
    alone: dict[str, Value]  # how far each can go alone
    joint: tuple[Trial, ...]  # tried together, in this order; the last one is the choice

    @property
    def chosen(self) -> QuantizationRecipe:
        """The recipe with the settings that were found."""
        return self.joint[-1].recipe

    def within(self, trial: Trial) -> bool:
        """Tell whether a trial's loss against the reference is within the bound."""
        return self.reference.measure.loss(trial.score.value - self.reference.value) <= self.bound


def search(
    recipe: QuantizationRecipe,
    reference: Score,
    bound: float,
    evaluate: Evaluate,
    progress: Progress | None = None,
) -> Search:
    """Find the coarsest settings whose loss of accuracy is within a bound.

    Args:
        recipe: with the range of bits; what is not searched stays as it is.
        reference: score of the dense model on the sequences that `evaluate` judges by.
        bound: allowed loss against it.
        evaluate: from a recipe to the trial of its integer model.
        progress: called with (trials of the sweeps done, all of them).

    Raises:
        BoundError: the finest settings break the bound.
    """
    return _Searcher(recipe, reference, bound, evaluate, progress).run()


class _Searcher:
    """The search while it runs; no recipe is evaluated twice."""

    def __init__(
        self,
        recipe: QuantizationRecipe,
        reference: Score,
        bound: float,
        evaluate: Evaluate,
        progress: Progress | None,
    ) -> None:
        self.recipe, self.reference, self.bound = recipe, reference, bound
        self.evaluate, self.progress = evaluate, progress
        self.ladders: dict[str, tuple[Value, ...]] = {
            name: tuple(range(recipe.search_bits_max, recipe.search_bits_min - 1, -1))
            for name in SETTINGS
        }
        self.ladders["activation_error"] = ACTIVATION_ERRORS
        self.finest: dict[str, Value] = {name: ladder[0] for name, ladder in self.ladders.items()}
        self.trials: dict[tuple[Value, ...], Trial] = {}

    def run(self) -> Search:
        """Sweep, then join."""
        self._require_bound()
        sweeps = {name: self._sweep(name) for name in SETTINGS}
        alone = {name: self._last_within(name, sweeps[name]) for name in SETTINGS}
        joint = self._joint(alone)
        return Search(self.reference, self.bound, sweeps, alone, joint)

    def _trial(self, values: dict[str, Value]) -> Trial:
        key = tuple(values[name] for name in SETTINGS)
        if key not in self.trials:
            self.trials[key] = self.evaluate(self.recipe.model_copy(update=values))
        return self.trials[key]

    def _loss(self, trial: Trial) -> float:
        return self.reference.measure.loss(trial.score.value - self.reference.value)

    def _within(self, trial: Trial) -> bool:
        return self._loss(trial) <= self.bound

    def _sweep(self, name: str) -> tuple[Trial, ...]:
        """Try every value of one setting, the others at their finest."""
        trials = []
        for value in self.ladders[name]:
            trials.append(self._trial(self.finest | {name: value}))
            if self.progress:
                # The finest trial is in every sweep, but is done once.
                total = 1 + sum(len(ladder) - 1 for ladder in self.ladders.values())
                self.progress(len(self.trials), total)
        return tuple(trials)

    def _require_bound(self) -> None:
        """Refuse a bound that is broken before a single bit is saved."""
        finest = self._trial(self.finest)
        if not self._within(finest):
            loss, measure = self._loss(finest), self.reference.measure
            raise BoundError(
                f"with {self.recipe.search_bits_max} bits everywhere the integer model has "
                f"{measure.a} of {measure.figure(finest.score.value)} on the development "
                f"set, {measure.change(loss)} worse than the dense model and more than "
                f"[task] bound = {self.bound}",
                remedy=f"a bound of {measure.number(measure.rounded_up(loss))} is met: raise it, "
                "use smaller blocks or train longer",
            )

    def _last_within(self, name: str, sweep: tuple[Trial, ...]) -> Value:
        """Return the last value before the first that breaks the bound."""
        last = self.ladders[name][0]
        for value, trial in zip(self.ladders[name], sweep, strict=True):
            if not self._within(trial):
                break
            last = value
        return last

    def _joint(self, start: dict[str, Value]) -> tuple[Trial, ...]:
        """Step back from the ends of the sweeps until the bound is met."""
        values, joint = dict(start), [self._trial(start)]
        while not self._within(joint[-1]):
            steps = [
                values | {name: self.ladders[name][self.ladders[name].index(values[name]) - 1]}
                for name in SETTINGS
                if values[name] != self.finest[name]
            ]
            values = min(steps, key=lambda step: self._loss(self._trial(step)))
            joint.append(self._trial(values))
        return tuple(joint)
