"""Utterances as plain arrays, and random batches of them: chunks, or whole utterances.

The model may look `label_delay` frames ahead: its output at frame t is for the label of frame
t - label_delay. So every utterance that chunks are cut from gets that many frames more at its end,
copies of its last one, and the first outputs are ignored.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ernn.errors import CorpusError
from ernn.targets import AT_END, CLASSES, UNTOLD, Targets
from ernn.train.differences import Difference

# Features (T, F) of each utterance, and its labels: (T,) one per frame, UNTOLD where none is
# wanted, (1,) for the whole, or (P,) in the order in which they come. Where numbers are told, float
# (T, O) or (1, O) instead; where only the frames are known, (T, 0) to train on, and (T, O) of a
# teacher to be judged by.
Utterances = list[tuple[np.ndarray, np.ndarray]]

IGNORED = UNTOLD  # the loss leaves out frames of this label


@dataclass(frozen=True)
class Data:
    """What a model is trained on and what it is judged by while training."""

    train: Utterances
    dev: Utterances
    labels: int  # number of classes, or of numbers that are told
    targets: Targets = "steps"
    difference: Difference | None = None  # from what is wanted; None: what is usual
    at_end: bool = False  # without targets: only the last output of a sequence counts

    def __post_init__(self) -> None:
        size = self.train[0][0].shape[-1] if self.train else 0
        numbers = self.targets not in CLASSES
        for split in ("train", "dev"):
            utterances = getattr(self, split)
            if not utterances:
                raise CorpusError(f"the {split} split is empty", remedy="give it some utterances")
            for index, (features, labels) in enumerate(utterances):
                where = f"{split} utterance {index}"
                _check_features(where, features, size)
                if numbers:
                    told = 0 if (self.targets, split) == ("none", "train") else self.labels
                    at_end = self.targets in AT_END or (self.at_end and split == "dev")
                    _check_values(where, labels, 1 if at_end else len(features), told)
                    continue
                _check_labels(where, labels, len(features), self.targets)
                least = UNTOLD if self.targets == "steps" else 0
                if labels.min() < least or labels.max() >= self.labels:
                    given = f"labels {labels.min()}..{labels.max()}"
                    raise CorpusError(where, given=given, allowed=f"0..{self.labels - 1}")


def _check_features(where: str, features: np.ndarray, size: int) -> None:
    if features.ndim != 2 or not len(features) or features.shape[1] != size:
        raise CorpusError(
            where, given=f"features of shape {features.shape}", allowed=f"(T > 0, {size})"
        )
    if not np.isfinite(features).all():
        raise CorpusError(
            f"{where} holds NaN or infinite features", remedy="make the features again"
        )


def _check_values(where: str, values: np.ndarray, rows: int, size: int) -> None:
    expected = (rows, size)
    if values.shape != expected:
        given = f"targets of shape {values.shape}"
        raise CorpusError(where, given=given, allowed=str(expected))
    if not np.isfinite(values).all():
        raise CorpusError(f"{where} holds NaN or infinite targets", remedy="mend them")


def _check_labels(where: str, labels: np.ndarray, frames: int, targets: Targets) -> None:
    expected = {"steps": (frames,), "sequence": (1,)}.get(targets, labels.shape)
    if labels.shape != expected:
        raise CorpusError(
            where, given=f"{labels.shape} labels for {frames} frames", allowed=str(expected)
        )
    if targets != "order":
        return
    if labels.ndim != 1 or not len(labels):
        raise CorpusError(where, given=f"phones of shape {labels.shape}", allowed="(P > 0,)")
    needed = len(labels) + np.count_nonzero(labels[1:] == labels[:-1])  # a blank between equal ones
    if needed > frames:
        raise CorpusError(
            where,
            given=f"{len(labels)} phones need {needed} frames or more but there are {frames}",
            remedy="leave the utterance out, or keep more frames (features.keep_every)",
        )


@dataclass(frozen=True)
class Batch:
    """What one update is made of, or a part of it."""

    features: Tensor  # (B, T, F) with noise
    # (B, T) of each frame, or (B, P) phones; IGNORED where there is none; or numbers (B, T, O)
    labels: Tensor
    counted: Tensor  # (B, T) bool: the frames that the loss is about

    def take(self, which: slice) -> "Batch":
        """Return some of the sequences."""
        return Batch(self.features[which], self.labels[which], self.counted[which])


class Source(Protocol):
    """Where batches come from."""

    def draw(self, count: int, noise: float, generator: torch.Generator) -> Batch:
        """Return random sequences with fresh noise, all of it decided by the generator."""
        ...


def _dtype(labels: np.ndarray) -> type[np.number]:
    return np.int64 if labels.dtype.kind in "iu" else np.float32


def pieces(utterances: Utterances, frames: int, label_delay: int, device: str) -> Source:
    """Return chunks of so many frames; 0: whole utterances."""
    if frames:
        return Chunks(utterances, frames, label_delay, device)
    laid = [_laid_out(*one, label_delay) for one in utterances]
    told = [counts for *_, counts in laid]
    return WholeUtterances([(values, labels) for values, labels, _ in laid], device, told)


def _laid_out(
    values: np.ndarray, labels: np.ndarray, label_delay: int, least: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return an utterance whose labels come later: features, labels, and which frames count.

    Its last frame is repeated until every label has one, and there are `least` of them.
    """
    length = max(len(values) + label_delay, least)
    more = np.repeat(values[-1:], length - len(values), axis=0)
    delayed = np.full((length, *labels.shape[1:]), IGNORED, dtype=_dtype(labels))
    delayed[label_delay : label_delay + len(labels)] = labels
    told = np.zeros(length, bool)
    told[label_delay : label_delay + len(labels)] = True
    if labels.ndim == 1:
        told &= delayed != IGNORED
    return np.concatenate([values, more], dtype=np.float32), delayed, told


