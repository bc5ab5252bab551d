"""Dense matrices of which only the largest single weights are kept, as many for every PE.

For accelerators of sparse matrices such as ESE (Han et al., FPGA 2017), whose PEs would wait for
the fullest one otherwise. In ernn's own array neighbouring rows share every address, so that what
one of them leaves out another one needs: it gains nothing and refuses such a model.
"""

from dataclasses import dataclass

import numpy as np

from ernn.errors import Fault
from ernn.structures.tiles import Choice, Tiled

MAGNITUDE = "magnitude"

NOT_BUILT = Fault(
    "weights chosen one by one, by magnitude",
    "rows of a group of PEs share the addresses that they read, and would read nearly every one",
    remedy="drop tiles instead ([model] keep, tile), or stop at the step quantize and show the "
    "compressed model to `ernn compare --sparse`",
)  # why the array refuses such a model


@dataclass(frozen=True)
class Balance(Choice):
    """A share of the weights, the same for the rows of every PE and gate."""

    pes: int = 1  # row r of a gate is PE r mod pes'
    gates: int = 1  # stacked in the matrix
    used: int | None = None  # columns that are not padding; None: all

    def choose(self, energy: np.ndarray) -> np.ndarray:
        """Return 1 for the weights that are kept, 0 for the others (rows, cols).

        Those of most energy; among equals those in front, so that the share is exact.
        """
        padding = energy.shape[1] - min(energy.shape[1], self.used or energy.shape[1])
        energy = energy[:, : energy.shape[1] - padding]
        rows, cols = energy.shape
        gate, row = np.divmod(np.arange(rows), rows // self.gates)
        group = np.repeat(gate * self.pes + row % self.pes, cols)
        sizes = np.bincount(group, minlength=self.gates * self.pes)
        order = np.lexsort((-energy.ravel(), group))  # stable
        rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        numbers = np.maximum(1, (self.keep * sizes + 0.5).astype(np.int64))
        kept = np.zeros(len(order))
        kept[order] = rank < np.repeat(numbers, sizes)
        return np.pad(kept.reshape(energy.shape), ((0, 0), (0, padding)))


@dataclass(frozen=True)
class Magnitude(Tiled):
    """Dense matrices with a mask of single weights; projecting is exact."""

    tiling: Choice = Balance()

    @property
    def name(self) -> str:  # type: ignore[override]
        """The inner structure's and its own."""
        return f"{self.inner.name}+{MAGNITUDE}"
