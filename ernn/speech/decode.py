"""From frame scores to a phone sequence: a phone bigram and Viterbi's algorithm."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ernn.edits import collapse
from ernn.errors import CorpusError, ShapeError

_SMOOTHING = 0.5  # added to every count
_MOST_NUMBERS = 2**25  # at a time: scores of frames, or ways from phone to phone; 128 MiB


@dataclass(frozen=True)
class Weights:
    """How much each part of a path's score counts.

    Chosen on the synthetic corpus (a dense GRU, 20 ms frames): acoustic 0.5 to 1 and prior 0.25 to
    1 differ by half a point on the development set. A bonus per phone gained nothing beyond.
    """

    acoustic: float = 0.7  # neighbouring frames are not independent: each counts less than 1
    prior: float = 0.5  # log posterior - prior * log prior, between posterior and likelihood


@dataclass(frozen=True)
class PhoneModel:
    """What training labels say about the L phones of a corpus before anything is heard."""

    prior: np.ndarray  # (L,) log probability of each phone in a frame
    start: np.ndarray  # (L,) log probability of each phone in the first frame
    stay: np.ndarray  # (L,) log probability that the next frame holds the same phone
    bigram: np.ndarray  # (L, L) log probability of each phone after each other one

    @classmethod
    def fit(cls, labels: Sequence[np.ndarray], size: int) -> "PhoneModel":
        """Count frames, durations and pairs in the frame labels of training utterances.

        Args:
            labels: (T,) indices of phones for each utterance.
            size: L, the number of phones that there are.

        Raises:
            CorpusError: there are no labels.
        """
        if not labels or not all(len(utterance) for utterance in labels):
            raise CorpusError(
                "a phone model needs labels", remedy="give a training split that is not empty"
            )
        frames = np.bincount(np.concatenate(labels), minlength=size) + _SMOOTHING
        first = np.bincount([utterance[0] for utterance in labels], minlength=size) + _SMOOTHING
        pairs = np.zeros((size, size))
        for utterance in labels:
            np.add.at(pairs, (utterance[:-1], utterance[1:]), 1)
        same = np.diag(pairs)
        changes = pairs - np.diag(same) + _SMOOTHING * (1 - np.eye(size))
        stay = (same + _SMOOTHING) / (same + changes.sum(1) + _SMOOTHING)
        with np.errstate(divide="ignore"):  # no phone follows itself: log 0 on the diagonal
            bigram = np.log(changes / changes.sum(1, keepdims=True))
        return cls(np.log(frames / frames.sum()), np.log(first / first.sum()), np.log(stay), bigram)

    def transitions(self) -> np.ndarray:
        """Return the log probability of going from each phone to each in one frame: (L, L)."""
        leave = np.log1p(-np.exp(self.stay))[:, None] + self.bigram
        return np.where(np.eye(len(self.stay), dtype=bool), self.stay, leave)


def decode(
    log_posteriors: Sequence[np.ndarray], model: PhoneModel, weights: Weights | None = None
) -> list[np.ndarray]:
    """Find each utterance's best phone sequence.

    Args:
        log_posteriors: (T, L) for each utterance; every row up to a constant.
        model: of the training labels.
        weights: of the parts of the score.

    Returns:
        (P,) int16 phone indices for each utterance.
    """
    weights = weights or Weights()
    size = len(model.prior)
    for scores in log_posteriors:
        if scores.ndim != 2 or scores.shape[1] != size or not np.isfinite(scores).all():
            raise ShapeError(
                f"scores of shape {scores.shape} cannot be decoded",
                remedy=f"give (T, {size}) finite numbers",
            )
    lengths = np.array([len(scores) for scores in log_posteriors], np.int64)
    # The longest first, so that the utterances still running are always the first ones.
    order = np.argsort(-lengths, kind="stable")
    decoded: list[np.ndarray] = [np.empty(0, np.int16)] * len(order)
    transitions = model.transitions()
    longest = int(lengths.max(initial=0))
    together = max(1, _MOST_NUMBERS // (size * max(size, longest)))
    for group in (order[n : n + together] for n in range(0, len(order), together)):
        scores = np.zeros((len(group), lengths[group[0]], size), np.float32)  # (B, T, L)
        for row, index in enumerate(group):
            heard = log_posteriors[index] - weights.prior * model.prior
            scores[row, : lengths[index]] = weights.acoustic * heard
        paths = _viterbi(scores, lengths[group], model.start, transitions)
        for row, index in enumerate(group):
            decoded[index] = collapse(paths[row, : lengths[index]])
    return decoded


def _viterbi(
    scores: np.ndarray, lengths: np.ndarray, start: np.ndarray, transitions: np.ndarray
) -> np.ndarray:
    """Return the best state of every frame, (B, T) int16; lengths must not rise."""
    batch, time, size = scores.shape
    into = np.ascontiguousarray(transitions.T, np.float32)  # [to, from]
    best = (start + scores[:, 0]).astype(np.float32) if time else np.empty((batch, size))
    back = np.zeros((time, batch, size), np.int16)
    for t in range(1, time):
        running = int(np.searchsorted(-lengths, -t, side="left"))  # utterances longer than t
        ways = best[:running, None, :] + into  # (running, to, from)
        choice = ways.argmax(2)
        back[t, :running] = choice
        reached = np.take_along_axis(ways, choice[..., None], 2)[..., 0]
        best[:running] = reached + scores[:running, t]
    paths = np.zeros((batch, time), np.int16)
    if time:
        paths[np.arange(batch), lengths - 1] = best.argmax(1)
    for t in range(time - 1, 0, -1):
        rows = np.arange(np.searchsorted(-lengths, -t, side="left"))
        paths[rows, t - 1] = back[t, rows, paths[rows, t]]
    return paths
