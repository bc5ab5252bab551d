"""Feature frames on their way into a model: checked, padded, with time first."""

from collections.abc import Sequence

import numpy as np

from ernn.compressed import padded
from ernn.errors import CorpusError, ShapeError


def enter(frames: np.ndarray, features: int, word: int) -> np.ndarray:
    """Return (T, B, X) float64 of (B, T, features), zeros behind the real features.

    Raises:
        ShapeError: the frames are not of this model.
        CorpusError: no frames, or NaN or infinite features.
    """
    frames = np.asarray(frames, np.float64)
    if frames.ndim != 3 or frames.shape[2] != features:
        raise ShapeError(
            f"frames of shape {frames.shape}",
            allowed=f"(utterances, frames, {features})",
        )
    if not frames.size:
        raise CorpusError("there are no frames", remedy="give at least one utterance of one frame")
    if not np.isfinite(frames).all():
        raise CorpusError("the features hold NaN or infinite values", remedy="mend the data")
    extra = padded(features, word) - features
    return np.pad(frames.swapaxes(0, 1), ((0, 0), (0, 0), (0, extra)))


def stack(utterances: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return utterances (T_i, F) as one (B, T, F) array with zeros behind, and their lengths (B,).

    Raises:
        CorpusError: there are no utterances.
        ShapeError: they are not all (T, F) with one F.
    """
    if not utterances:
        raise CorpusError("there are no utterances", remedy="give at least one")
    shapes = [np.shape(utterance) for utterance in utterances]
    if any(len(shape) != 2 or shape[1] != shapes[0][1] for shape in shapes):
        raise ShapeError(
            f"utterances of shapes {sorted(set(shapes))}", remedy="give (frames, features)"
        )
    lengths = np.array([shape[0] for shape in shapes])
    frames = np.zeros((len(utterances), lengths.max(), shapes[0][1]))
    for row, utterance in zip(frames, utterances, strict=True):
        row[: len(utterance)] = utterance
    return frames, lengths


def ends(frames: np.ndarray, lengths: np.ndarray | None) -> np.ndarray:
    """Return the frames of each utterance in (T, B, X), all T where ``lengths`` is None.

    Raises:
        ShapeError: the lengths are not of these frames.
    """
    time, batch = frames.shape[:2]
    if lengths is None:
        return np.full(batch, time)
    lengths = np.asarray(lengths)
    if lengths.shape != (batch,) or lengths.min() < 0 or not 0 < lengths.max() <= time:
        raise ShapeError(
            f"lengths {lengths.tolist()} of {batch} utterances in {time} frames",
            remedy="give one length each, at most as many frames as there are, and not all zero",
        )
    return lengths
