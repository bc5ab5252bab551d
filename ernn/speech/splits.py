"""Corpora on disk: one safetensors file per split.

A file holds the frames of all its utterances end to end: ``features`` (frames, F) float16,
``labels`` (frames,) int16, unless nobody knows them, and ``phones`` (phones,) int16; its metadata
holds the index that cuts them apart, and the names of the phones.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ernn.errors import CorpusError
from ernn.files import read_arrays, write_arrays
from ernn.speech.labels import MOST_LABELS
from ernn.speech.phones import PHONES
from ernn.speech.utterance import Split, Utterance, frame_labels

FORMAT = "ernn-corpus-2"
REMEDY = "make it again with `ernn corpus`"

Index = list[tuple[str, str, int, int]]  # name, speaker, frames and phones of each utterance


def save_split(
    folder: Path,
    split: str,
    utterances: Sequence[Utterance],
    made_by: list[str],
    phones: tuple[str, ...] = PHONES,
) -> None:
    """Write one split, by way of a temporary file beside it.

    Args:
        folder: existing folder.
        split: its name; also the file's.
        utterances: in the order to keep; all with frame labels or all without.
        made_by: where the speech comes from, such as ``["espeak-ng 1.52.0"]``.
        phones: what the labels stand for.

    Raises:
        CorpusError: there are no utterances, or a feature is not finite.
    """
    if not utterances:
        raise CorpusError(f"the {split} split is empty", remedy="give it some speech")
    with np.errstate(over="ignore"):  # what does not fit becomes infinite and is refused below
        features = np.concatenate([u.features for u in utterances], dtype=np.float16)
    _require_finite(features, f"the {split} split")
    arrays = {"features": features, "phones": np.concatenate([u.phones for u in utterances])}
    if utterances[0].labels is not None:
        arrays["labels"] = np.concatenate(frame_labels(utterances))
    header = {
        "format": FORMAT,
        "made_by": made_by,
        "phones": list(phones),
        "utterances": [[u.name, u.speaker, len(u.features), len(u.phones)] for u in utterances],
    }
    write_arrays(Path(folder) / f"{split}.safetensors", arrays, header)


def load_split(folder: Path, split: str) -> Split:
    """Read a split written by `build_corpus`.

    Raises:
        CorpusError: the file is missing, truncated, foreign, empty, or its contents do not fit
            each other.
    """
    path = Path(folder) / f"{split}.safetensors"
    arrays, header = read_arrays(path, FORMAT, REMEDY, CorpusError)
    if arrays.keys() - {"labels"} != {"features", "phones"}:
        raise CorpusError(f"{path} holds {', '.join(sorted(arrays))}", remedy=REMEDY)
    index, names = _read_header(path, header)
    _check_arrays(path, index, arrays, len(names))
    frames = np.cumsum([0, *(entry[2] for entry in index)])
    sounds = np.cumsum([0, *(entry[3] for entry in index)])
    features, labels, phones = arrays["features"], arrays.get("labels"), arrays["phones"]
    utterances = tuple(
        Utterance(
            name,
            speaker,
            features[frames[n] : frames[n + 1]].astype(np.float32),
            None if labels is None else labels[frames[n] : frames[n + 1]],
            phones[sounds[n] : sounds[n + 1]],
        )
        for n, (name, speaker, _, _) in enumerate(index)
    )
    return Split(utterances, names)


def read_frames(folder: Path, split: str) -> list[np.ndarray]:
    """Return the features (T, F) of each utterance of a split; see `load_split`."""
    return [utterance.features for utterance in load_split(folder, split)]


def _read_header(path: Path, header: Mapping) -> tuple[Index, tuple[str, ...]]:
    """Return a split's index and the names of its phones."""
    try:
        index = [(str(n), str(s), int(t), int(p)) for n, s, t, p in header["utterances"]]
        names = tuple(str(name) for name in header["phones"])
    except (KeyError, TypeError, ValueError):
        index, names = [], ()
    if not index or any(frames <= 0 or sounds <= 0 for _, _, frames, sounds in index):
        raise CorpusError(f"{path} has an empty or damaged index", remedy=REMEDY)
    if len(set(names)) < len(names) or not 0 < len(names) <= MOST_LABELS:
        raise CorpusError(f"{path} has a damaged list of phones", remedy=REMEDY)
    return index, names


def _check_arrays(path: Path, index: Index, arrays: Mapping[str, np.ndarray], size: int) -> None:
    """Refuse arrays whose sizes, types or values the index does not announce."""
    frames, sounds = sum(entry[2] for entry in index), sum(entry[3] for entry in index)
    features, phones = arrays["features"], arrays["phones"]
    labels = arrays.get("labels", np.zeros(frames, np.int16))
    fits = (
        features.dtype == np.float16
        and features.ndim == 2
        and len(features) == frames
        and (labels.dtype, labels.shape) == (np.int16, (frames,))
        and (phones.dtype, phones.shape) == (np.int16, (sounds,))
        and all(((a >= 0) & (a < size)).all() for a in (labels, phones))
    )
    if not fits:
        raise CorpusError(
            f"{path} holds other arrays than its index of {len(index)} utterances announces",
            remedy=REMEDY,
        )
    _require_finite(features, str(path))


def _require_finite(features: np.ndarray, where: str) -> None:
    if not np.isfinite(features).all():
        raise CorpusError(
            f"{where} holds features that are NaN or infinite", remedy="check its recordings"
        )
