"""Measure a model on splits of the data, and keep what was measured."""

from collections.abc import Callable

import numpy as np

from ernn.flow.scores import write_score
from ernn.flow.work import Work
from ernn.tasks.kinds import open_task


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
    task = open_task(work.recipe, work.run.corpus)
    for split in splits:
        score = task.evaluate(outputs(task.frames(split)), split)
        write_score(work.run.score(work.step, split), score)
