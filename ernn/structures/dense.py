"""Ordinary dense matrices: every matrix is in the set."""

from typing import Any, ClassVar

from ernn.structures.structure import Factors, Structure


class Dense(Structure):
    """W itself, as blocks of one value."""

    name = "dense"
    axes: ClassVar = {"generators": "pqk"}
    free = True

    def project(self, matrix: Any) -> Factors:
        """(p, q) -> (p, q, 1)."""
        return {"generators": matrix[..., None]}

    def generators(self, factors: Factors) -> Any:
        """Return the matrix, (p, q, 1)."""
        return factors["generators"]

    def expand(self, factors: Factors) -> Any:
        """(p, q, 1) -> (p, q)."""
        return factors["generators"][..., 0]
