"""What the steps that train have in common: a new model, its data, and how training is done."""

from dataclasses import dataclass
from pathlib import Path

from ernn.flow.score import task_of
from ernn.flow.work import Work
from ernn.score import CHANGED
from ernn.train import distributed
from ernn.train.acoustic import AcousticModel
from ernn.train.batches import Data
from ernn.train.differences import find_difference
from ernn.train.fit import Run


@dataclass(frozen=True)
class Training:
    """Ready to train."""

    model: AcousticModel
    data: Data
    run: Run


def prepare(work: Work) -> Training:
    """Return a new model, the data to train it on, and how training is carried out."""
    recipe, task = work.recipe, task_of(work)
    run = Run(
        work.folder,
        recipe.seed,
        distributed.device(),
        lambda outputs: task.evaluate(outputs, "dev", quick=True).value,
    )
    examples = task.examples("train"), task.examples("dev")
    difference = find_difference(recipe.task, task.targets, task.measure is CHANGED)
    data = Data(*examples, task.outputs, task.targets, difference, recipe.task.at_end)
    model = AcousticModel(recipe.model, task.features, task.outputs, recipe.seed)
    return Training(model, data, run)


def drop_checkpoints(folder: Path) -> None:
    """Remove what only an interrupted training needs."""
    for path in folder.glob("*.checkpoint.safetensors"):
        path.unlink()
