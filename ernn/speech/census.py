"""What is in a corpus, what was left out, and what is odd: counted, and named in its summary."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations

from ernn.errors import CorpusError, Fault
from ernn.speech.audio import Origin
from ernn.speech.source import Source
from ernn.speech.utterance import Utterance

MOST_NAMED = 5


class Census:
    """Counts utterances as they come, and refuses what comes twice."""

    def __init__(self, source: Source):
        self.phones, self.sentences = source.phones, source.sentences
        self.utterances: Counter[str] = Counter()
        self.frames: Counter[str] = Counter()
        self.notes = {what: list(names) for what, names in source.notes.items()}
        self._speakers: dict[str, set[str]] = defaultdict(set)
        self._rates: dict[int, list[str]] = defaultdict(list)
        self._said: dict[str, set[int]] = defaultdict(set)  # labels of each split
        self._names: dict[str, str] = {}  # the split of each utterance
        self._sounds: dict[str, tuple[str, str]] = {}  # split and utterance of each digest

    def add(self, split: str, utterance: Utterance) -> None:
        """Count an utterance.

        Raises:
            CorpusError: its name, or its recording, was there before.
        """
        name, frames = utterance.name, len(utterance.features)
        if name in self._names:
            raise CorpusError(
                f"utterance {name} is in {self._names[name]} and in {split}",
                remedy="leave it out of one, so that nothing counts twice and no model is judged "
                "by what it was trained on",
            )
        self._names[name] = split
        self.utterances[split] += 1
        self.frames[split] += frames
        self._speakers[split].add(utterance.speaker)
        self._said[split].update(utterance.phones.tolist())
        if utterance.origin is not None:
            self._add_origin(split, name, utterance.origin)

    def _add_origin(self, split: str, name: str, origin: Origin) -> None:
        before = self._sounds.setdefault(origin.digest, (split, name))
        if before != (split, name):
            raise CorpusError(twice(before, (split, name)))
        if origin.rate:
            self._rates[origin.rate].append(name)
        for remark in origin.remarks:
            self.notes.setdefault(remark, []).append(name)

    def summary(self, frame_s: float | None) -> str:
        """Return a line for each split, and one for whatever a user may not expect.

        Args:
            frame_s: seconds from frame to frame; None where nobody knows.
        """
        lines = [self._split(split, frame_s) for split in self.utterances] + [*self.sentences]
        notes = {**self._labels(), **self._shared_speakers(), **self._other_rates(), **self.notes}
        lines += [f"{what}: {some(names)}" for what, names in notes.items() if names]
        return "\n".join(lines) + "\n"

    def _split(self, split: str, frame_s: float | None) -> str:
        sizes = {
            "utterance": self.utterances[split],
            "speaker": len(self._speakers[split]),
            "frame": self.frames[split],
        }
        counts = [f"{size:,} {what}{'s' if size != 1 else ''}" for what, size in sizes.items()]
        told = f"{split}: {counts[0]} of {counts[1]}, {counts[2]}"
        return told if frame_s is None else f"{told}, {self.frames[split] * frame_s / 60:.1f} min"

    def _labels(self) -> dict[str, list[str]]:
        trained = self._said["train"]
        unheard = [phone for label, phone in enumerate(self.phones) if label not in trained]
        judged = set().union(*self._said.values()) - trained
        return {
            f"labels that no training utterance has, of {len(self.phones)}": unheard,
            "labels to be recognised that no training utterance has": [
                self.phones[label] for label in sorted(judged)
            ],
        }

    def _shared_speakers(self) -> dict[str, list[str]]:
        return {
            f"speakers both in {one} and in {other}": sorted(
                self._speakers[one] & self._speakers[other]
            )
            for one, other in combinations(self._speakers, 2)
        }

    def _other_rates(self) -> dict[str, list[str]]:
        if len(self._rates) < 2:
            return {}
        usual = max(self._rates, key=lambda rate: len(self._rates[rate]))
        return {
            f"recordings at {rate} Hz, where most have {usual} Hz": names
            for rate, names in sorted(self._rates.items())
            if rate != usual
        }


def twice(*places: tuple[str, str]) -> Fault:
    """Say that two utterances, given by split and name, are one recording."""
    splits = " and in ".join(dict.fromkeys(split for split, _ in places))
    return Fault(
        "the same recording twice",
        f"{' and '.join(dict.fromkeys(name for _, name in places))}, in {splits}",
        "",
        "leave one out, so that nothing counts twice and no model is judged by what it was "
        "trained on",
    )


def some(names: Iterable[str]) -> str:
    """Count names, and show the first of them."""
    told = [name.encode("utf-8", "backslashreplace").decode() for name in names]
    more = f" and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
    return f"{len(told)} ({', '.join(told[:MOST_NAMED])}{more})"
