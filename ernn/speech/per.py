"""Phone error rate: edit distance between what was said and what was recognised."""

from collections.abc import Sequence

import numpy as np

from ernn.edits import count_edits
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
