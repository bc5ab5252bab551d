"""Measure a model on splits of the data, and keep what was measured."""

from collections.abc import Callable

import numpy as np

from ernn.flow.scores import write_score
from ernn.flow.work import Work
from ernn.tasks.kinds import open_task
from ernn.tasks.task import Task

# From frames (T, F) of each sequence to a model's outputs (T, O), as the model gives them.
Outputs = Callable[[list[np.ndarray]], list[np.ndarray]]


def task_of(work: Work) -> Task:
    """Return the task of a running step; the float network's outputs lie beside its model."""
    return open_task(work.recipe, work.run.corpus, work.run.dense_model.parent)


def save_score(work: Work, outputs: Outputs, splits: tuple[str, ...] = ("test",)) -> None:
    """Write the score of a model, sequence by sequence.

    Args:
        work: the step.
        outputs: of the model.
        splits: "test", "dev" or both.
    """
    task = task_of(work)
    for split in splits:
        score = task.evaluate(outputs(task.frames(split)), split)
        write_score(work.run.score(work.step, split), score)


def save_float_score(work: Work, outputs: Outputs) -> None:
    """Write the scores of the float network, which all other models are compared with.

    Where the data have no targets, its outputs stand for them from here on.
    """
    task = task_of(work)
    for split in ("dev", "test"):
        told = outputs(task.frames(split))
        task.adopt(told, split)
        write_score(work.run.score(work.step, split), task.evaluate(told, split))
