"""The three phases of training: dense, ADMM towards the structures, retraining inside them."""

import math

from ernn.recipe import CompressionRecipe, TrainingRecipe
from ernn.train.acoustic import AcousticModel
from ernn.train.admm import Admm
from ernn.train.batches import Data
from ernn.train.fit import Phase, Round, Run, fit
from ernn.train.losses import Distilled, Loss, make_loss


def train_dense(
    model: AcousticModel,
    recipe: TrainingRecipe,
    data: Data,
    run: Run,
    teacher: AcousticModel | None = None,
) -> list[Round]:
    """Train a new model; dense, or inside the structures if it is constrained already.

    Args:
        model: trained in place.
        recipe: how.
        data: on what.
        run: where.
        teacher: if given, half the loss compares with its outputs; see `Distilled`.

    Returns:
        One entry per round; see `Round`.
    """
    phase = Phase("dense", recipe.updates, recipe.evaluate_every, recipe.learning_rate)
    loss = make_loss(recipe)
    return fit(model, phase, recipe, data, run, Distilled(loss, teacher) if teacher else loss)


def compress(
    model: AcousticModel,
    recipe: CompressionRecipe,
    training: TrainingRecipe,
    data: Data,
    run: Run,
    teacher: AcousticModel | None = None,
) -> list[Round]:
    """Pull a trained dense model to its structures by ADMM, then project it: it is constrained.

    Args:
        model: dense, with weights that were trained; changed in place.
        recipe: how it is compressed.
        training: batches, noise, clipping.
        data: on what.
        run: where.
        teacher: the dense model, for `recipe.distillation`; a copy, not `model` itself.

    Returns:
        One entry per round; see `Round`.
    """
    matrices = {n: m for n, m in model.matrices().items() if m.block > 1}
    if not matrices:
        return []
    rounds = math.ceil(recipe.updates / recipe.updates_per_round)
    model.to(run.device)
    admm = Admm(
        {name: matrix.weight for name, matrix in matrices.items() if matrix.weight is not None},
        {name: matrix.structure for name, matrix in matrices.items()},
        recipe.rho_start,
        recipe.rho_end,
        rounds,
    )
    rate = recipe.learning_rate
    phase = Phase("admm", recipe.updates, recipe.updates_per_round, rate, admm)
    history = fit(model, phase, training, data, run, _loss(recipe, training, teacher))
    model.constrain()
    return history


def retrain(
    model: AcousticModel,
    recipe: CompressionRecipe,
    training: TrainingRecipe,
    data: Data,
    run: Run,
    teacher: AcousticModel | None = None,
) -> list[Round]:
    """Train a constrained model on, inside its structures; arguments as for `compress`."""
    updates, rate = recipe.retrain_updates, recipe.retrain_learning_rate
    phase = Phase("retrain", updates, training.evaluate_every, rate)
    return fit(model, phase, training, data, run, _loss(recipe, training, teacher))


def _loss(
    recipe: CompressionRecipe, training: TrainingRecipe, teacher: AcousticModel | None
) -> Loss:
    """Return the loss of compression and retraining."""
    loss = make_loss(training)
    if teacher is None or not recipe.distillation:
        return loss
    return Distilled(loss, teacher, recipe.distillation, recipe.distillation_temperature)
