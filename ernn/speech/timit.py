"""TIMIT from a user's own copy: its audio, its 61 phone labels and its standard splits.

Split as usual: training without the SA sentences, which every speaker reads; the 24-speaker core
test set; and 50 other test speakers as the development set.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ernn.errors import CorpusError
from ernn.recipe import FeatureRecipe
from ernn.speech.acoustics import RATE
from ernn.speech.features import speaker_utterances
from ernn.speech.phones import Spoken, fold_timit
from ernn.speech.recording import Recording
from ernn.speech.utterance import Utterance

# Not checked against the corpus documentation: compare before publishing a core-test figure.
CORE_TEST = tuple(
    "mdab0 mwbt0 felc0 mtas1 mwew0 fpas0 mjmp0 mlnt0 fpkt0 mlll0 mtls0 fjlm0 mbpm0 mklt0 fnlp0 "
    "mcmj0 mjdh0 fmgd0 mgrt0 mnjm0 fdhc0 mjln0 mpam0 fmld0".split()
)
DEVELOPMENT = tuple(
    "faks0 fdac1 fjem0 mgwt0 mjar0 mmdb1 mmdm2 mpdf0 fcmh0 fkms0 mbdg0 mbwm0 mcsh0 fadg0 fdms0 "
    "fedw0 mgjf0 mglb0 mrtk0 mtaa0 mtdt0 mthc0 mwjg0 fnmr0 frew0 fsem0 mbns0 mmjr0 mdls0 mdlf0 "
    "mdvc0 mers0 fmah0 fdrw0 mrcs0 mrjm4 fcal1 mmwh0 fjsj0 majc0 mjsw0 mreb0 fgjd0 fjmg0 mroa0 "
    "mteb0 mjfc0 mrjr0 fmml0 mrws1".split()
)

_LONGEST_S = 60.0  # TIMIT's longest sentence takes 8 s; more is not a sentence
_SLACK_S = 0.1  # how far labels and audio may disagree about the end


@dataclass(frozen=True)
class TimitTask:
    """One speaker and where the recordings are."""

    name: str
    files: tuple[tuple[str, Path, Path], ...]  # utterance, audio, labels

    def recordings(self) -> list[tuple[str, Recording]]:
        """Read the speaker's recordings."""
        return [(name, read_recording(audio, labels)) for name, audio, labels in self.files]

    def utterances(self, recipe: FeatureRecipe) -> list[Utterance]:
        """Return the features and labels of the recordings."""
        return speaker_utterances(self.name, self.recordings(), recipe)


def tasks(path: Path) -> dict[str, list[TimitTask]]:
    """Find the speakers of each split in a copy of TIMIT.

    Args:
        path: the folder that holds TRAIN and TEST; upper and lower case mean the same.

    Raises:
        CorpusError: this is not TIMIT, or a split has no speaker.
    """
    train, test = (_speakers(path, part) for part in ("train", "test"))
    splits = {
        "train": train,
        "dev": [task for task in test if task.name in DEVELOPMENT],
        "test": [task for task in test if task.name in CORE_TEST],
    }
    for split, found in splits.items():
        if not found:
            raise CorpusError(
                f"{path} has no speaker of the {split} set; give the folder of a complete TIMIT"
            )
    return splits


def read_recording(audio_path: Path, labels_path: Path) -> Recording:
    """Read one utterance, NIST SPHERE or RIFF, with its .PHN labels.

    Raises:
        CorpusError: a file is damaged, or the two do not belong together.
    """
    try:
        information = soundfile.info(audio_path)
        found = (information.channels, information.samplerate)
        if found != (1, RATE) or information.duration > _LONGEST_S:
            raise CorpusError(
                f"{audio_path} has {found[0]} channels, {found[1]} Hz and "
                f"{information.duration:.0f} s; TIMIT has 1 channel, {RATE} Hz and less than "
                f"{_LONGEST_S:.0f} s"
            )
        audio, _ = soundfile.read(audio_path, dtype="float32")
    except (OSError, soundfile.SoundFileError) as error:
        raise CorpusError(f"{audio_path} cannot be read as SPHERE or RIFF audio: {error}") from None
    events, end = _read_labels(labels_path)
    if abs(end - len(audio)) > _SLACK_S * RATE:
        raise CorpusError(
            f"{labels_path} ends at sample {end}, but {audio_path.name} at {len(audio)}; "
            "restore both from your TIMIT copy"
        )
    return Recording.from_events(audio, RATE, events)


def _read_labels(path: Path) -> tuple[list[tuple[Spoken, int]], int]:
    """Return what is spoken from which sample on, and the sample where the last label ends."""
    try:
        lines = path.read_text(encoding="ascii").split("\n")
        rows = [line.split() for line in lines if line.strip()]
        spans = np.array([(int(start), int(end)) for start, end, _ in rows], np.int64)
        events = [(fold_timit(label), int(start)) for start, _, label in rows]
    except CorpusError as error:
        raise CorpusError(f"{path}: {error}") from None
    except (OSError, ValueError, OverflowError):
        raise CorpusError(
            f"{path} is not a list of phone labels; each line is: first sample, last sample, label"
        ) from None
    rising = len(spans) and spans[0, 0] >= 0 and (spans[:, 0] < spans[:, 1]).all()
    if not rising or (spans[1:, 0] < spans[:-1, 1]).any():
        raise CorpusError(f"{path} has no labels, or labels that overlap; restore it from TIMIT")
    return events, int(spans[-1, 1])


def _speakers(path: Path, part: str) -> list[TimitTask]:
    """Return every speaker under TRAIN or TEST, sorted by name."""
    root = _child(path, part)
    if root is None:
        raise CorpusError(
            f"{path} is not TIMIT: it has no folder {part.upper()}; give the folder that holds "
            "TRAIN and TEST"
        )
    found: dict[str, list[tuple[str, Path, Path]]] = {}
    for folder, _, names in os.walk(root):
        files = {name.lower(): Path(folder) / name for name in names}
        speaker = Path(folder).name.lower()
        for name, labels in sorted(files.items()):
            stem, _, kind = name.rpartition(".")
            if kind != "phn" or stem.startswith("sa"):
                continue
            # Copies converted to RIFF are often called SX1.WAV.wav, beside the original.
            audio = files.get(f"{stem}.wav.wav") or files.get(f"{stem}.wav")
            if audio is None:
                raise CorpusError(f"{labels} has no audio beside it; restore {stem.upper()}.WAV")
            found.setdefault(speaker, []).append((f"{speaker}_{stem}", audio, labels))
    return [TimitTask(speaker, tuple(files)) for speaker, files in sorted(found.items())]


def _child(path: Path, name: str) -> Path | None:
    try:
        children = sorted(path.iterdir())
    except OSError:
        return None
    return next((child for child in children if child.name.lower() == name), None)
