"""What a compressed link costs a recogniser: phone error rate against bits, for rules of steps.

    .venv/bin/python benchmarks/link.py quickstart --out out/link --seeds 0 1 2   # minutes each
    .venv/bin/python benchmarks/link.py --table       # prints what was measured into docs/link.md

Every training seed gets a block-circulant model and its integer model; all share one corpus.
The link's tables are made from training frames, the bits are those of the test set as it is sent
(flags, stuffing, headers, checksums), and the error rate is the integer model's of what the board
restores. Each result is a file of benchmarks/results/link; a row that is there is not run again.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np

from ernn.compressed import CompressedModel
from ernn.fixed import QFormat
from ernn.flow.chain import bring, load_recipe
from ernn.flow.engine import share
from ernn.flow.run_folder import RunFolder
from ernn.link import rules
from ernn.link.bases import Basis, cosines, guided
from ernn.link.design import in_groups, make_tables
from ernn.link.frames import encode, frame, groups
from ernn.link.tables import LinkTables
from ernn.quant.integer_model import IntegerModel
from ernn.quant.predict import predict
from ernn.recipe import Recipe
from ernn.tasks.kinds import open_task
from ernn.train.acoustic import AcousticModel
from ernn.train.sensitivity import output_gradients

RESULTS = Path(__file__).parent / "results" / "link"
PAGE = Path(__file__).parents[1] / "docs" / "link.md"
EVERY = 4  # training utterances that tables are made from; the others test nothing
CORPUS_SEED = 100
NEAR = 0.2  # points of PER that count as equal


@dataclass(frozen=True)
class Case:
    """A row."""

    rule: str
    knob: float
    group: int = 1  # frames that are sent together

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{self.rule.replace(' ', '_')}_g{self.group}_{self.knob:g}"


PLAIN, UNIFORM, SNR, PUBLISHED = "plain bits", "uniform", "equal SNR", "published"
SLOPE, GUIDED = "sensitivity", "guided basis"
CASES = [
    *(Case(PLAIN, bits) for bits in (16, 12, 8)),
    *(Case(UNIFORM, step) for step in (0.25, 0.18, 0.35)),
    *(Case(GUIDED, slope) for slope in (3e-4, 1e-4, 1e-3)),
    *(Case(SLOPE, slope) for slope in (3e-4, 1e-4, 1e-3)),
    *(Case(PUBLISHED, quality) for quality in (0.05, 0.02, 0.1)),
    *(Case(SNR, step) for step in (0.7, 0.35, 1.4)),
    *(Case(GUIDED, slope, 2) for slope in (3e-4, 1e-4, 1e-3)),
    *(Case(UNIFORM, step, 2) for step in (0.25, 0.18)),
    *(Case(GUIDED, slope, 4) for slope in (3e-4, 1e-4)),
]


class Bench:
    """A trained model and its data."""

    def __init__(self, recipe: Recipe, out: Path) -> None:
        """Train, unless it is done."""
        bring("quantize", recipe, out, say=lambda line: None)
        run = RunFolder(out)
        self.task = open_task(recipe, run.corpus, run.dense_model.parent)
        self.model = IntegerModel.load(run.integer_model)
        self.vector = self.model.layers[0].vectors["x"]
        self.train = self.task.frames("train")[::EVERY]
        self.test = self.task.frames("test")
        network = AcousticModel(recipe.model, self.task.features, self.task.outputs)
        network.take(CompressedModel.load(run.compressed_model))
        self.gradients = output_gradients(network, self.train, of_classes=True)
        bands = recipe.features.mel_bands + 1
        self.bands = (bands, bands, bands)
        self.period_s = recipe.features.step_ms * recipe.features.keep_every / 1000

    def measure(self, case: Case) -> dict[str, float | str]:
        """Return what a row shows."""
        restored, sent = self.send(case)
        score = self.task.evaluate(predict(self.model, restored), "test")
        frames = sum(len(one) for one in self.test)
        bits = 8 * sent / frames
        return {"bits_per_frame": bits, "bits_per_s": bits / self.period_s, "per": score.value}

    def send(self, case: Case) -> tuple[list[np.ndarray], int]:
        """Return the test set as it is restored, and the bytes on the line."""
        if case.rule == PLAIN:
            return self._plain(int(case.knob))
        tables = self.tables(case)
        restored = []
        for one in self.test:
            raw = tables.restore(tables.quantize(groups(tables, one)))
            restored.append(self.vector.to_float(raw).reshape(-1, tables.features)[: len(one)])
        return restored, sum(map(len, encode(tables, self.test)))

    def tables(self, case: Case) -> LinkTables:
        """Return the tables of a rule."""
        training = in_groups(self.train, case.group)
        whole = self.gradients.reshape(-1, case.group * self.gradients.shape[1])
        sensitivity = whole.T @ whole / len(whole)
        basis: Basis = cosines(self.bands, case.group)
        if case.rule == GUIDED:
            basis = guided(training, sensitivity)
        numbers = (training - training.mean(0)) @ basis.inverse.T
        weights = np.einsum("ji,jk,ki->i", basis.vectors, sensitivity, basis.vectors)
        largest = float(np.abs(training).max())
        steps: dict[str, Callable[[], np.ndarray]] = {
            UNIFORM: lambda: rules.uniform(numbers, case.knob),
            SNR: lambda: rules.equal_snr(numbers, case.knob),
            PUBLISHED: lambda: rules.published(numbers, case.knob, largest),
            SLOPE: lambda: rules.equal_slope(numbers, case.knob, weights),
            GUIDED: lambda: rules.equal_slope(numbers, case.knob, weights),
        }
        return make_tables(training, basis, steps[case.rule](), self.vector, case.group)

    def _plain(self, bits: int) -> tuple[list[np.ndarray], int]:
        """Send every feature in so many bits, in frames of the same flag, header and checksum."""
        form = QFormat(self.vector.int_bits, bits - 1 - self.vector.int_bits)
        restored, sent = [], 0
        for one in self.test:
            raw = form.quantize(one)
            restored.append(form.to_float(raw))
            for row in (raw & (1 << bits) - 1).tolist():
                content = 0  # the number of the utterance
                for value in row:
                    content = content << bits | value
                sent += len(frame(content, 2 + bits * len(row), 0))
        return restored, sent


def rows() -> Iterator[tuple[Case, list[dict]]]:
    """Yield every row with what was measured of it."""
    for case in CASES:
        yield case, [json.loads(path.read_text()) for path in _files(case)]


def _files(case: Case) -> list[Path]:
    return sorted(RESULTS.glob(f"*_{case.name}.json"))


def table() -> Iterator[str]:
    """Yield the lines of the page: a row for each case, and what the goals come to."""
    yield "| rule | knob | frames together | seeds | bits a frame | kbit/s | PER, % | points |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    best: dict[str, float] = {}
    for case, found in rows():
        head = f"| {case.rule} | {case.knob:g} | {case.group} | {len(found)}"
        if not found:
            yield f"{head} | not run | | | |"
            continue
        bits, rate, per, lost = (
            mean(one[name] for one in found)
            for name in ("bits_per_frame", "bits_per_s", "per", "points")
        )
        yield f"{head} | {bits:.0f} | {rate / 1000:.2f} | {per:.2f} | {lost:+.2f} |"
        if lost <= NEAR:
            together = f", {case.group} frames together" if case.group > 1 else ""
            key = f"{case.knob:g} {case.rule}" if case.rule == PLAIN else case.rule + together
            best[key] = min(bits, best.get(key, bits))
    yield ""
    yield f"| rule | fewest bits a frame at a loss of at most {NEAR} points | of 12 bits |"
    yield "| --- | ---: | ---: |"
    twelve = best.get(f"12 {PLAIN}", float("nan"))
    for rule, bits in sorted(best.items(), key=lambda one: one[1]):
        yield f"| {rule} | {bits:.0f} | 1 / {twelve / bits:.1f} |"


def main() -> None:
    """Measure, or print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipe", nargs="?")
    parser.add_argument("--out", type=Path, help="a folder for all trainings")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the trainings")
    parser.add_argument("--table", action="store_true", help="measure nothing")
    given = parser.parse_args()
    if given.table:
        lines = "\n".join(table())
        print(lines)
        before, begin, rest = PAGE.read_text(encoding="utf-8").partition("<!-- table -->\n")
        _, end, after = rest.partition("<!-- /table -->")
        PAGE.write_text(f"{before}{begin}{lines}\n{end}{after}", encoding="utf-8")
        return
    if not given.recipe or not given.out:
        parser.error("give a recipe and --out, or --table")
    recipe = load_recipe(given.recipe)
    corpus = recipe.corpus.model_copy(update={"seed": CORPUS_SEED})
    RESULTS.mkdir(parents=True, exist_ok=True)
    first = given.out / f"seed{given.seeds[0]}"
    for seed in given.seeds:
        one, out = (
            recipe.model_copy(update={"seed": seed, "corpus": corpus}),
            given.out / f"seed{seed}",
        )
        if out != first:
            share(first / "corpus", out)
        bench, reference = Bench(one, out), None
        for case in CASES:
            path = RESULTS / f"{recipe.name}_seed{seed}_{case.name}.json"
            if not path.is_file():
                result = bench.measure(case)
                result |= {"recipe": recipe.name, "seed": seed, "rule": case.rule}
                result |= {"knob": case.knob, "group": case.group}
                reference = result if reference is None else reference
                result["points"] = result["per"] - reference["per"]
                path.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
                print(
                    path.name, f"{result['bits_per_frame']:.1f} {result['points']:+.2f}", flush=True
                )
            elif reference is None:
                reference = json.loads(path.read_text())


if __name__ == "__main__":
    main()
