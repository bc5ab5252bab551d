"""Scores: what a model is judged by, how sure one can be of it, and what a change costs.

A score keeps what was counted in every sequence, so that its interval comes from drawing sequences
(or whoever they are from) anew, and the difference of two models from drawing the same ones for
both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ernn.errors import ShapeError

_DRAWS = 2000
_CONFIDENCE = 0.95
_PIECE = 4_000_000  # numbers drawn at a time


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Measure:
    """What a score measures: a ratio of what is counted in all sequences together."""

    name: str  # as a column is headed
    words: str  # in a sentence
    unit: str  # of a value
    step: str  # unit of a difference
    lower_is_better: bool
    counted: tuple[str, ...]  # figures of each sequence; their sum is divided
    over: str  # by this figure, which is also what the test set is measured in
    best: float
    worst: float
    factor: float = 1.0

    @property
    def a(self) -> str:
        """The measure in words, with its article."""
        return f"{'an' if self.words[0] in 'aeiou' else 'a'} {self.words}"

    def of(self, counted: np.ndarray, over: np.ndarray) -> np.ndarray:
        """Return the value of sums over sequences; both may be arrays of many sums."""
        return self.factor * counted / over

    def loss(self, difference: float) -> float:
        """Return how much worse a difference is; less than zero: better."""
        return difference if self.lower_is_better else -difference

    def worse_by(self, value: float, loss: float) -> float:
        """Return the value that is worse by a loss."""
        return value + loss if self.lower_is_better else value - loss

    def figure(self, value: float) -> str:
        """Return a value with its unit, for people."""
        return f"{value:.2f} {self.unit}".rstrip()

    def within(self, value: float, limit: float) -> bool:
        """Tell whether a value is at least as good as another."""
        return self.loss(value - limit) <= 0


PER = Measure(
    name="PER",
    words="phone error rate",
    unit="%",
    step="points",
    lower_is_better=True,
    counted=("substitutions", "deletions", "insertions"),
    over="phones",
    best=0.0,
    worst=100.0,
    factor=100.0,
)
ACCURACY = Measure(
    name="accuracy",
    words="accuracy",
    unit="%",
    step="points",
    lower_is_better=False,
    counted=("right",),
    over="decisions",
    best=100.0,
    worst=0.0,
    factor=100.0,
)
MEASURES = {measure.name: measure for measure in (PER, ACCURACY)}


@dataclass(frozen=True)
class Score:
    """A measure of every sequence of a split."""

    measure: Measure
    groups: tuple[str, ...]  # whoever each sequence is from
    figures: Mapping[str, np.ndarray]  # (N,) each: what the measure counts, and over what

    def __post_init__(self) -> None:
        expected = {*self.measure.counted, self.measure.over}
        sizes = {len(self.groups), *(len(figure) for figure in self.figures.values())}
        if self.figures.keys() != expected or len(sizes) != 1 or not self.over.sum() > 0:
            raise ShapeError(
                f"a score of {self.measure.name} needs {', '.join(sorted(expected))} of every "
                "sequence, and at least one sequence that counts"
            )

    @property
    def counted(self) -> np.ndarray:
        """What is counted in each sequence, all figures together (N,)."""
        return np.sum([self.figures[name] for name in self.measure.counted], axis=0)

    @property
    def over(self) -> np.ndarray:
        """What it is counted over (N,)."""
        return np.asarray(self.figures[self.measure.over])

    @property
    def value(self) -> float:
        """The score of all sequences together."""
        return float(self.measure.of(self.counted.sum(), self.over.sum()))

    def interval(self, seed: int = 0) -> Interval:
        """Return the score with its interval over other groups: groups are drawn anew."""
        names, group = np.unique(self.groups, return_inverse=True)
        counted = np.bincount(group, self.counted, len(names))
        over = np.bincount(group, self.over, len(names))
        values = [
            self.measure.of(times @ counted, times @ over) for times in _draws(len(names), seed)
        ]
        return Interval(self.value, *_ends(values))

    def minus(self, other: "Score", seed: int = 0) -> Interval:
        """Return this score minus another on the same sequences, which are drawn in pairs.

        Raises:
            ShapeError: the two are of different test sets, or measure different things.
        """
        self._require_alike(other)
        values = []
        for times in _draws(len(self.over), seed):
            over = times @ self.over
            mine, theirs = (self.measure.of(times @ one.counted, over) for one in (self, other))
            values.append(mine - theirs)
        return Interval(self.value - other.value, *_ends(values))

    def loss(self, other: "Score", seed: int = 0) -> Interval:
        """Return how much worse this score is than another, paired; less than zero: better."""
        found, loss = self.minus(other, seed), self.measure.loss
        low, high = sorted((loss(found.low), loss(found.high)))
        return Interval(loss(found.value), low, high)

    def _require_alike(self, other: "Score") -> None:
        if self.measure != other.measure:
            raise ShapeError(
                f"{self.measure.name} and {other.measure.name} cannot be compared",
                remedy="measure both models in the same way",
            )
        if self.groups != other.groups or not np.array_equal(self.over, other.over):
            raise ShapeError(
                f"scores of {len(self.over)} and {len(other.over)} sequences are of different "
                "test sets",
                remedy="compare models on the same one",
            )


def _draws(units: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each unit is drawn, (draws, units), in pieces of some megabytes."""
    rng, left = np.random.default_rng(seed), _DRAWS
    while left:
        draws = min(left, max(1, _PIECE // units))
        yield rng.multinomial(units, np.full(units, 1 / units), draws)
        left -= draws


def _ends(values: list[np.ndarray]) -> tuple[float, float]:
    tail = 50 * (1 - _CONFIDENCE)
    low, high = np.percentile(np.concatenate(values), [tail, 100 - tail])
    return float(low), float(high)
