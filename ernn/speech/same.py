"""The same recording twice: as one file with two names, as a copy, or as parts that overlap."""

import hashlib
import math
import stat
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ernn.errors import CorpusError
from ernn.speech.audio import Part
from ernn.speech.census import twice

_CLOSE_S = 0.001  # an overlap up to this is rounding


@dataclass(frozen=True)
class Use:
    """A part of a file as some utterance."""

    name: str  # of the utterance
    split: str
    path: Path
    part: Part

    @property
    def end(self) -> float:
        """Where the part ends, s; infinity for the end of the file."""
        return math.inf if self.part.duration is None else self.part.offset + self.part.duration


def identities(paths: Iterable[Path]) -> dict[Path, Hashable]:
    """Return for each file what it shares with its links and its copies only.

    Raises:
        OSError: a file is not there, or is a pipe or a device, whose bytes nobody can read twice.
    """
    nodes = {path: path.stat() for path in paths}
    if not all(stat.S_ISREG(told.st_mode) for told in nodes.values()):
        raise OSError("no plain file")
    sizes = defaultdict(set)  # only files of one size can be copies, and need to be read
    for told in nodes.values():
        sizes[told.st_size].add((told.st_dev, told.st_ino))
    content: dict[Hashable, Hashable] = {}
    for path, told in nodes.items():
        node = (told.st_dev, told.st_ino)
        if len(sizes[told.st_size]) > 1 and node not in content:
            with path.open("rb") as file:
                content[node] = hashlib.file_digest(file, "sha256").digest()
    found = {path: (told.st_dev, told.st_ino) for path, told in nodes.items()}
    return {path: content.get(node, node) for path, node in found.items()}


def require_apart(uses: Sequence[Use]) -> None:
    """Refuse a recording that comes twice.

    Parts of one recording may touch; in one split they may overlap by half of the shorter one,
    as parts cut with a margin do.

    Raises:
        CorpusError: it does, in one split or in two.
    """
    known = identities({use.path for use in uses})
    by_sound = defaultdict(list)
    for use in uses:
        by_sound[known[use.path], use.part.channel or 0].append(use)
    for parts in by_sound.values():
        parts.sort(key=lambda use: use.part.offset)
        for number, one in enumerate(parts):
            for other in parts[number + 1 :]:
                if other.part.offset >= one.end - _CLOSE_S:
                    break
                _require_little(one, other)


def _require_little(one: Use, other: Use) -> None:
    """Refuse two parts of one sound, the second of which begins inside the first."""
    shared = min(one.end, other.end) - other.part.offset
    shorter = min(use.end - use.part.offset for use in (one, other))
    if one.split != other.split or math.isinf(shared) or shared > shorter / 2:
        raise CorpusError(twice((one.split, one.name), (other.split, other.name)))
