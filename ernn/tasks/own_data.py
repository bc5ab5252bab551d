"""Make the data of a user's own sequences, whatever file they come from; docs/own_data.md.

Every array is checked against the others before anything is written.
"""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ernn.errors import CorpusError
from ernn.targets import CLASSES, UNTOLD, Targets
from ernn.tasks.csv_folder import csv_files, read_csv
from ernn.tasks.npz import read_npy, read_npz
from ernn.tasks.sequences import Sequences, save_sequences
from ernn.tasks.task import SPLITS

if TYPE_CHECKING:
    from ernn.recipe import Recipe

MOST_CLASSES = 4096
_SHARE = 0.15  # of dev, and of test, where no splits are named
_MOST_PIECES, _LEAST_STEPS = 10, 100  # of these, where they are parts of one sequence


def sources(recipe: "Recipe") -> list[Path]:
    """Return the files of a recipe."""
    path = Path(recipe.task.path or "")
    return csv_files(path) if path.is_dir() or path.suffix == ".csv" else [path]


def make_data(
    recipe: "Recipe", folder: Path, workers: int, progress: Callable[[int, int], None]
) -> str:
    """Write the three splits of a recipe's sequences; see `make_sequences`."""
    trained = recipe.source.kind == "import"
    told = make_sequences(Path(recipe.task.path or ""), folder, trained)
    progress(1, 1)
    return told


def make_sequences(path: Path, folder: Path, trained: bool = False) -> str:
    """Write the three splits of a user's data; return what is in them, for a user to read.

    Args:
        path: the file or folder.
        folder: where to write them.
        trained: they are for a model that has learnt its classes elsewhere.

    Raises:
        CorpusError: they are missing, damaged or too large, or their arrays are not those of
            sequences.
    """
    arrays = _read(path)
    lengths = _lengths(path, arrays)
    frames = _frames(path, arrays["frames"], lengths)
    kind, targets = _targets(path, arrays, lengths)
    names = arrays.get("classes")
    classes = _classes(path, names, _told(path, kind, targets)) if kind in CLASSES else ()
    groups = _texts(path, arrays.get("groups"), len(lengths), "groups")
    size, wanted = frames[0].shape[1], _wanted(kind, classes, targets)
    told = [f"{_count(len(frames), 'sequence')}, {_count(size, 'value')} a frame, {wanted}"]
    if "splits" in arrays:
        which = _splits(path, arrays["splits"], len(lengths))
    elif len(frames) == 1:
        which, ends, sentence = _cut_in_time(path, len(frames[0]), len(targets[0]))
        frames, targets = np.split(frames[0], ends), np.split(targets[0], ends)
        _told(path, kind, targets)  # each of them has to have a class
        groups = []  # all of it is from the same one
        told.append(sentence)
    else:
        which, sentence = _in_order(path, len(frames))
        told.append(sentence)
    if len(lengths) > 1:  # pieces of one sequence may be alike, as silence is
        _require_new(path, frames, which)
    picked = {}
    for split in SPLITS:
        chosen = [index for index, name in enumerate(which) if name == split]
        picked[split] = Sequences(
            [frames[index] for index in chosen],
            [targets[index] for index in chosen],
            tuple(groups[index] if groups else str(index) for index in chosen),
            classes,
            kind,
            bool(groups),
        )
    if kind in CLASSES and not trained:
        _require_all(path, picked["train"])
    for split, one in picked.items():
        save_sequences(folder, split, one)
        told.append(_in_words(split, one))
    low, high = _range(frames)
    advice = "" if trained else "; a model trains best on about -1 to 1"
    told.append(f"values from {low:.3g} to {high:.3g}{advice}")
    return "\n".join(told) + "\n"


def _read(path: Path) -> dict[str, np.ndarray]:
    """Return frames, and whatever else is known of them, of a file or folder."""
    if not os.path.lexists(path):  # also of a name that no file can have
        raise _wrong(
            path,
            "there is no such file or folder",
            "paths are from the folder where ernn is called",
        )
    if path.is_dir() or path.suffix == ".csv":
        return read_csv(path)
    return read_npy(path) if path.suffix == ".npy" else read_npz(path)


