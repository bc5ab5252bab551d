"""Read a .csv file, or a folder of them, a sequence each; docs/own_data.md describes them.

NAME.csv has a row for each step, NAME.targets.csv beside it a row for each step or one for all.
"""

import re
from pathlib import Path

import numpy as np

from ernn.errors import CorpusError
from ernn.tasks.npz import require_room
from ernn.tasks.task import SPLITS

_TARGETS = ".targets.csv"
_PARSED = 8  # bytes of memory for a byte of text
_CLASS = re.compile(r"\d+")


def csv_files(folder: Path) -> list[Path]:
    """Return the .csv files of a folder and of its splits, in order; or one and its targets."""
    if not folder.is_dir():
        beside = folder.with_name(folder.stem + _TARGETS)
        return [folder, *([beside] if beside.is_file() else [])]
    places = [folder, *(folder / split for split in SPLITS)]
    return [path for place in places for path in sorted(place.glob("*.csv"))]


def read_csv(folder: Path) -> dict[str, np.ndarray]:
    """Return the sequences of a folder, or one file's, as an .npz file has them, end to end.

    Raises:
        CorpusError: it holds none, or files that are no tables of numbers or do not fit.
    """
    found = csv_files(folder)
    files = [path for path in found if not path.name.endswith(_TARGETS)]
    if not files:
        raise _wrong(folder, "no .csv file in it", "give a .csv file for each sequence")
    home = folder if folder.is_dir() else folder.parent
    require_room(folder, _PARSED * sum(path.stat().st_size for path in found if path.is_file()))
    read = [_numbers(path)[0] for path in files]
    for path, one in zip(files, read, strict=True):
        if one.shape[1] != read[0].shape[1]:
            size, first = one.shape[1], f"{read[0].shape[1]} of {files[0].name}"
            raise _wrong(path, f"{size} columns beside {first}", "give the same in every file")
    lengths = np.array([len(one) for one in read])
    arrays = {"frames": np.concatenate(read), "lengths": lengths}
    targets = [path.with_name(path.stem + _TARGETS) for path in files]
    spare = [path for path in found if path not in {*files, *targets}]
    missing = [path for path in targets if not path.is_file()]
    if spare or (missing and len(missing) < len(targets)):
        lone = (spare or missing)[0]
        what = "there is no sequence of that name" if spare else "there is no such file"
        raise _wrong(lone, what, "give targets of every sequence or of none")
    if not missing:
        arrays["targets"] = _targets(targets, lengths)
    inside = [path.parent.name for path in files if path.parent != home]
    if inside:
        if len(inside) < len(files):
            raise _wrong(folder, "files beside train, dev and test", "put each into one of them")
        arrays["splits"] = np.array(inside)
    return arrays


def _targets(paths: list[Path], lengths: np.ndarray) -> np.ndarray:
    """Return the targets of all files: classes if they are single whole numbers, else numbers."""
    read = [_numbers(path) for path in paths]
    tables = [table for table, _ in read]
    at_end = all(len(table) == 1 for table in tables)
    for path, table, length in zip(paths, tables, lengths, strict=True):
        if table.shape[1] != tables[0].shape[1] or not (at_end or len(table) == length):
            given = f"{table.shape[0]} rows of {table.shape[1]} targets for {length} steps"
            remedy = f"give {length} rows, or one in every file, of {tables[0].shape[1]} columns"
            raise _wrong(path, given, remedy)
    joined = np.concatenate(tables)
    classes = joined.shape[1] == 1 and all(whole for _, whole in read)
    return joined[:, 0].astype(np.int64) if classes else joined


def _numbers(path: Path) -> tuple[np.ndarray, bool]:
    """Return the numbers of a file (rows, columns), and whether all are written as whole ones."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(
            f"{path} cannot be read as text", given=str(error), remedy="write it in UTF-8"
        ) from None
    rows = [(number, line.split(",")) for number, line in enumerate(lines, 1) if line.strip()]
    if rows and any(not _is_number(cell) for cell in rows[0][1]):
        rows = rows[1:]  # its head
    if not rows:
        raise _wrong(path, "it holds no row of numbers", "leave it out")
    columns = len(rows[0][1])
    for number, row in rows:
        if len(row) != columns:
            given = f"line {number} has {len(row)} columns beside {columns}"
            raise _wrong(path, given, "give every line the same")
    try:
        table = np.array([[float(cell) for cell in row] for _, row in rows])
    except ValueError:
        number, cell = next((n, c) for n, row in rows for c in row if not _is_number(c))
        given = f"line {number} holds {cell.strip()[:20]!r}, which is no number"
        raise _wrong(path, given, "separate numbers by commas") from None
    if not np.isfinite(table).all():
        number = rows[int(np.argmin(np.isfinite(table).all(1)))][0]
        given = f"line {number} holds NaN or infinite numbers"
        raise _wrong(path, given, "mend it or leave the file out")
    whole = columns == 1 and all(_CLASS.fullmatch(row[0].strip()) for _, row in rows)
    return table, whole


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _wrong(path: Path, given: str, remedy: str) -> CorpusError:
    return CorpusError(str(path), given=given, remedy=remedy)
