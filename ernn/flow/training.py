"""What the steps that train have in common: a new model, its data, and how training is done."""

from dataclasses import dataclass
from pathlib import Path

from ernn.flow.work import Work
from ernn.tasks.kinds import open_task
from ernn.train import distributed
from ernn.train.acoustic import AcousticModel
from ernn.train.batches import Data
from ernn.train.fit import Run


@dataclass(frozen=True)
class Training:
    """Ready to train."""

    model: AcousticModel
    data: Data
    run: Run


def prepare(work: Work) -> Training:
    """Return a new model, the data to train it on, and how training is carried out."""
    recipe, task = work.recipe, open_task(work.recipe, work.run.corpus)
    run = Run(
        work.folder,
        recipe.seed,
        distributed.device(),
        lambda outputs: task.evaluate(outputs, "dev", quick=True).value,
    )
    data = Data(task.examples("train"), task.examples("dev"), task.labels, task.targets)
    model = AcousticModel(recipe.model, task.features, task.outputs, recipe.seed)
    return Training(model, data, run)


def drop_checkpoints(folder: Path) -> None:
    """Remove what only an interrupted training needs."""
    for path in folder.glob("*.checkpoint.safetensors"):
        path.unlink()
