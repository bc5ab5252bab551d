"""CMUdict's words and phones, numbered as g2p-en numbers them, and which words are for what."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from networks.families import families

LETTERS = ("<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz")
PHONES = (
    "<pad> <unk> <s> </s> AA0 AA1 AA2 AE0 AE1 AE2 AH0 AH1 AH2 AO0 AO1 AO2 AW0 AW1 AW2 AY0 AY1 AY2 "
    "B CH D DH EH0 EH1 EH2 ER0 ER1 ER2 EY0 EY1 EY2 F G HH IH0 IH1 IH2 IY0 IY1 IY2 JH K L M N NG "
    "OW0 OW1 OW2 OY0 OY1 OY2 P R S SH T TH UH0 UH1 UH2 UW UW0 UW1 UW2 V W Y Z ZH"
).split()
BEGIN, END = PHONES.index("<s>"), PHONES.index("</s>")
_CALIBRATION = 64
_TRAIN, _DEV = 30, 2 / 3  # words for one that is judged by

Dictionary = dict[str, list[list[int]]]  # pronunciations of each word


@dataclass(frozen=True)
class Words:
    """Disjoint words; train and dev have no word of a family of another list."""

    test: list[str]
    calibration: list[str]
    dev: list[str]
    train: list[str]


def choose(dictionary: Dictionary, count: int) -> Words:
    """Return words, drawn at random.

    Args:
        dictionary: to draw from.
        count: words to judge by; the other lists follow from it.
    """
    rng = np.random.default_rng(0)
    drawn = rng.permutation(sorted(dictionary)).tolist()
    test, rest = drawn[:count], drawn[count:]
    calibration, rest = rest[:_CALIBRATION], rest[_CALIBRATION:]
    family = families(dictionary)
    seen = {family[word] for word in (*test, *calibration)}
    dev = [word for word in rest if family[word] not in seen][: round(_DEV * count)]
    seen |= {family[word] for word in dev}
    train = [word for word in rest if family[word] not in seen][: _TRAIN * count]
    return Words(test, calibration, dev, train)


def read_dictionary(path: Path) -> Dictionary:
    """Return the pronunciations of words of 3 to 14 plain letters."""
    index = {phone: number for number, phone in enumerate(PHONES)}
    found: Dictionary = {}
    for line in path.read_text().splitlines():
        word, *said = line.partition(" #")[0].split()
        word = word.partition("(")[0]
        if word.isascii() and word.isalpha() and word.islower() and 3 <= len(word) <= 14:
            found.setdefault(word, []).append([index[phone] for phone in said])
    return found


def indices(word: str) -> list[int]:
    """Return the letters of a word, and its end, as the network numbers them."""
    return [LETTERS.index(letter) for letter in (*word, "</s>")]
