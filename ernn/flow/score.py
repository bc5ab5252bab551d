"""Measure a model on splits of the data, and keep what was measured."""

from collections.abc import Callable

import numpy as np

from ernn.flow.results import save_rate
from ernn.flow.work import Work
from ernn.speech.corpus import load_split
from ernn.speech.scorer import fit_scorer


def save_score(
    work: Work,
    outputs: Callable[[list[np.ndarray]], list[np.ndarray]],
    splits: tuple[str, ...] = ("test",),
) -> None:
    """Write the score of a model, sequence by sequence.

    Args:
        work: the step.
        outputs: from frames (T, F) of each sequence to the model's outputs (T, labels), as the
            model gives them.
        splits: "test", "dev" or both.
    """
    scorer = fit_scorer(load_split(work.run.corpus, "train"), work.recipe.training)
    for split in splits:
        spoken = load_split(work.run.corpus, split)
        rate = scorer.score(outputs([utterance.features for utterance in spoken]), spoken)
        save_rate(work.run.score(work.step, split), rate)
