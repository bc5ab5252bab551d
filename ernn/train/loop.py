"""The phases of training: dense, ADMM towards the structures, retraining inside them."""

import copy
import math

from ernn.recipe import CompressionRecipe, TrainingRecipe
from ernn.train.acoustic import AcousticModel
from ernn.train.admm import Admm
from ernn.train.batches import Data
from ernn.train.fit import Phase, Round, Run, fit, last_update
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
    loss = make_loss(data, recipe)
    return fit(model, phase, recipe, data, run, Distilled(loss, teacher) if teacher else loss)


def compress(
    model: AcousticModel,
    recipe: CompressionRecipe,
    training: TrainingRecipe,
    data: Data,
    run: Run,
) -> list[Round]:
    """Bring a trained dense model into its structures, by the recipe's method.

    Args:
        model: dense, with weights that were trained; changed in place, constrained in the end.
        recipe: how it is compressed.
        training: of the dense model: batches, noise, clipping, updates.
        data: on what.
        run: where.

    Returns:
        One entry per round; see `Round`.
    """
    teacher = copy.deepcopy(model)
    loss = make_loss(data, training, teacher)
    taught = loss
    if recipe.distillation and data.targets != "none":  # where there is nothing but the teacher
        taught = Distilled(loss, teacher, recipe.distillation, recipe.distillation_temperature)
    history: list[Round] = []
    if recipe.method == "admm":
        # Where the dense outputs are all that counts, they do so from the beginning.
        pulled = taught if recipe.distillation == 1 else loss
        history = _admm(model, recipe, training, data, run, pulled)
    model.constrain()
    updates = recipe.updates - last_update(history) + recipe.retrain_updates
    if recipe.method == "direct":
        model.reset(run.seed)
        updates += training.updates
    rate = recipe.retrain_learning_rate
    phase = Phase("retrain", updates, training.evaluate_every, rate)
    return history + fit(model, phase, training, data, run, taught)


def _admm(
    model: AcousticModel,
    recipe: CompressionRecipe,
    training: TrainingRecipe,
    data: Data,
    run: Run,
    loss: Loss,
) -> list[Round]:
    """Pull a dense model to its structures."""
    matrices = {n: m for n, m in model.matrices().items() if not m.structure.free}
    if not matrices:
        return []
    model.to(run.device)
    admm = Admm(
        {name: matrix.weight for name, matrix in matrices.items() if matrix.weight is not None},
        {name: matrix.structure for name, matrix in matrices.items()},
        recipe.rho_start,
        recipe.rho_end,
        math.ceil(recipe.updates / recipe.updates_per_round),
        recipe.gap,
        recipe.progressive,
    )
    phase = Phase("admm", recipe.updates, recipe.updates_per_round, recipe.learning_rate, admm)
    return fit(model, phase, training, data, run, loss)
