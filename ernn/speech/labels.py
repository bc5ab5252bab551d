"""The phones of a user's own corpus: text tables of them, and the labels that they become."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ernn.datafile import read_text
from ernn.errors import CorpusError
from ernn.speech.phones import KALDI_TIMIT, PHONES, merge_silences

MOST_LABELS = 1000  # decoding takes time and memory by the square of it
JOINS = -1  # in place of a label: what is spoken belongs to the phone before it


def read_table(path: Path, line: str) -> dict[str, str]:
    """Read a text table: of every line the first word, and what follows it.

    Args:
        path: the file.
        line: what a line holds, for the message.

    Raises:
        CorpusError: the file cannot be read as text, or a first word comes twice.
    """
    table: dict[str, str] = {}
    for text in read_text(path, CorpusError, f"a text file of {line}").split("\n"):
        words = text.split(maxsplit=1)
        if words and words[0] in table:
            raise CorpusError(f"{path} has two lines for {words[0]!r}", remedy="remove one")
        if words:
            table[words[0]] = words[1].strip() if len(words) > 1 else ""
    return table


def read_phones(path: Path) -> dict[str, str]:
    """Read a table of phones and their numbers, such as Kaldi's phones.txt.

    Raises:
        CorpusError: see `read_table`.
    """
    table = read_table(path, "lines: phone number")
    # Kaldi's graphs have symbols of their own: an empty one, and #0, #1 to tell words apart.
    return {s: n for s, n in table.items() if s != "<eps>" and not s.startswith("#")}


@dataclass(frozen=True)
class PhoneSet:
    """The labels of a corpus, and how the phones in its files become labels."""

    labels: tuple[str, ...]
    table: Mapping[str, str]  # from phone to label; an empty one joins the phone before it

    def __post_init__(self) -> None:
        if not 2 <= len(self.labels) <= MOST_LABELS:
            raise CorpusError(
                f"the corpus has {len(self.labels)} different phones",
                allowed=f"2 to {MOST_LABELS}",
                remedy="fold them to fewer with corpus.fold",
            )

    @classmethod
    def choose(cls, fold: str | None, phones: Iterable[str]) -> "PhoneSet":
        """Return the labels that a recipe asks for.

        Args:
            fold: None for the phones as they are, ``"timit"`` for the 61 or 48 phones of TIMIT
                folded to 39, or the path of a table of lines: phone label.
            phones: those of the corpus; only needed where they stay as they are.
        """
        if fold == "timit":
            return cls(PHONES, KALDI_TIMIT)
        if fold is not None:
            table = read_table(Path(fold), "lines: phone label")
            return cls(tuple(dict.fromkeys(filter(None, table.values()))), table)
        names = tuple(dict.fromkeys(phones))
        return cls(names, {name: name for name in names})

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Index of the label of each phone, or JOINS."""
        index = {label: number for number, label in enumerate(self.labels)}
        return {phone: index.get(label, JOINS) for phone, label in self.table.items()}

    @property
    def silence(self) -> int:
        """Index of the label ``sil``, in whatever case; -1 where there is none."""
        return next((n for n, label in enumerate(self.labels) if label.lower() == "sil"), -1)

    def number(self, phone: str) -> int:
        """Return the index of a phone's label, or JOINS.

        Raises:
            CorpusError: the phone is unknown.
        """
        if phone not in self.numbers:
            known = " ".join(list(self.table)[:100])
            raise CorpusError(
                f"{phone!r} is none of the corpus's phones",
                allowed=known,
                remedy="correct it, or name it in corpus.phones or corpus.fold",
            )
        return self.numbers[phone]

    def sequence(self, phones: Iterable[str]) -> np.ndarray:
        """Return the labels of phones that are spoken one after the other: (P,) int16."""
        found = [number for number in map(self.number, phones) if number != JOINS]
        return merge_silences(np.array(found, np.int16), self.silence)
