"""Whether a model can be built at all, told before it is trained and not after it."""

from typing import TYPE_CHECKING

import numpy as np

from ernn.compressed import CompressedModel
from ernn.flow.score import task_of
from ernn.hw.explore import make_plan
from ernn.quant.fill import filled
from ernn.quant.integer_model import IntegerModel
from ernn.quant.quantize import quantize
from ernn.recipe import Recipe
from ernn.structures.magnitude import MAGNITUDE
from ernn.train.acoustic import AcousticModel

if TYPE_CHECKING:
    from ernn.flow.work import Work


def require_fit(work: "Work") -> None:
    """Plan the untrained model.

    Raises:
        CorpusError, RecipeError: there is nothing to train it on, or to judge it by.
        PlanError: the recipe's part cannot hold the model, or not with the sizes that it names.
    """
    recipe = work.recipe
    task = task_of(work)
    _ = task.measure  # asked for here, it is refused before anything is trained
    if recipe.model.structure == MAGNITUDE:
        return  # for another machine; the steps that need the array refuse it before any runs
    _, integer = untrained(recipe, task.features, task.outputs)
    make_plan(integer, recipe.hardware, recipe.name)


def untrained(recipe: Recipe, features: int, outputs: int) -> tuple[CompressedModel, IntegerModel]:
    """Return a recipe's models before it is trained: their sizes are what plans need.

    Args:
        recipe: of the model.
        features: values per frame.
        outputs: of the model: phones, and the blank of CTC.
    """
    exported = AcousticModel(recipe.model, features, outputs, recipe.seed).export()
    noise = np.random.default_rng(0).normal(size=(8, features))
    return exported, filled(quantize(exported, recipe.quantization, [noise]))
