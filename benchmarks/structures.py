"""The front of structures: error rate against real multiplications and against stored bits.

    .venv/bin/python benchmarks/structures.py --seeds 0 1 2     # trains what is not there yet
    .venv/bin/python benchmarks/structures.py --table           # only shows what is there

The table is printed and, with a chart, put into docs/structures.md.

Trains benchmarks/methods.toml with circulant blocks of several sizes, of which all or some tiles
are kept, with tiles of dense matrices, and as dense networks of fewer cells, all for 3,600 updates
and with input scales where there are blocks. Corpus seed 7: nothing was tuned on it. Every training
leaves its scores in benchmarks/results/structures as soon as it ends; what has not run says so.
Prints phone error rates of the test set, pooled over the seeds, and their difference from blocks of
16 over the seeds that both have, with 95 % bootstrap intervals over speakers in pairs.
"""

import argparse
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from train_variants import Trained, pooled, told, train_all, variant
from training_methods import dense

from ernn.flow.results import read_json, write_json
from ernn.flow.scores import read_score
from ernn.recipe import Recipe
from ernn.score import Score

RESULTS = Path(__file__).parent / "results" / "structures"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "structures.md"
CHART = PAGE.with_suffix(".svg")
CORPUS_SEED = 7
WORD = 16  # the largest block: all share one dense model
BITS = 12  # of a stored weight
MISSING = "not run"


@dataclass(frozen=True)
class Form:
    """One structure of all matrices of the layers."""

    name: str
    block: int = 2
    keep: float = 1.0
    rows: int = 8  # of a tile of one block column
    cells: int | None = None  # of a dense network

    @property
    def file(self) -> str:
        """The beginning of the names of its results."""
        if self.cells:
            return f"dense-{self.cells}"
        return f"k{self.block}" + ("" if self.keep == 1 else f"-keep{self.keep:g}-rows{self.rows}")

    def recipe(self, base: Recipe, seed: int) -> Recipe:
        """Return the recipe of one training."""
        if self.cells:
            return variant(dense(base, self.cells), seed=seed)
        layers = [
            {**layer.model_dump(exclude_none=True), "block": self.block}
            for layer in base.model.layers
        ]
        model = {"layers": layers, "pad": WORD, "keep": self.keep, "tile": [self.rows, 1]}
        return variant(base, name=self.file.replace(".", "p"), seed=seed, model=model)


def tiles(block: int, keep: float, rows: int) -> Form:
    """Return blocks of a size of which a share of the tiles is kept."""
    blocks = "dense" if block == 1 else f"blocks of {block}"
    return Form(f"{blocks}, {100 * keep:g} % of tiles of {rows} x 1", block, keep, rows)


SIXTEEN = Form("blocks of 16", 16)
FORMS = (  # those that a question hangs on first
    SIXTEEN,
    tiles(4, 0.25, 8),
    tiles(2, 0.125, 16),
    tiles(8, 0.5, 8),
    Form("dense, 32 cells", cells=32),
    Form("blocks of 8", 8),
    tiles(4, 0.5, 8),
    tiles(2, 0.25, 16),
    tiles(1, 0.125, 16),
    tiles(8, 0.5, 1),
    Form("dense, 46 cells", cells=46),
    Form("dense, 128 cells", cells=128),
)


@dataclass(frozen=True)
class Row:
    """What is known of a form: its size, and its scores by training seed."""

    form: Form
    multiplications: int = 0
    weights: int = 0
    scores: dict[int, Score] | None = None

    @property
    def score(self) -> Score:
        """Of all seeds together."""
        assert self.scores
        return pooled(self.scores[seed] for seed in sorted(self.scores))


def load(form: Form) -> Row:
    """Return what has been measured of a form."""
    found = sorted(RESULTS.glob(f"{form.file}-seed*.json"))
    if not found:
        return Row(form)
    about = read_json(found[0])
    scores = {read_json(path)["seed"]: read_score(path) for path in found}
    return Row(form, about["multiplications"], about["weights"], scores)


