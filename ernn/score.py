"""Scores: what a model is judged by, how sure one can be of it, and what a change costs.

A score keeps what was counted in every sequence, so that its interval comes from drawing sequences
(or whoever they are from) anew, and the difference of two models from drawing the same ones for
both.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

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


def ratio(counted: np.ndarray, over: np.ndarray) -> np.ndarray:
    """Return a share, or a mean."""
    return counted / over


def decibels(counted: np.ndarray, over: np.ndarray) -> np.ndarray:
    """Return a ratio of energies in dB; none is below -200 dB, so that it stays a number."""
    return 10 * np.log10(np.maximum(counted / over, 1e-20))


def area(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """Return the share of pairs in which the positive is told higher; equal ones count half.

    Both are counted in bins (..., K) of rising outputs: unlike pairs, bins add over sequences.
    """
    below = np.cumsum(negatives, -1) - negatives / 2
    return (positives * below).sum(-1) / (positives.sum(-1) * negatives.sum(-1))


@dataclass(frozen=True)
class Measure:
    """What a score measures: a function of what is counted in all sequences together."""

    name: str  # as a column is headed
    words: str  # in a sentence
    unit: str  # of a value
    step: str  # unit of a difference
    lower_is_better: bool
    counted: tuple[str, ...]  # figures of each sequence, which are added up
    over: str  # the figure that their sum is put in relation to
    best: float
    worst: float
    factor: float = 1.0
    form: Callable[[np.ndarray, np.ndarray], np.ndarray] = ratio
    countable: bool = True  # ``over`` is a number of things, in which the test set is told
    wide: bool = False  # values may be of any size, so that decimals say little

    @property
    def a(self) -> str:
        """The measure in words, with its article."""
        return f"{'an' if self.words[0] in 'aeiou' else 'a'} {self.words}"

    def of(self, counted: np.ndarray, over: np.ndarray) -> np.ndarray:
        """Return the value of sums over sequences; both may be arrays of many sums.

        It is NaN where the sequences have nothing to judge by.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.factor * self.form(counted, over)

    def loss(self, difference: float) -> float:
        """Return how much worse a difference is; less than zero: better."""
        return difference if self.lower_is_better else -difference

    def worse_by(self, value: float, loss: float) -> float:
        """Return the value that is worse by a loss."""
        return value + loss if self.lower_is_better else value - loss

    def number(self, value: float, sign: str = "") -> str:
        """Return a value or a loss for people: two decimals, or three digits."""
        return f"{value:{sign}{'.3g' if self.wide else '.2f'}}"

    def rounded_up(self, loss: float) -> float:
        """Return the least loss that `number` can tell and that is not below a loss."""
        size = 2 - floor(log10(abs(loss))) if self.wide and loss else 2
        return ceil(loss * 10.0**size) / 10.0**size

    def figure(self, value: float) -> str:
        """Return a value with its unit, for people."""
        return f"{self.number(value)} {self.unit}".rstrip()

    def change(self, difference: float, sign: str = "") -> str:
        """Return a difference with its unit, for people."""
        return f"{self.number(difference, sign)} {self.step}".rstrip()

    def within(self, value: float, limit: float) -> bool:
        """Tell whether a value is at least as good as another."""
        return self.loss(value - limit) <= 0


EDITS = ("substitutions", "deletions", "insertions")
_PERCENT: dict[str, Any] = {"unit": "%", "step": "points", "factor": 100.0}
_RATE: dict[str, Any] = {**_PERCENT, "lower_is_better": True, "best": 0.0, "worst": 100.0}
_SHARE: dict[str, Any] = {**_PERCENT, "lower_is_better": False, "best": 100.0, "worst": 0.0}
_LARGE = 1e30  # the worst of what has no end
_ERROR: dict[str, Any] = {
    **{"unit": "", "step": "", "lower_is_better": True},
    **{"best": 0.0, "worst": _LARGE, "wide": True},
}
_ENERGY: dict[str, Any] = {"counted": ("error_energy",), "over": "energy", "countable": False}

