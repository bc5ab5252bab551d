"""Kaldi archives, read as what they may be: somebody else's files.

Of all that Kaldi and kaldiio take for an archive only numbers in Kaldi's binary form (and integers
as text) are read: no commands, no pickles, no audio. Sizes are believed only as far as the file
goes.
"""

import re
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from ernn.datafile import require_plain
from ernn.errors import CorpusError
from ernn.speech.audio import located
from ernn.speech.labels import read_table

_MATRIX = re.compile(rb"\0B(FM|DM|CM|CM2|CM3) ")
_INTEGERS = b"\0B\4"
_INTEGER = np.dtype([("bytes", "i1"), ("value", "<i4")])
_LONGEST_NAME = 1000  # bytes


class Place(NamedTuple):
    """Where an array is."""

    path: Path
    offset: int  # bytes


def read_scp(path: Path) -> dict[str, Place]:
    """Read a list of places in archives, one for each utterance.

    A relative path is looked for beside the list, then below the current folder, as Kaldi does.

    Raises:
        CorpusError: the list cannot be read, or an entry is not a plain place.
    """
    places: dict[str, Place] = {}
    files: dict[str, Path] = {}
    for name, place in read_table(path, "lines: utterance archive:offset").items():
        if place.startswith("|") or place.endswith("|"):
            raise CorpusError(
                f"{path} has a command for {name}, {place!r}, and ernn runs none",
                remedy="write the archive to a file with Kaldi's copy-feats or copy-int-vector",
            )
        found = re.fullmatch(r"(.+):(\d{1,18})", place)
        if not found:
            raise CorpusError(
                f"{path} has no archive:offset for {name} but {place!r}",
                remedy="write archive and list anew with Kaldi's copy-feats or copy-int-vector",
            )
        if found[1] not in files:
            beside = located(path.parent, found[1])
            files[found[1]] = beside if beside.exists() else located(Path(), found[1])
        places[name] = Place(files[found[1]], int(found[2]))
    return places


def read_matrix(place: Place) -> np.ndarray:
    """Read a matrix, compressed or not: (rows, columns) float32.

    Raises:
        CorpusError: there is none, or less of it than its header says.
    """
    return _read(place, _features)


def read_integers(place: Place) -> np.ndarray:
    """Read a vector of integers: (T,) int64.

    Raises:
        CorpusError: there is none, or less of it than its header says.
    """
    return _read(place, _integers)


def read_integer_archive(path: Path) -> dict[str, np.ndarray]:
    """Read all vectors of an archive, binary or text.

    Raises:
        CorpusError: it is damaged, or holds something else.
    """
    whole = _read(Place(path, 0), _all_integers)
    if whole is not None:
        return whole
    lines = read_table(path, "lines: utterance numbers")
    try:
        return {name: np.array(text.split(), np.int64) for name, text in lines.items()}
    except (ValueError, OverflowError):
        raise CorpusError(
            f"{path} is no archive of integers",
            remedy="write it with Kaldi's ali-to-phones --per-frame",
        ) from None


class _Bounded:
    """A file that refuses to be read beyond its end, before memory for it is taken."""

    def __init__(self, file: BinaryIO, size: int):
        self.file, self.size = file, size

    def read(self, count: int) -> bytes:
        if not 0 <= count <= self.left:
            raise EOFError(f"{count} bytes announced, {self.left} left")
        return self.file.read(count)

    def peek(self, count: int) -> bytes:
        start = self.file.tell()
        found = self.file.read(count)
        self.file.seek(start)
        return found

    @property
    def left(self) -> int:
        return self.size - self.file.tell()


def _read(place: Place, read):
    try:
        if not place.path.is_file():
            raise FileNotFoundError("no such file")
        with place.path.open("rb") as file:
            require_plain(place.path, file.read(10), CorpusError)
            file.seek(place.offset)
            return read(_Bounded(file, place.path.stat().st_size))
    except CorpusError:
        raise
    except (OSError, EOFError, ValueError, AssertionError, MemoryError, struct.error) as error:
        raise CorpusError(
            f"{place.path} has no whole binary Kaldi array at byte {place.offset}",
            given=str(error),
            remedy="write it again, list included, with Kaldi's copy-feats or copy-int-vector",
        ) from None


def _features(file: _Bounded) -> np.ndarray:
    from kaldiio.matio import read_matrix_or_vector  # of the extra "speech"

    if not _MATRIX.match(file.peek(6)):
        raise ValueError("no matrix")
    with np.errstate(all="ignore"):  # of a damaged header; what is not finite is refused later
        return np.asarray(read_matrix_or_vector(file), np.float32)


def _integers(file: _Bounded) -> np.ndarray:
    if file.read(3) != _INTEGERS:
        raise ValueError("no vector of integers")
    count = int.from_bytes(file.read(4), "little", signed=True)
    # kaldiio reads integer by integer: a second for a million frames.
    found = np.frombuffer(file.read(_INTEGER.itemsize * count), _INTEGER)
    if (found["bytes"] != 4).any():
        raise ValueError("damaged integers")
    return found["value"].astype(np.int64)


def _all_integers(file: _Bounded) -> dict[str, np.ndarray] | None:
    """Read name and vector until the end; None if the archive is a text."""
    if b"\0B" not in file.peek(_LONGEST_NAME + 3):
        return None
    found = {}
    while file.left:
        name, space, _ = file.peek(_LONGEST_NAME).partition(b" ")
        file.read(len(name) + len(space))
        if name.decode() in found:
            raise CorpusError(
                f"{file.file.name} has two entries for {name.decode()!r}", remedy="remove one"
            )
        found[name.decode()] = _integers(file)
    return found
