"""A user's own recordings, listed in a manifest: one JSON object a line, one line an utterance."""

import json
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, StringConstraints

from ernn.datafile import Count, Strict, parse, read_text
from ernn.errors import CorpusError, Fault
from ernn.folders import left_by_system
from ernn.recipe import CorpusRecipe, FeatureRecipe
from ernn.speech.acoustics import resample
from ernn.speech.audio import SUFFIXES, Part, located, read_audio
from ernn.speech.features import speaker_utterances
from ernn.speech.labels import JOINS, PhoneSet, read_phones
from ernn.speech.recording import Recording
from ernn.speech.same import Use, require_apart
from ernn.speech.source import Source
from ernn.speech.speakers import SPLITS
from ernn.speech.utterance import Utterance

SILENCE = "sil"
_FORM = "a file of JSON lines"
_SLACK_S = 0.05  # how far the last label may reach behind the audio
_CLOSE_S = 0.001  # gaps and overlaps up to this are rounding


@dataclass(frozen=True)
class Line(Strict):
    """One line of a manifest."""

    audio: str  # relative to the manifest
    speaker: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    split: Literal["train", "dev", "test"]
    phones: str | list[tuple[float, float, str]]  # in order; or each with its start and end, s
    offset: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] = (
        0.0  # s; where the utterance begins in the file, and times count from
    )
    duration: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] | None = (
        None  # s; None: up to the end of the file
    )
    channel: Count | None = None  # from 0; None: the file has one

    @property
    def spoken(self) -> list[str]:
        """The phones without their times."""
        return self.phones.split() if isinstance(self.phones, str) else [p for *_, p in self.phones]

    @property
    def part(self) -> Part:
        """What the line takes of the file."""
        return Part(self.offset, self.duration, self.channel)

    @property
    def name(self) -> str:
        """The file, and what of it: in the words of W3C's media fragments."""
        what = [] if self.channel is None else [f"channel={self.channel}"]
        if self.offset or self.duration:
            end = "" if self.duration is None else f",{self.offset + self.duration:g}"
            what.append(f"t={self.offset:g}{end}")
        return "#".join(filter(None, (self.audio, "&".join(what))))


@dataclass(frozen=True)
class ManifestTask:
    """One speaker's recordings of one split."""

    name: str
    folder: Path  # of the manifest
    entries: tuple[Line, ...]
    phones: PhoneSet

    def utterances(self, recipe: FeatureRecipe) -> list[Utterance]:
        """Return the features and labels of the recordings."""
        named = [(entry.name, self._recording(entry)) for entry in self.entries]
        return speaker_utterances(self.name, named, recipe)

    def _recording(self, entry: Line) -> Recording:
        audio, origin = read_audio(located(self.folder, entry.audio), entry.part)
        try:
            if isinstance(entry.phones, str):
                phones, ends = self.phones.sequence(entry.phones.split()), None
            else:
                phones, ends = _lay(entry.phones, len(audio), origin.rate, self.phones)
        except CorpusError as error:
            raise error.at(entry.name) from None
        if not len(phones):
            raise CorpusError(
                entry.name, given="no phone is left", remedy="leave the recording out"
            )
        return resample(Recording(audio, origin.rate, phones, ends, self.phones.silence, origin))


def find(recipe: CorpusRecipe) -> Source:
    """Find the speakers of each split, and the phones that their labels stand for.

    Raises:
        CorpusError: the manifest is missing, empty or damaged, or names a recording twice.
    """
    path = Path(recipe.path or "")
    entries = list(read_lines(path))
    found: dict[str, dict[str, list[Line]]] = {split: {} for split in SPLITS}
    for entry in entries:
        found[entry.split].setdefault(entry.speaker, []).append(entry)
    for split, speakers in found.items():
        if not speakers:
            raise CorpusError(
                f'{path} has no line with "split": "{split}"', remedy="give each split some"
            )
    phones = PhoneSet.choose(recipe.fold, _phones(recipe, entries))
    uses = [Use(one.name, one.split, located(path.parent, one.audio), one.part) for one in entries]
    try:
        require_apart(uses)
    except (OSError, ValueError) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError(_missing(uses)) from None
    tasks = {
        split: [
            ManifestTask(speaker, path.parent, tuple(said), phones)
            for speaker, said in speakers.items()
        ]
        for split, speakers in found.items()
    }
    notes = {"recordings beside the listed ones that no line names": _unlisted(uses)}
    return Source(tasks, phones.labels, ["recordings of a manifest"], notes=notes)


def sources(recipe: CorpusRecipe) -> list[Path]:
    """Return the files that the corpus is made from, those that do not exist included."""
    path = Path(recipe.path or "")
    tables = [Path(table) for table in (recipe.phones, recipe.fold) if table]
    return [path, *tables, *(located(path.parent, entry.audio) for entry in read_lines(path))]


