"""Speech and timed phones from the flite program, where somebody has installed it."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ernn.errors import ToolError
from ernn.speech.phones import fold_flite
from ernn.speech.recording import Recording

VOICES = ("awb", "kal16", "rms", "slt")  # those that speak at 16 kHz

_TIMEOUT_S = 60


@dataclass(frozen=True)
class FliteVoice:
    """A voice of flite and how it speaks."""

    name: str
    duration_stretch: float = 1.0  # above 1: slower
    f0_shift: float = 1.0  # above 1: higher


def say(text: str, voice: FliteVoice) -> Recording:
    """Speak a sentence.

    Raises:
        ToolError: flite is missing or fails.
        CorpusError: it speaks a phone that ernn does not know.
    """
    import soundfile  # of the extra "speech"

    with tempfile.TemporaryDirectory() as folder:
        wave = Path(folder) / "said.wav"
        settings = [f"duration_stretch={voice.duration_stretch}", f"f0_shift={voice.f0_shift}"]
        options = [part for setting in settings for part in ("--setf", setting)]
        told = _run("-voice", voice.name, *options, "-psdur", "-t", text, "-o", str(wave))
        try:
            audio, rate = soundfile.read(wave, dtype="float32")
            ends = [(label, float(end)) for label, end in re.findall(r"(\S+):([\d.]+)", told)]
        except (OSError, ValueError, soundfile.SoundFileError) as error:
            raise ToolError(
                f"flite said nothing usable with voice {voice.name}", given=str(error)
            ) from None
    starts = [0.0, *(end for _, end in ends)]
    events = [
        (fold_flite(label), round(start * rate))
        for (label, _), start in zip(ends, starts, strict=False)
    ]
    return Recording.from_events(audio, rate, events)


def version() -> str:
    """Return the version of the installed flite, such as ``"2.2"``."""
    found = re.search(r"flite-([\d.]*\d)", _run("--version"))
    return found[1] if found else "of unknown version"


def _run(*arguments: str) -> str:
    """Run flite and return what it prints."""
    program = shutil.which("flite")
    if program is None:
        raise ToolError("flite is not installed", remedy="install it (Debian: apt install flite)")
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"{program} failed", given=str(error)) from None
    # Asked for its version, flite prints it and returns 1.
    if done.returncode and "--version" not in arguments:
        last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise ToolError(f"{program} {' '.join(arguments)} failed", given=last)
    return done.stdout
