"""Sequences of numbers with their targets on disk: one safetensors file per split.

A file holds the frames of all its sequences end to end: ``features`` (frames, F) float32 and
``targets``, one for each frame or each sequence: int32 classes, UNTOLD where a frame has none, or
float32 (..., O); (frames, 0) of
them where there are none. Its header has the length and the group of each sequence, and the names
of the classes. The outputs of a network for the sequences of a split have a file of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ernn.errors import CorpusError
from ernn.files import read_arrays, write_arrays
from ernn.targets import AT_END, CLASSES, UNTOLD, Targets

FORMAT = "ernn-sequences-1"
OUTPUTS = "ernn-outputs-1"
REMEDY = "make it again with `ernn corpus`"


@dataclass(frozen=True, eq=False)
class Sequences:
    """The sequences of a split."""

    frames: list[np.ndarray]  # (T, F) float32 of each
    targets: list[np.ndarray]  # of each: (T,) or (1,) int32 classes, (T, O) or (1, O) float32
    groups: tuple[str, ...]  # whoever each is from
    classes: tuple[str, ...]  # what classes stand for, the same in every split
    kind: Targets
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
        "targets": sequences.kind,
    }
    arrays = {
        "features": np.concatenate(sequences.frames).astype(np.float32),
        "targets": np.concatenate(sequences.targets).astype(_dtype(sequences.kind)),
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
        sizes = [1] * len(lengths) if kind in AT_END else lengths
        fits = (
            kind in ("steps", "sequence", "step_values", "sequence_values", "none")
            and min(lengths) > 0
            and len(groups) == len(lengths)
            and (features.dtype, targets.dtype) == (np.float32, _dtype(kind))
            and features.ndim == 2
            and len(features) == sum(lengths)
            and len(targets) == sum(sizes)
            and bool(np.isfinite(features).all())
            and _possible(targets, kind, len(classes))
        )
    except (KeyError, TypeError, ValueError):
        fits = False
    if not fits:
        raise CorpusError(f"{path} is damaged: its parts do not fit each other", remedy=REMEDY)
    return Sequences(_cut(features, lengths), _cut(targets, sizes), groups, classes, kind, grouped)


def read_frames(folder: Path, split: str) -> list[np.ndarray]:
    """Return the frames (T, F) of each sequence of a split; see `load_sequences`."""
    return load_sequences(folder, split).frames


def save_outputs(folder: Path, split: str, outputs: Sequence[np.ndarray]) -> None:
    """Write the outputs (T, O) of a network for each sequence of a split."""
    header = {"format": OUTPUTS, "lengths": [len(rows) for rows in outputs]}
    arrays = {"outputs": np.concatenate(outputs).astype(np.float32)}
    write_arrays(_outputs(folder, split), arrays, header)


def has_outputs(folder: Path) -> bool:
    """Tell whether a network has left its outputs in a folder."""
    return _outputs(folder, "dev").is_file()


def load_outputs(folder: Path, split: str) -> list[np.ndarray]:
    """Read what `save_outputs` wrote.

    Raises:
        CorpusError: the file is missing, truncated or foreign.
    """
    path, remedy = _outputs(folder, split), "run its step again"
    arrays, header = read_arrays(path, OUTPUTS, remedy, CorpusError)
    rows, lengths = arrays.get("outputs", np.empty(0)), header.get("lengths", [])
    if rows.ndim != 2 or len(rows) != sum(lengths) or not np.isfinite(rows).all():
        raise CorpusError(f"{path} is damaged: its parts do not fit each other", remedy=remedy)
    return _cut(rows, lengths)


def _outputs(folder: Path, split: str) -> Path:
    return folder / f"{split}_outputs.safetensors"


def _dtype(kind: str) -> type[np.number]:
    return np.int32 if kind in CLASSES else np.float32


def _possible(targets: np.ndarray, kind: str, classes: int) -> bool:
    if kind in CLASSES:
        least = UNTOLD if kind == "steps" else 0
        return targets.ndim == 1 and least <= targets.min() <= targets.max() < classes
    return targets.ndim == 2 and bool(np.isfinite(targets).all())


def _cut(array: np.ndarray, sizes: Sequence[int]) -> list[np.ndarray]:
    return np.split(array, np.cumsum(sizes)[:-1])
