"""JapaneseVowels: nine men say "ae", 12 cepstra a frame; who was it? Read from aeon's text files.

Source: Kudo, Toyama, Shimbo, "Multidimensional curve classification using passing-through regions",
Pattern Recognition Letters 20 (1999).
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ernn.errors import CorpusError
from networks import packages

DEV = 6  # utterances of each speaker, the last ones that training has of him
_MOST_BYTES, _MOST_VALUES, _MOST_CLASSES = 16 << 20, 64, 64
_NUMBERS = re.compile(r"[-+.0-9eE,:]+")
_FIXED = {"timestamps": "false", "missing": "false", "univariate": "false"}
_KNOWN = {*_FIXED, "problemname", "dimensions", "equallength", "classlabel"}

Utterances = list[tuple[np.ndarray, int]]  # frames (T, values) of each, and its class


def arrays(cache: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file as docs/own_data.md describes it.

    Values have the mean 0 and the deviation 1 over the training split's frames.

    Args:
        cache: folder that keeps the files of the package.

    Raises:
        ToolError: the package cannot be had, or its files are others.
        CorpusError: they are not what `read_ts` reads.
    """
    paths = packages.files("aeon", cache)
    known, classes = read_ts(paths["JapaneseVowels_TRAIN.ts"])
    judged, others = read_ts(paths["JapaneseVowels_TEST.ts"])
    if classes != others:
        raise _wrong(paths["JapaneseVowels_TEST.ts"], "its classes are not those of training")
    places = defaultdict(list)
    for place, (_, speaker) in enumerate(known):
        places[speaker].append(place)
    held = {place for each in places.values() for place in each[-DEV:]}
    splits = ["dev" if place in held else "train" for place in range(len(known))]
    splits += ["test"] * len(judged)
    utterances = known + judged
    pairs = zip(utterances, splits, strict=True)
    heard = np.concatenate([frames for (frames, _), split in pairs if split == "train"])
    frames = (np.concatenate([one for one, _ in utterances]) - heard.mean(0)) / heard.std(0)
    return {
        "frames": frames.astype(np.float32),  # all utterances end to end
        "lengths": np.array([len(one) for one, _ in utterances]),
        "targets": np.array([speaker for _, speaker in utterances]),
        "splits": np.array(splits),
        "classes": np.array([f"speaker {name}" for name in classes]),
    }


def read_ts(path: Path) -> tuple[Utterances, list[str]]:
    """Return the sequences of a .ts file of aeon, and the names of their classes.

    A line is a sequence: its values of all steps, separated by commas, one dimension behind the
    other, separated by colons, and its class. The file is not trusted: whatever is not that is
    refused.

    Raises:
        CorpusError: it is missing, too large, or says anything else.
    """
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise _wrong(path, f"it has {size:,} bytes, more than {_MOST_BYTES:,}")
        head, found, body = path.read_text(encoding="ascii").partition("@data\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(path, f"it cannot be read: {error}") from None
    said = dict(_said(path, head))
    if not found or any(said.get(key) != value for key, value in _FIXED.items()):
        raise _wrong(path, "it is not one of several dimensions, all known, without time stamps")
    values = said.get("dimensions", "")
    told, *classes = said.get("classlabel", "").split() or [""]
    if not values.isdecimal() or not 0 < int(values) <= _MOST_VALUES:
        raise _wrong(path, f"it says {values or 'nothing'} of dimensions, of 1 to {_MOST_VALUES}")
    if told != "true" or not 0 < len(set(classes)) == len(classes) <= _MOST_CLASSES:
        raise _wrong(path, f"it names no classes, or one twice, or more than {_MOST_CLASSES}")
    lines = [line for line in body.splitlines() if line]
    if not lines:
        raise _wrong(path, "it has no sequences")
    read = (_utterance(path, number, line, classes) for number, line in enumerate(lines, 1))
    utterances = list(read)
    if other := [frames.shape[1] for frames, _ in utterances if frames.shape[1] != int(values)]:
        raise _wrong(path, f"a sequence has {other[0]} dimensions, and the file says {values}")
    return utterances, classes


def _said(path: Path, head: str) -> Iterator[tuple[str, str]]:
    """Yield what the head of a file says, key and value; '#' begins a comment."""
    for line in head.splitlines():
        key, _, value = line.removeprefix("@").partition(" ")
        if line.startswith("@") and key.lower() in _KNOWN:
            yield key.lower(), value.strip()
        elif line.strip() and not line.startswith("#"):
            raise _wrong(path, f"its head has the line {line[:40]!r}")


def _utterance(path: Path, number: int, line: str, classes: list[str]) -> tuple[np.ndarray, int]:
    """Return frames (T, values) and class of a line."""
    said, _, name = line.rpartition(":")
    if name not in classes or not _NUMBERS.fullmatch(said):
        raise _wrong(path, f"sequence {number} is not numbers and then a class")
    try:
        frames = np.array([one.split(",") for one in said.split(":")], dtype=float).T
    except ValueError:
        given = f"sequence {number} has no number, or dimensions of other lengths"
        raise _wrong(path, given) from None
    if not np.isfinite(frames).all():
        raise _wrong(path, f"sequence {number} has values without end")
    return frames, classes.index(name)


def _wrong(path: Path, given: str) -> CorpusError:
    return CorpusError(str(path), given=given, remedy="give a .ts file as aeon writes it")
