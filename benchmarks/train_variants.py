"""Many trainings of one corpus, some at a time; those of one dense model share it.

Everything is kept in one folder, each model in its own like that of `ernn run`: what is finished is
not done again, and what was killed continues.
"""

import hashlib
import json
import multiprocessing
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ernn.bilinear import spectral
from ernn.compressed import CompressedModel
from ernn.flow.chain import bring
from ernn.flow.engine import share
from ernn.flow.scores import read_score
from ernn.progress import progress
from ernn.recipe import Recipe
from ernn.score import Interval, Score
from ernn.train.acoustic import FILE_FORMAT
from ernn.train.checkpoint import load_tensors


@dataclass(frozen=True)
class Trained:
    """What became of one training."""

    folder: Path  # of its last step
    dev: Score
    test: Score
    weights: int  # generators and scales, or dense weights; biases left out
    multiplications: int  # of the matrix products and scales, per frame


def variant(recipe: Recipe, **sections: dict) -> Recipe:
    """Return a recipe with other keys in some sections, or with another seed, checked anew."""
    plain = recipe.model_dump(mode="json", exclude_none=True)
    for section, changes in sections.items():
        plain[section] = {**plain[section], **changes} if isinstance(changes, dict) else changes
    return Recipe.from_dict(plain)


def train_all(recipes: Iterable[Recipe], out: Path, jobs: int, last: str) -> list[Trained]:
    """Bring all recipes to step ``last``, ``"train"`` (dense) or ``"compress"``; in their order."""
    recipes = list(recipes)
    context = multiprocessing.get_context("spawn")
    plain = [recipe.model_dump(mode="json", exclude_none=True) for recipe in recipes]
    if recipes:
        bring("corpus", recipes[0], out / "speech", say=lambda line: None)
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        for step in ("train", "compress")[: 1 + (last == "compress")]:
            with progress(f"{step}: trainings") as done:
                work = pool.map(partial(_bring, step=step, out=out), plain)
                folders = [done(i, len(plain)) or folder for i, folder in enumerate(work, start=1)]
    return [_read(folder / last) for folder in folders]


def train_one(recipe: Recipe, out: Path, last: str) -> Trained:
    """Bring one recipe to step ``last`` as `train_all` does, in this process."""
    plain = recipe.model_dump(mode="json", exclude_none=True)
    bring("corpus", recipe, out / "speech", say=lambda line: None)
    for step in ("train", "compress")[: 1 + (last == "compress")]:
        folder = _bring(plain, step, out)
    return _read(folder / last)


def _bring(plain: dict, step: str, out: Path) -> Path:
    """Run a step of one recipe, in a folder named by all that it depends on."""
    recipe = Recipe.from_dict(plain)
    dense = out / f"dense-{_digest([recipe.model.dense(), recipe.training], recipe.seed)}"
    share(out / "speech" / "corpus", dense)
    bring("train", recipe, dense, say=lambda line: None, wait=True)
    if step == "train":
        return dense
    chosen = [recipe.model, recipe.training, recipe.compression]
    folder = out / f"{recipe.name}-{_digest(chosen, recipe.seed)}"
    for shared in (out / "speech" / "corpus", dense / "train"):
        share(shared, folder)
    bring("compress", recipe, folder, say=lambda line: None, wait=True)
    return folder


def _digest(sections: list, seed: int) -> str:
    text = json.dumps([section.model_dump() for section in sections] + [seed], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _read(folder: Path) -> Trained:
    dev, test = (read_score(folder / name) for name in ("dev_score.json", "score.json"))
    path = folder / "compressed.safetensors"
    if not path.is_file():
        tensors, _ = load_tensors(folder / "dense.safetensors", FILE_FORMAT)
        weights = sum(value.numel() for name, value in tensors.items() if name.endswith(".weight"))
        return Trained(folder, dev, test, weights, weights)
    matrices = CompressedModel.load(path).matrices().values()
    return Trained(
        folder,
        dev,
        test,
        sum(matrix.parameters for matrix in matrices),
        sum(
            matrix.blocks * spectral(matrix.block).products
            + (0 if matrix.scale is None else matrix.cols)
            for matrix in matrices
        ),
    )


def told(interval: Interval, sign: str = "") -> str:
    """Return a value and its interval as text."""
    return f"{interval.value:{sign}.2f} [{interval.low:{sign}.2f}, {interval.high:{sign}.2f}]"


def pooled(rates: Iterable[Score]) -> Score:
    """Return one rate of several models on the same utterances: their errors, added up."""
    rates = list(rates)
    first = rates[0]
    figures = {name: np.sum([rate.figures[name] for rate in rates], 0) for name in first.figures}
    return Score(first.measure, first.groups, figures)
