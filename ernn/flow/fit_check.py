"""Whether a model can be built at all, told before it is trained and not after it."""

from typing import TYPE_CHECKING

import numpy as np

from ernn.hw.explore import make_plan
from ernn.quant.quantize import quantize
from ernn.tasks.kinds import open_task
from ernn.train.acoustic import AcousticModel

if TYPE_CHECKING:
    from ernn.flow.work import Work


def require_fit(work: "Work") -> None:
    """Plan the untrained model.

    Raises:
        PlanError: the recipe's part cannot hold the model, or not with the sizes that it names.
    """
    recipe = work.recipe
    task = open_task(recipe, work.run.corpus)
    exported = AcousticModel(recipe.model, task.features, task.outputs, recipe.seed).export()
    noise = np.random.default_rng(0).normal(size=(8, exported.features))
    integer = quantize(exported, recipe.quantization, [noise])
    make_plan(integer, recipe.hardware, recipe.name)
