"""ESE run: a sparse LSTM on ESE's machine beside block-circulant ones and tiles on ours.

    .venv/bin/python benchmarks/ese.py --seeds 0      # trains what is not there yet
    .venv/bin/python benchmarks/ese.py --table        # prints what is there

Trains an LSTM of the sizes of benchmarks/methods.toml by ADMM: 11.2 % of its single weights, as
many for each of 32 PEs; circulant blocks of 8 and of 16; blocks of 4 of which a quarter of the
tiles is kept. All start from one dense model, take as many updates and end with 12 bits. Sparse
weights are encoded and worked off by the model of ESE's machine, the others planned for the array.
Every training leaves its row in benchmarks/results/ese; phone error rates are those of the integer
models on the test set, their differences from the sparse one with 95 % bootstrap intervals over
speakers, in pairs. Before that it prints the published layer of ESE, of its own encoded matrices,
and on crossbars.
"""

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from train_variants import pooled, told, train_all, variant

from ernn.compressed import CompressedModel
from ernn.energy.crossbar import count_crossbars
from ernn.energy.ese import EseRun, random_sparse, run_ese, sizes, trained_sparse
from ernn.energy.estimate import estimate_power
from ernn.energy.published import load_published
from ernn.energy.shape import benchmark_shape, shape_of
from ernn.ese.machine import Machine
from ernn.flow.chain import bring
from ernn.flow.results import read_json, write_json
from ernn.flow.run_folder import RunFolder
from ernn.flow.scores import read_score
from ernn.hw.cycles import rate
from ernn.hw.plan import HardwarePlan
from ernn.parts.part import load_part
from ernn.recipe import Recipe
from ernn.structures.tiles import Tiling

RESULTS = Path(__file__).parent / "results" / "ese"
CORPUS_SEED = 7
WORD = 16  # the largest block: all share one dense model
BITS = 12  # of a weight
UPDATES = {"updates": 500, "retrain_updates": 500}  # of ADMM and behind it
PUBLISHED = load_published()
ESE = next(design for design in PUBLISHED.designs if design.name == "ESE")
PART, CLOCK_MHZ = load_part(ESE.part), PUBLISHED.clock_mhz


@dataclass(frozen=True)
class Form:
    """One structure of the matrices of the layers."""

    name: str
    file: str
    block: int
    model: dict

    def recipe(self, base: Recipe, seed: int) -> Recipe:
        """Return the recipe of one training."""
        layers = [
            {**layer.model_dump(exclude_none=True), "block": self.block}
            for layer in base.model.layers
        ]
        model = {"cell": "lstm", "layers": layers, "pad": WORD, **self.model}
        hardware = {"part": ESE.part, "clock_mhz": CLOCK_MHZ}
        known = {"model": model, "compression": UPDATES, "hardware": hardware}
        return variant(base, name=self.file, seed=seed, **known)


MAGNITUDE = {"structure": "magnitude", "keep": 0.112, "tile_banks": 32}
SPARSE = Form("11.2 % of the weights", "magnitude", 1, MAGNITUDE)
FORMS = (
    SPARSE,
    Form("blocks of 16", "k16", 16, {}),
    Form("blocks of 4, 25 % of tiles of 8 x 1", "k4-tiles", 4, {"keep": 0.25, "tile": [8, 1]}),
    Form("blocks of 8", "k8", 8, {}),
)


@dataclass(frozen=True)
class Row:
    """What a trained network takes on its machine."""

    machine: str
    weights: int  # not 0; generators and scales
    bits: dict[str, int]  # of weights, and of what says where they are
    cycles: float  # between frames, of all channels or streams
    latency_us: float  # of a frame
    frames_per_second: float
    board_w: float
    fine: str  # where the power is from


