"""What few bits cost, and what fine-tuning in the integer model's arithmetic brings back.

    .venv/bin/python benchmarks/quantization.py quickstart --out out/quantization

Every training seed gets a float block-circulant model and, from it, integer models of fewer and
fewer bits, with and without fine-tuning; all share one corpus, whose seed is not used elsewhere.
Prints phone error rates on the test set and their difference from the float model's, paired over
utterances, with 95 % bootstrap intervals; the last rows take the seeds together.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from train_variants import pooled, told

from ernn.flow.chain import bring, load_recipe
from ernn.flow.run_folder import RunFolder
from ernn.flow.scores import read_score
from ernn.recipe import Recipe
from ernn.score import Score

LINE = "| {:>4} | {:<32} | {:>7} | {:>24} |"


@dataclass(frozen=True)
class Choice:
    """An integer model: bits of weights and activations, and whether it is fine-tuned."""

    bits: int
    fine_tuned: bool

    def __str__(self) -> str:
        return f"{self.bits} bits{', fine-tuned' if self.fine_tuned else ''}"


CHOICES = (Choice(12, False), *(Choice(bits, tuned) for bits in (8, 6) for tuned in (False, True)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipe")
    parser.add_argument("--out", type=Path, required=True, help="a folder for all trainings")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the trainings")
    parser.add_argument("--corpus-seed", type=int, default=100)
    parser.add_argument("--fine-tune-updates", type=int, default=300)
    given = parser.parse_args()
    recipe = load_recipe(given.recipe)
    corpus = recipe.corpus.model_copy(update={"seed": given.corpus_seed})
    print(f"{recipe.name}, corpus seed {given.corpus_seed}, {given.fine_tune_updates} updates")
    print(LINE.format("seed", "model", "PER, %", "points against float"))
    print("| ---: | --- | ---: | ---: |")
    rates: dict[str, list[Score]] = {}
    for seed in given.seeds:
        one = recipe.model_copy(update={"seed": seed, "corpus": corpus})
        for name, rate in measure(one, given.out / f"seed{seed}", given.fine_tune_updates).items():
            rates.setdefault(name, []).append(rate)
            show(str(seed), name, rate, rates["float"][-1])
    all_seeds = {name: pooled(of_seeds) for name, of_seeds in rates.items()}
    for name, rate in all_seeds.items():
        show("all", name, rate, all_seeds["float"])


def measure(recipe: Recipe, out: Path, updates: int) -> dict[str, Score]:
    """Return the error rate on the test set of the float model and of every choice."""
    bring("compress", recipe, out, say=_silent)
    rates = {"float": read_score(RunFolder(out).score("compress"))}
    for choice in CHOICES:
        bits = {"weight_bits": choice.bits, "activation_bits": choice.bits}
        tuned = {"fine_tune_updates": updates if choice.fine_tuned else 0}
        settings = recipe.quantization.model_copy(update=bits | tuned)
        bring("quantize", recipe.model_copy(update={"quantization": settings}), out, say=_silent)
        rates[str(choice)] = read_score(RunFolder(out).score("quantize"))
    return rates


def show(seed: str, name: str, rate: Score, reference: Score) -> None:
    """Print one row."""
    change = "-" if name == "float" else told(rate.minus(reference), "+")
    print(LINE.format(seed, name, f"{rate.value:.2f}", change), flush=True)


def _silent(line: str) -> None:
    """Keep what the steps say out of the table."""


if __name__ == "__main__":
    main()
