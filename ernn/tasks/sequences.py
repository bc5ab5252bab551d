"""Sequences of numbers with class labels on disk: one safetensors file per split.

A file holds the frames of all its sequences end to end: ``features`` (frames, F) float32 and
``targets`` int32, (frames,) or (sequences,); its header has the length and the group of each
sequence, and the names of the classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ernn.errors import CorpusError
from ernn.files import read_arrays, write_arrays

FORMAT = "ernn-sequences-1"
REMEDY = "make it again with `ernn corpus`"


@dataclass(frozen=True, eq=False)
class Sequences:
    """The sequences of a split."""

    frames: list[np.ndarray]  # (T, F) float32 of each
    labels: list[np.ndarray]  # (T,) or (1,) int32 of each
    groups: tuple[str, ...]  # whoever each is from
    classes: tuple[str, ...]  # what labels stand for, the same in every split
    targets: Literal["steps", "sequence"]
    grouped: bool  # somebody said whom they are from

    def __len__(self) -> int:
        return len(self.frames)


def save_sequences(folder: Path, split: str, sequences: Sequences) -> None:
    """Write a split; see the module."""
    header: dict[str, Any] = {
        "format": FORMAT,
        "lengths": [len(one) for one in sequences.frames],
        "groups": list(sequences.groups),
        "grouped": sequences.grouped,
        "classes": list(sequences.classes),
        "targets": sequences.targets,
    }
    arrays = {
        "features": np.concatenate(sequences.frames).astype(np.float32),
        "targets": np.concatenate(sequences.labels).astype(np.int32),
    }
    write_arrays(folder / f"{split}.safetensors", arrays, header)


def load_sequences(folder: Path, split: str) -> Sequences:
    """Read a split that `save_sequences` wrote.

    Raises:
        CorpusError: the file is missing, truncated, foreign, or its parts do not fit each other.
    """
    path = folder / f"{split}.safetensors"
    arrays, header = read_arrays(path, FORMAT, REMEDY, CorpusError)
    try:
        lengths = [int(length) for length in header["lengths"]]
        groups = tuple(str(group) for group in header["groups"])
        classes = tuple(str(name) for name in header["classes"])
        kind, grouped = header["targets"], bool(header["grouped"])
        features, targets = arrays["features"], arrays["targets"]
        sizes = lengths if kind == "steps" else [1] * len(lengths)
        fits = (
            kind in ("steps", "sequence")
            and min(lengths) > 0
            and len(groups) == len(lengths)
            and (features.dtype, targets.dtype) == (np.float32, np.int32)
            and features.ndim == 2
            and len(features) == sum(lengths)
            and targets.shape == (sum(sizes),)
            and bool(np.isfinite(features).all())
            and 0 <= targets.min() <= targets.max() < len(classes)
        )
    except (KeyError, TypeError, ValueError):
        fits = False
    if not fits:
        raise CorpusError(f"{path} is damaged: its parts do not fit each other", remedy=REMEDY)
    frames, labels = _cut(features, lengths), _cut(targets, sizes)
    return Sequences(frames, labels, groups, classes, kind, grouped)


def read_frames(folder: Path, split: str) -> list[np.ndarray]:
    """Return the frames (T, F) of each sequence of a split; see `load_sequences`."""
    return load_sequences(folder, split).frames


def _cut(array: np.ndarray, sizes: Sequence[int]) -> list[np.ndarray]:
    return np.split(array, np.cumsum(sizes)[:-1])
