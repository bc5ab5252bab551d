"""ESE's machine, cycle by cycle: PEs that share columns out, queues before them, and channels.

A column's activation is sent to all PEs of a channel at once, one column a cycle, and waits in a
queue before each. A PE takes the next column from its queue, reads its two pointers, and works off
one entry a cycle; a column without entries takes the cycle of its pointers. So a PE with less to do
runs ahead of the others by as many columns as its queue holds, and no farther: nothing is sent
while any queue is full. A column is not sent where it is 0 in every channel. Channels have PEs of
their own for sequences of their own and read the same weights in the same cycle, so their number
changes what is computed, not when.

What the papers do not say is fixed here: a slot that is emptied in a cycle can be filled in the
next, and what is sent in a cycle can be taken in the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ernn.ese.encoding import PES, Encoded

PIPELINE = 4  # of a PE: look up, read and multiply, add, write (EIE); it runs empty at the end


@dataclass(frozen=True)
class Machine:
    """What it is made of."""

    pes: int = PES  # of a channel
    channels: int = 32
    queue: int = 8  # activations before each PE

    def cycles(
        self, matrices: Sequence[Encoded], sent: Sequence[np.ndarray] | None = None
    ) -> tuple[int, np.ndarray]:
        """Count the cycles of products that need not wait for each other.

        Args:
            matrices: in the order in which they are worked off.
            sent: which columns of each are not 0 everywhere, (cols,) bool; None: all.

        Returns:
            The cycles from the first column sent to the last sum written, and how many of them each
            PE has a column (PEs,).
        """
        work = [
            np.maximum(one.entries if sent is None else one.entries[:, sent[index]], 1)
            for index, one in enumerate(matrices)
        ]
        columns = np.concatenate(work, axis=1).T if work else np.zeros((0, self.pes), np.int64)
        starts = np.zeros((len(columns), self.pes), np.int64)
        free, now = np.zeros(self.pes, np.int64), -1  # when a PE is done; when a column was sent
        for index, needed in enumerate(columns):
            now += 1
            if index >= self.queue:
                now = max(now, int(starts[index - self.queue].max()) + 1)
            starts[index] = np.maximum(free, now + 1)
            free = starts[index] + needed
        done = int(free.max())
        return (done + PIPELINE if len(columns) else 0), columns.sum(0)

    def products(self, matrix: Encoded, vectors: np.ndarray) -> np.ndarray:
        """Multiply the vectors of all channels (channels, cols), integers: (channels, rows).

        Every entry is multiplied and added where its index leads, padding zeros too.
        """
        rows, cols = matrix.places()
        sums = np.zeros((matrix.rows, len(vectors)), np.int64)
        np.add.at(sums, rows, matrix.weights[:, None] * vectors.T[cols])
        return sums.T