def keep(form: Form, seed: int, trained: Trained) -> None:
    """Leave the test set's score of one training, with its size, among the results."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{form.file}-seed{seed}.json"
    shutil.copyfile(trained.folder / "score.json", path)
    sizes = {"multiplications": trained.multiplications, "weights": trained.weights}
    about = {"form": form.name, "seed": seed, "corpus_seed": CORPUS_SEED, **sizes}
    write_json(path, {**read_json(path), **about, "dev": trained.dev.value})


def train(seeds: list[int], out: Path, jobs: int) -> None:
    """Run what is missing, one form after the other, all of a seed before the next."""
    base = Recipe.load(Path(__file__).with_name("methods.toml"))
    base = variant(base, corpus={"seed": CORPUS_SEED})
    for seed in seeds:
        for form in FORMS:
            if not (RESULTS / f"{form.file}-seed{seed}.json").exists():
                last = "train" if form.cells else "compress"
                keep(form, seed, train_all([form.recipe(base, seed)], out, jobs, last)[0])


def table() -> Iterator[str]:
    """Yield the table, line by line, as Markdown."""
    yield (
        "| structure | multiplications | kbit | PER % | seeds | against blocks of 16 |\n"
        "| --- | ---: | ---: | ---: | --- | ---: |"
    )
    rows = sorted(map(load, FORMS), key=lambda row: -row.multiplications)
    reference = load(SIXTEEN)
    for row in rows:
        if not row.scores:
            yield f"| {row.form.name} | {MISSING} | | | | |"
            continue
        both = sorted(set(row.scores) & set(reference.scores or {}))
        against = ""
        if both and row.form != SIXTEEN:
            mine = pooled(row.scores[seed] for seed in both)
            against = told(mine.minus(pooled(reference.scores[seed] for seed in both)), "+")
        each = ", ".join(f"{row.scores[seed].value:.2f}" for seed in sorted(row.scores))
        yield (
            f"| {row.form.name} | {row.multiplications:,} | {row.weights * BITS / 1000:,.0f} "
            f"| {row.score.value:.2f} | {each} | {against} |"
        )


COLOURS = {1: "#444", 2: "#c0392b", 4: "#e67e22", 8: "#2980b9", 16: "#8e44ad"}
WIDTH, HEIGHT, EDGE = 360, 260, 46  # of a panel, and what its ticks take, in pixels


def chart(rows: list[Row]) -> str:
    """Return two panels as SVG: error rate against multiplications and against stored bits."""
    known = [row for row in rows if row.scores]
    drawn = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT + 34}">']
    drawn.append("<style>text{font:11px sans-serif;fill:#333}</style>")
    for panel, (name, of) in enumerate(AXES.items()):
        drawn += _panel(panel * WIDTH, name, [(of(row), row.score.value, row) for row in known])
    for place, (block, colour) in enumerate(COLOURS.items()):
        word = f"blocks of {block}" if block > 1 else "dense"
        x, y = EDGE + place * 110, HEIGHT + 24
        drawn.append(f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{colour}"/>')
        drawn.append(f'<text x="{x + 8}" y="{y}">{word}</text>')
    return "\n".join([*drawn, "</svg>", ""])


AXES = {
    "multiplications, thousands": lambda row: row.multiplications / 1000,
    f"stored weights, kbit of {BITS} bits": lambda row: row.weights * BITS / 1000,
}


def _panel(left: float, name: str, dots: list[tuple[float, float, Row]]) -> Iterator[str]:
    """Yield a panel: filled where all tiles are kept, open where some are dropped."""
    room, deep = WIDTH - EDGE - 12, HEIGHT - EDGE - 12
    right = max((x for x, _, _ in dots), default=1.0) * 1.05
    low = min((y for _, y, _ in dots), default=0.0) - 0.5
    high = max((y for _, y, _ in dots), default=1.0) + 0.5
    foot, start = HEIGHT - EDGE, left + EDGE
    yield f'<path d="M{start} 12V{foot}H{start + room}" fill="none" stroke="#999"/>'
    yield f'<text x="{start + room / 2}" y="{HEIGHT - 8}" text-anchor="middle">{name}</text>'
    yield f'<text x="{start}" y="9">PER %</text>'
    for part in (0.0, 0.5, 1.0):
        x, y = start + part * room, foot - part * deep
        told, rate = f"{part * right:,.0f}", f"{low + part * (high - low):.1f}"
        yield f'<text x="{x}" y="{foot + 16}" text-anchor="middle">{told}</text>'
        yield f'<text x="{start - 5}" y="{y + 4}" text-anchor="end">{rate}</text>'
    for x, y, row in dots:
        colour = COLOURS[1 if row.form.cells else row.form.block]
        across, up = start + x / right * room, foot - (y - low) / (high - low) * deep
        fill = "none" if row.form.keep < 1 else colour
        yield (
            f'<circle cx="{across:.1f}" cy="{up:.1f}" r="4" fill="{fill}" stroke="{colour}">'
            f"<title>{row.form.name}: {y:.2f} %</title></circle>"
        )


def main() -> None:
    """Train, unless only the table is asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("out/structures"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    parser.add_argument("--table", action="store_true", help="train nothing")
    given = parser.parse_args()
    if not given.table:
        train(given.seeds, given.out, given.jobs)
    lines = "\n".join(table())
    print(lines)
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition("<!-- table -->\n")
    _, end, after = rest.partition("<!-- /table -->")
    PAGE.write_text(f"{before}{begin}{lines}\n{end}{after}", encoding="utf-8")
    CHART.write_text(chart(list(map(load, FORMS))), encoding="utf-8")


if __name__ == "__main__":
    main()
