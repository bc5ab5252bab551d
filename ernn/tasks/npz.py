"""Read a user's sequences from an .npz file; docs/own_data.md describes its arrays.

The file is not trusted: no pickle, sizes checked before memory is taken, every array checked
against the others.
"""

import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.lib import format as npy

from ernn.errors import CorpusError
from ernn.tasks.sequences import Sequences, save_sequences
from ernn.tasks.task import SPLITS

if TYPE_CHECKING:
    from ernn.recipe import Recipe

MOST_BYTES = 8 << 30  # of all arrays together
MOST_CLASSES = 4096
NEEDED = {"frames", "targets", "splits"}
KNOWN = NEEDED | {"lengths", "classes", "groups"}


def sources(recipe: "Recipe") -> list[Path]:
    """Return the file of a recipe."""
    return [Path(recipe.task.path or "")]


def make_data(
    recipe: "Recipe", folder: Path, workers: int, progress: Callable[[int, int], None]
) -> str:
    """Write the three splits of a recipe's .npz file; see `make_sequences`."""
    told = make_sequences(Path(recipe.task.path or ""), folder)
    progress(1, 1)
    return told


def make_sequences(path: Path, folder: Path) -> str:
    """Write the three splits of an .npz file; return what is in them, for a user to read.

    Raises:
        CorpusError: the file is missing, damaged or too large, or its arrays are not those of
            sequences.
    """
    arrays = read_npz(path)
    lengths = _lengths(path, arrays)
    frames = _frames(path, arrays["frames"], lengths)
    kind, labels = _labels(path, arrays["targets"], lengths)
    classes = _classes(path, arrays.get("classes"), labels)
    which = _splits(path, arrays["splits"], len(lengths))
    groups = _texts(path, arrays.get("groups"), len(lengths), "groups")
    _require_new(path, frames, which)
    told = [f"{len(frames)} sequences, {frames[0].shape[1]} values a frame, {len(classes)} classes"]
    for split in SPLITS:
        chosen = [index for index, name in enumerate(which) if name == split]
        picked = Sequences(
            [frames[index] for index in chosen],
            [labels[index] for index in chosen],
            tuple(groups[index] if groups else str(index) for index in chosen),
            classes,
            kind,
            bool(groups),
        )
        if split == "train":
            _require_all(path, picked)
        save_sequences(folder, split, picked)
        told.append(_in_words(split, picked))
    low, high = min(one.min() for one in frames), max(one.max() for one in frames)
    told.append(f"values from {low:.3g} to {high:.3g}; a model trains best on about -1 to 1")
    return "\n".join(told) + "\n"


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file.

    Raises:
        CorpusError: it cannot be read, or holds anything else than the arrays of sequences.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            announced = dict(_headers(path, archive))
            names = announced.keys()
            if names - KNOWN or NEEDED - names:
                what = f"{path} holds the arrays {', '.join(sorted(names)) or 'none'}"
                remedy = (
                    f"give {', '.join(sorted(NEEDED))}, and where they are wanted "
                    f"{', '.join(sorted(KNOWN - NEEDED))}, and no others"
                )
                raise CorpusError(what, remedy=remedy)
            if sum(announced.values()) > MOST_BYTES:
                size = sum(announced.values()) / 2**30
                limit = f"more than {MOST_BYTES >> 30} GiB"
                what = f"{path} announces arrays of {size:,.0f} GiB, {limit}"
                raise CorpusError(what, remedy="give fewer sequences")
            return {name: _array(archive, name) for name in names}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise CorpusError(
            f"{path} cannot be read as an .npz file",
            given=str(error),
            remedy="write it with numpy.savez",
        ) from None


def _wrong(path: Path, given: str, remedy: str) -> CorpusError:
    """Return the error of a file that can be read, and holds what cannot be used."""
    return CorpusError(str(path), given=given, remedy=remedy)


def _headers(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, int]]:
    """Yield the arrays of an archive by what they announce: name and bytes."""
    for info in archive.infolist():
        with archive.open(info) as file:
            shape, _, dtype = _header(file)
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize
        if dtype.hasobject or dtype.kind not in "fiubU":
            raise _wrong(
                path,
                f"{info.filename} holds {dtype}, neither numbers nor text",
                "save arrays of numbers, and names as text",
            )
        if not 0 <= info.file_size - size <= 1 << 16:  # the rest is the header
            raise _wrong(
                path,
                f"{info.filename} announces {size:,} bytes and holds {info.file_size:,}",
                "write it again with numpy.savez",
            )
        yield info.filename.removesuffix(".npy"), size


def _header(file) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return read(file)


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as file:
        return npy.read_array(file, allow_pickle=False)


