"""Networks of others, compressed: each part by a recipe of an import, as any user would do it.

What a matrix is compressed to is said in a recipe's own keys, such as "block=4" or
"block=8,structure=circulant,compression.updates=3000": keys of [[model.layers]] and [model] by
their names alone, others behind the name of their section.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ernn import CompressedModel, IntegerModel, __version__, run_recipe, write_recipe
from ernn.errors import RecipeError
from ernn.flow.engine import read_stamp
from ernn.flow.run_folder import RunFolder
from ernn.machine import describe_machine
from ernn.recipe import LayerRecipe
from ernn.score import Interval, Score
from networks.network import Lesson, Network, Run, Runs, Sections, float_run, integer_run

Result = dict[str, Any]
_DRAWS = 2000
_OTHERS = ("training", "compression", "quantization")


def settings(text: str) -> dict[str, dict[str, Any]]:
    """Return what is asked for in the form of the module's text, by section; layers are "layer".

    Raises:
        RecipeError: a part of the text is no KEY=VALUE, or its section is no such thing.
    """
    asked: dict[str, dict[str, Any]] = {"layer": {}, "model": {}}
    for pair in text.split(","):
        name, found, value = pair.partition("=")
        section, _, key = name.rpartition(".")
        if not found or not key or section not in ("", *_OTHERS):
            allowed = f"KEY=VALUE, the key behind {', '.join(_OTHERS)} and a point, or a model's"
            raise RecipeError("--compress", given=pair, allowed=allowed)
        home = section or ("layer" if key in LayerRecipe.model_fields else "model")
        asked.setdefault(home, {})[key] = _value(value)
    return asked


def file_name(network: str, text: str) -> str:
    """Return the name of the file of a training."""
    return f"{network}-{text.replace('=', '_').replace(',', '-')}.json"


def compressed(
    network: Network, text: str, work: Path, say: Callable[[str], None] = lambda line: None
) -> Result:
    """Compress every part of a network, in their order, and judge them together.

    Args:
        network: whose parts have lessons.
        text: what they are compressed to; see the module.
        work: folder of the runs; what is finished there is not done again.
        say: takes a line about every step.
    """
    runs: dict[str, dict[str, Run]] = {"float": {}, "12 bits": {}}
    parts = {}
    for name, part in network.parts.items():
        assert part.lesson is not None
        run = _trained(name, part.lesson, settings(text), runs["float"], work / name, say)
        model = CompressedModel.load(run.compressed_model)
        runs["float"][name] = float_run(model)
        runs["12 bits"][name] = integer_run(IntegerModel.load(run.integer_model))
        parts[name] = _told(part.built, model, run)
    dense = {name: float_run(part.built) for name, part in network.parts.items()}
    return {
        "title": network.title,
        "package": network.package,
        "settings": text,
        "ernn": __version__,
        "machine": describe_machine("numpy", "torch"),
        "data": network.data,
        "parts": parts,
        "scores": judged(network, dense, runs),
    }


def judged(network: Network, dense: Runs, runs: Mapping[str, Runs]) -> Result:
    """Return every measure of every arithmetic, with its interval and what the dense one is better.

    A value that is no `Score` has neither.
    """
    wanted = network.score(dense)
    found: Result = {}
    for arithmetic, some in runs.items():
        found[arithmetic] = []
        for value, best in zip(network.score(some), wanted, strict=True):
            if isinstance(value, Score) and isinstance(best, Score):
                loss = _ends(_loss(value, best))
                found[arithmetic].append({**_ends(value.interval()), "loss": loss})
            else:
                found[arithmetic].append({"value": float(np.asarray(value))})
    return found


def _loss(score: Score, best: Score, seed: int = 0) -> Interval:
    """Return how much worse a score is, with its interval over sequences drawn in pairs.

    As `Score.loss`, but where each sequence is judged by the nearest of several targets (a word of
    several pronunciations), what is counted over may be another for either model.
    """
    count, measure = len(best.over), score.measure
    times = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), _DRAWS)
    drawn, those = (measure.of(times @ one.counted, times @ one.over) for one in (score, best))
    low, high = sorted(measure.loss(end) for end in np.percentile(drawn - those, [2.5, 97.5]))
    return Interval(measure.loss(score.value - best.value), float(low), float(high))


def _trained(
    name: str, lesson: Lesson, asked: Sections, runs: Runs, work: Path, say: Callable[[str], None]
) -> RunFolder:
    """Run the recipe of a part up to its integer model; return the folder."""
    data = work.with_suffix(".npz")
    data.parent.mkdir(parents=True, exist_ok=True)
    np.savez(data, **lesson.arrays(runs))  # type: ignore[arg-type]
    sections = {key: {**lesson.sections.get(key, {}), **asked.get(key, {})} for key in _OTHERS}
    recipe = write_recipe(
        lesson.network,
        work,
        data,
        name=name,
        layer=asked["layer"],
        model=asked["model"],
        **sections,
        say=say,
    )
    run_recipe(str(recipe), work, step="quantize", say=say)
    return RunFolder(work, source="import")


def _told(dense: CompressedModel, model: CompressedModel, run: RunFolder) -> Result:
    """Return what a part was trained by, and what is left of it."""
    matrices = model.matrices()
    rounds = {phase: _rounds(run, phase) for phase in ("admm", "retrain")}
    admm = rounds["admm"]
    return {
        "dense_weights": dense.dense_parameters,
        "weights": sum(one.parameters for one in matrices.values()),
        "blocks": {name: one.block for name, one in matrices.items()},
        "updates": {phase: one[-1]["update"] if one else 0 for phase, one in rounds.items()},
        "gap": admm[-1]["gap"] if admm else 0.0,
        "seconds": read_stamp(run.folder("compress"))["seconds"],
    }


def _rounds(run: RunFolder, phase: str) -> list[dict[str, Any]]:
    path = run.history("compress", phase)
    found: list[dict[str, Any]] = json.loads(path.read_text()) if path.is_file() else []
    return found


def _ends(interval: Interval) -> dict[str, float]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _value(text: str) -> Any:
    """Return a number or a truth, or else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
