"""Train an integer model on: its float weights move, its formats stay."""

from typing import cast

from ernn.compressed import CompressedModel
from ernn.finetune.quantization_aware import QuantizationAwareModel
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import QuantizationRecipe, TrainingRecipe
from ernn.train.acoustic import AcousticModel
from ernn.train.batches import Data
from ernn.train.fit import Phase, Run, fit
from ernn.train.losses import make_loss

EVALUATIONS = 10  # on the development set; the best of these models is kept


def fine_tune(
    model: CompressedModel,
    integer: IntegerModel,
    recipe: QuantizationRecipe,
    training: TrainingRecipe,
    data: Data,
    run: Run,
    teacher: AcousticModel | None = None,
) -> tuple[CompressedModel, IntegerModel]:
    """Train the weights of a float model by what its integer model makes of them.

    Args:
        model: the float model to start from.
        integer: made from it; its formats are kept.
        recipe: updates and learning rate.
        training: batches, noise, clipping.
        data: on what.
        run: where.
        teacher: the float network, whom to follow where there are no targets.

    Returns:
        The float model and the integer model at the best evaluation on the development set.
    """
    quantized = QuantizationAwareModel(model, integer)
    every = max(1, -(-recipe.fine_tune_updates // EVALUATIONS))
    rate = recipe.fine_tune_learning_rate
    phase = Phase("fine_tune", recipe.fine_tune_updates, every, rate)
    # `fit` asks of a model what both classes have: forward, predict, parameters.
    loss = make_loss(data, training, teacher)
    fit(cast(AcousticModel, quantized), phase, training, data, run, loss)
    return quantized.compressed(), quantized.integer()
