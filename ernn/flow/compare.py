"""`ernn compare`: gather an accelerator's plan, cycles and activity; put it beside the others."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from ernn import __version__
from ernn.compressed import CompressedModel
from ernn.datafile import Count, Positive
from ernn.energy.comparison import Comparison, Subject, compare, subject
from ernn.energy.ese import Sparse, trained_sparse
from ernn.energy.fit import Fit, fit_power
from ernn.energy.power import load_power
from ernn.energy.published import Published, load_published
from ernn.energy.shape import Cell, Shape, benchmark_shape, shape_of
from ernn.errors import PlanError, ProjectError
from ernn.flow.bench import LAYERS, choose
from ernn.flow.bench import run as run_benchmark
from ernn.flow.power import Timing, describe_plan, find_activity
from ernn.flow.results import command_line, read_result
from ernn.flow.run_folder import RunFolder
from ernn.hw.cycles import rate
from ernn.hw.plan import HardwarePlan
from ernn.parts.part import Part, load_part
from ernn.report.compare_page import write_comparison
from ernn.report.compare_text import deviation_lines, fit_lines, summary_lines

BOARD = "XC7VX690T"  # of the published powers
Say = Callable[[str], None]


@dataclass(frozen=True)
class SimulatedTiming:
    """What is read of timing.json."""

    frame_cycles_simulated: Positive
    latency_cycles_simulated: Positive
    words_compared: Count
    mismatches: Count


@dataclass(frozen=True)
class Cycles:
    """What is read of a measurement of a benchmark."""

    sizes: str
    cycles_planned: Positive
    cycles_simulated: Positive | None = None


@dataclass(frozen=True)
class BenchmarkRow:
    """What is read of a row of a benchmark."""

    layer: str
    part: str
    busy: Cycles
    alone: Cycles


@dataclass(frozen=True)
class BenchmarkResults:
    """What is read of results.json."""

    rows: list[BenchmarkRow]


@dataclass(frozen=True)
class Figures:
    """What an accelerator of ours is compared with."""

    published: Published
    fit: Fit

    @classmethod
    def load(cls, published: Path | None, power: Path | None) -> "Figures":
        """Read the figures that ship, or a user's own files.

        Raises:
            ErnnError: a file is not of its form.
        """
        known = load_published(published)
        return cls(known, fit_power(load_power(power), known))


def tell_fit(figures: Figures, say: Say) -> None:
    """Print coefficients, fit, its errors, and how far the models are from the published rows."""
    for line in (*fit_lines(figures.fit, figures.published), *deviation_lines(figures.published)):
        say(line)


def compare_run(
    text: str,
    figures: Figures,
    out: Path | None,
    say: Say,
    sparse: Path | None = None,
    part: str | None = None,
) -> Comparison:
    """Compare the accelerator of a run; leave the page in ``out``, or ``compare/`` of the run.

    Args:
        text: the folder of a run, or its recipe, whose run is then out/NAME.
        figures: what to compare with.
        out: where compare.html, compare.md and compare.json go.
        say: told what comes out.
        sparse: a compressed model of the same network that ESE is to run; None: random weights.
        part: file of the user's own part that the run is planned for; None: it ships with ernn.

    Raises:
        ProjectError: there is no run, or no plan in it yet.
        ModelFileError: a file of the run is damaged, or the sparse model is of another network.
        PlanError: the part is not known, or not the plan's.
    """
    folder = find_run(text)
    command = command_line("compare", folder, part=part)
    run = RunFolder(folder)
    plan = HardwarePlan.load(run.plan)
    timing, run_command = _run_timing(run, plan), command_line("run", out=folder)
    activity = find_activity(run.simulation, plan)
    chip = _planned_part(plan, part)
    synthesis = run.synthesis(chip.name)
    ours = describe_plan(plan, chip, timing, activity, figures.fit, run_command, command, synthesis)
    model = CompressedModel.load(run.compressed_model)
    shape = run_shape(run, model)
    given = None if sparse is None else _sparse(shape, sparse)
    one = subject(
        *(plan.name, str(shape), shape, ours, chip, figures.published, figures.fit, command),
        *(_expanded(model), given),
    )
    return _finish(plan.name, [one], figures, out or run.comparison, command, say)


def _planned_part(plan: HardwarePlan, file: str | None) -> Part:
    if file is None:
        return load_part(plan.part)
    part = load_part(file)
    if part.name != plan.part:
        raise PlanError(
            f"the run is planned for {plan.part}, --part {file} describes {part.name}",
            remedy="give the file of the run's part",
        )
    return part


def compare_benchmark(bench: Path, figures: Figures, out: Path | None, say: Say) -> Comparison:
    """Compare the published layers, as `ernn bench` left them in ``bench``; else their plans."""
    folder, command = out or Path("out") / "compare", "ernn compare"
    if not (bench / "results.json").is_file():
        say(f"{bench} holds no benchmark: the layers are planned, and not simulated")
        bench = folder / "bench"
        run_benchmark(
            choose(boards=BOARD, simulated=False, energy=True), bench, say=lambda line: None
        )
    subjects = [_benchmark_row(row, bench, figures, command) for row in _rows(bench)]
    return _finish("The published layers", subjects, figures, folder, command, say)


def _finish(
    title: str, subjects: list[Subject], figures: Figures, out: Path, command: str, say: Say
) -> Comparison:
    comparison = compare(title, __version__, command, subjects, figures.published, figures.fit)
    page = write_comparison(comparison, out)
    for line in summary_lines(comparison):
        say(line)
    say(f"the page is {page}")
    return comparison


def find_run(text: str) -> Path:
    """Return the folder of a run, given itself or by its recipe.

    Raises:
        ProjectError: there is none, or it has no plan yet.
        RecipeError: neither a folder nor a recipe.
    """
    from ernn.flow.chain import load_recipe

    folder = Path(text)
    if not folder.is_dir():
        folder = Path("out") / load_recipe(text).name
    if not RunFolder(folder).plan.is_file():
        raise ProjectError(
            f"{folder} holds no plan",
            remedy="run `ernn plan` or `ernn run` with this folder as --out, or give another "
            "run's folder",
        )
    return folder


def _sparse(shape: Shape, path: Path) -> Sparse:
    """Return a compressed model's file as ESE runs it."""
    model = CompressedModel.load(path)
    return trained_sparse(shape, _expanded(model), f"{path.name}, trained")


