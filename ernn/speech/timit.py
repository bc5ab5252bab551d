"""TIMIT from a user's own copy: its audio, its 61 phone labels and its standard splits.

Split as usual: training without the SA sentences, which every speaker reads; the 24-speaker core
test set; and 50 other test speakers as the development set.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ernn.datafile import read_text
from ernn.errors import CorpusError
from ernn.folders import left_by_system
from ernn.recipe import FeatureRecipe
from ernn.speech.acoustics import RATE
from ernn.speech.audio import read_audio
from ernn.speech.features import speaker_utterances
from ernn.speech.phones import PHONES, Spoken, fold_timit
from ernn.speech.recording import Recording
from ernn.speech.source import Source
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

# Speakers and sentences of the whole corpus, without SA: 8 of each speaker.
COMPLETE = {"train": (462, 3696), "dev": (50, 400), "test": (24, 192)}
_SENTENCES = 8
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


def find(path: Path) -> Source:
    """Find the speakers of each split in a copy of TIMIT.

    Args:
        path: the folder that holds TRAIN and TEST; upper and lower case mean the same.

    Raises:
        CorpusError: this is not TIMIT, a split has no speaker, a sentence is there twice, or its
            audio or its labels are missing.
    """
    (train, shared), (test, _) = (_speakers(path, part) for part in ("train", "test"))
    splits = {
        "train": train,
        "dev": [task for task in test if task.name in DEVELOPMENT],
        "test": [task for task in test if task.name in CORE_TEST],
    }
    for split, found in splits.items():
        if not found:
            raise CorpusError(
                f"{path} has no speaker of the {split} set",
                remedy="give the folder of a complete TIMIT",
            )
    others = [task.name for task in test if task.name not in CORE_TEST + DEVELOPMENT]
    notes = {
        "training sentences that all speakers read (SA), not used": shared,
        "speakers of TEST in neither the development nor the core test set, not used": others,
        **_missing("development", DEVELOPMENT, splits["dev"]),
        **_missing("core test", CORE_TEST, splits["test"]),
    }
    sentences = [line for split, found in splits.items() for line in _incomplete(split, found)]
    return Source(splits, PHONES, ["TIMIT"], sentences, notes)


def sources(path: Path) -> list[Path]:
    """Return the files that the corpus is made from, and others that lie between them."""
    return [Path(folder) / name for folder, names in _walk(path) for name in names]


def _incomplete(split: str, found: Sequence[TimitTask]) -> Iterator[str]:
    have = (len(found), sum(len(task.files) for task in found))
    if have != COMPLETE[split]:
        name = "core test" if split == "test" else split
        yield (
            f"TIMIT is not complete: its {name} set has {have[0]} of {COMPLETE[split][0]} speakers "
            f"and {have[1]} of {COMPLETE[split][1]} sentences, so figures are not those of TIMIT"
        )


def _missing(
    name: str, standard: tuple[str, ...], found: Sequence[TimitTask]
) -> dict[str, list[str]]:
    """Name the standard speakers of a set who are missing, or say less than they should."""
    sizes = {task.name: len(task.files) for task in found}
    return {
        f"speakers of the {name} set who are missing": [s for s in standard if s not in sizes],
        f"speakers of the {name} set without {_SENTENCES} sentences": [
            s for s in standard if sizes.get(s, _SENTENCES) != _SENTENCES
        ],
    }


def read_recording(audio_path: Path, labels_path: Path) -> Recording:
    """Read one utterance, NIST SPHERE or RIFF, with its .PHN labels.

    Raises:
        CorpusError: a file is damaged, or the two do not belong together.
    """
    audio, origin = read_audio(audio_path)
    seconds = len(audio) / origin.rate
    if origin.rate != RATE or seconds > _LONGEST_S:
        given = f"{origin.rate} Hz and {seconds:.0f} s"
        limit = f"{RATE} Hz and less than {_LONGEST_S:.0f} s"
        raise CorpusError(
            str(audio_path), given=given, allowed=limit, remedy="restore it from TIMIT"
        )
    events, end = _read_labels(labels_path)
    if abs(end - len(audio)) > _SLACK_S * RATE:
        raise CorpusError(
            f"{labels_path} ends at sample {end}, but {audio_path.name} at {len(audio)}",
            remedy="restore both from your TIMIT copy",
        )
    return replace(Recording.from_events(audio, RATE, events), origin=origin)


def _read_labels(path: Path) -> tuple[list[tuple[Spoken, int]], int]:
    """Return what is spoken from which sample on, and the sample where the last label ends."""
    lines = read_text(path, CorpusError, "a list of phone labels").split("\n")
    try:
        rows = [line.split() for line in lines if line.strip()]
        spans = np.array([(int(start), int(end)) for start, end, _ in rows], np.int64)
        events = [(fold_timit(label), int(start)) for start, _, label in rows]
    except CorpusError as error:
        raise error.at(str(path)) from None
    except (ValueError, OverflowError):
        raise CorpusError(
            f"{path} is not a list of phone labels",
            allowed="lines of first sample, last sample, label",
        ) from None
    rising = len(spans) and spans[0, 0] >= 0 and (spans[:, 0] < spans[:, 1]).all()
    if not rising or (spans[1:, 0] < spans[:-1, 1]).any():
        raise CorpusError(
            f"{path} has no labels, or labels that overlap", remedy="restore it from TIMIT"
        )
    return events, int(spans[-1, 1])


def _speakers(path: Path, part: str) -> tuple[list[TimitTask], list[str]]:
    """Return every speaker under TRAIN or TEST, sorted by name, and the SA sentences."""
    root = _child(path, part)
    if root is None:
        raise CorpusError(
            f"{path} is not TIMIT: it has no folder {part.upper()}",
            remedy="give the folder that holds TRAIN and TEST",
        )
    found: dict[str, dict[str, tuple[str, Path, Path]]] = {}
    shared = []
    for folder, names in _walk(root, _refuse):
        speaker = Path(folder).name.lower()
        shared += [f"{speaker}_{n.lower()}" for n in names if re.fullmatch(r"(?i)sa.*\.phn", n)]
        for stem, audio, labels in _sentences(Path(folder), names):
            said = found.setdefault(speaker, {})
            name = f"{speaker}_{stem}"
            if name in said:
                raise CorpusError(
                    "the same recording twice",
                    given=f"{said[name][2]} and {labels}",
                    remedy="move one away, so that nothing counts twice",
                )
            said[name] = (name, audio, labels)
    return [TimitTask(name, tuple(said.values())) for name, said in sorted(found.items())], shared


def _sentences(folder: Path, names: list[str]) -> Iterator[tuple[str, Path, Path]]:
    """Yield the sentences of a folder: name, audio and labels; those that all speakers read not."""
    files = {name.lower(): folder / name for name in names}
    if len(files) < len(names):
        twice = next(name for name in names if files[name.lower()].name != name)
        raise CorpusError(
            f"{folder / twice} and {files[twice.lower()].name} have the same name",
            remedy="keep one",
        )
    for name, path in sorted(files.items()):
        stem, _, kind = name.removesuffix(".wav.wav").rpartition(".")
        stem = stem or name.removesuffix(".wav.wav")
        if stem.startswith("sa"):
            continue
        # Copies converted to RIFF are often called SX1.WAV.wav, beside the original.
        audio = files.get(f"{stem}.wav.wav") or files.get(f"{stem}.wav")
        labels = files.get(f"{stem}.phn")
        if kind == "phn":
            if audio is None:
                raise CorpusError(
                    f"{path} has no audio beside it", remedy=f"restore {stem.upper()}.WAV"
                )
            yield stem, audio, path
        elif name.endswith(".wav") and labels is None:
            raise CorpusError(
                f"{path} has no labels beside it", remedy=f"restore {stem.upper()}.PHN"
            )


def _walk(
    root: Path, refuse: Callable[[OSError], None] | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Yield the folders below a folder with their files, without what desktops leave there."""
    for folder, inside, names in os.walk(root, onerror=refuse):
        inside[:] = sorted(name for name in inside if not left_by_system(name))
        yield folder, sorted(name for name in names if not left_by_system(name))


def _refuse(error: OSError) -> None:
    raise CorpusError(
        f"{error.filename} cannot be read",
        given=error.strerror or "",
        remedy="give it to this user",
    )


def _child(path: Path, name: str) -> Path | None:
    try:
        children = sorted(path.iterdir())
    except OSError:
        return None
    return next((child for child in children if child.name.lower() == name), None)