class Chunks:
    """Chunks of equal length, drawn at random from all utterances laid end to end.

    No chunk reaches over the end of an utterance. An utterance shorter than a chunk is filled up
    with its last frame, whose label is ignored.
    """

    def __init__(self, utterances: Utterances, frames: int, label_delay: int, device: str) -> None:
        features, labels, told, starts, offset = [], [], [], [], 0
        for one in utterances:
            values, delayed, counts = _laid_out(*one, label_delay, frames)
            features.append(values)
            labels.append(delayed)
            told.append(counts)
            starts.append(np.arange(offset, offset + len(values) - frames + 1))
            offset += len(values)
        self.features = torch.from_numpy(np.concatenate(features)).to(device)  # (N, F)
        self.labels = torch.from_numpy(np.concatenate(labels)).to(device)  # (N,) or (N, O)
        self.told = torch.from_numpy(np.concatenate(told)).to(device)  # (N,)
        self.starts = torch.from_numpy(np.concatenate(starts)).to(device)
        self.steps = torch.arange(frames, device=device)

    def draw(self, count: int, noise: float, generator: torch.Generator) -> Batch:
        """Return noisy chunks; labels are (count, frames), numbers (count, frames, O)."""
        device = self.starts.device
        chosen = torch.randint(len(self.starts), (count,), generator=generator, device=device)
        index = self.starts[chosen].unsqueeze(1) + self.steps
        features, labels = self.features[index], self.labels[index]
        features += noise * torch.randn(features.shape, generator=generator, device=device)
        return Batch(features, labels, self.told[index])


class WholeUtterances:
    """Whole utterances of like length, behind whose end there are zeros.

    A batch is one of `POOL` that are cut from as many utterances, drawn at random and put in order
    of length: every utterance is as likely as every other, and little is padding.
    """

    POOL = 8

    def __init__(
        self, utterances: Utterances, device: str, told: list[np.ndarray] | None = None
    ) -> None:
        """Keep utterances.

        Args:
            utterances: in any order.
            device: to keep them on.
            told: (T,) bool of each: the frames that the loss is about; all, if not given.
        """
        told = told or [np.ones(len(values), bool) for values, _ in utterances]
        self.told = [torch.from_numpy(counts).to(device) for counts in told]
        self.frames = [torch.from_numpy(values).float().to(device) for values, _ in utterances]
        self.phones = [
            torch.from_numpy(phones.astype(_dtype(phones))).to(device) for _, phones in utterances
        ]
        self.lengths = np.array([len(values) for values in self.frames])
        self.device = device

    def draw(self, count: int, noise: float, generator: torch.Generator) -> Batch:
        """Return noisy utterances; labels are (count, P) phones."""
        device, many = self.device, self.POOL * count
        pool = torch.randint(len(self.frames), (many,), generator=generator, device=device)
        which = torch.randint(self.POOL, (1,), generator=generator, device=device).item()
        drawn = pool.cpu().numpy()
        chosen = drawn[np.argsort(self.lengths[drawn], kind="stable")][which * count :][:count]
        pad = torch.nn.utils.rnn.pad_sequence
        features = pad([self.frames[index] for index in chosen], batch_first=True)
        labels = pad([self.phones[index] for index in chosen], True, IGNORED)
        features += noise * torch.randn(features.shape, generator=generator, device=device)
        lengths = torch.from_numpy(self.lengths[chosen]).to(device)
        inside = torch.arange(features.shape[1], device=device) < lengths.unsqueeze(1)
        features = features * inside.unsqueeze(-1)
        counted = pad([self.told[index] for index in chosen], batch_first=True)
        return Batch(features, labels, counted)


def last_frames(utterances: Utterances) -> list[np.ndarray]:
    """Return which frames count of utterances whose last one tells: (T,) bool of each."""
    return [np.arange(len(values)) == len(values) - 1 for values, _ in utterances]