def _wrong(path: Path, given: str, remedy: str) -> CorpusError:
    """Return the error of a file that can be read, and holds what cannot be used."""
    return CorpusError(str(path), given=given, remedy=remedy)


def _lengths(path: Path, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Return the frames of each sequence."""
    frames, lengths = arrays["frames"], arrays.get("lengths")
    if frames.ndim not in (2, 3) or frames.dtype.kind not in "fiu" or not frames.size:
        raise _wrong(
            path,
            f"frames have the shape {frames.shape} of {frames.dtype}",
            (
                "give numbers as (sequences, steps, values), or one sequence, or several end to "
                "end, as (steps, values)"
            ),
        )
    if lengths is None:
        return np.full(*((1, len(frames)) if frames.ndim == 2 else frames.shape[:2]))
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
    return _finite(path, _cut(frames, lengths), "values")


def _finite(path: Path, arrays: list[np.ndarray], what: str) -> list[np.ndarray]:
    """Return the numbers of each sequence as float32."""
    with np.errstate(over="ignore"):  # what does not fit becomes infinite and is refused below
        one_by_one = [one.astype(np.float32) for one in arrays]
    for index, one in enumerate(one_by_one):
        if not np.isfinite(one).all():
            raise _wrong(
                path,
                f"sequence {index} holds NaN, infinite or too large {what}",
                "mend it or leave it out",
            )
    return one_by_one


def _cut(array: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """Return the part of each sequence, of frames by sequence or end to end."""
    if array.ndim == 3:
        return [rows[:length] for rows, length in zip(array, lengths, strict=True)]
    return np.split(array, np.cumsum(lengths)[:-1])


def _targets(
    path: Path, arrays: dict[str, np.ndarray], lengths: np.ndarray
) -> tuple[Targets, list[np.ndarray]]:
    """Return the kind of the targets, and those of each sequence."""
    targets, count, steps = arrays.get("targets"), len(lengths), int(lengths.sum())
    if targets is None:
        return "none", [np.zeros((length, 0), np.float32) for length in lengths]
    if targets.dtype.kind not in "iubf":
        raise _wrong(
            path,
            f"targets are {targets.dtype}",
            "give classes as whole numbers from 0, or other numbers as floats",
        )
    if targets.dtype.kind == "f":
        kind, found = _values(path, targets, arrays["frames"], lengths)
        return kind, _finite(path, found, "targets")
    targets = targets.astype(np.int64)
    if targets.shape == (count,):
        return "sequence", list(targets.reshape(-1, 1))
    if targets.shape == (steps,):
        return "steps", np.split(targets, np.cumsum(lengths)[:-1])
    if targets.ndim == 2 and len(targets) == count and targets.shape[1] >= lengths.max():
        return "steps", [row[:length] for row, length in zip(targets, lengths, strict=True)]
    raise _misfit(path, targets, count, steps, "")


def _values(
    path: Path, targets: np.ndarray, frames: np.ndarray, lengths: np.ndarray
) -> tuple[Targets, list[np.ndarray]]:
    """Return whether there are numbers for each step or sequence, and those of each."""
    count, steps = len(lengths), int(lengths.sum())
    if targets.shape[:2] == frames.shape[:2] and targets.ndim == 2 and frames.ndim == 3:
        raise _wrong(
            path,
            f"targets of shape {targets.shape} are one of each step, or {targets.shape[1]} of "
            "each sequence",
            f"give {(*targets.shape, 1)} for one of each step",
        )
    rows = targets.reshape(-1, 1) if targets.ndim == 1 else targets
    if rows.size and rows.ndim == 2 and len(rows) == count:
        return "sequence_values", list(rows[:, np.newaxis])
    if rows.size and rows.ndim == 2 and len(rows) == steps:
        return "step_values", _cut(rows, lengths)
    if rows.size and rows.ndim == 3 and len(rows) == count and rows.shape[1] >= lengths.max():
        return "step_values", _cut(rows, lengths)
    raise _misfit(path, targets, count, steps, ", outputs")


def _misfit(path: Path, targets: np.ndarray, count: int, steps: int, last: str) -> CorpusError:
    each = [f"({size}{last or ','})" for size in (count, steps)]
    return _wrong(
        path,
        f"targets of shape {targets.shape} do not fit {count} sequences of {steps:,} steps",
        f"give {each[0]}, one of each sequence, or {each[1]}, one of each step",
    )


def _told(path: Path, kind: Targets, labels: list[np.ndarray]) -> list[np.ndarray]:
    """Return the classes of each sequence without the steps at which nothing is wanted."""
    if kind != "steps":
        return labels
    told = [one[one != UNTOLD] for one in labels]
    for index, one in enumerate(told):
        if not len(one):
            what = f"no step of sequence {index} has a class"
            raise _wrong(path, what, "give one to a step, or leave the sequence out")
    return told


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


def _in_order(path: Path, count: int) -> tuple[list[str], str]:
    """Return the splits of sequences of which nobody said any, and a sentence about it."""
    if count < len(SPLITS):
        raise _wrong(
            path,
            f"{count} sequences do not go round train, dev and test",
            "give one long sequence, or three and more",
        )
    part = max(1, round(_SHARE * count))
    sizes = (count - 2 * part, part, part)
    told = (
        f"no splits are named: the first {sizes[0]} are train, the next {part} dev, the last "
        f"{part} test"
    )
    return list(np.repeat(SPLITS, sizes)), told


def _cut_in_time(path: Path, steps: int, targets: int) -> tuple[list[str], list[int], str]:
    """Return the splits of the parts of a single sequence, where to cut, and a sentence about it.

    What models are judged by is cut into several sequences: intervals come from drawing them anew.
    """
    if steps < len(SPLITS) or targets != steps:
        raise _wrong(
            path,
            f"one sequence of {steps} steps with {targets} targets cannot be cut in three",
            "give more sequences",
        )
    part = max(1, round(_SHARE * steps))
    pieces = min(max(1, part // _LEAST_STEPS), _MOST_PIECES)
    ends = [round(steps - 2 * part + part * piece / pieces) for piece in range(2 * pieces)]
    which = np.repeat(SPLITS, (1, pieces, pieces)).tolist()
    told = (
        f"no splits are named: the sequence is cut in time, {ends[0]:,} steps of train, then "
        f"{part:,} of dev and {part:,} of test"
    )
    anew = f", {pieces} sequences of each, which begin anew" if pieces > 1 else ""
    return which, ends, told + anew


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
    found = np.unique(np.concatenate(train.targets))
    missing = sorted(set(range(len(train.classes))) - set(found.tolist()))
    if missing:
        raise _wrong(
            path,
            f"no sequence of train is of class {train.classes[missing[0]]!r}",
            "a model cannot learn it: add some, leave the class out, or name other splits",
        )


def _range(arrays: list[np.ndarray]) -> tuple[float, float]:
    return min(one.min() for one in arrays), max(one.max() for one in arrays)


def _wanted(kind: Targets, classes: tuple[str, ...], targets: list[np.ndarray]) -> str:
    """Return what is wanted of a model, in words."""
    if kind == "none":
        return "no targets: models are judged against the float network"
    if kind in CLASSES:
        return f"{len(classes)} classes"
    low, high = _range(targets)
    each = "step" if kind == "step_values" else "sequence"
    return f"{_count(targets[0].shape[1], 'target')} a {each} from {low:.3g} to {high:.3g}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _in_words(split: str, picked: Sequences) -> str:
    steps = sum(len(one) for one in picked.frames)
    told = f"{split}: {_count(len(picked), 'sequence')}, {steps:,} frames"
    if picked.kind not in CLASSES:
        return told
    found = np.concatenate(picked.targets)
    counted = np.bincount(found[found != UNTOLD], minlength=len(picked.classes))
    most = int(counted.argmax())
    share = 100 * counted[most] / counted.sum()
    return f"{told}; most often {picked.classes[most]} ({share:.0f} %)"
