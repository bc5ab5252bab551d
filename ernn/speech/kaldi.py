"""Data folders of Kaldi: features with frame alignments, or with phone strings.

A data folder has feats.scp and utt2spk, and beside them ali.scp, ali.ark or ali.txt (the number of
a phone for each frame) or text (the phones of each utterance). Where there is an alignment, text
is not read: with Kaldi it mostly holds words.
"""

import re
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ernn.edits import collapse
from ernn.errors import CorpusError
from ernn.recipe import CorpusRecipe, FeatureRecipe
from ernn.speech.archive import Place, read_integer_archive, read_integers, read_matrix, read_scp
from ernn.speech.audio import Origin, digest
from ernn.speech.census import twice
from ernn.speech.features import normalise
from ernn.speech.labels import JOINS, PhoneSet, read_phones, read_table
from ernn.speech.source import Source
from ernn.speech.utterance import Utterance

LISTED = ("feats.scp", "utt2spk", "ali.scp", "ali.ark", "ali.txt", "text")
_MOST_FEATURES = 4096

Labels = tuple[np.ndarray | None, np.ndarray]  # of each frame, None where unknown; the sequence


@dataclass(frozen=True)
class DataFolder:
    """What a data folder says, before any feature is read."""

    path: Path
    features: Mapping[str, Place]
    speakers: Mapping[str, str]
    alignment: Mapping[str, np.ndarray] | None  # numbers of phones
    text: Mapping[str, str]  # without an alignment

    @classmethod
    def read(cls, path: Path) -> "DataFolder":
        """Read the lists of a data folder, and its alignment.

        Raises:
            CorpusError: a list is missing or damaged, or lacks an utterance of feats.scp.
        """
        if (path / "wav.scp").is_file() and not (path / "feats.scp").exists():
            raise CorpusError(
                f"{path} has wav.scp but no feats.scp",
                remedy="make features with Kaldi's make_mfcc.sh, or list the recordings in a "
                'manifest for kind = "manifest"',
            )
        features = read_scp(path / "feats.scp")
        if not features:
            raise CorpusError(
                f"{path / 'feats.scp'} names no utterance", remedy="give each split some"
            )
        speakers = read_table(path / "utt2spk", "lines: utterance speaker")
        alignment = _alignment(path)
        text = {} if alignment is not None else read_table(path / "text", "lines: utterance phones")
        folder = cls(path, features, speakers, alignment, text)
        folder._require_all()
        return folder

    def _require_all(self) -> None:
        labels = self.text if self.alignment is None else self.alignment
        told: tuple[tuple[str, Mapping[str, Sized]], ...]
        told = (("speaker", self.speakers), ("phones", labels))
        for what, known in told:
            missing = [name for name in self.features if not len(known.get(name, ""))]
            if missing:
                raise CorpusError(
                    f"{self.path} has no {what} for {len(missing)} of {len(self.features)} "
                    f"utterances of feats.scp, such as {missing[0]}",
                    remedy="add them, or leave those utterances out with Kaldi's "
                    "utils/subset_data_dir.sh",
                )

    @property
    def unused(self) -> list[str]:
        """Utterances that have a speaker or phones, but no features."""
        labels = self.text if self.alignment is None else self.alignment
        return sorted((self.speakers.keys() | labels.keys()) - self.features.keys())


@dataclass(frozen=True)
class KaldiTask:
    """One speaker, where the features are, and what was said."""

    name: str
    entries: tuple[tuple[str, Place, Labels], ...]  # utterance, features, labels

    def utterances(self, recipe: FeatureRecipe) -> list[Utterance]:
        """Read the features and normalise them over all that the speaker said."""
        raw = [_features(name, place) for name, place, _ in self.entries]
        if len({features.shape[1] for features in raw}) > 1:
            sizes = sorted({features.shape[1] for features in raw})
            raise CorpusError(
                f"speaker {self.name} has features of {sizes[0]} and of {sizes[1]} values a frame",
                remedy="make all features in the same way",
            )
        origins = [Origin(digest(features)) for features in raw]
        made = []
        all_said = zip(self.entries, normalise(raw), origins, strict=True)
        for (name, _, (labels, phones)), features, origin in all_said:
            if labels is not None and len(labels) != len(features):
                raise CorpusError(
                    f"utterance {name} has an alignment of {len(labels)} frames and features of "
                    f"{len(features)}",
                    remedy="align these features, with no frames left out",
                )
            kept = slice(None, None, recipe.keep_every)
            labels = None if labels is None else labels[kept]
            made.append(Utterance(name, self.name, features[kept], labels, phones, origin))
        return made


def find(recipe: CorpusRecipe) -> Source:
    """Find the speakers of each split, and the phones that their labels stand for.

    Raises:
        CorpusError: a file is missing or damaged, or says what others contradict; or features are
            named twice.
    """
    data = {split: DataFolder.read(path) for split, path in _folders(recipe).items()}
    _require_apart(data)
    table = read_phones(Path(recipe.phones)) if recipe.phones else {}
    if not table and any(one.alignment is not None for one in data.values()):
        raise CorpusError(
            f"the alignments below {recipe.path} are numbers of phones",
            remedy="set corpus.phones to the phones.txt that names them",
        )
    said = sorted({phone for text in data["train"].text.values() for phone in text.split()})
    phones = PhoneSet.choose(recipe.fold, table or said)
    tasks = {split: _speakers(one, phones, table) for split, one in data.items()}
    notes = {
        f"utterances of {split} with a speaker or phones but no features, not used": one.unused
        for split, one in data.items()
    }
    return Source(tasks, phones.labels, ["Kaldi archives"], notes=notes)


