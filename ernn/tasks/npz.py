"""Read the arrays of .npz and .npy files; docs/own_data.md describes them.

A file is not trusted: no pickle, sizes checked before memory is taken.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from ernn.errors import CorpusError

MOST_BYTES = 8 << 30  # of all arrays together
NEEDED = {"frames"}
KNOWN = NEEDED | {"lengths", "targets", "splits", "classes", "groups"}


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
            require_room(path, sum(announced.values()))
            return {name: _array(archive, name) for name in names}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise CorpusError(
            f"{path} cannot be read as an .npz file",
            given=str(error),
            remedy="write it with numpy.savez",
        ) from None


def read_npy(path: Path) -> dict[str, np.ndarray]:
    """Return the frames of an .npy file: of one sequence (steps, values), or of several.

    Raises:
        CorpusError: it cannot be read, or is larger or smaller than it says.
    """
    try:
        with path.open("rb") as file:
            shape, _, dtype = _header(file)
            size = _size(path, path.name, shape, dtype, path.stat().st_size - file.tell())
            require_room(path, size)
            file.seek(0)
            return {"frames": npy.read_array(file, allow_pickle=False)}
    except (OSError, ValueError, EOFError) as error:
        raise CorpusError(
            f"{path} cannot be read as an .npy file",
            given=str(error),
            remedy="write it with numpy.save",
        ) from None


def require_room(path: Path, size: int) -> None:
    """Refuse data of more bytes than anybody should hold in memory."""
    if size > MOST_BYTES:
        told, limit = f"{size / 2**30:,.0f} GiB", f"more than {MOST_BYTES >> 30} GiB"
        what = f"{path} takes {told} of memory, {limit}"
        raise CorpusError(what, remedy="give fewer sequences")


def _headers(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, int]]:
    """Yield the arrays of an archive by what they announce: name and bytes."""
    for info in archive.infolist():
        with archive.open(info) as file:
            shape, _, dtype = _header(file)
            size = _size(path, info.filename, shape, dtype, info.file_size - file.tell())
        yield info.filename.removesuffix(".npy"), size


def _size(path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype, held: int) -> int:
    """Return the bytes of an array that a file announces and holds."""
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if dtype.hasobject or dtype.kind not in "fiubU":
        raise CorpusError(
            str(path),
            given=f"{name} holds {dtype}, neither numbers nor text",
            remedy="save arrays of numbers, and names as text",
        )
    if held != size:
        raise CorpusError(
            str(path),
            given=f"{name} announces {size:,} bytes and holds {held:,}",
            remedy="write it again with numpy",
        )
    return size


def _header(file) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return read(file)


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as file:
        return npy.read_array(file, allow_pickle=False)
