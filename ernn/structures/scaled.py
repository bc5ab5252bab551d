"""Block-circulant matrices with a scale for every input."""

from typing import Any, ClassVar

from ernn import circulant
from ernn.structures.circulant import Circulant
from ernn.structures.structure import Factors


class Scaled(Circulant):
    """C diag(s).

    In the columns of one block column, wrapped diagonal d of block i is generator[i, d] * s: the
    numbers make a matrix of (p*k diagonals, k columns) of rank one. So the nearest such matrix is
    the best rank-one approximation of each block column (Eckart and Young 1936), and no alternation
    between generators and scales is needed.
    """

    name = "scaled"
    axes: ClassVar = {"generators": "pqk", "scale": "c"}

    def project(self, matrix: Any) -> Factors:
        """(p*k, q*k) -> generators (p, q, k) and scale (q*k,), of mean square 1 in every block."""
        library, k = circulant.library(matrix), self.block
        diagonals = circulant.diagonals(matrix, k)  # (p, q, d, c)
        gram = library.einsum("pqdc,pqde->qce", diagonals, diagonals)
        direction = library.linalg.eigh(gram)[1][..., -1]  # (q, c), of length 1
        negative = direction.sum(-1)[..., None] < 0
        scale = direction * (1 - 2 * negative) * k**0.5
        scale[~gram.any(-1).any(-1)] = 1.0  # a block column of zeros
        generators = (diagonals * scale[:, None]).mean(-1)
        return {"generators": generators, "scale": scale.reshape(-1)}

    def refit(self, matrix: Any, factors: Factors) -> Any:
        """Return the nearest generators at the scale of some factors, of mean square 1."""
        scale = factors["scale"].reshape(-1, self.block)
        return (circulant.diagonals(matrix, self.block) * scale[:, None]).mean(-1)

    def scale(self, factors: Factors) -> Any:
        """Return it."""
        return factors["scale"]

    def expand(self, factors: Factors) -> Any:
        """Generators (p, q, k) and scale (q*k,) -> (p*k, q*k)."""
        return super().expand(factors) * factors["scale"]

    def matvec(self, factors: Factors, vectors: Any) -> Any:
        """(..., q*k) -> (..., p*k), by FFT."""
        return super().matvec(factors, vectors * factors["scale"])