def on_ese(folder: RunFolder) -> list[Row]:
    """Work a sparse model off on ESE's machine, as published and with fewer pointers."""
    model = CompressedModel.load(folder.compressed_model)
    matrices = {name: one.dense() for name, one in model.matrices().items()}
    shape = shape_of("lstm", model.matrices(), model.features, model.labels, True)
    sparse = trained_sparse(shape, matrices, "trained")
    assert ESE.power_w
    rows = []
    for name, stacked in (("ESE, run", False), ("ESE, run, gates stacked", True)):
        one = run_ese(shape, sparse, PART, CLOCK_MHZ, stacked=stacked)
        rate = one.channels * 1e6 / one.latency_us
        about = name, one.weights, one.bits, one.cycles / one.channels, one.latency_us
        rows.append(Row(*about, rate, ESE.power_w, "published"))
    return rows


def on_array(folder: RunFolder) -> list[Row]:
    """Plan our array for a model."""
    plan, model = HardwarePlan.load(folder.plan), CompressedModel.load(folder.compressed_model)
    known, used = rate(plan), read_json(folder.cost)
    power = estimate_power(
        PART, plan.clock_mhz, {n: used[n] for n in ("dsp", "bram36", "lut", "ff")}
    )
    weights = sum(one.parameters for one in model.matrices().values())
    row = Row(
        *(f"ernn, {plan.streams} streams, planned", weights, {"weights": weights * BITS}),
        *(known.cycles_per_frame, known.latency_cycles / plan.clock_mhz),
        *(1e6 * plan.clock_mhz / known.cycles_per_frame, power.card_w.typical, "estimated"),
    )
    return [row]


def train(seeds: list[int], out: Path, jobs: int) -> None:
    """Run what is missing, all of a seed before the next."""
    base = Recipe.load(Path(__file__).with_name("methods.toml"))
    base = variant(base, corpus={"seed": CORPUS_SEED})
    for seed in seeds:
        for form in FORMS:
            path, recipe = RESULTS / f"{form.file}-seed{seed}.json", form.recipe(base, seed)
            if path.exists():
                continue
            folder = train_all([recipe], out, jobs, "compress")[0].folder.parent
            sparse = form is SPARSE
            bring("quantize" if sparse else "plan", recipe, folder, say=lambda line: None)
            run = RunFolder(folder)
            score = read_json(run.score("quantize"))
            rows = [asdict(row) for row in (on_ese(run) if sparse else on_array(run))]
            float_per = read_score(run.score("compress")).value
            about = {"form": form.name, "seed": seed, "corpus_seed": CORPUS_SEED}
            RESULTS.mkdir(parents=True, exist_ok=True)
            write_json(path, {**score, **about, "float": float_per, "rows": rows})


