"""The benchmark: the published layers on their boards, planned, simulated, and set in a table.

Nobody trains 1,024 cells for it: weights are random, of a trained model's size, and calibrated on
speech. Cycles and resources do not depend on their values, and the simulation has to match
whatever they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from ernn import __version__
from ernn.cells import cell_named
from ernn.energy.published import Cell, load_published
from ernn.energy.published import Design as PublishedDesign
from ernn.errors import RecipeError
from ernn.files import write_text
from ernn.flow.measure import measure
from ernn.flow.results import read_result, write_json
from ernn.folders import locked
from ernn.hw.explore import Design, Exploration, explore
from ernn.hw.plan import HardwarePlan
from ernn.machine import describe_machine
from ernn.parts.part import load_part
from ernn.quant.integer_model import IntegerModel
from ernn.quant.quantize import quantize
from ernn.random_model import random_model
from ernn.recipe import (
    MAX_STREAMS,
    BlockSize,
    CorpusRecipe,
    FeatureRecipe,
    HardwareRecipe,
    QuantizationRecipe,
)
from ernn.report.bench import Measured, Row, Target, in_words, markdown
from ernn.run.dump import Dump, steady_window
from ernn.run.traffic import Streams, Traffic, deal_out
from ernn.speech.corpus import build_corpus, load_split
from ernn.structures.tiles import Tiling
from ernn.tools import find

FEATURES = FeatureRecipe()  # 153 values a frame
SPEECH = CorpusRecipe(train_minutes=0.4, dev_minutes=0.1, test_minutes=0.4)  # a few speakers
CLOCK_MHZ = 200.0


@dataclass(frozen=True)
class Layer:
    """One recurrent layer; an LSTM has peepholes."""

    name: str
    cell: str
    block: BlockSize
    hidden: int = 1024
    projection: int = 0
    tiling: Tiling | None = None  # which tiles have weights; None: all blocks have

    @property
    def title(self) -> str:
        """What it is, in words."""
        sizes = f"{self.hidden}/{self.projection}" if self.projection else f"{self.hidden}"
        named = f"{self.kind.upper()} {sizes}, k = {self.block}"
        if self.tiling is None:
            return named
        return f"{named}, {100 * self.tiling.keep:g} % of tiles of {self.tiling.rows} x 1"

    @property
    def kind(self) -> Cell:
        """Which cell, whatever its reset."""
        return cast(Cell, cell_named(self.cell).called)

    @property
    def dense_macs(self) -> int:
        """Multiplications per frame without compression."""
        gates, output = len(cell_named(self.cell).gates), self.projection or self.hidden
        return gates * self.hidden * (FEATURES.size + output) + self.projection * self.hidden


LAYERS = (
    Layer("lstm8", "lstm", 8, projection=512),
    Layer("lstm16", "lstm", 16, projection=512),
    Layer("gru8", "gru_before", 8),
    Layer("gru16", "gru_before", 16),
)
# Drawn at random, as many tiles in every row of tiles, and as many in each of its banks. A tile of
# 16 block rows is all gates of 32 cells at k = 8, and one gate of 32 cells at k = 2.
HALF = Tiling(0.5, 16, banks=2, balanced=True)
EIGHTH = Tiling(0.125, 16, banks=8, balanced=True, subs=16)
TILED = (
    Layer("lstm8-tiles", "lstm", 8, projection=512, tiling=HALF),
    Layer("lstm2-tiles", "lstm", 2, projection=512, tiling=EIGHTH),
    Layer("gru8-tiles", "gru_before", 8, tiling=HALF),
    Layer("gru2-tiles", "gru_before", 2, tiling=EIGHTH),
)
BOARDS = ("XC7VX690T", "XCKU060")
TARGETS = {
    ("lstm8", "XC7VX690T"): Target(1.0e6, 1.7),
    ("lstm16", "XC7VX690T"): Target(1.9e6, 1.1),
    ("gru8", "XC7VX690T"): Target(0.9e6, 1.8),
    ("gru16", "XC7VX690T"): Target(1.7e6, 1.2),
    ("lstm8-tiles", "XC7VX690T"): Target(1.9e6, 0.95),
    ("lstm2-tiles", "XC7VX690T"): Target(2.5e6, 0.8),
}
OTHERWISE = Target(roofline=0.9)


@dataclass(frozen=True)
class Benchmark:
    """What is measured, and how."""

    layers: tuple[Layer, ...] = LAYERS
    boards: tuple[str, ...] = BOARDS
    streams: tuple[int, ...] = (2, 4, 8)  # tried in this order until the target is met
    frames: int = 50  # simulated, of each stream
    seed: int = 0
    simulated: bool = True
    energy: bool = False  # plan for energy, one accelerator per row, and count what toggles


def choose(
    layers: str | None = None,
    boards: str | None = None,
    streams: str | None = None,
    frames: int = 50,
    seed: int = 0,
    simulated: bool = True,
    energy: bool = False,
) -> Benchmark:
    """Return the benchmark of a choice of layers, boards and streams, each "a,b,..." or all.

    Raises:
        RecipeError, PlanError: a layer, a number of streams or a board that there is not.
    """
    known = {layer.name: layer for layer in (*LAYERS, *TILED)}
    names = _listed(layers) if layers is not None else [layer.name for layer in LAYERS]
    strange = [name for name in names if name not in known]
    if strange or not names:
        raise RecipeError(
            f"--layers {layers!r} names no layer of the benchmark",
            remedy=f"choose among {', '.join(known)}",
        )
    counts = _listed(streams) if streams is not None else list(map(str, Benchmark.streams))
    if not counts or not all(n.isdecimal() and 1 <= int(n) <= MAX_STREAMS for n in counts):
        raise RecipeError(
            f"--streams {streams!r} is no list of streams",
            remedy=f"give numbers of 1 to {MAX_STREAMS} with commas between them, such as 2,4",
        )
    parts = tuple(_listed(boards)) if boards is not None else BOARDS
    if not parts:
        raise RecipeError("--boards names no board", remedy="give parts, such as XC7VX690T,XCKU060")
    for part in parts:
        load_part(part)
    chosen = tuple(known[name] for name in names)
    return Benchmark(chosen, parts, tuple(map(int, counts)), frames, seed, simulated, energy)


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


@dataclass(frozen=True)
class Known:
    """What is read of a row's file: the accelerators that were simulated."""

    busy: Measured
    alone: Measured