def _missing(uses: Iterable[Use]) -> Fault:
    """Say which file of a manifest is not there."""
    lost = list(dict.fromkeys(use.path for use in uses if not _is_file(use.path)))
    more = f", nor can {len(lost) - 1} others" if len(lost) > 1 else ""
    return Fault(
        f"{lost[0] if lost else 'a recording'} cannot be read as audio{more}",
        "no such file",
        "",
        "paths are relative to the manifest; correct it or copy the recordings there",
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _unlisted(uses: Iterable[Use]) -> list[str]:
    """Return the recordings that lie in the folders of those in use and are not used."""
    used = {(told.st_dev, told.st_ino) for told in (use.path.stat() for use in uses)}
    found = []
    for folder in sorted({use.path.parent for use in uses}):
        with os.scandir(folder) as entries:
            for entry in entries:
                if left_by_system(entry.name) or Path(entry.name).suffix.lower() not in SUFFIXES:
                    continue
                if entry.is_file() and (entry.stat().st_dev, entry.stat().st_ino) not in used:
                    found.append(entry.path)
    return sorted(found)


def _phones(recipe: CorpusRecipe, entries: list[Line]) -> list[str]:
    """Return the phones of the recipe's table, or those of the training split, and silence."""
    if recipe.phones:
        return list(read_phones(Path(recipe.phones)))
    train = [entry for entry in entries if entry.split == "train"]
    said = {phone for entry in train for phone in entry.spoken}
    timed = any(not isinstance(entry.phones, str) for entry in entries)
    has_silence = any(phone.lower() == SILENCE for phone in said)
    return sorted(said | ({SILENCE} if timed and not has_silence else set()))


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a manifest.

    Raises:
        CorpusError: it cannot be read, or a line is not one of a manifest.
    """
    seen: set[str] = set()
    for number, text in enumerate(read_text(path, CorpusError, _FORM).split("\n"), start=1):
        if not text.strip():
            continue
        where = f"{path}, line {number}"
        entry = parse(_object(text, where), Line, CorpusError, where, "correct the line")
        if entry.name in seen:
            raise CorpusError(where, given=f"{entry.name} again", remedy="remove a line")
        odd = [phone for phone in entry.spoken if len(phone.split()) != 1]
        if odd or not entry.spoken:
            told = f"{odd[0]!r} is no phone" if odd else "no phones"
            raise CorpusError(where, given=told, remedy="name one word each")
        seen.add(entry.name)
        yield entry


def _object(text: str, where: str) -> Any:
    """Parse a line; of two values for one key JSON's readers would silently take the last."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for n, (key, _) in enumerate(pairs) if key in dict(pairs[:n]))
            raise CorpusError(where, given=f"the key {twice!r} comes twice", remedy="remove one")
        return found

    try:
        return json.loads(text, object_pairs_hook=unique)
    except CorpusError:
        raise
    except (ValueError, RecursionError):  # ValueError: no JSON, or a number of 5,000 digits
        keys = "audio, speaker, split and phones"
        raise CorpusError(
            f"{where} is not JSON", allowed=f"one object a line with {keys}"
        ) from None


def _lay(
    timed: list[tuple[float, float, str]], samples: int, rate: int, phones: PhoneSet
) -> tuple[np.ndarray, np.ndarray]:
    """Lay timed phones end to end, silence between them; return labels and their last samples."""
    length = samples / rate
    labels, ends, reached = [], [], 0.0
    for start, end, phone in [*timed, (length, length, "")]:
        if phone and not (math.isfinite(end) and reached - _CLOSE_S <= start < end):
            raise CorpusError(
                f"{phone!r} from {start} s to {end} s",
                given="it has no length or overlaps with the phone before",
                remedy="give phones in order of time, with start before end",
            )
        if start - reached > _CLOSE_S:
            labels.append(_silence(phones, reached, start))
            ends.append(start)
        if phone:
            number = phones.number(phone)
            if number == JOINS and labels:
                ends[-1] = end
            else:
                labels.append(_silence(phones, start, end) if number == JOINS else number)
                ends.append(end)
            reached = end
    if reached > length + _SLACK_S:
        raise CorpusError(
            f"phones end at {reached:.3f} s, but the audio at {length:.3f} s",
            remedy="correct the times",
        )
    edges = np.minimum(np.round(np.array(ends) * rate), samples).astype(np.int64)
    edges[-1:] = samples
    spans = np.diff(edges, prepend=0) > 0
    return np.array(labels, np.int16)[spans], edges[spans]


def _silence(phones: PhoneSet, start: float, end: float) -> int:
    if phones.silence < 0:
        raise CorpusError(
            f"there is no phone from {start:.3f} s to {end:.3f} s and no {SILENCE!r} to put there",
            remedy=f"add {SILENCE!r} to corpus.phones or corpus.fold",
        )
    return phones.silence
