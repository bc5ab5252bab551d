"""Recordings read from files: a part of one channel, whole and finite, or one sentence."""

import hashlib
import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ernn.datafile import require_plain
from ernn.errors import CorpusError
from ernn.speech.container import Incomplete, announces_length

if TYPE_CHECKING:
    import soundfile

SUFFIXES = frozenset(".wav .flac .ogg .opus .mp3 .aif .aiff .au .sph .w64 .caf .rf64".split())
LONGEST_S = 300.0  # of a part; cut what is longer into utterances
RATES = (6_000, 200_000)  # samples per second
_SLACK_S = 0.05  # how far a part may reach behind the audio
_HOLE_S = 0.5  # no microphone gives one value for so long


@dataclass(frozen=True)
class Part:
    """What is wanted of a file."""

    offset: float = 0.0  # s
    duration: float | None = None  # s; None: up to the end
    channel: int | None = None  # from 0; None: there is only one


@dataclass(frozen=True)
class Origin:
    """What a recording was before it became features."""

    digest: str  # of its samples, or of an archive's features: the same for every copy
    rate: int = 0  # samples per second, 0 where nobody knows
    remarks: tuple[str, ...] = ()  # what is odd about it, each in the words of the summary


def located(folder: Path, name: str) -> Path:
    """Return a file as the file system knows it, whatever the locale and the form of accents.

    Lists are UTF-8. A locale that cannot write a name still finds its bytes, and an accent may be
    one character or two (macOS).
    """
    forms = dict.fromkeys([name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))])
    paths = [folder / form for form in forms]
    for form in forms:
        raw = form.encode("utf-8", "surrogateescape")
        paths.append(folder / os.fsdecode(raw))
    return next((path for path in paths if _there(path)), paths[0])


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def read_audio(path: Path, part: Part = Part()) -> tuple[np.ndarray, Origin]:
    """Return samples, (N,) float32, full scale 1, and where they come from.

    Raises:
        CorpusError: the file is no audio, is not whole, or has not the part.
    """
    import soundfile  # of the extra "speech"; reading a finished corpus does without

    try:
        if not path.is_file():  # a pipe or a device would never end
            raise FileNotFoundError("no such file")
        # By its number, because libsndfile would want the name in the locale's letters.
        with path.open("rb", buffering=0) as file:
            require_plain(path, file.read(10), CorpusError)
            announced = announces_length(file)
            file.seek(0)
            with soundfile.SoundFile(file.fileno(), closefd=False) as sound:
                audio, rate = _samples(path, sound, part), sound.samplerate
    except Incomplete as error:
        raise CorpusError(
            f"{path} is damaged", given=str(error), remedy="copy or convert it again (WAV or FLAC)"
        ) from None
    except (OSError, TypeError, ValueError, soundfile.SoundFileError) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError(
            f"{path} cannot be read as audio", given=str(error), remedy="give WAV or FLAC"
        ) from None
    if not np.isfinite(audio).all():
        raise CorpusError(f"{path} has samples that are NaN or infinite", remedy="record it again")
    remarks = {
        "recordings whose header does not say how long they are, taken as they are": not announced,
        f"recordings with more than {_HOLE_S} s of one value, not even noise": (
            _longest_run(audio) > _HOLE_S * rate
        ),
    }
    return audio, Origin(digest(audio), rate, tuple(what for what, so in remarks.items() if so))


def digest(values: np.ndarray) -> str:
    """Return what tells the same samples or features from others."""
    told = hashlib.sha256(f"{values.dtype} {values.shape}".encode())
    told.update(np.ascontiguousarray(values).data)
    return told.hexdigest()


def _samples(path: Path, sound: "soundfile.SoundFile", part: Part) -> np.ndarray:
    channel = _channel(path, sound, part.channel)
    rate, length = sound.samplerate, sound.frames / sound.samplerate
    if not length:
        raise CorpusError(f"{path} lasts 0 s", remedy="record it again or leave it out")
    end = length if part.duration is None else part.offset + part.duration
    if part.offset >= length or end > length + _SLACK_S:
        raise CorpusError(
            f"{path} lasts {length:.3f} s",
            given=f"{part.offset:.3f} s to {end:.3f} s is wanted",
            remedy="correct offset and duration, or copy the file again",
        )
    end = min(end, length)
    if end - part.offset > LONGEST_S:
        raise CorpusError(
            f"{path} lasts {end - part.offset:.0f} s",
            remedy=f"cut it into utterances of at most {LONGEST_S:.0f} s, in files or by offset "
            "and duration",
        )
    first, last = round(part.offset * rate), round(end * rate)
    sound.seek(first)
    audio = sound.read(last - first, dtype="float32", always_2d=True)
    if len(audio) < last - first:
        raise Incomplete(f"{last - first} samples announced, {len(audio)} read")
    return audio[:, channel].copy()


def _channel(path: Path, sound: "soundfile.SoundFile", wanted: int | None) -> int:
    if not RATES[0] <= sound.samplerate <= RATES[1]:
        raise CorpusError(
            str(path),
            given=f"{sound.samplerate} Hz",
            allowed=f"{RATES[0]} to {RATES[1]} Hz",
            remedy="convert it",
        )
    if wanted is None and sound.channels == 1:
        return 0
    if wanted is None or wanted >= sound.channels:
        raise CorpusError(
            str(path),
            given=f"{sound.channels} channels"
            + ("" if wanted is None else f", and channel = {wanted} is wanted"),
            allowed=f"channel = 0 to {sound.channels - 1}",
            remedy="name the channel that holds the speaker",
        )
    return wanted


def _longest_run(audio: np.ndarray) -> int:
    """Return how many samples side by side are equal at most."""
    edges = np.flatnonzero(np.diff(audio)) + 1
    return int(np.diff(edges, prepend=0, append=len(audio)).max())
