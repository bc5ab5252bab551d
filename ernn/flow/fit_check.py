"""Whether a model can be built at all, told before it is trained and not after it."""

from typing import TYPE_CHECKING

import numpy as np

from ernn.hw.explore import make_plan
from ernn.quant.quantize import quantize
from ernn.speech.corpus import load_split
from ernn.train.acoustic import AcousticModel

if TYPE_CHECKING:
    from ernn.flow.work import Work


def require_fit(work: "Work") -> None:
    """Plan the untrained model.

    Raises:
        PlanError: the recipe's part cannot hold the model, or not with the sizes that it names.
    """
    recipe = work.recipe
    train = load_split(work.run.corpus, "train")
    outputs = len(train.phones) + recipe.training.blanks
    exported = AcousticModel(recipe.model, train.feature_size, outputs, recipe.seed).export()
    noise = np.random.default_rng(0).normal(size=(8, exported.features))
    integer = quantize(exported, recipe.quantization, [noise])
    make_plan(integer, recipe.hardware, recipe.name)
