"""Phone error rate: edit distance between what was said and what was recognised."""

from collections.abc import Sequence

import numpy as np

from ernn.errors import CorpusError
from ernn.score import PER, Score


def error_rate(
    references: Sequence[np.ndarray], hypotheses: Sequence[np.ndarray], speakers: Sequence[str]
) -> Score:
    """Compare recognised phone sequences with the reference ones, utterance by utterance.

    Raises:
        CorpusError: there is no utterance, or a reference is empty.
    """
    lengths = np.array([len(reference) for reference in references], np.int64)
    if not len(lengths) or not lengths.all():
        raise CorpusError("an error rate needs at least one utterance and no empty reference")
    pairs = zip(references, hypotheses, strict=True)
    edits = np.array([count_edits(reference, hypothesis) for reference, hypothesis in pairs])
    kinds = dict(zip(PER.counted, edits.T, strict=True))
    return Score(PER, tuple(speakers), {**kinds, PER.over: lengths})


def count_edits(reference: np.ndarray, hypothesis: np.ndarray) -> tuple[int, int, int]:
    """Return the substitutions, deletions and insertions of a cheapest alignment: PER.counted."""
    reference, hypothesis = np.asarray(reference), np.asarray(hypothesis)
    across = np.arange(len(hypothesis) + 1)
    table = np.empty((len(reference) + 1, len(hypothesis) + 1), np.int64)
    table[0] = across
    for row, phone in enumerate(reference, start=1):
        above = table[row - 1]
        best = above + 1  # a deletion
        best[1:] = np.minimum(best[1:], above[:-1] + (hypothesis != phone))
        table[row] = np.minimum.accumulate(best - across) + across  # and insertions along the row
    return _trace_back(table, reference, hypothesis)


def _trace_back(
    table: np.ndarray, reference: np.ndarray, hypothesis: np.ndarray
) -> tuple[int, int, int]:
    substitutions = deletions = insertions = 0
    row, column = len(reference), len(hypothesis)
    while row and column:
        wrong = int(reference[row - 1] != hypothesis[column - 1])
        if table[row, column] == table[row - 1, column - 1] + wrong:
            row, column, substitutions = row - 1, column - 1, substitutions + wrong
        elif table[row, column] == table[row - 1, column] + 1:
            row, deletions = row - 1, deletions + 1
        else:
            column, insertions = column - 1, insertions + 1
    return substitutions, deletions + row, insertions + column
