"""The tasks that there are, by the kind that a recipe names.

Modules are named and not imported: a run depends on its own task's code, and not on that of the
others. A new task is a row here, and the modules that it names.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ernn.files import format_of
from ernn.tasks.task import Task, Words

if TYPE_CHECKING:
    from ernn.recipe import Recipe


@dataclass(frozen=True)
class Kind:
    """The modules of a task."""

    task: str  # open_task(folder, recipe, float_outputs) and words(recipe)
    data: str  # make_data(recipe, folder, workers, progress) and sources(recipe)
    frames: str  # FORMAT of the files that are made, and read_frames(folder, split)


KINDS = {
    "speech": Kind("ernn.tasks.speech", "ernn.tasks.speech_data", "ernn.speech.splits"),
    "arrays": Kind("ernn.tasks.arrays", "ernn.tasks.own_data", "ernn.tasks.sequences"),
}


def open_task(recipe: "Recipe", folder: Path, float_outputs: Path | None = None) -> Task:
    """Return a recipe's task.

    Args:
        recipe: of it.
        folder: of its data.
        float_outputs: where the float network leaves its outputs, if the data have no targets.
    """
    task: Task = _module(recipe).open_task(folder, recipe, float_outputs)
    return task


def words_of(recipe: "Recipe") -> Words:
    """Return a recipe's data in words."""
    words: Words = _module(recipe).words(recipe)
    return words


def read_frames(folder: Path, split: str) -> list[np.ndarray]:
    """Return the frames (T, F) of each sequence of a split, whatever task it is of.

    Raises:
        CorpusError: the file is missing or damaged.
    """
    found = format_of(folder / f"{split}.safetensors")
    modules = [import_module(kind.frames) for kind in KINDS.values()]
    module = next((one for one in modules if found == one.FORMAT), modules[0])
    frames: list[np.ndarray] = module.read_frames(folder, split)
    return frames


def _module(recipe: "Recipe"):
    return import_module(KINDS[recipe.task.kind].task)
