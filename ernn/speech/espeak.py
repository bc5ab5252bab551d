"""Speech and timed phones from the libespeak-ng that the espeakng-loader wheel carries.

The library keeps state between utterances (flutter, noise) that no call of its interface resets,
so each `Espeak` loads a private copy of it: what one says depends on nothing said elsewhere.
"""

import ctypes
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ernn.errors import ToolError
from ernn.places import alias
from ernn.speech.phones import Spoken, fold_espeak
from ernn.speech.recording import Recording

LANGUAGE = "gmw/en-US"

_LONGEST = 159  # bytes that the library has for the path of its data

_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: samples go to the callback only
_PHONEME_EVENTS, _DO_NOT_EXIT = 1, 0x8000
_UTF8 = 1
_END_OF_LIST, _PHONEME = 0, 7  # event types
_RATE_WPM, _PITCH, _RANGE = 1, 3, 4  # espeak_PARAMETER


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_uint8 * 8),  # not NUL-terminated when all eight bytes are used
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True)
class EspeakVoice:
    """A variant of espeak's American English and how it speaks."""

    variant: str
    rate_wpm: int = 170
    pitch: int = 50  # 0 to 100
    pitch_range: int = 50  # 0 to 100


class Espeak:
    """One private copy of the synthesizer; use it as a context manager."""

    def __init__(self) -> None:
        self._library = _private_copy()
        options = _PHONEME_EVENTS | _DO_NOT_EXIT
        self._data = _data()
        place = os.fsencode(alias(self._data, _LONGEST))
        self.rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, place, options)
        if self.rate <= 0:
            raise ToolError(
                f"espeak-ng cannot use its data in {self._data}", remedy="reinstall espeakng-loader"
            )
        ctypes.CDLL(None).srand(1)  # breathy voices draw their noise from the C library
        self._audio: list[np.ndarray] = []
        self._events: list[tuple[Spoken, int]] = []
        self._error: Exception | None = None
        self._callback = _Callback(self._receive)  # kept: the library holds only a pointer
        self._library.espeak_SetSynthCallback(self._callback)

    def __enter__(self) -> "Espeak":
        return self

    def __exit__(self, *_: object) -> None:
        self._library.espeak_Terminate()

    def say(self, text: str, voice: EspeakVoice) -> Recording:
        """Speak a sentence.

        Raises:
            ToolError: the library refuses the voice or the text, or stays silent.
            CorpusError: it speaks a phoneme that ernn does not know.
        """
        self._audio, self._events, self._error = [], [], None
        if not (self._data / "voices" / "!v" / voice.variant).is_file():  # espeak would use another
            raise ToolError(
                f"espeak-ng has no voice {voice.variant!r} in {self._data}",
                remedy="reinstall espeakng-loader",
            )
        name = f"{LANGUAGE}+{voice.variant}"
        failed = self._library.espeak_SetVoiceByName(name.encode())
        settings = {_RATE_WPM: voice.rate_wpm, _PITCH: voice.pitch, _RANGE: voice.pitch_range}
        for parameter, value in settings.items():
            failed = failed or self._library.espeak_SetParameter(parameter, value, 0)
        data = text.encode() + b"\0"
        size = ctypes.c_size_t(len(data))
        failed = failed or self._library.espeak_Synth(data, size, 0, 1, 0, _UTF8, None, None)
        failed = failed or self._library.espeak_Synchronize()
        if self._error:
            raise self._error
        if failed or not self._audio:
            raise ToolError(
                f"espeak-ng cannot say {text!r} with voice {name!r}", given=f"status {failed}"
            )
        audio = np.concatenate(self._audio).astype(np.float32) / 32768
        return Recording.from_events(audio, self.rate, self._events)

    def _receive(self, samples, count: int, events) -> int:
        """Copy what the library hands over; its buffers are reused after the return."""
        try:
            if samples and count > 0:
                self._audio.append(np.ctypeslib.as_array(samples, (count,)).copy())
            for event in _until_end(events):
                if event.type == _PHONEME:
                    name = bytes(event.name).split(b"\0")[0].decode("ascii", "replace")
                    self._events.append((fold_espeak(name), event.sample))
        except Exception as error:  # must not cross the C frames: `say` raises it
            self._error = error
            return 1
        return 0


def version() -> str:
    """Return the version of the library, such as ``"1.52.0"``."""
    library = _private_copy()
    library.espeak_Info.restype = ctypes.c_char_p
    return library.espeak_Info(None).decode()


def _until_end(events):
    index = 0
    while events[index].type != _END_OF_LIST:
        yield events[index]
        index += 1


def _data() -> Path:
    import espeakng_loader  # of the extra "speech"; voices are described without it

    return Path(espeakng_loader.__file__).parent / "espeak-ng-data"


def _private_copy() -> ctypes.CDLL:
    """Load the library from a temporary copy, so that its variables are shared with nobody."""
    import espeakng_loader

    path = Path(espeakng_loader.get_library_path())
    with tempfile.TemporaryDirectory() as folder:
        try:
            return ctypes.CDLL(str(shutil.copy(path, Path(folder) / path.name)))
        except OSError as error:
            raise ToolError(
                f"a copy of {path} cannot be loaded from the folder for temporary files",
                given=str(error),
                remedy="where that is mounted noexec or full, set TMPDIR to another folder",
            ) from None
