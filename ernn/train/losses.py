"""What training minimises: cross entropy of frames, CTC, and any loss beside a teacher.

What is lost row by row, and the loss without targets, are in `ernn.train.row_losses`.

Every loss has the same verbs: `source` of its batches, `total` over the counted frames of a batch
(the sum, so that the parts of a batch on several processes add up), `evaluate` on the outputs for
whole utterances, and `describe` for the checkpoint. A loss is always told per counted frame.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ernn.errors import RecipeError
from ernn.recipe import TrainingRecipe
from ernn.targets import AT_END, CLASSES
from ernn.train.acoustic import AcousticModel
from ernn.train.batches import (
    IGNORED,
    Batch,
    Data,
    Source,
    Utterances,
    WholeUtterances,
    pieces,
)
from ernn.train.checkpoint import digest
from ernn.train.differences import (
    CROSS_ENTROPY,
    SQUARED_ERROR,
    divergence,
    squared_error,
)
from ernn.train.row_losses import Imitation, RowLoss


class Loss(Protocol):
    """What training minimises."""

    @property
    def of_classes(self) -> bool:
        """Whether outputs are scores of classes; then the model hears noise if nobody forbids."""
        ...

    def source(self, utterances: Utterances, recipe: TrainingRecipe, device: str) -> Source:
        """Return where batches for this loss come from."""
        ...

    def total(self, scores: Tensor, batch: Batch) -> Tensor:
        """Return the loss summed over the counted frames of a batch; scores are (B, T, labels)."""
        ...

    def evaluate(self, outputs: list[np.ndarray], utterances: Utterances) -> float:
        """Return the loss per frame, given the outputs (T, labels) for each utterance."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return all settings, as JSON; trainings of equal description are the same."""
        ...


@dataclass(frozen=True)
class FrameLoss:
    """Cross entropy of each frame against the phone spoken `label_delay` frames before."""

    label_delay: int

    @property
    def of_classes(self) -> bool:
        """Outputs are scores of classes."""
        return True

    def source(self, utterances: Utterances, recipe: TrainingRecipe, device: str) -> Source:
        """Return chunks of equal length, or whole utterances."""
        return pieces(utterances, recipe.chunk_frames, self.label_delay, device)

    def total(self, scores: Tensor, batch: Batch) -> Tensor:
        """Return the sum over all frames whose label counts."""
        return _cross_entropy(scores, batch.labels)

    def evaluate(self, outputs: list[np.ndarray], utterances: Utterances) -> float:
        """Return the mean over all frames whose label the model has told."""
        delay = self.label_delay
        scores = torch.from_numpy(np.concatenate([rows[delay:] for rows in outputs]))
        told = [labels[: max(0, len(labels) - delay)] for _, labels in utterances]
        labels = torch.from_numpy(np.concatenate(told).astype(np.int64))
        count = int((labels != IGNORED).sum())
        return (_cross_entropy(scores, labels) / max(1, count)).item()

    def describe(self) -> dict[str, Any]:
        """Return all settings."""
        return {"loss": "frames", "label_delay": self.label_delay}


def _cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    scores, labels = scores.flatten(0, -2), labels.flatten()
    return nn.functional.cross_entropy(scores, labels, ignore_index=IGNORED, reduction="sum")


@dataclass(frozen=True)
class CtcLoss:
    """Minus the log probability of the phone sequence, over all its alignments.

    The blank is the model's last output. Told per frame, like the cross entropy of frames, so
    that the same clipping and learning rates suit both.

    Source: Graves et al., Connectionist Temporal Classification, ICML 2006.
    """

    @property
    def of_classes(self) -> bool:
        """Outputs are scores of classes."""
        return True

    def source(self, utterances: Utterances, recipe: TrainingRecipe, device: str) -> Source:
        """Return whole utterances."""
        return WholeUtterances(utterances, device)

    def total(self, scores: Tensor, batch: Batch) -> Tensor:
        """Return the sum over all utterances."""
        labelled = batch.labels != IGNORED
        return nn.functional.ctc_loss(
            nn.functional.log_softmax(scores, -1).transpose(0, 1),  # (T, B, labels)
            batch.labels[labelled],
            batch.counted.sum(1),
            labelled.sum(1),
            blank=scores.shape[-1] - 1,
            reduction="sum",
        )

    def evaluate(self, outputs: list[np.ndarray], utterances: Utterances) -> float:
        """Return the mean over all frames."""
        total = 0.0
        for scores, (_, phones) in zip(outputs, utterances, strict=True):
            labels = torch.from_numpy(phones.astype(np.int64)).unsqueeze(0)
            frames = torch.ones(1, len(scores), dtype=torch.bool)
            batch = Batch(torch.empty(0), labels, frames)
            total += self.total(torch.from_numpy(scores).unsqueeze(0), batch).item()
        return total / sum(len(scores) for scores in outputs)

    def describe(self) -> dict[str, Any]:
        """Return all settings."""
        return {"loss": "ctc"}


@dataclass(frozen=True)
class Distilled:
    """A loss beside the difference from a teacher, which hears the same noisy frames.

    (1 - weight) base + weight T^2 KL(teacher at temperature T || model at temperature T), for each
    frame; T^2 keeps the size of the gradient. Of numbers it is the squared difference instead.
    Judged by the base alone.

    Source: Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network, 2015.
    """

    base: Loss
    teacher: AcousticModel
    weight: float = 0.5
    temperature: float = 2.0

    @property
    def of_classes(self) -> bool:
        """Outputs are those of the base."""
        return self.base.of_classes

    def source(self, utterances: Utterances, recipe: TrainingRecipe, device: str) -> Source:
        """Return the base's batches."""
        self.teacher.to(device)
        return self.base.source(utterances, recipe, device)

    def total(self, scores: Tensor, batch: Batch) -> Tensor:
        """Return the weighted sum over all counted frames."""
        with torch.no_grad():
            wanted = self.teacher(batch.features)[batch.counted].float()
        told = scores[batch.counted]
        if self.of_classes:
            apart = divergence(told, wanted, self.temperature)
        else:
            apart = squared_error(told, wanted)
        return (1 - self.weight) * self.base.total(scores, batch) + self.weight * apart

    def evaluate(self, outputs: list[np.ndarray], utterances: Utterances) -> float:
        """Return the base's loss."""
        return self.base.evaluate(outputs, utterances)

    def describe(self) -> dict[str, Any]:
        """Return all settings and a hash of the teacher."""
        return {
            **self.base.describe(),
            "teacher": digest(self.teacher),
            "weight": self.weight,
            "temperature": self.temperature,
        }


def make_loss(data: Data, recipe: TrainingRecipe, teacher: AcousticModel | None = None) -> Loss:
    """Return the loss that suits the targets of data.

    Args:
        data: what to train on.
        recipe: its label delay.
        teacher: whom to follow where there are no targets.

    Raises:
        RecipeError: there are neither targets nor a teacher.
    """
    targets, difference = data.targets, data.difference
    if targets == "none":
        if teacher is None:
            what = "a network cannot be trained without targets"
            raise RecipeError(what, remedy="give targets, or import a trained network")
        return Imitation(teacher, difference or SQUARED_ERROR, data.at_end)
    if targets == "order":
        return CtcLoss()
    if targets == "steps" and difference in (None, CROSS_ENTROPY):
        return FrameLoss(recipe.label_delay)
    usual = CROSS_ENTROPY if targets in CLASSES else SQUARED_ERROR
    delay = recipe.label_delay if targets == "steps" else 0
    return RowLoss(difference or usual, targets in CLASSES, targets in AT_END, delay)
