"""Who of nine men says "ae"? LSTM and GRU on real speech, dense and compressed, float and integer.

    .venv/bin/python benchmarks/japanese_vowels.py             # trains what is not there yet
    .venv/bin/python benchmarks/japanese_vowels.py --table     # only shows what is there
    .venv/bin/python benchmarks/japanese_vowels.py --data out/vowels/vowels.npz    # for ernn run
    .venv/bin/python benchmarks/japanese_vowels.py --tune      # how the noise was chosen

The data are JapaneseVowels, out of aeon's package on PyPI, which is downloaded, checked, and
neither installed nor run. Trains benchmarks/vowels.toml in every form, for as many updates each.
Every training leaves its mistakes in benchmarks/results/vowels as soon as it ends; what has not run
says so. The tables go into docs/own_data.md and README.md: accuracies of the test set, pooled over
the seeds, and differences with 95 % bootstrap intervals over utterances in pairs. Runs in the
environment of `pip install "ernn[networks]"`.
"""

import argparse
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from networks import packages, vowels
from train_variants import Trained, pooled, told, train_one, variant

from ernn.flow.chain import bring
from ernn.flow.engine import share
from ernn.flow.results import read_json, write_json
from ernn.flow.run_folder import RunFolder
from ernn.flow.scores import read_score
from ernn.machine import describe_machine
from ernn.recipe import Recipe
from ernn.score import ACCURACY, Score

RESULTS = Path(__file__).parent / "results" / "vowels"
ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "docs" / "own_data.md", ROOT / "README.md")
CELLS = ("gru", "lstm")
BITS = (12, 8)  # of weights and activations
KINDS = ("float", *(f"{bits} bits" for bits in BITS))
NOISES, TUNING_SEED = (0.1, 0.3, 0.6), 9  # --tune; the seed is none of the table's
MISSING = "not run"


@dataclass(frozen=True)
class Form:
    """One form of all matrices of the layer, and the way there."""

    name: str
    file: str  # the beginning of the names of its results, behind the cell
    block: int = 8
    hidden: int = 64
    model: dict[str, Any] = field(default_factory=dict)
    method: str = "admm"

    def recipe(self, base: Recipe, cell: str, seed: int) -> Recipe:
        """Return the recipe of one training."""
        layers = [{"hidden": self.hidden, "block": self.block}]
        model = {"cell": cell, "layers": layers, **self.model}
        way = {"method": self.method}
        return variant(base, name=f"{cell}-{self.file}", seed=seed, model=model, compression=way)


DENSE = Form("dense", "dense", 1)
EIGHT = Form("blocks of 8", "k8")
TILES = Form("blocks of 4, half of the tiles", "k4-tiles", 4, model={"keep": 0.5, "tile": [4, 1]})
NARROW = Form("dense, 24 cells", "dense-24", 1, 24)
DIRECT = Form("blocks of 8, trained directly", "k8-direct", method="direct")
UNSCALED = Form("blocks of 8, no scales", "k8-unscaled", model={"input_scale": False})
TERNARY = Form("dense, ternary weights", "ternary", 1, model={"levels": "ternary"})
FORMS = (  # those that a question hangs on first
    *(DENSE, EIGHT, Form("blocks of 4", "k4", 4), Form("blocks of 2", "k2", 2)),
    *(TILES, DIRECT, NARROW, TERNARY, UNSCALED),
)
QUESTIONS = {  # what a form is worth: against which other one
    "ADMM": (EIGHT, DIRECT),
    "input scales": (EIGHT, UNSCALED),
    "blocks, against fewer cells": (EIGHT, NARROW),
    "tiles, at a tenth fewer weights": (TILES, EIGHT),
    "ternary levels": (TERNARY, DENSE),
}


@dataclass(frozen=True)
class Row:
    """What is known of a cell in a form: its size, and its scores by training seed and kind."""

    multiplications: int
    weights: int
    scores: dict[int, dict[str, Score]]

    def score(self, kind: str, seeds: list[int]) -> Score:
        """Return that of some seeds together."""
        return pooled(self.scores[seed][kind] for seed in seeds)


