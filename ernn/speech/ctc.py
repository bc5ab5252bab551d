"""Phone sequences from the outputs of a CTC model, whose last output is the blank.

A path says one output per frame; the sequence it stands for is what is left when equal neighbours
are joined and then blanks removed. Greedy decoding takes the best path, prefix beam search the best
sequence: the sum over its paths, times the phone bigram.

Source: Hannun et al., First-Pass Large Vocabulary Continuous Speech Recognition using
Bi-Directional Recurrent DNNs, 2014, algorithm 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ernn.errors import CorpusError, ShapeError

_SMOOTHING = 0.5  # added to every count


@dataclass(frozen=True)
class CtcWeights:
    """How much each part of a sequence's score counts, and how many sequences are kept.

    The best of seven pairs on the development set of the synthetic corpus (a dense GRU, 20 ms
    frames, one seed); without the bigram it loses half a point there.
    """

    bigram: float = 0.3
    per_phone: float = 0.9  # what the bigram takes from every sequence for being longer
    beam: int = 16


@dataclass(frozen=True)
class Bigram:
    """What phone sequences of the training split say about the next phone."""

    table: np.ndarray  # (L + 1, L) log probability of a phone after each phone; last row: as first

    @classmethod
    def fit(cls, sequences: Sequence[np.ndarray], size: int) -> "Bigram":
        """Count pairs.

        Args:
            sequences: (P,) indices of phones for each utterance.
            size: L, the number of phones that there are.

        Raises:
            CorpusError: there is nothing to count.
        """
        if not sequences or not all(len(phones) for phones in sequences):
            raise CorpusError(
                "a phone bigram needs phones", remedy="give a training split that is not empty"
            )
        counts = np.full((size + 1, size), _SMOOTHING)
        for phones in sequences:
            np.add.at(counts, (np.concatenate([[size], phones[:-1]]), phones), 1)
        return cls(np.log(counts / counts.sum(1, keepdims=True)))


def greedy(logits: np.ndarray) -> np.ndarray:
    """Return the phones (P,) of the best path through (T, L + 1) scores."""
    path = _checked(logits).argmax(1)
    joined = path[np.concatenate([[True], path[1:] != path[:-1]])]
    return joined[joined != logits.shape[1] - 1].astype(np.int16)


def beam_search(
    logits: np.ndarray, bigram: Bigram | None = None, weights: CtcWeights | None = None
) -> np.ndarray:
    """Return the best phone sequence.

    Args:
        logits: (T, L + 1) scores; each row up to a constant.
        bigram: of phones; none: only the scores count.
        weights: of the parts of the score.

    Returns:
        (P,) int16 indices of phones.
    """
    weights = weights or CtcWeights()
    logs = _checked(logits) - np.logaddexp.reduce(logits, 1, keepdims=True)
    size = logits.shape[1] - 1
    if bigram is not None and bigram.table.shape[1] != size:
        raise ShapeError(
            f"{size + 1} outputs cannot be decoded with a bigram of {bigram.table.shape[1]} phones",
            allowed="one for each phone and one for the blank",
        )
    gain = np.zeros((size + 1, size))
    if bigram is not None:
        gain = weights.bigram * bigram.table + weights.per_phone
    beam, tree = _Beam.start(size), _Tree()
    for row in logs.astype(np.float64):
        beam = beam.step(row, gain, weights.beam, tree)
    best = int(np.logaddexp(beam.blank, beam.phone).argmax())
    return np.array(tree.sequence(int(beam.node[best])), np.int16)


def _checked(logits: np.ndarray) -> np.ndarray:
    if logits.ndim != 2 or logits.shape[1] < 2 or not len(logits) or not np.isfinite(logits).all():
        raise ShapeError(
            f"scores of shape {logits.shape} cannot be decoded",
            remedy="give (T > 0, phones + 1) finite numbers",
        )
    return logits


@dataclass(frozen=True)
class _Tree:
    """Every prefix met so far: a node is its parent's prefix and one phone more; 0 is empty."""

    parent: list[int] = field(default_factory=lambda: [-1])
    phone: list[int] = field(default_factory=lambda: [-1])
    child: dict[tuple[int, int], int] = field(default_factory=dict)

    def extend(self, node: int, phone: int) -> int:
        """Return the node of a prefix and one phone more: the same prefix is the same node."""
        known = self.child.setdefault((node, phone), len(self.parent))
        if known == len(self.parent):
            self.parent.append(node)
            self.phone.append(phone)
        return known

    def sequence(self, node: int) -> list[int]:
        """Return the phones of a node's prefix."""
        phones = []
        while node:
            phones.append(self.phone[node])
            node = self.parent[node]
        return phones[::-1]


@dataclass(frozen=True)
class _Beam:
    """The best prefixes after some frames, and the log probability of their paths."""

    node: np.ndarray  # (K,) in the tree
    last: np.ndarray  # (K,) last phone; L: none
    blank: np.ndarray  # (K,) of the paths that end in a blank
    phone: np.ndarray  # (K,) of those that end in the last phone

    @classmethod
    def start(cls, size: int) -> "_Beam":
        """Return the beam before the first frame: the empty prefix."""
        return cls(np.array([0]), np.array([size]), np.zeros(1), np.full(1, -np.inf))

    def step(self, logs: np.ndarray, gain: np.ndarray, width: int, tree: _Tree) -> "_Beam":
        """Hear one frame: its log probabilities are (L + 1,), the bigram's gain (L + 1, L)."""
        count, size = len(self.node), len(logs) - 1
        both = np.logaddexp(self.blank, self.phone)
        stay_blank = both + logs[size]
        # A path goes on in its last phone; the empty prefix has none (and -inf already).
        stay_phone = self.phone + logs[self.last]
        longer = both[:, None] + logs[:size] + gain[self.last]  # (K, L)
        spoken = np.flatnonzero(self.last < size)
        again = self.last[spoken]  # the same phone once more: only after a blank
        longer[spoken, again] = self.blank[spoken] + logs[again] + gain[again, again]
        self._join(stay_phone, longer, tree)
        scores = np.concatenate([np.logaddexp(stay_blank, stay_phone), longer.ravel()])
        kept = _largest(scores, width)
        old, new = kept[kept < count], kept[kept >= count] - count
        grown = [
            tree.extend(int(self.node[k]), int(v)) for k, v in zip(*divmod(new, size), strict=True)
        ]
        return _Beam(
            np.concatenate([self.node[old], np.array(grown, np.int64)]),
            np.concatenate([self.last[old], new % size]),
            np.concatenate([stay_blank[old], np.full(len(new), -np.inf)]),
            np.concatenate([stay_phone[old], longer.ravel()[new]]),
        )

    def _join(self, stay_phone: np.ndarray, longer: np.ndarray, tree: _Tree) -> None:
        """Move paths that grow into a prefix of the beam over to that prefix."""
        place = {int(node): index for index, node in enumerate(self.node)}
        for index, node in enumerate(self.node):
            parent = place.get(tree.parent[node])
            if parent is not None:
                phone = self.last[index]
                stay_phone[index] = np.logaddexp(stay_phone[index], longer[parent, phone])
                longer[parent, phone] = -np.inf


def _largest(scores: np.ndarray, count: int) -> np.ndarray:
    """Return the indices of the largest finite scores, in rising order."""
    finite = np.flatnonzero(np.isfinite(scores))
    if len(finite) > count:
        finite = finite[np.argpartition(scores[finite], -count)[-count:]]
    return np.sort(finite)
