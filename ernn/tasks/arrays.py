"""A user's own sequences: frames in; a class or numbers out, at each step or at the end."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ernn.errors import CorpusError, ShapeError
from ernn.score import Measure, Score
from ernn.targets import AT_END, CLASSES, UNTOLD, Targets
from ernn.tasks.judges import Judge, find_judge
from ernn.tasks.sequences import (
    Sequences,
    has_outputs,
    load_outputs,
    load_sequences,
    save_outputs,
)
from ernn.tasks.task import Words

if TYPE_CHECKING:
    from ernn.recipe import Recipe


class ArraysTask:
    """What is wanted for sequences of numbers.

    Where the data have no targets, the outputs of the float network stand for them, as soon as it
    has left them behind.
    """

    def __init__(self, folder: Path, recipe: "Recipe", float_outputs: Path | None = None) -> None:
        """Open the sequences.

        Args:
            folder: of their splits.
            recipe: its score; its label delay, where there is a class for each step.
            float_outputs: folder in which the float network leaves its outputs.
        """
        self.folder, self.float_outputs = folder, float_outputs
        self.recipe, self.label_delay = recipe.task, recipe.training.label_delay
        self._splits: dict[str, Sequences] = {}
        self._outputs: dict[str, list[np.ndarray]] = {}

    @property
    def measure(self) -> Measure:
        """What a model is judged by: the recipe's score, or the usual one of the targets."""
        return self._judge.measure

    @property
    def features(self) -> int:
        """Values of a frame."""
        return self._split("train").frames[0].shape[1]

    @property
    def outputs(self) -> int:
        """One for each class, or for each number; without targets, as many as the float network's.

        Raises:
            CorpusError: there are no targets, and no float network either.
        """
        train = self._split("train")
        if self.targets in CLASSES:
            return len(train.classes)
        return (train.targets if self.targets != "none" else self._wanted("dev"))[0].shape[1]

    @property
    def targets(self) -> Targets:
        """What kind of targets the data have.

        Raises:
            CorpusError: they say when they are told, and the recipe says it, too.
        """
        kind = self._split("train").kind
        if self.recipe.at_end and kind != "none":
            each = "sequence" if kind in AT_END else "step"
            given = f"the data have targets of each {each}, which say when they are told"
            raise CorpusError("task.at_end = true", given=given, remedy="remove it")
        return kind

    def frames(self, split: str) -> list[np.ndarray]:
        """Return the frames (T, F) of each sequence."""
        return self._split(split).frames

    def examples(self, split: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the frames of each sequence with its targets.

        These are classes (T,) or (1,), numbers (T, O) or (1, O), or the outputs of the float
        network, likewise; for the training split it has left none (T, 0).
        """
        found = self._split(split)
        wanted = found.targets if split == "train" else self._wanted(split)
        return list(zip(found.frames, wanted, strict=True))

    def adopt(self, outputs: Sequence[np.ndarray], split: str) -> None:
        """Write the float network's outputs for a split, where the data have no targets."""
        if self.targets == "none" and self.float_outputs is not None:
            save_outputs(self.float_outputs, split, outputs)

    def evaluate(self, outputs: Sequence[np.ndarray], split: str, quick: bool = False) -> Score:
        """Judge the outputs at every step, or at the last step of each sequence.

        A class for step t is told at step t + label delay; for the last steps, which a model has
        not told yet, at the last one.

        Raises:
            ShapeError: the outputs are not those of a model for these sequences and targets.
        """
        found, wanted = self._split(split), self._wanted(split)
        if [len(rows) for rows in outputs] != [len(frames) for frames in found.frames]:
            raise ShapeError(
                f"the outputs for {len(outputs)} sequences do not have the lengths of the "
                f"{len(found)} sequences",
                remedy="give one output per frame",
            )
        if outputs[0].shape[1] != self.outputs:
            raise ShapeError(
                f"a model of {outputs[0].shape[1]} outputs cannot be judged by targets of "
                f"{self.outputs}",
                remedy="give a target for each of its outputs, or a class for each of them",
            )
        told = [self._told(rows) for rows in outputs]
        if self.targets == "steps":  # some of which may want nothing
            judged = [labels != UNTOLD for labels in wanted]
            told = [rows[where] for rows, where in zip(told, judged, strict=True)]
            wanted = [labels[where] for labels, where in zip(wanted, judged, strict=True)]
        return Score(self.measure, found.groups, self._judge.count(told, wanted))

    def _told(self, rows: np.ndarray) -> np.ndarray:
        """Return the outputs that are meant, in the form of the targets."""
        if self.targets in AT_END or self.recipe.at_end:
            return rows[-1:]
        if self.targets != "steps":
            return rows
        return rows[np.minimum(np.arange(len(rows)) + self.label_delay, len(rows) - 1)]

    def _wanted(self, split: str) -> list[np.ndarray]:
        """Return the targets of each sequence."""
        if self.targets != "none":
            return self._split(split).targets
        if self.float_outputs is None or not has_outputs(self.float_outputs):
            raise CorpusError(
                "the data have no targets, and there is no float network whose outputs could "
                "stand for them",
                remedy="give targets to train a new network, or import a trained one",
            )
        if split not in self._outputs:
            outputs = load_outputs(self.float_outputs, split)
            self._outputs[split] = [self._told(rows) for rows in outputs]
        return self._outputs[split]

    @cached_property
    def _judge(self) -> Judge:
        return find_judge(self.recipe, self.targets)

    def _split(self, name: str) -> Sequences:
        if name not in self._splits:
            self._splits[name] = load_sequences(self.folder, name)
        return self._splits[name]


def open_task(folder: Path, recipe: "Recipe", float_outputs: Path | None = None) -> ArraysTask:
    """Return the task of a user's sequences."""
    return ArraysTask(folder, recipe, float_outputs)


def words(recipe: "Recipe") -> Words:
    """Return a recipe's sequences in words."""
    return Words("own sequences", "sequences", "groups")
