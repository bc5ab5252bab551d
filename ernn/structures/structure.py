"""What a structure is: a set of weight matrices, described by factors, one file each.

Everything that knows matrices (training, model files, float and integer models, planner, memory
writer) knows only this protocol. Factors are numpy arrays or torch tensors; the same code serves
both. What the hardware stores follows from `generators`, `scale` and `present`: the packed spectra
of the generators, in the blocks that are present, as the words of the block's bilinear form.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ernn.errors import ShapeError

Factors = Mapping[str, Any]  # what describes one matrix of a structure: arrays by name


@dataclass(frozen=True)
class Structure(ABC):
    """A set of matrices of one shape, made of k x k blocks: p block rows and q block columns."""

    block: int  # k

    name: ClassVar[str]
    # Every factor and its axes: p, q, k, or c for the q * k columns.
    axes: ClassVar[dict[str, str]]
    held: ClassVar[tuple[str, ...]] = ()  # factors that training does not move
    free: ClassVar[bool] = False  # every matrix is in the set
    level_set: ClassVar[str | None] = None  # that the generators are from; None: any numbers

    @classmethod
    def of(cls, block: int) -> "Structure":
        """Return the structure for blocks of this size."""
        return cls(block)

    @abstractmethod
    def project(self, matrix: Any) -> Factors:
        """Return the factors of the nearest matrix in the set (least squares)."""

    @abstractmethod
    def generators(self, factors: Factors) -> Any:
        """Return the first columns (p, q, k) of the circulant blocks; zeros where there is none."""

    def scale(self, factors: Factors) -> Any:
        """Return what multiplies the inputs (q * k,), or None."""
        return None

    def present(self, factors: Factors) -> Any:
        """Return which blocks have weights (p, q), not 0 where they have; None: all have."""
        return None

    @abstractmethod
    def expand(self, factors: Factors) -> Any:
        """Return the dense matrix of some factors; differentiable."""

    def matvec(self, factors: Factors, vectors: Any) -> Any:
        """Multiply vectors (..., cols) by the matrix of some factors: (..., rows)."""
        return vectors @ self.expand(factors).T

    def refit(self, matrix: Any, factors: Factors) -> Any:
        """Return the generators (p, q, k) nearest to a matrix where what blocks share is given."""
        return self.generators(self.project(matrix))

    def at(self, progress: float) -> "Structure":
        """Return the set to be in after a share of the way to this one, from 0 to 1."""
        return self

    def settled(self, factors: Factors) -> Factors:
        """Return the factors as files keep them."""
        return factors

    def check(self, p: int, q: int | None) -> None:  # noqa: B027 - most have nothing to refuse
        """Refuse a matrix of p block rows and q block columns (None: unknown) that has no member.

        Raises:
            ShapeError: it cannot.
        """

    def nearest(self, matrix: Any) -> Any:
        """Return the matrix of the set that is nearest to a matrix."""
        return self.expand(self.project(matrix))

    def distance(self, matrix: Any) -> Any:
        """Return the Frobenius distance of a matrix from the set (scalar)."""
        return ((matrix - self.nearest(matrix)) ** 2).sum() ** 0.5

    # The rest follows from the axes.

    def sizes(self, factors: Factors) -> dict[str, int]:
        """Return p, q, k and c.

        Raises:
            ShapeError: a factor is missing or too many, or their shapes do not go together.
        """
        if set(factors) != set(self.axes):
            raise ShapeError(
                f"a {self.name} matrix", given=", ".join(factors), allowed=", ".join(self.axes)
            )
        found: dict[str, int] = {"k": self.block}
        for name, axes in self.axes.items():
            shape = tuple(factors[name].shape)
            if len(shape) != len(axes) or 0 in shape:
                raise ShapeError(f"{name} of shape {shape}", allowed=f"({', '.join(axes)})")
            for axis, size in zip(axes, shape, strict=True):
                if found.setdefault(axis, size) != size:
                    raise ShapeError(f"{name} has shape {shape}", allowed=f"{axis} = {found[axis]}")
        if found.setdefault("c", found["q"] * self.block) != found["q"] * self.block:
            raise ShapeError(f"{found['c']} columns", allowed=f"{found['q'] * self.block}")
        return found

    def cut(self, factors: Factors, rows: slice | np.ndarray, cols: slice | np.ndarray) -> Factors:
        """Return the factors of some block rows and block columns, a slice or one's numbers."""
        columns: slice | np.ndarray
        if isinstance(cols, slice):
            columns = slice(*(end and end * self.block for end in (cols.start, cols.stop)))
        else:
            columns = (cols[:, None] * self.block + np.arange(self.block)).ravel()
        parts = {"p": rows, "q": cols, "k": slice(None), "c": columns}
        return {
            name: factors[name][tuple(parts[axis] for axis in axes)]
            for name, axes in self.axes.items()
        }

    def turned(self, factors: Factors, rows: slice) -> Factors:
        """Return the factors of the matrix with the sign of some block rows turned."""
        name = next(name for name, axes in self.axes.items() if axes == "pqk")
        found = factors[name].copy()
        found[rows] *= -1
        return {**factors, name: found}
