"""Block-circulant matrices: a linear subspace, so that projecting is exact."""

from typing import Any, ClassVar

from ernn import circulant
from ernn.structures.dense import Dense
from ernn.structures.structure import Factors, Structure


class Circulant(Structure):
    """C, made of circulant blocks."""

    name = "circulant"
    axes: ClassVar = {"generators": "pqk"}

    @classmethod
    def of(cls, block: int) -> Structure:
        """Return the structure; blocks of one value make a dense matrix."""
        return cls(block) if block > 1 else Dense(1)

    def project(self, matrix: Any) -> Factors:
        """(p*k, q*k) -> generators (p, q, k)."""
        return {"generators": circulant.project(matrix, self.block)}

    def generators(self, factors: Factors) -> Any:
        """Return them."""
        return factors["generators"]

    def expand(self, factors: Factors) -> Any:
        """Generators (p, q, k) -> (p*k, q*k)."""
        return circulant.expand(self.generators(factors))

    def matvec(self, factors: Factors, vectors: Any) -> Any:
        """(..., q*k) -> (..., p*k), by FFT."""
        return circulant.matvec(self.generators(factors), vectors)
