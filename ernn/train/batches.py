"""Utterances as plain arrays, and random chunks of them as training batches.

The model may look `label_delay` frames ahead: its output at frame t is for the label of frame
t - label_delay. So every utterance gets that many frames more at its end, copies of its last one,
and the first outputs are ignored.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ernn.errors import CorpusError

Utterances = list[tuple[np.ndarray, np.ndarray]]  # features (T, F) and labels (T,) of each

IGNORED = -100  # torch's cross entropy leaves out frames of this label


@dataclass(frozen=True)
class Data:
    """What a model is trained on and what it is judged by while training."""

    train: Utterances
    dev: Utterances
    labels: int  # number of phones

    def __post_init__(self) -> None:
        size = self.train[0][0].shape[-1] if self.train else 0
        for split in ("train", "dev"):
            utterances = getattr(self, split)
            if not utterances:
                raise CorpusError(f"the {split} split is empty; training needs some utterances")
            for index, (features, labels) in enumerate(utterances):
                _check(f"{split} utterance {index}", features, labels, size, self.labels)


def _check(where: str, features: np.ndarray, labels: np.ndarray, size: int, phones: int) -> None:
    if features.ndim != 2 or not len(features) or features.shape[1] != size:
        raise CorpusError(f"{where}: features of shape {features.shape}, expected (T > 0, {size})")
    if labels.shape != features.shape[:1]:
        raise CorpusError(f"{where}: {labels.shape} labels for {len(features)} frames")
    if not np.isfinite(features).all():
        raise CorpusError(f"{where} holds NaN or infinite features; make the features again")
    if labels.min() < 0 or labels.max() >= phones:
        raise CorpusError(f"{where}: labels {labels.min()}..{labels.max()} are not 0..{phones - 1}")


class Chunks:
    """Chunks of equal length, drawn at random from all utterances laid end to end.

    No chunk reaches over the end of an utterance. An utterance shorter than a chunk is filled up
    with its last frame, whose label is ignored.
    """

    def __init__(self, utterances: Utterances, frames: int, label_delay: int, device: str) -> None:
        features, labels, starts, offset = [], [], [], 0
        for values, phones in utterances:
            length = max(len(values) + label_delay, frames)
            more = np.repeat(values[-1:], length - len(values), axis=0)
            features.append(np.concatenate([values, more], dtype=np.float32))
            delayed = np.full(length, IGNORED, dtype=np.int64)
            delayed[label_delay : label_delay + len(phones)] = phones
            labels.append(delayed)
            starts.append(np.arange(offset, offset + length - frames + 1))
            offset += length
        self.features = torch.from_numpy(np.concatenate(features)).to(device)  # (N, F)
        self.labels = torch.from_numpy(np.concatenate(labels)).to(device)  # (N,)
        self.starts = torch.from_numpy(np.concatenate(starts)).to(device)
        self.steps = torch.arange(frames, device=device)

    def draw(self, count: int, noise: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return noisy features (count, frames, F) and their labels (count, frames)."""
        device = self.starts.device
        chosen = torch.randint(len(self.starts), (count,), generator=generator, device=device)
        index = self.starts[chosen].unsqueeze(1) + self.steps
        features = self.features[index]
        features += noise * torch.randn(features.shape, generator=generator, device=device)
        return features, self.labels[index]
