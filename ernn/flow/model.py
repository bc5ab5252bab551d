"""The steps that make a model: corpus, train, compress, quantize.

Each reads the folders of the steps before it and leaves its files in its own; docs/files.md
describes them. Heavy imports stay inside, so that a run with nothing to do is over at once.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ernn.files import write_text
from ernn.flow.engine import SUMMARY, Work
from ernn.flow.team import Jobs, shared
from ernn.recipe import Recipe

if TYPE_CHECKING:
    import numpy as np

    from ernn.compressed import CompressedModel
    from ernn.quant.integer_model import IntegerModel
    from ernn.train.acoustic import AcousticModel
    from ernn.train.batches import Data
    from ernn.train.fit import Run


def corpus(work: Work) -> None:
    """Make or read the speech."""
    from ernn.speech.corpus import build_corpus

    recipe = work.recipe
    affinity = getattr(os, "sched_getaffinity", None)  # not everywhere
    workers = len(affinity(0)) if affinity else os.cpu_count() or 1
    with work.progress("corpus: speakers") as progress:
        summary = build_corpus(
            recipe.corpus, recipe.features, recipe.corpus_seed, work.folder, workers, progress
        )
    write_text(work.folder / SUMMARY, summary)


def train(work: Work) -> None:
    """Train the dense model."""
    model, data, run = _training(work)
    _require_fit(work.recipe, model)
    with shared("train", work):
        _fit_dense(work, model, data, run)
    model.save(work.folder / "dense.safetensors")
    _save_rate(work, model.predict, ("test", "dev"))
    _drop_checkpoints(work)


def _fit_dense(work: Work, model: "AcousticModel", data: "Data", run: "Run") -> None:
    from ernn.train.loop import train_dense

    with work.progress("train: updates") as progress:
        train_dense(model, work.recipe.training, data, replace(run, progress=progress))


def _require_fit(recipe: Recipe, model: "AcousticModel") -> None:
    """Plan the untrained model: what cannot be built is told before training, not after it.

    Raises:
        PlanError: the recipe's part cannot hold the model, or not with the sizes that it names.
    """
    import numpy as np

    from ernn.hw.explore import make_plan
    from ernn.quant.quantize import quantize

    exported = model.export()
    noise = np.random.default_rng(0).normal(size=(8, exported.features))
    integer = quantize(exported, recipe.quantization, [noise])
    make_plan(integer, recipe.hardware, recipe.name)


def compress(work: Work) -> None:
    """Make the model block-circulant, by ADMM if the recipe does not say otherwise."""
    model, data, run = _training(work)
    _require_fit(work.recipe, model)  # its blocks or its part may have changed since the dense one
    with shared("compress", work):
        _fit_inside(work, model, data, run)
    model.export().save(work.folder / "compressed.safetensors")
    _save_rate(work, model.predict, ("test", "dev"))
    _drop_checkpoints(work)


def _fit_inside(work: Work, model: "AcousticModel", data: "Data", run: "Run") -> None:
    from ernn.train.loop import compress as bring_inside

    recipe = work.recipe
    model.load(work.out / "train" / "dense.safetensors")
    with work.progress("compress: updates") as progress:
        told = replace(run, progress=progress)
        bring_inside(model, recipe.compression, recipe.training, data, told)


# What the processes of one torchrun do together.
JOBS: Jobs = {
    "train": lambda work: _fit_dense(work, *_training(work)),
    "compress": lambda work: _fit_inside(work, *_training(work)),
}


def _training(work: Work) -> "tuple[AcousticModel, Data, Run]":
    """Return a new model, the speech to train it on, and how training is carried out."""
    from ernn.speech.corpus import load_split
    from ernn.speech.scorer import fit_scorer
    from ernn.speech.utterance import frame_labels
    from ernn.train import distributed
    from ernn.train.acoustic import AcousticModel
    from ernn.train.batches import Data
    from ernn.train.fit import Run

    recipe, training = work.recipe, work.recipe.training
    train, dev = (load_split(work.out / "corpus", split) for split in ("train", "dev"))
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
    return model, data, run


def _drop_checkpoints(work: Work) -> None:
    for path in work.folder.glob("*.checkpoint.safetensors"):
        path.unlink()


def quantize(work: Work) -> None:
    """Make the integer model, and measure how far it is from the float model.

    If the recipe says so, its bits are searched first and it is fine-tuned afterwards.
    """
    from ernn.compressed import CompressedModel
    from ernn.flow.bits import search_bits
    from ernn.flow.results import compare_signals, write_json
    from ernn.quant.frames import stack
    from ernn.quant.predict import predict
    from ernn.quant.quantize import quantize as make
    from ernn.speech.corpus import load_split

    settings = work.recipe.quantization
    compressed = CompressedModel.load(work.out / "compress" / "compressed.safetensors")
    train = load_split(work.out / "corpus", "train")
    every = max(1, len(train) // settings.calibration_utterances)  # of many speakers, not the first
    chosen = [u.features for u in train[::every][: settings.calibration_utterances]]
    if settings.search:
        settings = search_bits(work, compressed, chosen)
    with work.progress("quantize: calibration frames") as progress:
        model = make(compressed, settings, chosen, progress)
    if settings.fine_tune_updates:
        compressed, model = _fine_tune(work, compressed, model)
    model.save(work.folder / "integer.safetensors")
    with work.progress("quantize: test frames") as progress:
        _save_rate(work, lambda utterances: predict(model, utterances, progress))
    test = load_split(work.out / "corpus", "test")
    frames, lengths = stack([utterance.features for utterance in test[:: len(test) // 8 + 1]])
    write_json(work.folder / "signals.json", compare_signals(model, compressed, frames, lengths))


def _fine_tune(
    work: Work, compressed: "CompressedModel", model: "IntegerModel"
) -> "tuple[CompressedModel, IntegerModel]":
    """Train the model on in the arithmetic of its integer model; keep the float weights."""
    from ernn.finetune.loop import fine_tune

    recipe = work.recipe
    _, data, run = _training(work)
    with work.progress("quantize: fine-tuning updates") as progress:
        told = replace(run, progress=progress)
        found = fine_tune(compressed, model, recipe.quantization, recipe.training, data, told)
    found[0].save(work.folder / "fine_tuned.safetensors")
    _drop_checkpoints(work)
    return found


def _save_rate(
    work: Work,
    outputs: "Callable[[list[np.ndarray]], list[np.ndarray]]",
    splits: tuple[str, ...] = ("test",),
) -> None:
    """Write the phone error rate of a model, utterance by utterance.

    Args:
        work: the step; its folder gets per.json (test set) and dev.json (development set).
        outputs: from features (T, F) of each utterance to the model's logits (T, labels), label
            delay included.
        splits: "test", "dev" or both.
    """
    from ernn.flow.results import save_rate
    from ernn.speech.corpus import load_split
    from ernn.speech.scorer import fit_scorer

    scorer = fit_scorer(load_split(work.out / "corpus", "train"), work.recipe.training)
    for split in splits:
        spoken = load_split(work.out / "corpus", split)
        rate = scorer.score(outputs([utterance.features for utterance in spoken]), spoken)
        save_rate(work.folder / ("per.json" if split == "test" else f"{split}.json"), rate)
