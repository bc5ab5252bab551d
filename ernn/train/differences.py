"""How far rows of outputs are from what is wanted: the losses that `[task] loss` names.

A difference is summed over rows, so that the parts of a batch on several processes add up.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ernn.errors import RecipeError
from ernn.own_function import own_function
from ernn.recipe.task import TaskRecipe
from ernn.targets import CLASSES, Targets


@dataclass(frozen=True)
class Difference:
    """A name, and the sum over the rows of outputs (N, O) and of what is wanted.

    That is the class of each row (N,), numbers (N, O), or a teacher's outputs (N, O).
    """

    name: str
    total: Callable[[Tensor, Tensor], Tensor]

    def mean(self, told: np.ndarray, wanted: np.ndarray) -> float:
        """Return the mean over all rows."""
        dtype = torch.int64 if wanted.dtype.kind in "iu" else torch.float32
        found = self.total(torch.from_numpy(told), torch.from_numpy(wanted).to(dtype))
        return found.item() / max(1, len(told))


def find_difference(recipe: TaskRecipe, targets: Targets, decisions: bool) -> Difference | None:
    """Return the difference that a recipe names.

    Args:
        recipe: of the task.
        targets: of its data.
        decisions: models are judged by the decisions of the network that they follow.

    Returns:
        None: what is usual for the targets; it suits all of them but `decisions`.

    Raises:
        RecipeError: it is not meant for the targets, or it is a user's own and cannot be had.
    """
    if recipe.own_loss:
        return _own(*recipe.own_loss)
    if recipe.loss is None:
        return DIVERGENCE if targets == "none" and decisions else None
    fitting = _FITTING[targets]
    if recipe.loss not in fitting:
        words = "classes" if targets in CLASSES else "numbers"
        raise RecipeError(
            f'task.loss = "{recipe.loss}"',
            given=f"the {'network' if targets == 'none' else 'targets'} to follow "
            f"{'has outputs' if targets == 'none' else f'are {words}'}",
            allowed=", ".join(fitting) + ', or your own "module:function"',
        )
    return fitting[recipe.loss]


def cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Return minus the log probability of each row's class."""
    return nn.functional.cross_entropy(scores, labels, reduction="sum")


def squared_error(told: Tensor, wanted: Tensor) -> Tensor:
    """Return the squared difference: the mean of a row."""
    return (told - wanted).square().mean(-1).sum()


def divergence(told: Tensor, wanted: Tensor, temperature: float = 1.0) -> Tensor:
    """Return T^2 KL(wanted || told) of scores at a temperature; T^2 keeps the gradient's size."""
    return temperature**2 * nn.functional.kl_div(
        nn.functional.log_softmax(told / temperature, -1),
        nn.functional.log_softmax(wanted / temperature, -1),
        reduction="sum",
        log_target=True,
    )


def binary_cross_entropy(told: Tensor, wanted: Tensor) -> Tensor:
    """Return minus the log probability of targets 0 to 1 by outputs that are probabilities."""
    told = told.float().clamp(1e-6, 1 - 1e-6)  # one that a model is sure of has a gradient, too
    return nn.functional.binary_cross_entropy(told, wanted, reduction="none").mean(-1).sum()


def cosine(told: Tensor, wanted: Tensor) -> Tensor:
    """Return 1 - cos of the angle between rows."""
    return (1 - nn.functional.cosine_similarity(told, wanted, dim=-1)).sum()


def _own(module: str, function: str) -> Difference:
    own = own_function("task.loss", module, function, "(outputs, targets)")

    def total(told: Tensor, wanted: Tensor) -> Tensor:
        value = own.call(told, wanted)
        if not isinstance(value, Tensor) or value.ndim or not value.is_floating_point():
            what = f"it returned {str(value)[:40]!r}"
            raise own.wrong(what, "let it return the mean over the rows, a torch scalar")
        if torch.is_grad_enabled() and told.requires_grad and not value.requires_grad:
            what = "what it returned has no gradient"
            raise own.wrong(what, "compute it from the outputs by torch functions")
        return value * len(told)

    return Difference(own.name, total)


CROSS_ENTROPY = Difference("cross_entropy", cross_entropy)
SQUARED_ERROR = Difference("squared_error", squared_error)
DIVERGENCE = Difference("divergence", divergence)
_NUMBERS = (SQUARED_ERROR, Difference("cosine", cosine))
_PROBABILITIES = Difference("binary_cross_entropy", binary_cross_entropy)


def _named(*differences: Difference) -> dict[str, Difference]:
    return {one.name: one for one in differences}


_FITTING: dict[Targets, dict[str, Difference]] = {
    "steps": _named(CROSS_ENTROPY),
    "sequence": _named(CROSS_ENTROPY),
    "step_values": _named(*_NUMBERS, _PROBABILITIES),
    "sequence_values": _named(*_NUMBERS, _PROBABILITIES),
    "none": _named(*_NUMBERS, _PROBABILITIES, DIVERGENCE),
}
