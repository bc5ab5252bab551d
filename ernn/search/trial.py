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
from ernn.flow.run_folder import RunFolder
from ernn.flow.scores import read_score
from ernn.recipe import Recipe
from ernn.score import Interval, Score, measure_named
from ernn.search.space import Point, Variant, largest_block, variant
from ernn.tasks.kinds import open_task
from ernn.tasks.task import Task

DATA = "data"  # folder of the data among those of the trials


@dataclass(frozen=True)
class Outcome:
    """What a trial measured on the development set."""

    measure: str  # its name
    value: float
    low: float  # ends of the 95 % interval
    high: float
    figures: dict[str, list[float]]  # of each sequence
    seconds: float  # of training
    lower_is_better: bool = True

    def loss(self, dense: "Outcome") -> Interval:
        """Return the loss, with an interval paired over sequences."""
        return self._score().loss(dense._score())

    def _score(self) -> Score:
        figures = {name: np.array(one) for name, one in self.figures.items()}
        return Score(
            measure_named(self.measure, self.lower_is_better),
            ("",) * len(next(iter(figures.values()))),
            figures,
        )


@dataclass(frozen=True)
class Job:
    """A trial to run, as plain values: it may travel to another process or machine."""

    recipe: dict[str, Any]
    point: Variant
    root: str

    def run(self, say: Callable[[str], None] = print) -> Outcome:
        """Run the trial; see `run_trial`."""
        return run_trial(Recipe.from_dict(self.recipe), self.point, Path(self.root), say)


def plain(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as `Job` holds it."""
    return recipe.model_dump(mode="json", exclude_none=True)


def data(recipe: Recipe, root: Path, say: Callable[[str], None] = print) -> Task:
    """Make the data of all trials; return their task.

    Data without targets have an imported network, which is taken here already.
    """
    bring("corpus", recipe, root / DATA, say=_news(say), wait=True)
    dense = None
    if recipe.source.kind == "import":
        dense = _dense(recipe, recipe.model.cell, root, say).dense_model.parent
    return open_task(recipe, RunFolder(root / DATA).corpus, dense)


def run_trial(
    recipe: Recipe, point: Variant, root: Path, say: Callable[[str], None] = print
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
    made = _dense(recipe, point.cell, root, say, point if point.compressed else None)
    step = str(made.source)
    if point.compressed:
        folder, step = root / point.name, "compress"
        for shared in (made.corpus, made.folder(made.source)):
            share(shared, folder)
        bring("compress", variant(recipe, point), folder, say=_news(say), wait=True)
        made = RunFolder(folder)
    score = read_score(made.score(step, "dev"))
    found = score.interval()
    return Outcome(
        measure=score.measure.name,
        lower_is_better=score.measure.lower_is_better,
        value=found.value,
        low=found.low,
        high=found.high,
        figures={name: np.asarray(one).tolist() for name, one in score.figures.items()},
        seconds=float(read_stamp(made.folder(step))["seconds"]),
    )


def _dense(
    recipe: Recipe,
    cell: str,
    root: Path,
    say: Callable[[str], None],
    point: Variant | None = None,
) -> RunFolder:
    """Make the data and the dense model of a cell; return its run.

    Block sizes do not change a dense model, but training asks whether they fit the part: those of
    a point, or the recipe's, which is one of a point itself if it is padded as such.
    """
    block = max(2, recipe.model.layers[0].block)
    ready = recipe.model.cell == cell and recipe.model.pad == largest_block(recipe)
    chosen = recipe if ready and not point else variant(recipe, point or Point(cell, block, block))
    folder = root / f"{cell}-dense"
    bring("corpus", chosen, root / DATA, say=_news(say), wait=True)
    share(RunFolder(root / DATA).corpus, folder)
    bring(recipe.source.kind, chosen, folder, say=_news(say), wait=True)
    return RunFolder(folder, source=recipe.source.kind)


def _news(say: Callable[[str], None]) -> Callable[[str], None]:
    """Leave out what is up to date."""
    return lambda line: None if line.endswith(": up to date") else say(line)
