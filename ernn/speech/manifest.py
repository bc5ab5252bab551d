"""A user's own recordings, listed in a manifest: one JSON object a line, one line an utterance."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile

from ernn.datafile import parse
from ernn.errors import CorpusError
from ernn.recipe import CorpusRecipe, FeatureRecipe
from ernn.speech.acoustics import resample
from ernn.speech.features import speaker_utterances
from ernn.speech.labels import JOINS, PhoneSet, read_phones
from ernn.speech.recording import Recording
from ernn.speech.speakers import SPLITS
from ernn.speech.utterance import Utterance

SILENCE = "sil"
_LONGEST_S = 300.0  # cut a longer recording into utterances
_RATES = (6_000, 200_000)  # samples per second
_SLACK_S = 0.05  # how far the last label may reach behind the audio
_CLOSE_S = 0.001  # gaps and overlaps up to this are rounding


@dataclass(frozen=True)
class Line:
    """One line of a manifest."""

    audio: str  # relative to the manifest
    speaker: str
    split: Literal["train", "dev", "test"]
    phones: str | list[tuple[float, float, str]]  # in order; or each with its start and end, s

    @property
    def spoken(self) -> list[str]:
        """The phones without their times."""
        return self.phones.split() if isinstance(self.phones, str) else [p for *_, p in self.phones]


@dataclass(frozen=True)
class ManifestTask:
    """One speaker's recordings of one split."""

    name: str
    folder: Path  # of the manifest
    entries: tuple[Line, ...]
    phones: PhoneSet

    def utterances(self, recipe: FeatureRecipe) -> list[Utterance]:
        """Return the features and labels of the recordings."""
        named = [(entry.audio, self._recording(entry)) for entry in self.entries]
        return speaker_utterances(self.name, named, recipe)

    def _recording(self, entry: Line) -> Recording:
        audio, rate = _read_audio(self.folder / entry.audio)
        try:
            if isinstance(entry.phones, str):
                phones, ends = self.phones.sequence(entry.phones.split()), None
            else:
                phones, ends = _lay(entry.phones, len(audio), rate, self.phones)
        except CorpusError as error:
            raise CorpusError(f"{entry.audio}: {error}") from None
        if not len(phones):
            raise CorpusError(f"{entry.audio}: no phone is left; leave the recording out")
        return resample(Recording(audio, rate, phones, ends, self.phones.silence))


def tasks(recipe: CorpusRecipe) -> tuple[dict[str, list[ManifestTask]], tuple[str, ...]]:
    """Find the speakers of each split, and the phones that their labels stand for.

    Raises:
        CorpusError: the manifest is missing, empty or damaged.
    """
    path = Path(recipe.path or "")
    entries = list(read_lines(path))
    found: dict[str, dict[str, list[Line]]] = {split: {} for split in SPLITS}
    for entry in entries:
        found[entry.split].setdefault(entry.speaker, []).append(entry)
    for split, speakers in found.items():
        if not speakers:
            raise CorpusError(f'{path} has no line with "split": "{split}"; give each split some')
    phones = PhoneSet.choose(recipe.fold, _phones(recipe, entries))
    tasks = {
        split: [
            ManifestTask(speaker, path.parent, tuple(said), phones)
            for speaker, said in speakers.items()
        ]
        for split, speakers in found.items()
    }
    return tasks, phones.labels


def sources(recipe: CorpusRecipe) -> list[Path]:
    """Return the files that the corpus is made from, those that do not exist included."""
    path = Path(recipe.path or "")
    tables = [Path(table) for table in (recipe.phones, recipe.fold) if table]
    return [path, *tables, *(path.parent / entry.audio for entry in read_lines(path))]


def _phones(recipe: CorpusRecipe, entries: list[Line]) -> list[str]:
    """Return the phones of the recipe's table, or those of the training split, and silence."""
    if recipe.phones:
        return list(read_phones(Path(recipe.phones)))
    train = [entry for entry in entries if entry.split == "train"]
    silent = {SILENCE} if any(not isinstance(entry.phones, str) for entry in entries) else set()
    return sorted({phone for entry in train for phone in entry.spoken} | silent)


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a manifest.

    Raises:
        CorpusError: it cannot be read, or a line is not one of a manifest.
    """
    seen = set()
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                entry = parse(json.loads(line), Line, CorpusError, f"{path}, line {number}")
                if entry.audio in seen:
                    raise CorpusError(f"{path}, line {number}: {entry.audio} again; remove a line")
                odd = [phone for phone in entry.spoken if len(phone.split()) != 1]
                if odd or not entry.spoken:
                    told = f"{odd[0]!r} is no phone" if odd else "no phones"
                    raise CorpusError(f"{path}, line {number}: {told}; name one word each")
                seen.add(entry.audio)
                yield entry
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} cannot be read ({error}); give a file of JSON lines") from None
    except (json.JSONDecodeError, RecursionError):
        raise CorpusError(
            f"{path}, line {number} is not JSON; each line is one object with audio, speaker, "
            "split and phones"
        ) from None


def _read_audio(path: Path) -> tuple[np.ndarray, int]:
    """Return the samples, (N,) float32, and how many there are a second."""
    try:
        told = soundfile.info(path)
        if told.channels != 1 or not _RATES[0] <= told.samplerate <= _RATES[1]:
            raise CorpusError(
                f"{path} has {told.channels} channels and {told.samplerate} Hz; give one channel "
                f"of {_RATES[0]} to {_RATES[1]} Hz"
            )
        if not 0 < told.duration <= _LONGEST_S:
            raise CorpusError(
                f"{path} lasts {told.duration:.0f} s; cut it into utterances of at most "
                f"{_LONGEST_S:.0f} s"
            )
        audio, rate = soundfile.read(path, dtype="float32")
    except (OSError, TypeError, soundfile.SoundFileError) as error:
        raise CorpusError(f"{path} cannot be read as audio ({error}); give WAV or FLAC") from None
    if not np.isfinite(audio).all():
        raise CorpusError(f"{path} has samples that are NaN or infinite; record it again")
    return audio, rate


def _lay(
    timed: list[tuple[float, float, str]], samples: int, rate: int, phones: PhoneSet
) -> tuple[np.ndarray, np.ndarray]:
    """Lay timed phones end to end, silence between them; return labels and their last samples."""
    length = samples / rate
    labels, ends, reached = [], [], 0.0
    for start, end, phone in [*timed, (length, length, "")]:
        if phone and not (math.isfinite(end) and reached - _CLOSE_S <= start < end):
            raise CorpusError(
                f"{phone!r} from {start} s to {end} s has no length or overlaps with the phone "
                "before; give phones in order of time, with start before end"
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
        raise CorpusError(f"phones end at {reached:.3f} s, but the audio at {length:.3f} s")
    edges = np.minimum(np.round(np.array(ends) * rate), samples).astype(np.int64)
    edges[-1:] = samples
    spans = np.diff(edges, prepend=0) > 0
    return np.array(labels, np.int16)[spans], edges[spans]


def _silence(phones: PhoneSet, start: float, end: float) -> int:
    if phones.silence < 0:
        raise CorpusError(
            f"there is no phone from {start:.3f} s to {end:.3f} s and no {SILENCE!r} to put there; "
            f"add {SILENCE!r} to corpus.phones or corpus.fold"
        )
    return phones.silence