@dataclass(frozen=True)
class Kept:
    """The file of a row."""

    row: Known


def run(
    benchmark: Benchmark,
    out: Path,
    results: Path | None = None,
    say: Callable[[str], None] = print,
) -> list[Row]:
    """Measure every layer on every board; leave results.json and table.md in ``out``.

    What toggles, where that is counted, is left beside the project that it is of.

    Args:
        benchmark: what is measured.
        out: folder of plans, projects and builds.
        results: folder of one file a row, kept as it comes; ``out/results`` if not given. What it
            holds of the same Verilog is not simulated again.
        say: takes lines.

    Raises:
        MismatchError: a simulated word or cycle is not as planned.
        ModelFileError: a row's file is not of this version.
        PlanError: a layer does not fit a board.
        ToolError: a tool is missing or fails.
        ProjectError: ``out`` is not ernn's, or in use.
    """
    rows: list[Row] = []
    with locked(out):
        kept = results or out / "results"
        kept.mkdir(parents=True, exist_ok=True)
        preface = _preface(benchmark)
        for line in preface:
            say(line)
        train, test = make_speech(out / "speech", benchmark.seed)
        for layer in benchmark.layers:
            model = make_model(layer, benchmark.seed, train)
            for board in benchmark.boards:
                path = kept / f"{_name(layer, board)}.json"
                known = read_result(path, Kept, "ernn bench").row if path.is_file() else None
                rows.append(_measure_row(benchmark, layer, board, model, test, known, out, say))
                if known != Known(rows[-1].busy, rows[-1].alone):
                    write_json(path, {"about": preface, "row": rows[-1].to_dict()})
                say("\n" + "\n".join(in_words(rows[-1])) + "\n")
                whole = {"about": preface, "rows": [row.to_dict() for row in rows]}
                write_json(out / "results.json", whole)
                write_text(out / "table.md", "\n\n".join([*preface, markdown(rows)]))
        say(f"{markdown(rows)}\nalso in {out / 'table.md'} and {out / 'results.json'}")
    return rows


def _preface(benchmark: Benchmark) -> list[str]:
    """Return what is measured, and on what."""
    tools = (found for name in ("verilator", "espeak-ng") if (found := find(name)))
    versions = "".join(f", {tool.name} {tool.version}" for tool in tools)
    bits = QuantizationRecipe()
    traffic = f"{benchmark.frames} frames of synthetic speech a stream are simulated in Verilog"
    return [
        f"ernn {__version__}: {', '.join(layer.name for layer in benchmark.layers)} on "
        f"{', '.join(benchmark.boards)} at {CLOCK_MHZ:g} MHz{', for energy' * benchmark.energy}, "
        f"{FEATURES.size} inputs, weights of "
        f"{bits.weight_bits} bits, activations of {bits.activation_bits}, no output layer",
        f"weights are random (seed {benchmark.seed}), of a trained model's size: speed does not "
        "depend on them; " + (traffic if benchmark.simulated else "nothing is simulated"),
        f"{describe_machine('numpy')}{versions}",
    ]


