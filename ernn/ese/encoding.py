"""Sparse matrices as ESE stores them: compressed columns with relative indices and padding zeros.

Rows are dealt to the PEs in turn, row r to PE r mod N (EIE, Han et al. 2016). A PE keeps the
non-zero weights of its rows column by column; with each goes the number of zeros above it, since
the last entry of the column, in a few bits. Where more zeros stand between two weights than such an
index can say, an entry whose weight is 0 is put in: a padding zero, stored and computed with like
any other. A pointer for each column says where it begins; one more, where the last ends.
"""

from dataclasses import dataclass

import numpy as np

from ernn.errors import ShapeError

PES = 32  # of a channel
WEIGHT_BITS, INDEX_BITS = 12, 4


@dataclass(frozen=True)
class Encoded:
    """A matrix, its entries by PE, then column, then row."""

    rows: int
    cols: int
    weight_bits: int
    index_bits: int
    pointers: np.ndarray  # (PEs, cols + 1), int64: into a PE's own entries
    weights: np.ndarray  # (entries,), int64; 0: a padding zero
    skips: np.ndarray  # (entries,), int64: zeros above an entry, since the last of its column

    @property
    def pes(self) -> int:
        """N."""
        return len(self.pointers)

    @property
    def entries(self) -> np.ndarray:
        """How many of each PE and column, (PEs, cols)."""
        return np.diff(self.pointers)

    @property
    def stored(self) -> int:
        """Entries, padding zeros with them: cycles of a PE, added up."""
        return len(self.weights)

    @property
    def padding(self) -> int:
        """Padding zeros."""
        return int((self.weights == 0).sum())

    @property
    def pointer_bits(self) -> int:
        """Of one pointer: it reaches behind the last entry of the fullest PE."""
        return int(self.pointers.max()).bit_length()

    @property
    def bits(self) -> dict[str, int]:
        """What is stored, in bits, padding zeros in both of the first two."""
        return {
            "weights": self.stored * self.weight_bits,
            "indices": self.stored * self.index_bits,
            "pointers": self.pointers.size * self.pointer_bits,
        }

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the row and the column of every entry, found as a PE finds them.

        Raises:
            ShapeError: an index leads behind the last row.
        """
        counts = self.entries.ravel()
        first = np.cumsum(counts) - counts  # of each PE and column, over all entries
        steps = np.cumsum(self.skips + 1)
        before = np.concatenate([[0], steps])[first]
        local = steps - np.repeat(before, counts) - 1  # row among those of the PE
        pe, column = np.divmod(np.repeat(np.arange(counts.size), counts), self.cols)
        rows = local * self.pes + pe
        if len(rows) and rows.max() >= self.rows:
            raise ShapeError(
                f"an index leads to row {rows.max()}",
                allowed=f"0 to {self.rows - 1}",
                remedy="encode the matrix again",
            )
        return rows, column

    def decode(self) -> np.ndarray:
        """Return the matrix (rows, cols), int64."""
        matrix = np.zeros((self.rows, self.cols), np.int64)
        matrix[self.places()] = self.weights  # padding zeros say what is there already
        return matrix


def encode(
    matrix: np.ndarray,
    pes: int = PES,
    weight_bits: int = WEIGHT_BITS,
    index_bits: int = INDEX_BITS,
) -> Encoded:
    """Encode a matrix of integers (rows, cols).

    Raises:
        ShapeError: a weight does not fit its bits.
    """
    rows, cols = matrix.shape
    limit = 1 << (weight_bits - 1)
    if matrix.size and not (-limit <= matrix.min() and matrix.max() < limit):
        raise ShapeError(
            f"weights of {matrix.min()} to {matrix.max()}",
            allowed=f"{-limit} to {limit - 1}, in {weight_bits} bits",
            remedy="quantize to fewer bits, or encode with more",
        )
    dealt = np.zeros((-(-rows // pes), pes, cols), np.int64)
    dealt.reshape(-1, cols)[:rows] = matrix
    by_column = dealt.transpose(1, 2, 0).reshape(pes * cols, -1)  # each PE's columns
    column, row = np.nonzero(by_column)
    values = by_column[column, row]
    above = np.full(len(row), -1)  # the weight above in the same column
    same = column[1:] == column[:-1]
    above[1:][same] = row[:-1][same]
    most = 1 << index_bits
    paddings, skips = np.divmod(row - above - 1, most)
    last = np.cumsum(paddings + 1) - 1  # where each weight goes, behind its padding zeros
    weights = np.zeros(last[-1] + 1 if len(last) else 0, np.int64)
    indices = np.full(len(weights), most - 1)
    weights[last], indices[last] = values, skips
    counts = np.bincount(column, paddings + 1, pes * cols).astype(np.int64).reshape(pes, cols)
    pointers = np.pad(np.cumsum(counts, 1), ((0, 0), (1, 0)))
    return Encoded(rows, cols, weight_bits, index_bits, pointers, weights, indices)
