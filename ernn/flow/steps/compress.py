"""Make the model block-circulant, by ADMM if the recipe does not say otherwise."""

from dataclasses import asdict, replace

from ernn.flow.process_group import shared
from ernn.flow.results import write_json
from ernn.flow.score import save_score, task_of
from ernn.flow.training import Training, drop_checkpoints, prepare
from ernn.flow.work import Work
from ernn.train.loop import compress
from ernn.train.purify import purify
from ernn.unused import without_unused


def run(work: Work) -> None:
    """Bring the dense model into its structures; leave it and its score behind."""
    training = prepare(work)
    with shared(work):
        _fit(work, training)
    columns = _purify(work, training)
    model = training.model.export()
    if any(matrix.present is not None for matrix in model.matrices().values()):
        model, removed = without_unused(model)
        write_json(work.folder / "removed.json", {"columns": columns, **asdict(removed)})
    model.save(work.run.compressed_model)
    save_score(work, training.model.predict, ("test", "dev"))
    drop_checkpoints(work.folder)


def help_with(work: Work) -> None:
    """Do the part of another process of the same torchrun."""
    _fit(work, prepare(work))


def _fit(work: Work, training: Training) -> None:
    recipe, model = work.recipe, training.model
    model.load(work.run.dense_model)
    nothing_to_do = all(matrix.structure.free for matrix in model.matrices().values())
    if recipe.source.kind == "import" and nothing_to_do:
        return  # built as it is, and not trained on
    with work.progress("compress: updates") as progress:
        told = replace(training.run, progress=progress)
        compress(model, recipe.compression, recipe.training, training.data, told)


def _purify(work: Work, training: Training) -> dict[str, tuple[int, ...]]:
    """Drop the columns that the development set allows, and return which."""
    allowed, score = work.recipe.compression.purify, training.run.score
    if allowed is None or score is None:
        return {}
    model, frames = training.model, [features for features, _ in training.data.dev]
    measure, before = task_of(work).measure, score(model.predict(frames))
    return purify(model, lambda: measure.loss(score(model.predict(frames)) - before), allowed)