def _expanded(model: CompressedModel) -> dict[str, np.ndarray]:
    return {name: one.dense() for name, one in model.matrices().items()}


def run_shape(run: RunFolder, model: CompressedModel) -> Shape:
    """Return the sizes of a run's network."""
    kinds = {layer.kind.called for layer in model.layers}
    cell = next((name for name in get_args(Cell) if {name} == kinds), None)
    if cell is None:
        raise ProjectError(
            f"{run.root} is a stack of {', '.join(sorted(kinds))}",
            allowed="only LSTM or only GRU layers, as the published accelerators run",
            remedy="compare a run of one of them",
        )
    peepholes = any("peepholes" in layer.parameters for layer in model.layers)
    return shape_of(cell, model.matrices(), model.features, model.labels, peepholes)


def _run_timing(run: RunFolder, plan: HardwarePlan) -> Timing:
    """Return the simulated cycles of a run if there are some, else the planned ones."""
    path = run.timing
    if not path.is_file():
        known = rate(plan)
        planned = known.cycles_per_frame, known.latency_cycles
        return Timing(*planned, "planned", "planned", "not simulated")
    told = read_result(path, SimulatedTiming, "ernn simulate")
    exact = told.words_compared > 0 and not told.mismatches
    cycles = told.frame_cycles_simulated, told.latency_cycles_simulated
    return Timing(*cycles, "simulated", "simulated", "bit-exact" if exact else "differs")


def _rows(bench: Path) -> list[BenchmarkRow]:
    """Return the rows of a benchmark on the board with published powers."""
    path = bench / "results.json"
    told = read_result(path, BenchmarkResults, "ernn bench")
    known = {layer.title for layer in LAYERS}
    rows = [row for row in told.rows if row.part == BOARD and row.layer in known]
    if not rows:
        raise ProjectError(
            f"{bench} holds no layer on {BOARD}",
            remedy=f"run `ernn bench --boards {BOARD} --out {bench}`",
        )
    return rows


def _benchmark_row(row: BenchmarkRow, bench: Path, figures: Figures, command: str) -> Subject:
    layer = next(one for one in LAYERS if one.title == row.layer)
    folder = bench / f"{layer.name}-{BOARD.lower()}" / "throughput"
    plan = HardwarePlan.load(folder / "plan.json")
    simulated = row.busy.cycles_simulated
    same = row.alone.sizes == row.busy.sizes  # not another accelerator, made for latency
    timing = Timing(
        simulated or row.busy.cycles_planned,
        float(rate(plan).latency_cycles),
        "simulated" if simulated else "planned",
        "simulated" if same and row.alone.cycles_simulated else "planned",
        "bit-exact" if simulated else "not simulated",
    )
    shape = benchmark_shape(layer.kind, layer.block)
    activity = find_activity(folder, plan)
    chosen = {"energy": activity is not None, "layers": layer.name, "boards": BOARD}
    made = command_line("bench", **chosen, out=bench)
    synthesis = folder / f"synth-{BOARD.lower()}"
    chip = load_part(BOARD)
    ours = describe_plan(plan, chip, timing, activity, figures.fit, made, command, synthesis)
    known = figures.published, figures.fit
    return subject(layer.name, layer.title, shape, ours, chip, *known, command)
