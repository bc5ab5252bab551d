"""What training minimises where a model tells numbers, or has nothing but another model to follow.

As the losses of `ernn.train.losses`: their protocol is there.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ernn.recipe import TrainingRecipe
from ernn.train.acoustic import AcousticModel
from ernn.train.batches import Batch, Chunks, Source, Utterances, WholeUtterances
from ernn.train.checkpoint import digest


def squares(told: Tensor, wanted: Tensor) -> Tensor:
    """Return the squared difference of rows (N, O): the mean of a row, the sum of all rows."""
    return (told - wanted).square().mean(-1).sum()


def divergence(told: Tensor, wanted: Tensor, temperature: float = 1.0) -> Tensor:
    """Return T^2 KL(wanted || told) of scores at a temperature; T^2 keeps the gradient's size."""
    return temperature**2 * nn.functional.kl_div(
        nn.functional.log_softmax(told / temperature, -1),
        nn.functional.log_softmax(wanted / temperature, -1),
        reduction="sum",
        log_target=True,
    )


@dataclass(frozen=True)
class SquaredLoss:
    """Mean squared error of numbers: at each step, or at the last frame of a sequence."""

    at_end: bool = False

    @property
    def of_classes(self) -> bool:
        """Outputs are numbers."""
        return False

    def source(self, utterances: Utterances, recipe: TrainingRecipe, device: str) -> Source:
        """Return chunks of equal length, or whole sequences."""
        if self.at_end:
            return WholeUtterances(utterances, device, last=True)
        return Chunks(utterances, recipe.chunk_frames, 0, device)

    def total(self, scores: Tensor, batch: Batch) -> Tensor:
        """Return the sum over all steps or sequences."""
        labels = batch.labels[:, 0] if self.at_end else batch.labels[batch.counted]
        return squares(scores[batch.counted], labels)

    def evaluate(self, outputs: list[np.ndarray], utterances: Utterances) -> float:
        """Return the mean over all steps or sequences."""
        told = np.concatenate([rows[-1:] if self.at_end else rows for rows in outputs])
        wanted = np.concatenate([values for _, values in utterances])
        return float(np.square(told - wanted).mean())

    def describe(self) -> dict[str, Any]:
        """Return all settings."""
        return {"loss": "squares", "at_end": self.at_end}


@dataclass(frozen=True)
class Imitation:
    """The difference from a teacher's outputs, where there are no targets.

    Of numbers it is the squared difference; where decisions count, the divergence of the classes.
    The teacher hears what the model hears, and begins where it begins: one that is like the teacher
    has no loss, in the middle of a sequence too.
    """

    teacher: AcousticModel
    decisions: bool = False

    @property
    def of_classes(self) -> bool:
        """Outputs are whatever the teacher's are."""
        return False

    def source(self, utterances: Utterances, recipe: TrainingRecipe, device: str) -> Source:
        """Return chunks of equal length."""
        self.teacher.to(device)
        return Chunks(utterances, recipe.chunk_frames, 0, device)

    def total(self, scores: Tensor, batch: Batch) -> Tensor:
        """Return the sum over all steps."""
        with torch.no_grad():
            wanted = self.teacher(batch.features)[batch.counted].float()
        return self._apart(scores[batch.counted], wanted)

    def evaluate(self, outputs: list[np.ndarray], utterances: Utterances) -> float:
        """Return the mean over all steps, given the teacher's outputs for whole sequences."""
        told = torch.from_numpy(np.concatenate(outputs))
        wanted = torch.from_numpy(np.concatenate([values for _, values in utterances]))
        return self._apart(told, wanted).item() / len(told)

    def describe(self) -> dict[str, Any]:
        """Return all settings and a hash of the teacher."""
        kind = "decisions" if self.decisions else "squares"
        return {"loss": f"imitation of {kind}", "teacher": digest(self.teacher)}

    def _apart(self, told: Tensor, wanted: Tensor) -> Tensor:
        return divergence(told, wanted) if self.decisions else squares(told, wanted)