def _lengths(path: Path, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Return the frames of each sequence."""
    frames, lengths = arrays["frames"], arrays.get("lengths")
    if frames.ndim not in (2, 3) or frames.dtype.kind not in "fiu" or not frames.size:
        raise _wrong(
            path,
            f"frames have the shape {frames.shape} of {frames.dtype}",
            (
                "give numbers as (sequences, steps, values), or all sequences end to "
                "end as (steps, values)"
            ),
        )
    if lengths is None:
        if frames.ndim == 2:
            raise _wrong(
                path,
                (
                    f"frames lie end to end, as {frames.shape}, and nothing says where "
                    "a sequence ends"
                ),
                "give lengths",
            )
        return np.full(len(frames), frames.shape[1])
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or not len(lengths):
        raise _wrong(
            path,
            f"lengths are {lengths.dtype} of shape {lengths.shape}",
            "give a whole number for each sequence",
        )
    if lengths.min() < 1:
        empty = int(np.argmin(lengths))
        raise _wrong(path, f"sequence {empty} is empty", "leave it out")
    if frames.ndim == 2 and lengths.sum() != len(frames):
        raise _wrong(
            path,
            f"lengths add up to {lengths.sum():,} and there are {len(frames):,} frames",
            "give the number of frames of each sequence",
        )
    if frames.ndim == 3 and (len(lengths) != len(frames) or lengths.max() > frames.shape[1]):
        raise _wrong(
            path,
            f"{len(lengths)} lengths up to {lengths.max()} do not fit frames of {frames.shape}",
            f"give one of each sequence, at most {frames.shape[1]}",
        )
    return lengths.astype(np.int64)


def _frames(path: Path, frames: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """Return the frames of each sequence (T, F)."""
    with np.errstate(over="ignore"):  # what does not fit becomes infinite and is refused below
        one_by_one = [one.astype(np.float32) for one in _cut(frames, lengths)]
    for index, one in enumerate(one_by_one):
        if not np.isfinite(one).all():
            raise _wrong(
                path,
                f"sequence {index} holds NaN, infinite or too large values",
                "mend it or leave it out",
            )
    return one_by_one


def _cut(array: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """Return the part of each sequence, of frames by sequence or end to end."""
    if array.ndim == 3:
        return [rows[:length] for rows, length in zip(array, lengths, strict=True)]
    return np.split(array, np.cumsum(lengths)[:-1])


def _labels(
    path: Path, targets: np.ndarray, lengths: np.ndarray
) -> tuple[Literal["steps", "sequence"], list[np.ndarray]]:
    """Return whether there is a target for each step or sequence, and those of each sequence."""
    count, steps = len(lengths), int(lengths.sum())
    if targets.dtype.kind not in "iu":
        raise _wrong(
            path,
            f"targets are {targets.dtype}",
            "give the number of a class, from 0, as whole numbers",
        )
    wide = targets.ndim == 2 and len(targets) == count and targets.shape[1] >= lengths.max()
    if targets.shape == (count,):
        return "sequence", list(targets.reshape(-1, 1))
    if targets.shape == (steps,):
        return "steps", np.split(targets, np.cumsum(lengths)[:-1])
    if wide:
        return "steps", [row[:length] for row, length in zip(targets, lengths, strict=True)]
    raise _wrong(
        path,
        f"targets of shape {targets.shape} do not fit {count} sequences of {steps:,} steps",
        f"give ({count},), one of each sequence, or ({steps},), one of each step",
    )


def _classes(path: Path, names: np.ndarray | None, labels: list[np.ndarray]) -> tuple[str, ...]:
    low, high = min(one.min() for one in labels), max(one.max() for one in labels)
    count = int(high) + 1 if names is None else names.size
    if low < 0 or high >= count or not 2 <= count <= MOST_CLASSES:
        known = f"{count} classes are named" if names is not None else f"at most {MOST_CLASSES}"
        raise _wrong(
            path, f"targets are {low} to {high}, {known}", "number the classes from 0, at least two"
        )
    told = _texts(path, names, count, "classes") or [str(number) for number in range(count)]
    if len(set(told)) < count:
        twice = Counter(told).most_common(1)[0][0]
        raise _wrong(path, f"two classes are named {twice!r}", "give each a name of its own")
    return tuple(told)


def _splits(path: Path, splits: np.ndarray, count: int) -> list[str]:
    told = _texts(path, splits, count, "splits")
    strange = sorted(set(told) - set(SPLITS))
    missing = [split for split in SPLITS if split not in told]
    if strange or missing:
        problem = f"name {strange[0]!r}" if strange else f"leave {missing[0]} empty"
        raise _wrong(path, f"splits {problem}", "name train, dev or test for each sequence")
    return told


def _texts(path: Path, names: np.ndarray | None, count: int, what: str) -> list[str]:
    """Return names or numbers as text; none where there are none."""
    if names is None:
        return []
    if names.shape != (count,) or names.dtype.kind not in "Uiu":
        raise _wrong(
            path, f"{what} are {names.dtype} of shape {names.shape}", f"give ({count},) texts"
        )
    return [str(name) for name in names.tolist()]


def _require_new(path: Path, frames: list[np.ndarray], which: list[str]) -> None:
    """Refuse a sequence that is in two splits."""
    seen: dict[bytes, int] = {}
    for index, one in enumerate(frames):
        first = seen.setdefault(one.tobytes(), index)
        if which[first] != which[index]:
            raise _wrong(
                path,
                f"sequence {first} of {which[first]} and {index} of {which[index]} are the same",
                "leave one out, so that no model is judged by what it was trained on",
            )


def _require_all(path: Path, train: Sequences) -> None:
    found = np.unique(np.concatenate(train.labels))
    missing = sorted(set(range(len(train.classes))) - set(found.tolist()))
    if missing:
        raise _wrong(
            path,
            f"no sequence of train is of class {train.classes[missing[0]]!r}",
            "a model cannot learn it: add some, or leave the class out",
        )


def _in_words(split: str, picked: Sequences) -> str:
    counted = np.bincount(np.concatenate(picked.labels), minlength=len(picked.classes))
    most = int(counted.argmax())
    share = 100 * counted[most] / counted.sum()
    steps = sum(len(one) for one in picked.frames)
    return (
        f"{split}: {len(picked)} sequences, {steps:,} frames; most often {picked.classes[most]} "
        f"({share:.0f} %)"
    )
