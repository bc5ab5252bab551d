"""Search the bits of the integer model on the development set, and keep what was tried."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ernn.compressed import CompressedModel
from ernn.files import write_text
from ernn.flow.results import write_json
from ernn.flow.run_folder import SUMMARY
from ernn.flow.score import task_of
from ernn.flow.scores import read_score
from ernn.flow.work import Work
from ernn.quant.predict import predict
from ernn.quant.quantize import measure, quantize
from ernn.quant.search import SETTINGS, Search, Trial, search
from ernn.recipe import QuantizationRecipe


def search_bits(
    work: Work, model: CompressedModel, calibration: Sequence[np.ndarray]
) -> QuantizationRecipe:
    """Return the recipe's quantization with the settings found; leave what was tried behind.

    Args:
        work: the step at work.
        model: what to quantize.
        calibration: utterances (T, F) that show how large every signal gets.

    Raises:
        BoundError: nothing meets the recipe's bound.
    """
    task = task_of(work)
    frames, ranges = task.frames("dev"), measure(model, calibration)

    def evaluate(recipe: QuantizationRecipe) -> Trial:
        integer = quantize(model, recipe, ranges)
        segments = integer.sigmoid.segments + integer.tanh.segments
        return Trial(recipe, task.evaluate(predict(integer, frames), "dev"), segments)

    dense = read_score(work.run.score(work.run.source, "dev"))
    bound = work.recipe.task.bound
    assert bound is not None  # the recipe checked it
    with work.progress("quantize: choices of bits") as progress:
        result = search(work.recipe.quantization, dense, bound, evaluate, progress)
    write_json(work.run.bits_search, _report(result))
    write_text(work.folder / SUMMARY, "\n".join(_table(result)) + "\n")
    return result.chosen


def _table(result: Search) -> Iterator[str]:
    """Yield every trial in words and figures, sweep by sweep, the choice last."""
    kind = result.reference.measure
    head = f"{kind.name} {kind.unit}".rstrip()
    width = max(8, len(head) + 2)
    yield (
        f"development set: dense {kind.figure(result.reference.value)}, a loss of "
        f"{result.bound:g} {kind.step}".rstrip()
        + " allowed"
    )
    yield (
        f"{'':18}{'weights':>8}{'activations':>12}{'state':>6}{'segments':>9}{head:>{width}}  loss"
    )
    sweeps = {name.replace("_", " "): result.sweeps[name] for name in SETTINGS}
    for name, trials in {**sweeps, "together": result.joint}.items():
        for trial in trials:
            bits, loss = trial.recipe, trial.score.loss(result.reference)
            yield (
                f"{name:18}{bits.weight_bits:8}{bits.activation_bits:12}{bits.state_bits:6}"
                f"{trial.segments:9}{kind.number(trial.score.value):>{width}}  "
                f"{kind.number(loss.value, '+')} "
                f"[{kind.number(loss.low, '+')}, {kind.number(loss.high, '+')}]"
                f"{'' if result.within(trial) else ' too much'}"
            )
    yield "chosen: the last line, before any fine-tuning; ernn report draws all of them"


def _report(result: Search) -> dict[str, Any]:
    """Return a search as JSON, the chosen trial last."""
    trials = [_trial(result, name, trial) for name in SETTINGS for trial in result.sweeps[name]]
    trials += [_trial(result, "joint", trial) for trial in result.joint]
    dense = asdict(result.reference.interval())
    return {"bound": result.bound, "dense": dense, "trials": trials}


def _trial(result: Search, sweep: str, trial: Trial) -> dict[str, Any]:
    settings = {name: getattr(trial.recipe, name) for name in SETTINGS}
    return {
        "sweep": sweep,
        **settings,
        "segments": trial.segments,
        "score": asdict(trial.score.interval()),
        "loss": asdict(trial.score.loss(result.reference)),
        "within": result.within(trial),
    }
