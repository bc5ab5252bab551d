"""Score any model on phones: the one place that knows about the delay of labels.

A model with a label delay of d tells the phone of frame t at frame t + d, when it has heard a
little of what follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ernn.errors import ShapeError
from ernn.speech.decode import PhoneModel, Weights, decode
from ernn.speech.per import ErrorRate, error_rate
from ernn.speech.utterance import Split, Utterance, frame_labels


@dataclass(frozen=True)
class Scorer:
    """Turns the outputs of a dense, compressed or integer model alike into an error rate."""

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

    def score(self, logits: Sequence[np.ndarray], utterances: Sequence[Utterance]) -> ErrorRate:
        """Decode a model's outputs and count the errors.

        Args:
            logits: (T, L) for each utterance, as the model gives them, delay included.
            utterances: what the model was given.
        """
        if [len(rows) for rows in logits] != [len(u.features) for u in utterances]:
            raise ShapeError(
                f"the outputs for {len(logits)} utterances do not have the lengths of the "
                f"{len(utterances)} utterances; give one output per frame"
            )
        posteriors = [self._log_posteriors(rows) for rows in logits]
        decoded = decode(posteriors, self.phones, self.weights)
        references = [utterance.phones for utterance in utterances]
        return error_rate(references, decoded, [utterance.speaker for utterance in utterances])

    def _log_posteriors(self, logits: np.ndarray) -> np.ndarray:
        """Undo the delay and normalise: frame t gets what the model told at t + delay.

        The last `delay` frames, which the model has not told yet, repeat its last output.
        """
        told = np.minimum(np.arange(len(logits)) + self.label_delay, len(logits) - 1)
        shifted = logits[told] - logits[told].max(1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
