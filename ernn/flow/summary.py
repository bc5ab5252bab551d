"""Gather what the steps left in their folders into one Report."""

import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ernn
from ernn.compressed import CompressedModel
from ernn.datafile import parse
from ernn.device import load_part
from ernn.energy.estimate import estimate_power
from ernn.errors import ModelFileError
from ernn.flow.results import load_rate, read_json
from ernn.hw.plan import HardwarePlan
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import ModelRecipe, Recipe
from ernn.report import content
from ernn.report.content import Origin, Report

PHASES = {
    "dense": ("train", "dense"),
    "ADMM": ("compress", "admm"),
    "retraining": ("compress", "retrain"),
}
BLOCKS = {"dsp": "DSP", "bram36": "BRAM36", "lut": "LUT", "ff": "FF"}


def summarize(recipe: Recipe, out: Path) -> Report:
    """Return the report of a run whose other steps are all done.

    Args:
        recipe: of the run.
        out: its folder.
    """
    plan = HardwarePlan.load(out / "plan" / "plan.json")
    cost = read_json(out / "plan" / "cost.json")
    part = load_part(plan.part)
    power = estimate_power(part, plan.clock_mhz, cost)
    simulated = read_json(out / "simulate" / "timing.json")

    def origin(mark: Any, step: str) -> Origin:
        return Origin(mark, f"ernn {step} {recipe.name} --out {out}")

    return Report(
        recipe=recipe.name,
        seed=recipe.seed,
        model=in_words(recipe.model),
        version=ernn.__version__,
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        simulator=simulated.pop("simulator"),
        accuracy=_accuracy(recipe, out, origin("measured", "quantize")),
        compression=_compression(out, origin("measured", "compress")),
        training=content.Training(_points(out), origin("measured", "compress")),
        numbers=_numbers(out, origin("measured", "quantize")),
        plan=content.Plan(
            part=plan.part,
            clock_mhz=plan.clock_mhz,
            pes=plan.pes,
            column_split=plan.pe_columns,
            drain_lanes=plan.drain_lanes,
            cell_lanes=max(unit.lanes for unit in plan.units),
            streams=plan.streams,
            resources=tuple(
                content.Resource(words, cost[name], getattr(part, name))
                for name, words in BLOCKS.items()
            ),
            origin=origin("planned", "plan"),
        ),
        timing=content.Timing(**simulated, origin=origin("simulated", "simulate")),
        energy=content.Energy(power.chip_w, power.card_w, origin("estimated", "report")),
        bits=_bits(out / "quantize" / "search.json", origin("measured", "quantize")),
    )


def in_words(model: ModelRecipe) -> str:
    """Return a model in words, such as ``"GRU, 2 layers of 128 cells, block size 8"``."""
    sizes = [str(layer.hidden) for layer in model.layers]
    blocks = {layer.block_of(name) for layer in model.layers for name in model.matrices_of(layer)}
    if len(set(sizes)) > 1 or len(sizes) == 1:
        cells = f"{'layer' if len(sizes) == 1 else 'layers'} of {', '.join(sizes)} cells"
    else:
        cells = f"{len(sizes)} layers of {sizes[0]} cells"
    size = "sizes" if len(blocks) > 1 else "size"
    return f"{model.cell.upper()}, {cells}, block {size} {', '.join(map(str, sorted(blocks)))}"


def _accuracy(recipe: Recipe, out: Path, origin: Origin) -> content.Accuracy:
    steps: dict[content.Model, str] = {
        "dense": "train",
        "compressed": "compress",
        "integer": "quantize",
    }
    rates = {model: load_rate(out / step / "per.json") for model, step in steps.items()}

    def rate(model: content.Model) -> content.ErrorRate:
        found = rates[model].interval()
        return content.ErrorRate(model, found.value, found.low, found.high)

    def change(model: content.Model, against: content.Model) -> content.Change:
        found = rates[model].minus(rates[against])
        return content.Change(model, against, found.value, found.low, found.high)

    test = rates["dense"]
    return content.Accuracy(
        corpus=recipe.corpus.kind,
        speakers=len(set(test.speakers)),
        utterances=len(test.lengths),
        phones=int(test.lengths.sum()),
        dense=rate("dense"),
        compressed=rate("compressed"),
        integer=rate("integer"),
        changes=(
            change("compressed", "dense"),
            change("integer", "compressed"),
            change("integer", "dense"),
        ),
        origin=origin,
        bound_points=recipe.per_bound_points,
    )


def _compression(out: Path, origin: Origin) -> content.Compression:
    model = CompressedModel.load(out / "compress" / "compressed.safetensors")
    sizes = tuple(
        content.MatrixSize(name, matrix.rows, matrix.cols, matrix.block, matrix.parameters)
        for name, matrix in model.matrices().items()
    )
    return content.Compression(model.dense_parameters, model.parameters, sizes, origin)


def _points(out: Path) -> tuple[content.TrainingPoint, ...]:
    """Return the rounds of all phases on one count of updates."""
    points, before = [], 0
    for phase, (step, name) in PHASES.items():
        path = out / step / f"{name}.json"
        rounds = read_json(path) if path.is_file() else []  # nothing to compress: no such phase
        points += [
            content.TrainingPoint(
                phase, before + entry["update"], entry["loss"], entry.get("gap"), entry.get("score")
            )
            for entry in rounds
        ]
        before = points[-1].update if points else 0
    return tuple(points)


def _numbers(out: Path, origin: Origin) -> content.Numbers:
    signals = read_json(out / "quantize" / "signals.json")
    formats = tuple(
        content.SignalFormat(name, told["format"], told["rms_error"], told["max_error"])
        for name, told in signals.items()
    )
    model = IntegerModel.load(out / "quantize" / "integer.safetensors")
    return content.Numbers(model.weight_bits, model.activation_bits, formats, origin)


def _bits(path: Path, origin: Origin) -> content.BitsSearch | None:
    """Return the search of bits, if there was one."""
    if not path.is_file():
        return None
    told = {**read_json(path), "origin": asdict(origin)}
    return parse(told, content.BitsSearch, ModelFileError, str(path))