def load(cell: str, form: Form) -> Row | None:
    """Return what has been measured, if anything."""
    found = [read_json(RESULTS / name) for name in _files(cell, form)]
    if not found:
        return None
    scores = {one["seed"]: {kind: _score(one, kind) for kind in KINDS} for one in found}
    return Row(found[0]["multiplications"], found[0]["weights"], scores)


def _files(cell: str, form: Form) -> list[str]:
    return sorted(path.name for path in RESULTS.glob(f"{cell}-{form.file}-seed*.json"))


def _score(result: dict[str, Any], kind: str) -> Score:
    """Return the score of the utterances of which these were mistaken."""
    right = np.ones(result["utterances"])
    right[result["wrong"][kind]] = 0
    groups = tuple(map(str, range(len(right))))
    return Score(ACCURACY, groups, {"right": right, "decisions": np.ones(len(right))})


def train(base: Recipe, seeds: list[int], out: Path) -> None:
    """Run what is missing, all of a seed before the next."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        for form in FORMS:
            for cell in CELLS:
                path = RESULTS / f"{cell}-{form.file}-seed{seed}.json"
                if not path.exists():
                    write_json(path, measured(base, cell, form, seed, out))
                    print(f"{path.name}: {read_json(path)['accuracy']}", flush=True)


def measured(base: Recipe, cell: str, form: Form, seed: int, out: Path) -> dict[str, Any]:
    """Train and quantize one model; return what its file says of it."""
    recipe = form.recipe(base, cell, seed)
    trained = train_one(recipe, out, "compress")
    scores = {"float": trained.test}
    scores |= {f"{bits} bits": _quantized(recipe, trained, bits) for bits in BITS}
    wrong = {kind: np.flatnonzero(one.counted == 0).tolist() for kind, one in scores.items()}
    return {
        "cell": cell,
        "form": form.name,
        "seed": seed,
        "dev": trained.dev.value,
        "accuracy": {kind: one.value for kind, one in scores.items()},
        "weights": trained.weights,
        "multiplications": trained.multiplications,
        "utterances": len(trained.test.groups),
        "wrong": wrong,  # numbers of the utterances of the test set
        "package": packages.version("aeon"),
        "command": "benchmarks/japanese_vowels.py",
        "commit": _commit(),
        "machine": describe_machine("numpy", "torch"),
    }


def _quantized(recipe: Recipe, trained: Trained, bits: int) -> Score:
    """Return the test set's score of the integer model."""
    done = trained.folder.parent
    folder = done.with_name(f"{done.name}-{bits}bits")
    for step in ("corpus", "train", "compress"):
        share(done / step, folder)
    widths = {"weight_bits": bits, "activation_bits": bits}
    bring("quantize", variant(recipe, quantization=widths), folder, say=lambda line: None)
    return read_score(RunFolder(folder).score("quantize"))


