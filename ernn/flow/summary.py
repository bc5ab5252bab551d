"""Gather what the steps left in their folders into one Report."""

import os
import platform
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ernn
from ernn.compressed import CompressedModel
from ernn.datafile import parse
from ernn.energy.estimate import default_fit, estimate_power
from ernn.errors import ModelFileError
from ernn.flow.about import about
from ernn.flow.external_results import BLOCKS, find_builds, find_search
from ernn.flow.power import Timing, describe_plan, find_activity
from ernn.flow.results import read_json
from ernn.flow.run_folder import SUMMARY, RunFolder
from ernn.flow.scores import read_score
from ernn.hw.plan import HardwarePlan
from ernn.parts.part import Part, load_part
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import ModelRecipe, Recipe
from ernn.report import hardware_content as hardware
from ernn.report import model_content as content
from ernn.report.content import Report
from ernn.report.marks import Measured, Origin
from ernn.run.schedule import load_schedule

PHASES = {  # of training: the step and the name of its rounds
    "dense": ("train", "dense"),
    "ADMM": ("compress", "admm"),
    "retraining": ("compress", "retrain"),
}
PLANNED = ("dsp", "bram36", "lut", "ff")


def summarize(recipe: Recipe, run: RunFolder) -> Report:
    """Return the report of a run whose other steps are all done.

    Args:
        recipe: of the run.
        run: its folder.
    """
    plan = HardwarePlan.load(run.plan)
    cost = read_json(run.cost)
    part = load_part(recipe.hardware.part)
    simulated = read_json(run.timing)
    builds, left_out = find_builds(run, plan)

    def origin(mark: Any, step: str) -> Origin:
        command = "run" if step == "import" else step  # `ernn import` is about a source
        return Origin(mark, f"ernn {command} {recipe.name} --out {run.root}")

    return Report(
        recipe=recipe.name,
        seed=recipe.seed,
        model=in_words(recipe.model),
        version=ernn.__version__,
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        simulator=simulated.pop("simulator"),
        accuracy=_accuracy(recipe, run, origin),
        compression=_compression(run, origin("measured", "compress")),
        training=_training(run, origin("measured", "compress")),
        numbers=_numbers(run, origin("measured", "quantize")),
        plan=hardware.Plan(
            part=plan.part,
            clock_mhz=plan.clock_mhz,
            pes=plan.pes,
            column_split=plan.pe_columns,
            drain_lanes=plan.drain_lanes,
            cell_lanes=max(unit.lanes for unit in plan.units),
            streams=plan.streams,
            resources=tuple(
                hardware.Resource(BLOCKS[name], cost[name], getattr(part, name)) for name in PLANNED
            ),
            origin=origin("planned", "plan"),
        ),
        timing=hardware.Timing(**simulated, origin=origin("simulated", "simulate")),
        energy=_energy(plan, part, simulated, run.simulation, origin("estimated", "report")),
        bits=_bits(run.bits_search, origin("measured", "quantize")),
        blocks=_blocks(recipe, run),
        front=_front(run.front, part, origin("planned", "plan")),
        working=hardware.Working(load_schedule(run.schedule), origin("simulated", "simulate")),
        builds=builds,
        left_out=left_out,
    )


def _front(path: Path, part: Part, origin: Origin) -> hardware.Front:
    """Return the Pareto front, each design with its estimated energy."""
    front = read_json(path)
    clock_mhz = front["clock_mhz"]
    designs = []
    for one in front["designs"]:
        used, rate = one["used"], clock_mhz * 1e6 / one["cycles_per_frame"]
        power = estimate_power(part, clock_mhz, used).chip_w
        words = (
            f"{one['pe_rows']} x {one['pe_columns']} PEs, words of {one['word']}, "
            f"drain lanes {one['drain_lanes']}, cell lanes {one['cell_lanes']}"
        )
        latency_us = one["latency_cycles"] / clock_mhz
        energy_uj = power.scaled(1e6 / rate)
        designs.append(
            hardware.FrontDesign(
                words, rate, latency_us, **used, energy_uj=energy_uj, chosen=one["chosen"]
            )
        )
    told = front["limit"], front["larger"]
    once = front.get("once", "")
    return hardware.Front(tuple(designs), front["roofline_cycles"], *told, origin, once)


def _energy(
    plan: HardwarePlan, part: Part, simulated: dict[str, Any], folder: Path, origin: Origin
) -> hardware.Energy:
    """Return the estimated power, with what toggled in the simulation where that was counted."""
    cycles = simulated["frame_cycles_simulated"], simulated["latency_cycles_simulated"]
    timing = Timing(*cycles, "simulated", "simulated", "")
    activity = find_activity(folder, plan)
    command = origin.command
    described = describe_plan(plan, part, timing, activity, default_fit(), command, command)
    return hardware.Energy(
        described.chip_w,
        described.power_w,
        origin,
        described.activity,
        described.components,
        tuple(hardware.GroupEnergy(one.name, one.watts, one.toggles) for one in described.groups),
    )