PER = Measure("PER", "phone error rate", counted=EDITS, over="phones", **_RATE)
ACCURACY = Measure("accuracy", "accuracy", counted=("right",), over="decisions", **_SHARE)
ERROR_RATE = Measure(
    "error rate", "error rate by edit distance", counted=EDITS, over="labels", **_RATE
)
AUC = Measure(
    "AUC",
    "area under the ROC curve",
    counted=("positives",),
    over="negatives",
    form=area,
    **_SHARE,
)
DIFFERENCE = Measure(
    "difference", "difference from the float network", **_ERROR | _PERCENT | _ENERGY
)
CHANGED = Measure(
    "changed decisions",
    "share of decisions that the float network takes otherwise",
    counted=("changed",),
    over="decisions",
    **_RATE,
)
MSE = Measure("MSE", "mean squared error", counted=("squared_error",), over="values", **_ERROR)
NMSE = Measure(
    "NMSE",
    "normalised mean squared error",
    unit="dB",
    step="dB",
    lower_is_better=True,
    best=-200.0,
    worst=300.0,
    form=decibels,
    **_ENERGY,
)
COSINE = Measure(
    "cosine distance", "mean cosine distance", counted=("distance",), over="vectors", **_ERROR
)
MEASURES = {
    one.name: one
    for one in (PER, ACCURACY, ERROR_RATE, AUC, DIFFERENCE, CHANGED, MSE, NMSE, COSINE)
}


def own_measure(name: str, lower_is_better: bool) -> Measure:
    """Return the mean over sequences of what a user's own function says of each."""
    best, worst = (-_LARGE, _LARGE) if lower_is_better else (_LARGE, -_LARGE)
    told = _ERROR | {"lower_is_better": lower_is_better, "best": best, "worst": worst}
    return Measure(name, f"own score {name}", counted=("value",), over="sequences", **told)


def measure_named(name: str, lower_is_better: bool) -> Measure:
    """Return the measure of a score that was kept.

    Raises:
        KeyError: there is none of that name; a user's own has a colon in it.
    """
    return own_measure(name, lower_is_better) if ":" in name else MEASURES[name]


@dataclass(frozen=True)
class Score:
    """A measure of every sequence of a split."""

    measure: Measure
    groups: tuple[str, ...]  # whoever each sequence is from
    figures: Mapping[str, np.ndarray]  # (N,) or in bins (N, K) each: what is counted, over what

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
        """What is counted in each sequence, all figures together."""
        return np.sum([self.figures[name] for name in self.measure.counted], axis=0, dtype=float)

    @property
    def over(self) -> np.ndarray:
        """What it is counted over."""
        return np.asarray(self.figures[self.measure.over], dtype=float)

    @property
    def value(self) -> float:
        """The score of all sequences together."""
        return float(self.measure.of(self.counted.sum(0), self.over.sum(0)))

    def interval(self, seed: int = 0) -> Interval:
        """Return the score with its interval over other groups: groups are drawn anew."""
        names, group = np.unique(self.groups, return_inverse=True)
        counted, over = (_added(one, group, len(names)) for one in (self.counted, self.over))
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
            mine, theirs = (
                self.measure.of(times @ one.counted, times @ one.over) for one in (self, other)
            )
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
        # Bins are a model's own; what they hold together is the test set's.
        mine, theirs = (one.over.reshape(len(one.groups), -1).sum(1) for one in (self, other))
        if self.groups != other.groups or not np.array_equal(mine, theirs):
            raise ShapeError(
                f"scores of {len(self.over)} and {len(other.over)} sequences are of different "
                "test sets",
                remedy="compare models on the same one",
            )


def _added(figure: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Return the sums of a figure over the sequences of each group."""
    sums = np.zeros((groups, *figure.shape[1:]))
    np.add.at(sums, group, figure)
    return sums


def _draws(units: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each unit is drawn, (draws, units), in pieces of some megabytes."""
    rng, left = np.random.default_rng(seed), _DRAWS
    while left:
        draws = min(left, max(1, _PIECE // units))
        yield rng.multinomial(units, np.full(units, 1 / units), draws)
        left -= draws


def _ends(values: list[np.ndarray]) -> tuple[float, float]:
    tail, drawn = 50 * (1 - _CONFIDENCE), np.concatenate(values)
    drawn = drawn[np.isfinite(drawn)]  # a draw may have nothing to judge by, such as one class
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return float(low), float(high)
