"""What a network takes on memristor crossbars: arrays and converters, counted from its zeros.

A model, with the parameters that are published of one framework (Yuan et al. 2019,
arXiv:1908.10017): arrays of 128 inputs by 64 columns, two cells of 4 bits a weight, so 32 outputs
an array. Ours are, as the sources that we have do not say it: one converter an array, which takes
its columns in turn; weights of both signs in the same cells; outputs without weights are left out,
the others packed in their order; and an array holds only inputs that one of its outputs reads.

A crossbar multiplies by what its cells hold. A circulant block must be expanded to sit in one, and
saves nothing there; rows, columns and tiles that vanish do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ernn.energy.ese import Sparse, sizes
from ernn.energy.shape import Shape

INPUTS, COLUMNS = 128, 64  # of an array
CELLS = 2  # a weight


@dataclass(frozen=True)
class Crossbars:
    """What some matrices take."""

    name: str
    arrays: int
    converters: int
    conversions: int  # a frame: columns in use, once each; times the steps in which inputs come
    filled: float  # share of the cells that hold a weight which is not 0


def count_crossbars(name: str, used: Iterable[np.ndarray]) -> Crossbars:
    """Count for matrices that are told as where their weights are not 0, (outputs, inputs)."""
    arrays = conversions = weights = 0
    outputs = COLUMNS // CELLS
    for matrix in used:
        rows = matrix[matrix.any(1)]
        for start in range(0, len(rows), outputs):
            group = rows[start : start + outputs]
            high = -(-int(group.any(0).sum()) // INPUTS)  # arrays above each other
            arrays += high
            conversions += high * len(group) * CELLS
        weights += int(matrix.sum())
    cells = arrays * INPUTS * COLUMNS
    return Crossbars(name, arrays, arrays, conversions, weights * CELLS / cells if cells else 0.0)


def crossbars_of(
    shape: Shape, own: Mapping[str, np.ndarray] | None, sparse: Sparse
) -> tuple[Crossbars, ...]:
    """Count for a network as it was before compression, as it is, and as ESE has it.

    Args:
        shape: of the network.
        own: its matrices with circulant blocks expanded, by name; None: nothing in them is 0.
        sparse: what ESE is given.
    """
    whole = {name: np.ones(size, bool) for name, size in sizes(shape).items()}
    ours = whole if own is None else {n: own[n][:r, :c] != 0 for n, (r, c) in sizes(shape).items()}
    return (
        count_crossbars("without compression", whole.values()),
        count_crossbars("this network, circulant blocks expanded", ours.values()),
        count_crossbars(
            f"as ESE has it: {sparse.origin}", (one != 0 for one in sparse.weights.values())
        ),
    )
