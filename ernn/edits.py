"""Edit distance: what it takes to turn one sequence of labels into another."""

import numpy as np


def collapse(frames: np.ndarray) -> np.ndarray:
    """Keep one of each run of equal frames: (T,) -> (P,)."""
    return frames[np.concatenate([[True], frames[1:] != frames[:-1]])[: len(frames)]]


def count_edits(reference: np.ndarray, hypothesis: np.ndarray) -> tuple[int, int, int]:
    """Return the substitutions, deletions and insertions of a cheapest alignment."""
    reference, hypothesis = np.asarray(reference), np.asarray(hypothesis)
    across = np.arange(len(hypothesis) + 1)
    table = np.empty((len(reference) + 1, len(hypothesis) + 1), np.int64)
    table[0] = across
    for row, label in enumerate(reference, start=1):
        above = table[row - 1]
        best = above + 1  # a deletion
        best[1:] = np.minimum(best[1:], above[:-1] + (hypothesis != label))
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
