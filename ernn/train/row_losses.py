"""What training minimises row by row: numbers, classes of sequences, or another model's outputs.

As the losses of `ernn.train.losses`: their protocol is there.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ernn.recipe import TrainingRecipe
from ernn.train.acoustic import AcousticModel
from ernn.train.batches import (
    IGNORED,
    Batch,
    Source,
    Utterances,
    WholeUtterances,
    last_frames,
    pieces,
)
from ernn.train.checkpoint import digest
from ernn.train.differences import Difference


@dataclass(frozen=True)
class RowLoss:
    """The difference from what is wanted: at each step, or at the last one of a sequence.

    Told per row that counts: per step, or per sequence.
    """

    difference: Difference
    of_classes: bool = False
    at_end: bool = False
    label_delay: int = 0

    def source(self, utterances: Utterances, recipe: TrainingRecipe, device: str) -> Source:
        """Return chunks of equal length, or whole sequences."""
        if self.at_end:
            return WholeUtterances(utterances, device, last_frames(utterances))
        return pieces(utterances, recipe.chunk_frames, self.label_delay, device)

    def total(self, scores: Tensor, batch: Batch) -> Tensor:
        """Return the sum over all rows that count."""
        labels = batch.labels[:, 0] if self.at_end else batch.labels[batch.counted]
        return self.difference.total(scores[batch.counted], labels)

    def evaluate(self, outputs: list[np.ndarray], utterances: Utterances) -> float:
        """Return the mean over all rows whose target the model has told."""
        delay = self.label_delay
        told = [rows[-1:] if self.at_end else rows[delay:] for rows in outputs]
        wanted = [one if self.at_end else one[: max(0, len(one) - delay)] for _, one in utterances]
        rows, targets = np.concatenate(told), np.concatenate(wanted)
        counted = targets != IGNORED if self.of_classes else slice(None)
        return self.difference.mean(rows[counted], targets[counted])

    def describe(self) -> dict[str, Any]:
        """Return all settings."""
        return {
            "loss": self.difference.name,
            "at_end": self.at_end,
            "label_delay": self.label_delay,
        }


@dataclass(frozen=True)
class Imitation:
    """The difference from a teacher's outputs, where there are no targets.

    The teacher hears what the model hears, and begins where it begins: one that is like the teacher
    has no loss, in the middle of a sequence too.
    """

    teacher: AcousticModel
    difference: Difference
    at_end: bool = False  # of whole sequences, the last step alone

    @property
    def of_classes(self) -> bool:
        """Outputs are whatever the teacher's are."""
        return False

    def source(self, utterances: Utterances, recipe: TrainingRecipe, device: str) -> Source:
        """Return chunks of equal length, or whole sequences."""
        self.teacher.to(device)
        if self.at_end:
            return WholeUtterances(utterances, device, last_frames(utterances))
        return pieces(utterances, recipe.chunk_frames, 0, device)

    def total(self, scores: Tensor, batch: Batch) -> Tensor:
        """Return the sum over all steps, or over the last ones."""
        with torch.no_grad():
            wanted = self.teacher(batch.features)[batch.counted].float()
        return self.difference.total(scores[batch.counted], wanted)

    def evaluate(self, outputs: list[np.ndarray], utterances: Utterances) -> float:
        """Return the mean over them, given the teacher's outputs for whole sequences."""
        told = [rows[-1:] if self.at_end else rows for rows in outputs]
        wanted = [values for _, values in utterances]
        return self.difference.mean(np.concatenate(told), np.concatenate(wanted))

    def describe(self) -> dict[str, Any]:
        """Return all settings and a hash of the teacher."""
        found = {"loss": f"imitation by {self.difference.name}", "at_end": self.at_end}
        return {**found, "teacher": digest(self.teacher)}
