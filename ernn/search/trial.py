"""One trial: train the model of a point and measure it on the development set.

A trial works in folders below one root, each like that of `ernn run`. Trials share the corpus and,
per cell, the dense model: where two need the same, the second waits for the first. Run again, a
trial continues where it was interrupted, and one that is finished takes no time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ernn.flow.chain import bring
from ernn.flow.engine import read_stamp, share
from ernn.flow.results import load_rate
from ernn.flow.run_folder import RunFolder
from ernn.recipe import Recipe
from ernn.search.space import Point, variant
from ernn.speech.corpus import load_split
from ernn.speech.per import ErrorRate, Interval

SPEECH = "speech"  # folder of the corpus among those of the trials


@dataclass(frozen=True)
class Outcome:
    """What a trial measured on the development set."""

    percent: float
    low: float  # ends of the 95 % interval
    high: float
    errors: tuple[int, ...]  # of each utterance
    phones: tuple[int, ...]
    seconds: float  # of training

    def loss(self, dense: "Outcome") -> Interval:
        """Return the loss in points, with an interval paired over utterances."""
        return self._rate().minus(dense._rate())

    def _rate(self) -> ErrorRate:
        edits = np.zeros((len(self.errors), 3), np.int64)
        edits[:, 0] = self.errors
        return ErrorRate(("",) * len(self.errors), np.array(self.phones, np.int64), edits)


@dataclass(frozen=True)
class Job:
    """A trial to run, as plain values: it may travel to another process or machine."""

    recipe: dict[str, Any]
    point: Point
    root: str

    def run(self, say: Callable[[str], None] = print) -> Outcome:
        """Run the trial; see `run_trial`."""
        return run_trial(Recipe.from_dict(self.recipe), self.point, Path(self.root), say)


def plain(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as `Job` holds it."""
    return recipe.model_dump(mode="json", exclude_none=True)


def speech(recipe: Recipe, root: Path, say: Callable[[str], None] = print) -> tuple[int, int]:
    """Make the corpus of all trials; return its features and a model's outputs."""
    bring("corpus", recipe, root / SPEECH, say=_news(say), wait=True)
    train = load_split(RunFolder(root / SPEECH).corpus, "train")
    return train.feature_size, len(train.phones) + recipe.training.blanks


def run_trial(
    recipe: Recipe, point: Point, root: Path, say: Callable[[str], None] = print
) -> Outcome:
    """Train the model of a point, as far as it is not trained already.

    Args:
        recipe: of the search; a dense model is trained for its block size.
        point: what to train.
        root: folder of all trials.
        say: told what happens.

    Raises:
        ErnnError: what the steps raise.
    """
    told, speech, dense = _news(say), root / SPEECH, root / f"{point.cell}-dense"
    # Block sizes do not change a dense model, but training asks whether they fit the part.
    block = max(2, recipe.model.layers[0].block)
    chosen = variant(recipe, point if point.compressed else Point(point.cell, block, block))
    bring("corpus", chosen, speech, say=told, wait=True)
    share(RunFolder(speech).corpus, dense)
    bring("train", chosen, dense, say=told, wait=True)
    folder, step = dense, "train"
    if point.compressed:
        folder, step = root / point.name, "compress"
        for shared in (RunFolder(speech).corpus, RunFolder(dense).folder("train")):
            share(shared, folder)
        bring("compress", chosen, folder, say=told, wait=True)
    rate = load_rate(RunFolder(folder).score(step, "dev"))
    found = rate.interval()
    return Outcome(
        percent=found.value,
        low=found.low,
        high=found.high,
        errors=tuple(rate.errors.tolist()),
        phones=tuple(rate.lengths.tolist()),
        seconds=float(read_stamp(RunFolder(folder).folder(step))["seconds"]),
    )


def _news(say: Callable[[str], None]) -> Callable[[str], None]:
    """Leave out what is up to date."""
    return lambda line: None if line.endswith(": up to date") else say(line)
