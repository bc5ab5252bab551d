"""Score any model on phones: the one place that knows about the delay of labels and the blank.

A model trained on frames with a label delay of d tells the phone of frame t at frame t + d, when
it has heard a little of what follows. A model trained with CTC chooses its own delay and has one
output more, the blank.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ernn.errors import ShapeError
from ernn.recipe import TrainingRecipe
from ernn.score import Score
from ernn.speech.ctc import Bigram, CtcWeights, beam_search, greedy
from ernn.speech.decode import PhoneModel, Weights, decode
from ernn.speech.per import error_rate
from ernn.speech.utterance import Split, Utterance, frame_labels


class Judge(Protocol):
    """Turns the outputs of a dense, compressed or integer model alike into an error rate."""

    def score(self, logits: Sequence[np.ndarray], utterances: Sequence[Utterance]) -> Score:
        """Decode a model's outputs and count the errors.

        Args:
            logits: (T, labels) for each utterance, as the model gives them.
            utterances: what the model was given.
        """
        ...


def fit_scorer(train: Split, training: TrainingRecipe, quick: bool = False) -> Judge:
    """Return what scores models that are trained as a recipe says.

    Args:
        train: the training split, for a phone bigram.
        training: its loss, and its label delay.
        quick: take the best path of a CTC model, without beam and bigram.

    Raises:
        CorpusError: the loss is of frames, and the split has no frame labels.
    """
    if training.loss == "ctc":
        return CtcScorer.fit(train, quick)
    return Scorer.fit(train, training.label_delay)


@dataclass(frozen=True)
class Scorer:
    """Scores models trained on frames: Viterbi with a phone bigram."""

    phones: PhoneModel
    label_delay: int
    weights: Weights = field(default_factory=Weights)

    @classmethod
    def fit(cls, train: Split, label_delay: int) -> "Scorer":
        """Fit the phone bigram on the training split.

        Raises:
            CorpusError: the split has no frame labels.
        """
        return cls(PhoneModel.fit(frame_labels(train), len(train.phones)), label_delay)

    def score(self, logits: Sequence[np.ndarray], utterances: Sequence[Utterance]) -> Score:
        """Decode a model's outputs and count the errors.

        Args:
            logits: (T, L) for each utterance, as the model gives them, delay included.
            utterances: what the model was given.
        """
        _require_lengths(logits, utterances)
        posteriors = [self._log_posteriors(rows) for rows in logits]
        decoded = decode(posteriors, self.phones, self.weights)
        return _rate(decoded, utterances)

    def _log_posteriors(self, logits: np.ndarray) -> np.ndarray:
        """Undo the delay and normalise: frame t gets what the model told at t + delay.

        The last `delay` frames, which the model has not told yet, repeat its last output.
        """
        told = np.minimum(np.arange(len(logits)) + self.label_delay, len(logits) - 1)
        shifted = logits[told] - logits[told].max(1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


@dataclass(frozen=True)
class CtcScorer:
    """Scores models trained with CTC: beam search with a phone bigram, or the best path."""

    bigram: Bigram | None  # None: the best path
    weights: CtcWeights = field(default_factory=CtcWeights)

    @classmethod
    def fit(cls, train: Split, quick: bool = False) -> "CtcScorer":
        """Fit the phone bigram on the training split, unless it is to be quick."""
        phones = [utterance.phones for utterance in train]
        return cls(None if quick else Bigram.fit(phones, len(train.phones)))

    def score(self, logits: Sequence[np.ndarray], utterances: Sequence[Utterance]) -> Score:
        """Decode a model's outputs and count the errors.

        Args:
            logits: (T, L + 1) for each utterance, the blank last.
            utterances: what the model was given.
        """
        _require_lengths(logits, utterances)
        if self.bigram is None:
            return _rate([greedy(rows) for rows in logits], utterances)
        return _rate([beam_search(rows, self.bigram, self.weights) for rows in logits], utterances)


def _require_lengths(logits: Sequence[np.ndarray], utterances: Sequence[Utterance]) -> None:
    if [len(rows) for rows in logits] != [len(u.features) for u in utterances]:
        raise ShapeError(
            f"the outputs for {len(logits)} utterances do not have the lengths of the "
            f"{len(utterances)} utterances",
            remedy="give one output per frame",
        )


def _rate(decoded: Sequence[np.ndarray], utterances: Sequence[Utterance]) -> Score:
    references = [utterance.phones for utterance in utterances]
    return error_rate(references, decoded, [utterance.speaker for utterance in utterances])
