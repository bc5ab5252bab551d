"""Speech: frames of features in, phones out, judged by the phone error rate."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ernn.recipe import TrainingRecipe
from ernn.score import PER, Measure, Score
from ernn.speech.scorer import Judge, fit_scorer
from ernn.speech.splits import load_split
from ernn.speech.utterance import Split, frame_labels
from ernn.targets import Targets
from ernn.tasks.task import Words

if TYPE_CHECKING:
    from ernn.recipe import Recipe

_DATA = {
    "synthetic": "synthetic speech",
    "timit": "TIMIT",
    "kaldi": "own Kaldi archives",
    "manifest": "own recordings",
}


class SpeechTask:
    """The phones of a corpus."""

    measure: Measure = PER

    def __init__(self, folder: Path, training: TrainingRecipe) -> None:
        """Open a corpus.

        Args:
            folder: of its splits.
            training: its loss, and its label delay.
        """
        self.folder, self.training = folder, training
        self._splits: dict[str, Split] = {}
        self._judges: dict[bool, Judge] = {}

    @property
    def features(self) -> int:
        """Values of a frame."""
        return self._split("train").feature_size

    @property
    def labels(self) -> int:
        """Phones."""
        return len(self._split("train").phones)

    @property
    def outputs(self) -> int:
        """Phones, and CTC's blank."""
        return self.labels + self.training.blanks

    @property
    def targets(self) -> Targets:
        """A phone for each frame, or phones in their order."""
        return "order" if self.training.loss == "ctc" else "steps"

    def frames(self, split: str) -> list[np.ndarray]:
        """Return the features (T, F) of each utterance."""
        return [utterance.features for utterance in self._split(split)]

    def examples(self, split: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the features of each utterance with its phones.

        Raises:
            CorpusError: a phone is wanted for each frame, and nobody knows when it was spoken.
        """
        spoken = self._split(split)
        timed = self.targets == "steps"
        phones = frame_labels(spoken) if timed else [one.phones for one in spoken]
        return list(zip(self.frames(split), phones, strict=True))

    def adopt(self, outputs: Sequence[np.ndarray], split: str) -> None:
        """Need no outputs: a corpus has its phones."""

    def evaluate(self, outputs: Sequence[np.ndarray], split: str, quick: bool = False) -> Score:
        """Decode what a model says and count the errors.

        Args:
            outputs: (T, labels) for each utterance, label delay included.
            split: "train", "dev" or "test".
            quick: take the best path of a CTC model, without beam and bigram.
        """
        if quick not in self._judges:
            self._judges[quick] = fit_scorer(self._split("train"), self.training, quick)
        return self._judges[quick].score(outputs, self._split(split))

    def _split(self, name: str) -> Split:
        if name not in self._splits:
            self._splits[name] = load_split(self.folder, name)
        return self._splits[name]


def open_task(folder: Path, recipe: "Recipe", float_outputs: Path | None = None) -> SpeechTask:
    """Return the task of a corpus, which always has targets of its own."""
    return SpeechTask(folder, recipe.training)


def words(recipe: "Recipe") -> Words:
    """Return a recipe's corpus in words."""
    synthetic = recipe.corpus.kind == "synthetic"
    notice = "SYNTHETIC speech: no phone error rate here is a TIMIT figure" if synthetic else ""
    return Words(_DATA[recipe.corpus.kind], "utterances", "speakers", notice)
