"""Train the dense model."""

from dataclasses import replace

from ernn.flow.process_group import shared
from ernn.flow.score import save_float_score
from ernn.flow.training import Training, drop_checkpoints, prepare
from ernn.flow.work import Work
from ernn.train.loop import train_dense


def run(work: Work) -> None:
    """Train the dense model; leave it and its score behind."""
    training = prepare(work)
    with shared(work):
        _fit(work, training)
    training.model.save(work.run.dense_model)
    save_float_score(work, training.model.predict)
    drop_checkpoints(work.folder)


def help_with(work: Work) -> None:
    """Do the part of another process of the same torchrun."""
    _fit(work, prepare(work))


def _fit(work: Work, training: Training) -> None:
    with work.progress("train: updates") as progress:
        told = replace(training.run, progress=progress)
        train_dense(training.model, work.recipe.training, training.data, told)