def _require_apart(data: Mapping[str, DataFolder]) -> None:
    """Refuse two utterances, of one split or of two, that are the same place of an archive."""
    seen: dict[Place, tuple[str, str]] = {}
    files: dict[Path, Path] = {}
    for split, folder in data.items():
        for name, place in folder.features.items():
            if place.path not in files:
                files[place.path] = place.path.resolve()
            before = seen.setdefault(Place(files[place.path], place.offset), (split, name))
            if before != (split, name):
                raise CorpusError(twice(before, (split, name)))


def sources(recipe: CorpusRecipe) -> list[Path]:
    """Return the files that the corpus is made from, those that do not exist included."""
    files = [Path(table) for table in (recipe.phones, recipe.fold) if table]
    for folder in _folders(recipe).values():
        files += [folder / name for name in LISTED]
        lists = [folder / name for name in ("feats.scp", "ali.scp") if (folder / name).is_file()]
        files += sorted({place.path for one in lists for place in read_scp(one).values()})
    return files


def _folders(recipe: CorpusRecipe) -> dict[str, Path]:
    names = {"train": recipe.train_folder, "dev": recipe.dev_folder, "test": recipe.test_folder}
    return {split: Path(recipe.path or "") / name for split, name in names.items()}


def _alignment(folder: Path) -> dict[str, np.ndarray] | None:
    if (folder / "ali.scp").is_file():
        places = read_scp(folder / "ali.scp")
        return {name: read_integers(place) for name, place in places.items()}
    for name in ("ali.ark", "ali.txt"):
        if (folder / name).is_file():
            return read_integer_archive(folder / name)
    packed = sorted(folder.glob("ali*.gz"))
    if packed:
        raise CorpusError(
            f"{packed[0]} cannot be read",
            given="it is compressed",
            allowed="ali.scp, ali.ark or ali.txt",
            remedy="make it one with Kaldi's ali-to-phones --per-frame=true",
        )
    return None


def _speakers(folder: DataFolder, phones: PhoneSet, table: Mapping[str, str]) -> list[KaldiTask]:
    """Return a split's speakers in the order of feats.scp, with labels for all they said."""
    labels_of = _reader(folder, phones, table)
    found: dict[str, list[tuple[str, Place, Labels]]] = {}
    for name, place in folder.features.items():
        try:
            labels = labels_of(name)
        except CorpusError as error:
            raise error.at(f"{folder.path}, utterance {name}") from None
        if not len(labels[1]):
            raise CorpusError(
                f"{folder.path}, utterance {name}: no phone is left", remedy="leave it out"
            )
        found.setdefault(folder.speakers[name], []).append((name, place, labels))
    return [KaldiTask(speaker, tuple(entries)) for speaker, entries in found.items()]


def _reader(
    folder: DataFolder, phones: PhoneSet, table: Mapping[str, str]
) -> Callable[[str], Labels]:
    """Return the function from an utterance to its labels."""
    alignment = folder.alignment
    if alignment is None:
        return lambda name: (None, phones.sequence(folder.text[name].split()))
    numbers = _numbered(phones, table)

    def aligned(name: str) -> Labels:
        frames = alignment[name]
        unknown = [number for number in np.unique(frames).tolist() if number not in numbers]
        if unknown:
            raise CorpusError(
                f"phone number {unknown[0]} is not in the table of phones",
                remedy="set corpus.phones to the phones.txt of the alignment, whose numbers are "
                "phones (ali-to-phones)",
            )
        labels = _join(np.array([numbers[frame] for frame in frames.tolist()], np.int16))
        return labels, collapse(labels)

    return aligned


def _numbered(phones: PhoneSet, table: Mapping[str, str]) -> dict[int, int]:
    """Return the label of each phone's number, of phones that have a label."""
    if not all(re.fullmatch(r"\d{1,9}", number) for number in table.values()):
        raise CorpusError(
            "corpus.phones has a line without a number",
            allowed="lines of phone, number",
            remedy="repair the table",
        )
    numbers = {int(number): name for name, number in table.items()}
    if len(numbers) < len(table):
        raise CorpusError(
            "corpus.phones gives two phones the same number", remedy="repair the table"
        )
    return {n: phones.number(name) for n, name in numbers.items() if name in phones.table}


def _join(labels: np.ndarray) -> np.ndarray:
    """Give the frames of phones without a label to the phone before, the first ones to the next."""
    labelled = np.flatnonzero(labels != JOINS)
    if not len(labelled):
        return labels[:0]
    before = np.searchsorted(labelled, np.arange(len(labels)), side="right") - 1
    return labels[labelled[np.maximum(before, 0)]]


def _features(name: str, place: Place) -> np.ndarray:
    """Read one utterance's features: (T, F) float32."""
    features = read_matrix(place)
    frames, size = features.shape
    if not frames or not 0 < size <= _MOST_FEATURES:
        raise CorpusError(
            f"{place.path}: utterance {name} has {frames} frames of {size} values",
            allowed=f"frames of at most {_MOST_FEATURES} values",
            remedy="make its features again",
        )
    if not np.isfinite(features).all():
        raise CorpusError(
            f"{place.path}: utterance {name} has features that are NaN or infinite",
            remedy="make its features again",
        )
    return features
