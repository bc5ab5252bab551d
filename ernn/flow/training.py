"""What the steps that train have in common: a new model, its data, and how training is done."""

from dataclasses import dataclass
from pathlib import Path

from ernn.flow.work import Work
from ernn.speech.corpus import load_split
from ernn.speech.scorer import fit_scorer
from ernn.speech.utterance import frame_labels
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
    """Return a new model, the speech to train it on, and how training is carried out."""
    recipe, training = work.recipe, work.recipe.training
    train, dev = (load_split(work.run.corpus, split) for split in ("train", "dev"))
    scorer = fit_scorer(train, training, quick=True)
    run = Run(
        work.folder,
        recipe.seed,
        distributed.device(),
        lambda outputs: scorer.score(outputs, dev).percent,
    )
    aligned = training.loss == "frames"
    arrays = []
    for split in (train, dev):
        labels = frame_labels(split) if aligned else [u.phones for u in split]
        arrays.append([(u.features, told) for u, told in zip(split, labels, strict=True)])
    phones = len(train.phones)
    data = Data(arrays[0], arrays[1], phones, aligned)
    model = AcousticModel(recipe.model, train.feature_size, phones + training.blanks, recipe.seed)
    return Training(model, data, run)


def drop_checkpoints(folder: Path) -> None:
    """Remove what only an interrupted training needs."""
    for path in folder.glob("*.checkpoint.safetensors"):
        path.unlink()
