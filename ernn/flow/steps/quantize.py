"""Make the integer model, and measure how far it is from the float model."""

from dataclasses import replace

from ernn.compressed import CompressedModel
from ernn.finetune.loop import fine_tune
from ernn.flow.bits import search_bits
from ernn.flow.results import write_json
from ernn.flow.score import save_score, task_of
from ernn.flow.signals import compare_signals
from ernn.flow.training import drop_checkpoints, prepare
from ernn.flow.work import Work
from ernn.quant.fill import filled
from ernn.quant.frames import stack
from ernn.quant.integer_model import IntegerModel
from ernn.quant.predict import predict
from ernn.quant.quantize import quantize
from ernn.tasks.task import calibration


def run(work: Work) -> None:
    """Make the integer model; if the recipe says so, search its bits first and fine-tune it."""
    settings = work.recipe.quantization
    compressed = CompressedModel.load(work.run.compressed_model)
    task = task_of(work)
    chosen = calibration(task, settings.calibration_utterances)
    if settings.search:
        settings = search_bits(work, compressed, chosen)
    with work.progress("quantize: calibration frames") as progress:
        model = quantize(compressed, settings, chosen, progress)
    if settings.fine_tune_updates:
        compressed, model = _fine_tune(work, compressed, model)
    filled(model).save(work.run.integer_model)
    with work.progress("quantize: test frames") as progress:
        save_score(work, lambda sequences: predict(model, sequences, progress))
    test = task.frames("test")
    frames, lengths = stack(test[:: len(test) // 8 + 1])
    write_json(work.run.signals, compare_signals(model, compressed, frames, lengths))


def _fine_tune(
    work: Work, compressed: CompressedModel, model: IntegerModel
) -> tuple[CompressedModel, IntegerModel]:
    """Train the model on in the arithmetic of its integer model; keep the float weights."""
    recipe, training = work.recipe, prepare(work)
    with work.progress("quantize: fine-tuning updates") as progress:
        told = replace(training.run, progress=progress)
        training.model.load(work.run.dense_model)
        settings = recipe.quantization, recipe.training
        found = fine_tune(compressed, model, *settings, training.data, told, training.model)
    found[0].save(work.run.fine_tuned_model)
    drop_checkpoints(work.folder)
    return found