def published_layer() -> Iterator[str]:
    """Yield ESE's own layer: what 11.2 % may be of, and what queues are worth."""
    shape = benchmark_shape("lstm", 1)
    yield (
        f"the published layer, {shape.dense:,} weights: {ESE.latency_us} us computed, "
        f"{ESE.latency_measured_us} measured"
    )
    yield (
        "| weights kept | queue | entries | of all weights | kbit, indices | pointers | computed "
        "us | run us | against 57.0 | busy |\n"
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    for keep, queue in ((0.1, 1), (0.1, 4), (0.1, 8), (0.1, 32), (0.105, 8), (0.112, 8)):
        one = run_ese(shape, random_sparse(shape, keep), PART, CLOCK_MHZ, Machine(queue=queue))
        yield f"| {_layer_cells(one, keep, queue)} |"


def _layer_cells(one: EseRun, keep: float, queue: int) -> str:
    entries, kbit = one.weights + one.padding, {n: bits / 1000 for n, bits in one.bits.items()}
    return " | ".join(
        (
            *(f"{100 * keep:.1f} %", f"{queue}", f"{entries:,}", f"{100 * one.stored_share:.2f} %"),
            *(f"{kbit['weights'] + kbit['indices']:,.0f}", f"{kbit['pointers']:,.0f}"),
            *(f"{one.computed_us:.1f}", f"{one.latency_us:.1f}"),
            *(f"{100 * (one.latency_us / ESE.latency_us - 1):+.1f} %", f"{100 * one.busy:.0f} %"),
        )
    )


def crossbar_table() -> Iterator[str]:
    """Yield what the published layer takes on crossbars in each structure, at random places."""
    yield (
        "| the published layer | arrays | converters | columns a frame | cells in use |\n"
        "| --- | ---: | ---: | ---: | ---: |"
    )
    shape, rng = benchmark_shape("lstm", 1), np.random.default_rng(0)

    def tiles(block: int, keep: float, rows: int, columns: int) -> Iterator[np.ndarray]:
        for name, (high, wide) in sizes(shape).items():
            gates = (1,) if name.endswith("projection") else (4,)
            tiling = Tiling(keep, rows, columns, gates=gates, balanced=False)
            kept = tiling.choose(rng.random((high // block, -(-wide // block))))
            yield np.kron(kept, np.ones((block, block)))[:, :wide] > 0

    sparse = random_sparse(shape)
    found = (
        ("without compression", tiles(1, 1.0, 1, 1)),
        ("circulant blocks of any size, expanded", tiles(8, 1.0, 1, 1)),
        ("blocks of 8, half of the tiles of 8 x 1", tiles(8, 0.5, 8, 1)),
        ("blocks of 8, half of the tiles of 16 x 1", tiles(8, 0.5, 16, 1)),
        ("blocks of 4, a quarter of the tiles of 32 x 1", tiles(4, 0.25, 32, 1)),
        ("half of the columns", tiles(1, 0.5, 0, 1)),
        ("half of the rows", tiles(1, 0.5, 1, 0)),
        (sparse.origin, (one != 0 for one in sparse.weights.values())),
    )
    for name, used in found:
        one = count_crossbars(name, used)
        yield (
            f"| {name} | {one.arrays} | {one.converters} | {one.conversions:,} "
            f"| {100 * one.filled:.0f} % |"
        )


def table() -> Iterator[str]:
    """Yield the table of the trained networks, line by line, as Markdown."""
    yield (
        "| structure | machine | PER % | seeds | against sparse | weights | kbit | of it, where | "
        "cycles a frame | us | frames/s | board W | uJ a frame |\n"
        "| --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    scores = {form.file: _scores(form) for form in FORMS}
    for form in FORMS:
        mine, reference = scores[form.file], scores[SPARSE.file]
        if not mine:
            yield f"| {form.name} | | not run | | | | | | | | | | |"
            continue
        both = sorted(mine.keys() & reference.keys())
        against = ""
        if both and form is not SPARSE:
            rates = (pooled(known[seed] for seed in both) for known in (mine, reference))
            against = told(next(rates).minus(next(rates)), "+")
        per = f"{pooled(mine.values()).value:.2f}"
        each = ", ".join(f"{one.value:.2f}" for one in mine.values())
        for row in read_json(RESULTS / f"{form.file}-seed{min(mine)}.json")["rows"]:
            yield f"| {form.name} | {_row_cells(Row(**row), per, each, against)} |"
            per = each = against = ""


def _row_cells(row: Row, per: str, each: str, against: str) -> str:
    stored = sum(row.bits.values())
    return " | ".join(
        (
            *(row.machine, per, each, against, f"{row.weights:,}", f"{stored / 1000:,.0f}"),
            f"{(stored - row.bits['weights']) / 1000:,.0f}",
            *(f"{row.cycles:,.0f}", f"{row.latency_us:.2f}", f"{row.frames_per_second:,.0f}"),
            *(f"{row.board_w:.0f} {row.fine}", f"{1e6 * row.board_w / row.frames_per_second:.1f}"),
        )
    )


def _scores(form: Form) -> dict:
    found = sorted(RESULTS.glob(f"{form.file}-seed*.json"))
    return {read_json(path)["seed"]: read_score(path) for path in found}


def main() -> None:
    """Train, unless only the table is asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("out/ese"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    parser.add_argument("--table", action="store_true", help="train nothing")
    given = parser.parse_args()
    if not given.table:
        train(given.seeds, given.out, given.jobs)
    for lines in (published_layer(), crossbar_table(), table()):
        print(*lines, sep="\n", end="\n\n")


if __name__ == "__main__":
    main()
