"""What every way to a block-circulant model is worth, at equal numbers of updates.

    .venv/bin/python benchmarks/training_methods.py --out out/methods
    .venv/bin/python benchmarks/training_methods.py --tune --corpus-seed 0 --seeds 9 --out out/tune

Trains benchmarks/methods.toml by direct training, by projection and by ADMM, each with and without
input scales, and by ADMM with scales, distillation and smaller blocks in the first input matrix,
for block sizes 8 and 16 and several seeds; beside them dense models, one of them narrower with as
many multiplications. Prints phone error rates of the test set, pooled over the seeds, with 95 %
bootstrap intervals over utterances in pairs. With --tune it prints error rates of the development
set for several learning rates instead.
"""

import argparse
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from train_variants import Trained, pooled, told, train_all, variant

from ernn.recipe import Recipe
from ernn.score import Score

BLOCKS = (8, 16)
RATES = (5e-3, 1e-2, 2e-2)  # those that --tune tries
NARROW = {8: 46, 16: 32}  # cells of dense layers with about as many multiplications


@dataclass(frozen=True)
class Method:
    """One way to a model of a given block size."""

    name: str
    compression: dict = field(default_factory=dict)
    scaled: bool = False
    block_input: int | None = None  # of the first layer's input matrix, if it differs

    def recipe(self, base: Recipe, block: int) -> Recipe:
        """Return the recipe of one training."""
        layers = [
            {**layer.model_dump(exclude_none=True), "block": block} for layer in base.model.layers
        ]
        if self.block_input:
            layers[0]["block_input"] = self.block_input
        name = f"{self.name}-{block}".replace(" ", "-")
        model = {"input_scale": self.scaled, "layers": layers, "pad": max(BLOCKS)}
        compression = {"distillation": 0.0, **self.compression}
        return variant(base, name=name, model=model, compression=compression)


DISTILLED = {"distillation": 0.5}
METHODS = [
    Method("direct", {"method": "direct"}),
    Method("projection", {"method": "project"}),
    Method("ADMM", {}),
    Method("direct scaled", {"method": "direct"}, scaled=True),
    Method("projection scaled", {"method": "project"}, scaled=True),
    Method("ADMM scaled", {}, scaled=True),
    Method("ADMM scaled distilled", DISTILLED, scaled=True),
    Method("ADMM scaled fine input", {}, scaled=True, block_input=4),
    Method("ADMM scaled distilled fine input", DISTILLED, scaled=True, block_input=4),
]


def dense(base: Recipe, hidden: int | None = None) -> Recipe:
    """Return the recipe of a dense model that takes all updates, of another width if given."""
    compression = base.compression
    updates = base.training.updates + compression.updates + compression.retrain_updates
    layers = [
        {**layer.model_dump(exclude_none=True), "hidden": hidden or layer.hidden, "block": 2}
        for layer in base.model.layers
    ]
    return variant(base, name="dense", model={"layers": layers}, training={"updates": updates})


def seeded(recipe: Recipe, seeds: list[int]) -> list[Recipe]:
    """Return a recipe for every training seed."""
    return [variant(recipe, seed=seed) for seed in seeds]


def compare(base: Recipe, methods: list[Method], given: argparse.Namespace) -> Iterator[str]:
    """Train everything and yield the table, line by line."""
    seeds, out, jobs = given.seeds, given.out, given.jobs
    wide = train_all(seeded(dense(base), seeds), out, jobs, "train")
    reference = pooled(one.test for one in wide)
    yield f"dense: {told(reference.interval())}"
    start = train_all(seeded(METHODS[-1].recipe(base, max(BLOCKS)), seeds), out, jobs, "train")
    rate, updates = pooled(one.test for one in start), base.training.updates
    yield (
        f"dense after {updates} updates, where projection and ADMM start: {rate.value:.2f}, "
        f"against dense {told(rate.minus(reference), '+')}"
    )
    rates = {}
    for block in BLOCKS:
        narrow = seeded(dense(base, NARROW[block]), seeds)
        found = {f"dense, {NARROW[block]} cells": train_all(narrow, out, jobs, "train")}
        recipes = [one for m in methods for one in seeded(m.recipe(base, block), seeds)]
        trained = iter(train_all(recipes, out, jobs, "compress"))
        found |= {method.name: [next(trained) for _ in seeds] for method in methods}
        yield from _table(block, found, reference)
        rates |= {(name, block): pooled(one.test for one in found[name]) for name in found}
    small, large = rates["ADMM", min(BLOCKS)], rates["ADMM scaled", max(BLOCKS)]
    yield (
        f"\nADMM scaled with blocks of {max(BLOCKS)} against ADMM with blocks of {min(BLOCKS)}: "
        f"{told(large.minus(small), '+')}"
    )


def _table(block: int, found: dict[str, list[Trained]], reference: Score) -> Iterator[str]:
    yield f"\nblocks of {block:<2} {'weights':>29} {'products':>9}  PER %  of each seed"
    direct = pooled(one.test for one in found[METHODS[0].name])
    for name, models in found.items():
        rate = pooled(one.test for one in models)
        loss, seeds = rate.minus(reference), ", ".join(f"{one.test.value:.2f}" for one in models)
        share = loss.value / direct.minus(reference).value
        yield (
            f"{name:32} {models[0].weights:8,} {models[0].multiplications:9,}  {rate.value:.2f}"
            f"  ({seeds})  loss {told(loss)}, {share:.2f} of direct's; "
            f"against direct {told(rate.minus(direct), '+')}"
        )


def tune(base: Recipe, methods: list[Method], given: argparse.Namespace) -> Iterator[str]:
    """Yield the development set's error rate of every method at every learning rate."""
    seeds = given.seeds
    for block in BLOCKS:
        for method in methods:
            tried = [
                variant(one, compression={"retrain_learning_rate": rate})
                for rate in RATES
                for one in seeded(method.recipe(base, block), seeds)
            ]
            trained = train_all(tried, given.out, given.jobs, "compress")
            for index, rate in enumerate(RATES):
                models = trained[index * len(seeds) : (index + 1) * len(seeds)]
                percent = pooled(one.dev for one in models).value
                yield f"blocks of {block}, {method.name}, {rate:g}: {percent:.2f} %"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("out/methods"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--corpus-seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time")
    parser.add_argument("--tune", action="store_true")
    names = [method.name for method in METHODS]
    parser.add_argument("--methods", nargs="+", default=names, choices=names, help="with --tune")
    given = parser.parse_args()
    base = Recipe.load(Path(__file__).with_name("methods.toml"))
    base = variant(base, corpus={"seed": given.corpus_seed})
    print(
        f"{base.name}: synthetic speech, corpus seed {given.corpus_seed}, training seeds "
        f"{given.seeds}, {platform.system()} {platform.machine()}",
        flush=True,
    )
    chosen = [method for method in METHODS if method.name in given.methods or not given.tune]
    for line in (tune if given.tune else compare)(base, chosen, given):
        print(line, flush=True)


if __name__ == "__main__":
    main()
