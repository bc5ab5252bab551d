"""Phone error rate against block sizes, in the form of E-RNN's tables I and II.

    .venv/bin/python benchmarks/block_sizes.py --out out/block_sizes
    .venv/bin/python benchmarks/block_sizes.py --cells gru --hidden 512 1024   (with a GPU)

For both cells and every layer size, a dense model and the same model at several pairs of block
sizes (first layer, second layer), trained as benchmarks/methods.toml says: ADMM, with input scales.
The dense model that they are compared with takes as many updates as they do in all. Prints error
rates of the test set, pooled over the training seeds, and the loss against dense, with 95 %
bootstrap intervals over utterances in pairs.
"""

import argparse
import platform
from collections.abc import Iterator
from pathlib import Path

from train_variants import pooled, told, train_all, variant
from training_methods import dense

from ernn.recipe import Recipe

PAIRS = [(4, 4), (4, 8), (8, 4), (8, 8), (8, 16), (16, 8), (16, 16)]


def sized(base: Recipe, cell: str, hidden: int, pair: tuple[int, int]) -> Recipe:
    """Return the recipe of one model."""
    layers = [{"hidden": hidden, "block": block} for block in pair]
    name = f"{cell}-{hidden}-{pair[0]}-{pair[1]}"
    model = {"cell": cell, "layers": layers, "pad": 16}
    return variant(base, name=name, model=model)


def table(base: Recipe, cell: str, hidden: int, given: argparse.Namespace) -> Iterator[str]:
    """Train one row of the tables and yield it, an entry a line."""
    recipes = [
        variant(sized(base, cell, hidden, pair), seed=seed)
        for pair in PAIRS
        for seed in given.seeds
    ]
    plain = [dense(recipe) for recipe in recipes[: len(given.seeds)]]
    reference = pooled(one.test for one in train_all(plain, given.out, given.jobs, "train"))
    yield f"{cell.upper()} {hidden}-{hidden}   none {told(reference.interval())}"
    trained = iter(train_all(recipes, given.out, given.jobs, "compress"))
    for pair in PAIRS:
        models = [next(trained) for _ in given.seeds]
        rate = pooled(one.test for one in models)
        blocks = f"{pair[0]}-{pair[1]}"
        yield (
            f"{blocks:>18} {rate.value:.2f}, loss {told(rate.minus(reference), '+')}, "
            f"{models[0].weights:,} weights"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("out/block_sizes"))
    parser.add_argument("--cells", nargs="+", default=["lstm", "gru"], choices=["lstm", "gru"])
    parser.add_argument("--hidden", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--corpus-seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time")
    given = parser.parse_args()
    base = Recipe.load(Path(__file__).with_name("methods.toml"))
    # Nothing is built, but training asks whether it could be: the part has to hold LSTM 1024 4-4.
    base = variant(base, corpus={"seed": given.corpus_seed}, hardware={"part": "XCU250"})
    print(
        f"synthetic speech, corpus seed {given.corpus_seed}, training seeds {given.seeds}, "
        f"{platform.system()} {platform.machine()}",
        flush=True,
    )
    for cell in given.cells:
        for hidden in given.hidden:
            for line in table(base, cell, hidden, given):
                print(line, flush=True)


if __name__ == "__main__":
    main()
