"""Dense matrices of few levels: every weight is one of some numbers, times its input's scale.

The integer model holds both exactly: the level is the weight, and the scale multiplies the vector
in front of the matrix as any input scale does. Levels live in the time domain, so blocks are of
one value: the spectrum of a circulant block of few levels has many.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ernn import circulant
from ernn.errors import ShapeError
from ernn.structures.level_sets import LEVELS
from ernn.structures.structure import Factors, Structure

STARTS = 16  # scales that the alternation starts from
TURNS = 20  # of the alternation, at most


@dataclass(frozen=True)
class Levels(Structure):
    """The matrices of a structure of dense blocks whose weights are levels times scales."""

    inner: Structure
    kind: str

    @property
    def name(self) -> str:  # type: ignore[override]
        """The inner structure's and that of the levels."""
        return f"{self.inner.name}+{self.kind}"

    @property
    def level_set(self) -> str:  # type: ignore[override]
        """That of the weights."""
        return self.kind

    @property
    def axes(self) -> dict[str, str]:  # type: ignore[override]
        """The inner structure's factors, and the scale."""
        return {**self.inner.axes, "scale": "c"}

    @property
    def held(self) -> tuple[str, ...]:  # type: ignore[override]
        """What the inner structure holds; levels move, through their rounding."""
        return self.inner.held

    @property
    def levels(self) -> np.ndarray:
        """The levels, rising."""
        return np.array(LEVELS[self.kind], np.float64)

    def at(self, progress: float) -> Structure:
        """Levels do not change on the way; what is inside may."""
        return Levels(self.block, self.inner.at(progress), self.kind)

    def check(self, p: int, q: int | None) -> None:
        """Refuse blocks of more than one value.

        Raises:
            ShapeError: they are.
        """
        if self.block > 1:
            raise ShapeError(
                f"{self.kind} levels in blocks of {self.block}",
                allowed="blocks of 1",
                remedy='set block = 1 with keep for sparsity, or leave out "levels"',
            )
        self.inner.check(p, q)

    def project(self, matrix: Any) -> Factors:
        """(p, q) -> values (p, q, 1) that round to levels, scale (q,), and the inner's own factors.

        Levels and scale in turn by least squares (1903.09769), for each column from several starts;
        where tiles are dropped, they are chosen by the weights before rounding.
        """
        factors = self.inner.project(matrix)
        weights = self.inner.generators(factors)[..., 0]
        present = self.inner.present(factors)
        scale = self._fit(weights, present)
        values = weights / _or_one(scale)
        return {**factors, "generators": values[..., None], "scale": scale}

    def _fit(self, weights: Any, present: Any) -> Any:
        """Return the scale of every column (q,), 0 where it is all zeros."""
        library = circulant.library(weights)
        largest = abs(weights).max(0) if library is np else abs(weights).amax(0)
        best, least = library.zeros_like(weights[0]), (weights**2).sum(0)
        for start in range(1, STARTS + 1):
            scale = largest * start / STARTS / self.levels[-1]
            for _ in range(TURNS):
                levels = self._round(weights / _or_one(scale))
                levels = levels if present is None else levels * present
                before, scale = scale, (weights * levels).sum(0) / _or_one((levels**2).sum(0))
                if (scale == before).all():
                    break
            error = ((weights - levels * scale) ** 2).sum(0)
            better = (error < least) & (scale > 0)
            best, least = library.where(better, scale, best), library.where(better, error, least)
        return best

    def _round(self, values: Any) -> Any:
        """Return the nearest levels."""
        if circulant.library(values) is np:
            return self.levels[np.searchsorted(_middles(self.kind), values)]
        torch = circulant.library(values)
        levels = torch.from_numpy(self.levels).to(values)
        return levels[torch.bucketize(values, torch.from_numpy(_middles(self.kind)).to(values))]

    def generators(self, factors: Factors) -> Any:
        """Return the levels (p, q, 1), zeros where there is no weight.

        Gradients pass the rounding, but not beyond the outer levels, where nothing moves.
        """
        values, present = factors["generators"], self.inner.present(factors)
        if circulant.library(values) is np:
            found = self._round(values)
        else:
            most = float(self.levels[-1])
            inside = values.clamp(-most, most)
            found = inside + (self._round(values) - inside).detach()
        return found if present is None else found * present[..., None]

    def settled(self, factors: Factors) -> Factors:
        """Return the factors with levels for values that round to them."""
        return {**factors, "generators": self.generators(factors)}

    def scale(self, factors: Factors) -> Any:
        """Return it."""
        return factors["scale"]

    def present(self, factors: Factors) -> Any:
        """Return the inner structure's."""
        return self.inner.present(factors)

    def expand(self, factors: Factors) -> Any:
        """Return the dense matrix (p, q)."""
        return self.generators(factors)[..., 0] * factors["scale"]


def _or_one(values: Any) -> Any:
    """Return values to divide by: 1 for those that are not above 0."""
    library = circulant.library(values)
    return library.where(values > 0, values, library.ones_like(values))


@cache
def _middles(kind: str) -> np.ndarray:
    """Return the values between which rounding changes."""
    levels = np.array(LEVELS[kind], np.float64)
    return (levels[1:] + levels[:-1]) / 2
