"""A user's own sequences: frames in, a class out at each step or at the end, judged by accuracy."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ernn.errors import ShapeError
from ernn.recipe import TrainingRecipe
from ernn.score import ACCURACY, Measure, Score
from ernn.tasks.sequences import Sequences, load_sequences
from ernn.tasks.task import Targets, Words

if TYPE_CHECKING:
    from ernn.recipe import Recipe

MEASURE = ACCURACY


class ArraysTask:
    """The classes of sequences of numbers."""

    measure: Measure = MEASURE

    def __init__(self, folder: Path, training: TrainingRecipe) -> None:
        """Open the sequences.

        Args:
            folder: of their splits.
            training: its label delay, where there is a target for each step.
        """
        self.folder, self.label_delay = folder, training.label_delay
        self._splits: dict[str, Sequences] = {}

    @property
    def features(self) -> int:
        """Values of a frame."""
        return self._split("train").frames[0].shape[1]

    @property
    def labels(self) -> int:
        """Classes."""
        return len(self._split("train").classes)

    @property
    def outputs(self) -> int:
        """One for each class."""
        return self.labels

    @property
    def targets(self) -> Targets:
        """A class for each step or for each sequence."""
        return self._split("train").targets

    def frames(self, split: str) -> list[np.ndarray]:
        """Return the frames (T, F) of each sequence."""
        return self._split(split).frames

    def examples(self, split: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the frames of each sequence with its labels (T,) or (1,)."""
        found = self._split(split)
        return list(zip(found.frames, found.labels, strict=True))

    def evaluate(self, outputs: Sequence[np.ndarray], split: str, quick: bool = False) -> Score:
        """Count the right decisions: at every step, or at the last step of each sequence.

        A decision is the class with the largest output. That for step t is taken at step t + label
        delay; for the last steps, which a model has not told yet, at the last one.
        """
        found = self._split(split)
        if [len(rows) for rows in outputs] != [len(frames) for frames in found.frames]:
            raise ShapeError(
                f"the outputs for {len(outputs)} sequences do not have the lengths of the "
                f"{len(found)} sequences",
                remedy="give one output per frame",
            )
        right = [
            np.count_nonzero(self._decided(rows) == labels)
            for rows, labels in zip(outputs, found.labels, strict=True)
        ]
        decisions = np.array([len(labels) for labels in found.labels])
        return Score(ACCURACY, found.groups, {"right": np.array(right), "decisions": decisions})

    def _decided(self, rows: np.ndarray) -> np.ndarray:
        """Return the decisions of a sequence, in the form of its labels."""
        if self.targets == "sequence":
            return rows[-1:].argmax(1)
        told = np.minimum(np.arange(len(rows)) + self.label_delay, len(rows) - 1)
        return rows[told].argmax(1)

    def _split(self, name: str) -> Sequences:
        if name not in self._splits:
            self._splits[name] = load_sequences(self.folder, name)
        return self._splits[name]


def open_task(folder: Path, training: TrainingRecipe) -> ArraysTask:
    """Return the task of a user's sequences."""
    return ArraysTask(folder, training)


def words(recipe: "Recipe") -> Words:
    """Return a recipe's sequences in words."""
    return Words("own sequences", "sequences", "groups")
