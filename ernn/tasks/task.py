"""What a task is to the steps of a run: frames, targets and a score, whatever they are about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ernn.score import Measure, Score
from ernn.targets import Targets

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Words:
    """A task's data in words, for people."""

    data: str  # "synthetic speech"
    sequences: str  # "utterances"
    groups: str  # "speakers": whoever sequences are from
    notice: str = ""  # what every reader has to know, if anything


class Task(Protocol):
    """A task whose data are made."""

    @property
    def measure(self) -> Measure:
        """What a model is judged by."""
        ...

    @property
    def features(self) -> int:
        """Values of a frame."""
        ...

    @property
    def outputs(self) -> int:
        """Outputs of a model."""
        ...

    @property
    def targets(self) -> Targets:
        """What kind of targets the data have."""
        ...

    def frames(self, split: str) -> list[np.ndarray]:
        """Return the frames (T, F) of each sequence of "train", "dev" or "test"."""
        ...

    def examples(self, split: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the frames of each sequence with its targets."""
        ...

    def adopt(self, outputs: Sequence[np.ndarray], split: str) -> None:
        """Let the float network's outputs stand for targets, where the data have none."""
        ...

    def evaluate(self, outputs: Sequence[np.ndarray], split: str, quick: bool = False) -> Score:
        """Judge the outputs (T, outputs) of a model for each sequence of a split.

        Args:
            outputs: of a dense, compressed or integer model, as it gives them.
            split: "train", "dev" or "test".
            quick: while training: what takes long may be left out.
        """
        ...


def calibration(task: Task, count: int) -> list[np.ndarray]:
    """Return the frames of so many sequences of the training split, spread over all of it."""
    train = task.frames("train")
    every = max(1, len(train) // count)  # of many speakers, not the first
    return train[::every][:count]
