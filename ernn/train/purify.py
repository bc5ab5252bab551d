"""Purification: columns of blocks that matter little go, as many as the score allows.

After compression tiles of a matrix are left in nearly every column. A column's importance is the
share of its matrix's squared norm that it has, times the number of columns: 1 for the mean one.
Those of least importance go first, and at once as many as the development set's score allows,
without retraining (1908.10017, whose emptiness ratio and importance score are not published in
full: this reading is ours). What then nobody reads leaves with `ernn.unused`.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ernn.structures.tiles import MASK
from ernn.train.acoustic import AcousticModel


@torch.no_grad()
def purify(
    model: AcousticModel, loss: Callable[[], float], allowed: float
) -> dict[str, tuple[int, ...]]:
    """Drop columns of a constrained model's tiled matrices, and return which by matrix.

    Args:
        model: changed in place: its masks.
        loss: how much worse the model's score is now than before; called a few times.
        allowed: the most that it may be.
    """
    masks = {
        name: matrix.factors[MASK]
        for name, matrix in model.matrices().items()
        if MASK in matrix.factors
    }
    before = {name: mask.clone() for name, mask in masks.items()}
    columns = _by_importance(model, masks)

    def drop(number: int) -> None:
        for name, mask in masks.items():
            mask.copy_(before[name])
        for name, column in columns[:number]:
            masks[name][:, column] = 0

    low, high = 0, len(columns)  # as many are allowed; no more may be tried
    while low < high:
        middle = (low + high + 1) // 2
        drop(middle)
        if loss() <= allowed:
            low = middle
        else:
            high = middle - 1
    drop(low)
    return {
        name: tuple(sorted(column for other, column in columns[:low] if other == name))
        for name in masks
        if any(other == name for other, _ in columns[:low])
    }


def _by_importance(model: AcousticModel, masks: dict[str, Tensor]) -> list[tuple[str, int]]:
    """Return the columns that have weights, the least important first, one per matrix left out."""
    found = []
    for name, mask in masks.items():
        matrix = model.matrices()[name]
        energy = matrix.matrix().square().sum(0).reshape(mask.shape[1], -1).sum(1)
        share = (energy / energy.sum().clamp(min=1e-30) * len(energy)).tolist()
        own = sorted(
            (share[column], name, column) for column in mask.any(0).nonzero()[:, 0].tolist()
        )
        found += own[:-1]  # a matrix keeps its most important column
    return [(name, column) for _, name, column in sorted(found)]
