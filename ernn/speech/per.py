"""Phone error rate: edit distance, and how sure one can be of the result."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ernn.errors import CorpusError, ShapeError

_DRAWS = 2000
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A value in percent or percentage points, with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ErrorRate:
    """Errors of every utterance of a test set."""

    speakers: tuple[str, ...]  # of each utterance
    lengths: np.ndarray  # (N,) phones of each reference
    edits: np.ndarray  # (N, 3) substitutions, deletions and insertions

    @property
    def errors(self) -> np.ndarray:
        """Edits of each utterance, of all three kinds."""
        return self.edits.sum(1)

    @property
    def percent(self) -> float:
        """The phone error rate: all edits over all reference phones."""
        return float(100 * self.errors.sum() / self.lengths.sum())

    def interval(self, seed: int = 0) -> Interval:
        """Return the rate with its interval over other speakers: speakers are drawn anew."""
        names, speaker = np.unique(self.speakers, return_inverse=True)
        errors = np.bincount(speaker, self.errors, len(names))
        lengths = np.bincount(speaker, self.lengths, len(names))
        low, high = _bootstrap(errors, lengths, seed)
        return Interval(self.percent, low, high)

    def minus(self, other: "ErrorRate", seed: int = 0) -> Interval:
        """Return this rate minus another on the same utterances, which are drawn in pairs.

        Raises:
            ShapeError: the two rates are of different test sets.
        """
        if self.speakers != other.speakers or not np.array_equal(self.lengths, other.lengths):
            raise ShapeError(
                f"rates of {len(self.lengths)} and {len(other.lengths)} utterances are of "
                "different test sets; compare models on the same one"
            )
        low, high = _bootstrap(self.errors - other.errors, self.lengths, seed)
        return Interval(self.percent - other.percent, low, high)


def error_rate(
    references: Sequence[np.ndarray], hypotheses: Sequence[np.ndarray], speakers: Sequence[str]
) -> ErrorRate:
    """Compare recognised phone sequences with the reference ones, utterance by utterance.

    Raises:
        CorpusError: there is no utterance, or a reference is empty.
    """
    lengths = np.array([len(reference) for reference in references], np.int64)
    if not len(lengths) or not lengths.all():
        raise CorpusError("an error rate needs at least one utterance and no empty reference")
    pairs = zip(references, hypotheses, strict=True)
    edits = np.array([count_edits(reference, hypothesis) for reference, hypothesis in pairs])
    return ErrorRate(tuple(speakers), lengths, edits)


def count_edits(reference: np.ndarray, hypothesis: np.ndarray) -> tuple[int, int, int]:
    """Return the substitutions, deletions and insertions of a cheapest alignment."""
    reference, hypothesis = np.asarray(reference), np.asarray(hypothesis)
    across = np.arange(len(hypothesis) + 1)
    table = np.empty((len(reference) + 1, len(hypothesis) + 1), np.int64)
    table[0] = across
    for row, phone in enumerate(reference, start=1):
        above = table[row - 1]
        best = above + 1  # a deletion
        best[1:] = np.minimum(best[1:], above[:-1] + (hypothesis != phone))
        table[row] = np.minimum.accumulate(best - across) + across  # and insertions along the row
    return _trace_back(table, reference, hypothesis)


def _trace_back(
    table: np.ndarray, reference: np.ndarray, hypothesis: np.ndarray
) -> tuple[int, int, int]:
    substitutions = deletions = insertions = 0
    row, column = len(reference), len(hypothesis)
    while row and column:
        wrong = int(reference[row - 1] != hypothesis[column - 1])
        if table[row, column] == table[row - 1, column - 1] + wrong:
            row, column, substitutions = row - 1, column - 1, substitutions + wrong
        elif table[row, column] == table[row - 1, column] + 1:
            row, deletions = row - 1, deletions + 1
        else:
            column, insertions = column - 1, insertions + 1
    return substitutions, deletions + row, insertions + column


def _bootstrap(errors: np.ndarray, lengths: np.ndarray, seed: int) -> tuple[float, float]:
    """Return the interval of 100 * sum(errors) / sum(lengths) when units are drawn anew."""
    rng = np.random.default_rng(seed)
    # How often each unit is drawn: (draws, units), in one piece of at most a few megabytes.
    times = rng.multinomial(len(errors), np.full(len(errors), 1 / len(errors)), _DRAWS)
    rates = 100 * (times @ errors) / (times @ lengths)
    tail = 50 * (1 - _CONFIDENCE)
    low, high = np.percentile(rates, [tail, 100 - tail])
    return float(low), float(high)