def make_speech(folder: Path, seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return features (T, F) of utterances to calibrate with, and of others to simulate."""
    folder.mkdir(parents=True, exist_ok=True)
    build_corpus(SPEECH, FEATURES, seed, folder)
    train, test = (load_split(folder, split) for split in ("train", "test"))
    return [one.features for one in train], [one.features for one in test]


def make_model(layer: Layer, seed: int, speech: Sequence[np.ndarray]) -> IntegerModel:
    """Return the integer model of a layer with random weights, calibrated on speech."""
    model = random_model(
        np.random.default_rng(seed),
        layer.cell,
        layer.hidden,
        blocks=layer.block,
        features=FEATURES.size,
        labels=0,
        projection=layer.projection,
        scales=False,  # the published layers have none
        tiling=layer.tiling,
    )
    return quantize(model, QuantizationRecipe(), list(speech))


def _measure_row(
    benchmark: Benchmark,
    layer: Layer,
    board: str,
    model: IntegerModel,
    speech: list[np.ndarray],
    known: Known | None,
    out: Path,
    say: Callable[[str], None],
) -> Row:
    part = load_part(board)
    name = _name(layer, board)
    rate, latency = plans(benchmark, model, layer, board)
    busy, alone = rate.chosen, latency.chosen
    if benchmark.simulated:  # which takes minutes
        say(
            f"{name}: planned are {busy.frames_per_second:,.0f} frames/s and "
            f"{alone.latency_us:.3f} us; building and simulating"
        )
    streams = deal_out(speech, busy.plan.streams, benchmark.frames)
    own = "throughput" if latency is rate else "latency"  # not built twice
    jobs: list[tuple[Exploration, str, Streams, Traffic, Measured | None]] = [
        (rate, "throughput", streams, Traffic(), known.busy if known else None),
        (latency, own, [streams[0]], Traffic("single"), known.alone if known else None),
    ]
    measured = [
        measure(
            *(found, model, dealt if benchmark.simulated else None, traffic, out / name / folder),
            *(before, _dump(benchmark, found.chosen.plan, traffic), "ernn bench --energy"),
        )
        for found, folder, dealt, traffic, before in jobs
    ]
    return Row(
        layer.title,
        part.name,
        part.dsp,
        CLOCK_MHZ,
        rate.roofline_cycles,
        measured[0],
        measured[1],
        _target(benchmark, layer, part.name),
        published_design(layer, part.name),
    )


def plans(
    benchmark: Benchmark, model: IntegerModel, layer: Layer, board: str
) -> tuple[Exploration, Exploration]:
    """Return the plans with the highest rate and the shortest latency; they may be one.

    The first takes the fewest streams that meet the target, or what is fastest. A benchmark for
    energy has but one plan, the fastest, or the smallest of several, and so has a layer of tiles
    whose first plan meets both parts of the target.
    """
    name = _name(layer, board)
    target = _target(benchmark, layer, load_part(board).name)
    tried: list[Exploration] = []
    common: dict[str, Any] = {"part": board, "clock_mhz": CLOCK_MHZ}
    objective: Literal["energy", "throughput"] = "energy" if benchmark.energy else "throughput"
    for count in benchmark.streams:
        asked = HardwareRecipe(**common, streams=count, objective=objective)
        tried.append(explore(model, asked, name))
        chosen = tried[-1].chosen
        share = tried[-1].roofline_cycles / chosen.rate.cycles_per_frame
        verdicts = list(target.judge_rate(chosen.frames_per_second, share))
        if verdicts and all(one.met for one in verdicts):
            rate = tried[-1]
            break
    else:
        rate = max(tried, key=lambda one: (one.chosen.frames_per_second, -one.chosen.fabric))
    if benchmark.energy or (layer.tiling and _meets(target, rate.chosen)):
        return rate, rate
    latency = explore(model, HardwareRecipe(**common, streams=1, objective="latency"), name)
    return rate, rate if rate.chosen.latency_us <= latency.chosen.latency_us else latency


def _name(layer: Layer, board: str) -> str:
    """Return the name of a row's folder and file."""
    return f"{layer.name}-{load_part(board).name.lower()}"


def _meets(target: Target, design: Design) -> bool:
    """Whether a design is as fast as the target asks, in both ways."""
    alone = list(target.judge_latency(design.latency_us))
    busy = target.judge_rate(design.frames_per_second, 0)
    return bool(alone) and all(one.met for one in (*busy, *alone))


def _target(benchmark: Benchmark, layer: Layer, part: str) -> Target:
    """Return what a row should reach; that of energy is in `ernn compare`."""
    return Target() if benchmark.energy else TARGETS.get((layer.name, part), OTHERWISE)


def _dump(benchmark: Benchmark, plan: HardwarePlan, traffic: Traffic) -> Dump | None:
    """Return what the simulation of a plan has to dump; None: it cannot."""
    if not benchmark.energy:
        return None
    window = steady_window(plan, benchmark.frames)
    return window if traffic.mode == "saturated" else Dump(window.kind)  # the same build


def published_design(layer: Layer, part: str) -> PublishedDesign | None:
    """Return what E-RNN published for a layer and a part; None unless it is the same layer."""
    published = load_published()
    if layer.tiling or layer.dense_macs != published.dense_macs_per_frame[layer.kind]:
        return None
    wanted = (layer.kind, layer.block, part)
    theirs = (design for design in published.designs if design.name.startswith("E-RNN"))
    alike = (one for one in theirs if (one.cell, one.block_size, one.part) == wanted)
    return next(alike, None)