def _commit() -> str:
    """Return the commit that is checked out, marked where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return told.stdout.strip() or "unknown"


def accuracies() -> Iterator[str]:
    """Yield the table of all forms, line by line, as Markdown."""
    yield (
        "| cell | matrices | weights | multiplications | float | each seed | 12 bits | 8 bits "
        "| against dense, float | 12 bits | 8 bits |\n"
        "| --- | --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |"
    )
    for cell in CELLS:
        dense = load(cell, DENSE)
        for form in FORMS:
            row = load(cell, form)
            if row is None:
                yield f"| {cell.upper()} | {form.name} | {MISSING} | | | | | | | | |"
                continue
            seeds = sorted(row.scores)
            whole, *few = (row.score(kind, seeds) for kind in KINDS)
            both = [seed for seed in seeds if dense and seed in dense.scores]
            against = [""] * len(KINDS)
            if dense and both:
                wide = dense.score("float", both)
                against = [told(row.score(kind, both).minus(wide), "+") for kind in KINDS]
                against[0] *= form is not DENSE
            cells = (
                *(cell.upper(), form.name, f"{row.weights:,}", f"{row.multiplications:,}"),
                told(whole.interval()),
                ", ".join(f"{row.scores[seed]['float'].value:.2f}" for seed in seeds),
                *(f"{one.value:.2f}" for one in few),
                *against,
            )
            yield f"| {' | '.join(cells)} |"


def worth() -> Iterator[str]:
    """Yield the table of the questions, line by line, as Markdown."""
    yield (
        "| what it is worth | cell | compared | points, float | 12 bits | 8 bits |\n"
        "| --- | --- | --- | ---: | ---: | ---: |"
    )
    for what, (form, other) in QUESTIONS.items():
        for cell in CELLS:
            row, against = load(cell, form), load(cell, other)
            both = sorted(set(row.scores) & set(against.scores)) if row and against else []
            points = [MISSING, *[""] * len(BITS)]
            if row and against and both:
                points = [
                    told(row.score(kind, both).minus(against.score(kind, both)), "+")
                    for kind in KINDS
                ]
            words = f"{form.name}, against {other.name}"
            yield f"| {' | '.join((what, cell.upper(), words, *points))} |"


def vowels_summary() -> Iterator[str]:
    """Yield the README's table, line by line, as Markdown."""
    yield (
        "| real speech, nine speakers | dense | blocks of 8 | against dense | 12 bits | 8 bits |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |"
    )
    for cell in CELLS:
        dense, row = load(cell, DENSE), load(cell, EIGHT)
        both = sorted(set(dense.scores) & set(row.scores)) if dense and row else []
        cells = [MISSING, *[""] * 4]
        if dense and row and both:
            wide, *each = dense.score("float", both), *(row.score(kind, both) for kind in KINDS)
            values = [f"{one.value:.2f} %" for one in (wide, *each)]
            values.insert(2, f"{told(each[0].minus(wide), '+')} points")
            cells = values
        yield f"| {' | '.join((f'{cell.upper()}, accuracy', *cells))} |"


TABLES = (accuracies, worth, vowels_summary)


def filled(page: str) -> str:
    """Return a page with its tables made anew, each behind a comment with its name."""
    for make in TABLES:
        before, begin, rest = page.partition(f"<!-- {make.__name__} -->\n")
        if begin:
            _, end, after = rest.partition(f"<!-- /{make.__name__} -->")
            page = f"{before}{begin}\n" + "\n".join(make()) + f"\n\n{end}{after}"
    return page


def tune(base: Recipe, out: Path) -> Iterator[str]:
    """Yield how well dense models of several noises do on the development set."""
    for cell in CELLS:
        for noise in NOISES:
            one = variant(DENSE.recipe(base, cell, TUNING_SEED), training={"input_noise": noise})
            trained = train_one(one, out, "train")
            history = read_json(RunFolder(trained.folder.parent).history("train", "dense"))
            loss = min(each["dev_loss"] for each in history if "dev_loss" in each)
            yield f"{cell}, noise {noise}: {trained.dev.value:.2f} % of dev, loss {loss:.3f}"


def main() -> None:
    """Train, unless only the table is asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("out/japanese_vowels"))
    parser.add_argument("--cache", type=Path, default=Path("out/packages"), help="for the package")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--data", type=Path, metavar="FILE.npz", help="only make the recipe's data")
    parser.add_argument("--tune", action="store_true", help="only compare noises of the input")
    parser.add_argument("--table", action="store_true", help="train nothing")
    given = parser.parse_args()
    if not given.table:
        data = given.data or given.out / "vowels.npz"
        data.parent.mkdir(parents=True, exist_ok=True)
        if given.data or not data.exists():
            np.savez(data, **vowels.arrays(given.cache))
        if given.data:
            print(f"JapaneseVowels in {data}")
            return
        base = Recipe.load(Path(__file__).with_name("vowels.toml"))
        base = variant(base, task={"path": str(data)})
        if given.tune:
            for line in tune(base, given.out):
                print(line, flush=True)
            return
        train(base, given.seeds, given.out)
    print("\n\n".join("\n".join(make()) for make in TABLES))
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
