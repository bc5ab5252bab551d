"""What a corpus is to models: utterances, and the phones that their labels stand for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from ernn.errors import CorpusError
from ernn.speech.audio import Origin


@dataclass(frozen=True, eq=False)
class Utterance:
    """One utterance as models see it; labels are indices into the phones of its split."""

    name: str
    speaker: str
    features: np.ndarray  # (T, F) float32
    labels: np.ndarray | None  # (T,) int16, the phone of each frame; None: nobody knows when
    phones: np.ndarray  # (P,) int16, the phone sequence to score against
    origin: Origin | None = None  # not kept in files; None: made on the spot


@dataclass(frozen=True, eq=False)
class Split(Sequence[Utterance]):
    """Training, development or test speech."""

    utterances: tuple[Utterance, ...]
    phones: tuple[str, ...]  # what labels stand for, the same in every split of a corpus

    @overload
    def __getitem__(self, index: int) -> Utterance: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Utterance, ...]: ...

    def __getitem__(self, index):
        return self.utterances[index]

    def __len__(self) -> int:
        return len(self.utterances)

    @property
    def feature_size(self) -> int:
        """Values per frame."""
        return self.utterances[0].features.shape[1]


def frame_labels(utterances: Iterable[Utterance]) -> list[np.ndarray]:
    """Return the phone index of every frame of every utterance.

    Raises:
        CorpusError: an utterance has a phone sequence only.
    """
    labels = []
    for utterance in utterances:
        if utterance.labels is None:
            raise CorpusError(
                f"utterance {utterance.name} has phones but no times",
                given="frame cross entropy needs them",
                remedy='set loss = "ctc" in the recipe\'s training, or align the corpus',
            )
        labels.append(utterance.labels)
    return labels
