"""Which single weights a matrix keeps: the largest, as many in the rows of every PE.

For accelerators of sparse matrices such as ESE (Han et al., FPGA 2017), whose PEs would wait for
the fullest one otherwise; ernn's own array visits whole blocks, and gains nothing from it.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Balance:
    """A share of the weights, the same for the rows of every PE and gate."""

    keep: float = 1.0
    pes: int = 1  # row r of a gate is PE r mod pes'
    gates: int = 1  # stacked in the matrix

    def choose(self, energy: np.ndarray) -> np.ndarray:
        """Return 1 for the weights that are kept, 0 for the others (rows, cols).

        Those of most energy; among equals those in front, so that the share is exact.
        """
        rows, cols = energy.shape
        gate, row = np.divmod(np.arange(rows), rows // self.gates)
        group = np.repeat(gate * self.pes + row % self.pes, cols)
        sizes = np.bincount(group, minlength=self.gates * self.pes)
        order = np.lexsort((-energy.ravel(), group))  # stable
        rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        numbers = np.maximum(1, (self.keep * sizes + 0.5).astype(np.int64))
        kept = np.zeros(len(order))
        kept[order] = rank < np.repeat(numbers, sizes)
        return kept.reshape(energy.shape)