def _blocks(recipe: Recipe, run: RunFolder) -> content.BlockSearch | None:
    """Return the search of block sizes that the run belongs to, if there is one."""
    found = find_search(recipe, run)
    if found is None:
        return None
    path, search = found
    mine = read_score(run.score("compress", "dev")).interval()
    return content.BlockSearch(
        bound=search.bound,
        limit=search.limit,
        trials=tuple(
            content.BlockTrial(
                cell=one.cell,
                block=one.block,
                wide=one.wide,
                words=one.words,
                score=Measured(**asdict(one.score)),
                loss=Measured(**asdict(one.loss)) if one.loss else None,
                weights=one.weights,
            )
            for one in search.trials
        ),
        cell=recipe.model.cell,
        block=recipe.model.layers[0].block_of("recurrent"),
        score=Measured(mine.value, mine.low, mine.high),
        origin=Origin("measured", f"ernn search {search.recipe} --out {path.parent}"),
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
    kinds = dict.fromkeys(model.cell_of(layer).called.upper() for layer in model.layers)
    return f"{' and '.join(kinds)}, {cells}, block {size} {', '.join(map(str, sorted(blocks)))}"


def _accuracy(
    recipe: Recipe, run: RunFolder, origin: Callable[[Any, str], Origin]
) -> content.Accuracy:
    steps: dict[content.Model, str] = {
        "dense": run.source,
        "compressed": "compress",
        "integer": "quantize",
    }
    scores = {model: read_score(run.score(step)) for model, step in steps.items()}

    def score(model: content.Model) -> content.ModelScore:
        interval = scores[model].interval()
        command = origin("measured", steps[model]).command
        return content.ModelScore(model, interval.value, interval.low, interval.high, command)

    def change(model: content.Model, against: content.Model) -> content.Change:
        difference = scores[model].minus(scores[against])
        return content.Change(model, against, difference.value, difference.low, difference.high)

    test = scores["dense"]
    return content.Accuracy(
        judged=about(recipe, test.measure),
        groups=len(set(test.groups)),
        sequences=len(test.groups),
        over=int(test.over.sum()) if test.measure.countable else None,
        dense=score("dense"),
        compressed=score("compressed"),
        integer=score("integer"),
        changes=(
            change("compressed", "dense"),
            change("integer", "compressed"),
            change("integer", "dense"),
        ),
        origin=origin("measured", "quantize"),
        bound=recipe.task.bound,
    )


def _compression(run: RunFolder, origin: Origin) -> content.Compression:
    model = CompressedModel.load(run.compressed_model)
    sizes = tuple(
        content.MatrixSize(name, matrix.rows, matrix.cols, matrix.block, matrix.parameters)
        for name, matrix in model.matrices().items()
    )
    return content.Compression(model.dense_parameters, model.parameters, sizes, origin)


def _training(run: RunFolder, origin: Origin) -> content.Training:
    imported: tuple[str, ...] = ()
    if run.source == "import":
        told = (run.folder(run.source) / SUMMARY).read_text(encoding="utf-8")
        imported = tuple(line.strip() for line in told.splitlines())
    return content.Training(_points(run), origin, imported)


def _points(run: RunFolder) -> tuple[content.TrainingPoint, ...]:
    """Return the rounds of all phases on one count of updates."""
    points, before = [], 0
    for phase, (step, name) in PHASES.items():
        path = run.history(step, name)
        rounds = read_json(path) if path.is_file() else []  # nothing to compress: no such phase
        points += [
            content.TrainingPoint(
                phase, before + entry["update"], entry["loss"], entry.get("gap"), entry.get("score")
            )
            for entry in rounds
        ]
        before = points[-1].update if points else 0
    return tuple(points)


def _numbers(run: RunFolder, origin: Origin) -> content.Numbers:
    signals = read_json(run.signals)
    formats = tuple(
        content.SignalFormat(
            name,
            error["format"],
            error["rms_error"],
            error["max_error"],
            error["saturated"],
            error["values"],
        )
        for name, error in signals.items()
    )
    model = IntegerModel.load(run.integer_model)
    shift, weight_bits = model.row_shift, max(one.weight.width for one in model.products)
    return content.Numbers(weight_bits, model.activation_bits, formats, origin, shift)


def _bits(path: Path, origin: Origin) -> content.BitsSearch | None:
    """Return the search of bits, if there was one."""
    if not path.is_file():
        return None
    told = {**read_json(path), "origin": asdict(origin)}
    return parse(told, content.BitsSearch, ModelFileError, str(path))
