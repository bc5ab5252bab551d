"""What ADMM is worth: the recipe's compressed model beside direct training of the same model.

    .venv/bin/python benchmarks/direct_training.py quickstart --out out/quickstart

Both see the same number of updates, dense ones counted. Prints phone error rates on the test set,
with 95 % bootstrap intervals, and their paired difference over utterances.
"""

import argparse
import tempfile
from pathlib import Path

from ernn.flow.chain import bring, load_recipe
from ernn.flow.results import load_rate
from ernn.progress import progress
from ernn.recipe import Recipe
from ernn.speech.corpus import load_split
from ernn.speech.per import ErrorRate
from ernn.speech.scorer import Scorer
from ernn.speech.utterance import frame_labels
from ernn.train.acoustic import AcousticModel
from ernn.train.batches import Data
from ernn.train.loop import Run, train_dense


def train_directly(recipe: Recipe, corpus: Path, updates: int) -> ErrorRate:
    """Train the block-circulant model from scratch and return its error rate on the test set."""
    train, dev, test = (load_split(corpus, split) for split in ("train", "dev", "test"))
    frames = [[utterance.features for utterance in split] for split in (train, dev)]
    labels = [frame_labels(split) for split in (train, dev)]
    arrays = [list(zip(*pair, strict=True)) for pair in zip(frames, labels, strict=True)]
    model = AcousticModel(recipe.model, train.feature_size, len(train.phones), recipe.seed)
    model.constrain()
    model.reset(recipe.seed)
    rate = recipe.compression.retrain_learning_rate
    training = recipe.training.model_copy(update={"updates": updates, "learning_rate": rate})
    with tempfile.TemporaryDirectory() as folder, progress("direct: updates") as told:
        run = Run(Path(folder), recipe.seed, progress=told)
        train_dense(model, training, Data(*arrays, len(train.phones)), run)
    scorer = Scorer.fit(train, recipe.training.label_delay)
    return scorer.score(model.predict([u.features for u in test]), test)


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipe")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    recipe = load_recipe(given.recipe)
    out = bring("compress", recipe, given.out)
    updates = recipe.training.updates + recipe.compression.updates
    updates += recipe.compression.retrain_updates
    admm = load_rate(out / "compress" / "per.json")
    direct = train_directly(recipe, out / "corpus", updates)
    print(
        f"{recipe.name}, seed {recipe.seed}, {updates} updates each, synthetic speech unless TIMIT"
    )
    print(
        f"dense, {recipe.training.updates} updates: {_told(load_rate(out / 'train' / 'per.json'))}"
    )
    print(f"dense + ADMM + retraining: {_told(admm)}")
    print(f"direct: {_told(direct)}")
    change = admm.minus(direct)
    print(f"ADMM - direct: {change.value:+.2f} points [{change.low:+.2f}, {change.high:+.2f}]")


def _told(rate: ErrorRate) -> str:
    interval = rate.interval()
    return f"{interval.value:.2f} % [{interval.low:.2f}, {interval.high:.2f}]"


if __name__ == "__main__":
    main()
