"""Structures that a weight matrix can be held to, and ADMM, which pulls weights towards them.

Nothing here knows the task: a structure knows its subspace, `Admm` knows matrices.
Algorithm: docs/algorithm.md.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from ernn import circulant


class Structure(Protocol):
    """A set of matrices, each described by fewer numbers than it has entries."""

    def project(self, matrix: Tensor) -> Tensor:
        """Return the description of the nearest matrix in the set (least squares)."""

    def expand(self, generators: Tensor) -> Tensor:
        """Return the dense matrix of a description; differentiable."""

    def matvec(self, generators: Tensor, vectors: Tensor) -> Tensor:
        """Multiply vectors (..., cols) without forming the dense matrix."""

    def distance(self, matrix: Tensor) -> Tensor:
        """Return the Frobenius distance of a matrix from the set (scalar)."""


class _Expand(torch.autograd.Function):
    """circulant.expand with its adjoint written down: k times the projection.

    Autograd would scatter-add into the generators; gathering is faster on a CPU.
    """

    @staticmethod
    def forward(ctx, generators: Tensor) -> Tensor:
        ctx.block = generators.shape[2]
        return circulant.expand(generators)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return ctx.block * circulant.project(gradient, ctx.block)


@dataclass(frozen=True)
class BlockCirculant:
    """Matrices made of circulant blocks: a linear subspace, so `project` is exact."""

    block: int

    def project(self, matrix: Tensor) -> Tensor:
        """(p*k, q*k) -> (p, q, k)."""
        return circulant.project(matrix, self.block)

    def expand(self, generators: Tensor) -> Tensor:
        """(p, q, k) -> (p*k, q*k)."""
        return _Expand.apply(generators)

    def matvec(self, generators: Tensor, vectors: Tensor) -> Tensor:
        """(..., q*k) -> (..., p*k), by FFT."""
        return circulant.matvec(generators, vectors)

    def distance(self, matrix: Tensor) -> Tensor:
        """Return ||W - project(W)||."""
        return circulant.distance(matrix, self.block)


class Admm:
    """Pull matrices towards their structures while training (scaled ADMM).

    Splits min f(W) subject to W in C into rounds. Within a round W is trained on f(W) +
    `penalty()`; at its end `update()` moves the targets Z and the duals U. The penalty's weight
    rho grows geometrically, so that the first rounds explore and the last ones close the gap.
    """

    def __init__(
        self,
        weights: dict[str, nn.Parameter],
        structures: dict[str, Structure],
        rho_start: float,
        rho_end: float,
        rounds: int,
    ) -> None:
        """Start from trained weights: Z = project(W), U = 0.

        Args:
            weights: the matrices by name; they are read at each call, never written.
            structures: the set that each is to end in, by the same names.
            rho_start: weight of the penalty in the first round.
            rho_end: weight of the penalty in the last round.
            rounds: number of rounds, each ended by one `update()`.
        """
        self.weights, self.structures = weights, structures
        self.schedule = (rho_start, rho_end, rounds)
        self.rho = rho_start
        self.growth = (rho_end / rho_start) ** (1 / max(rounds - 1, 1))
        self.target = {name: self._nearest(name, weight.data) for name, weight in weights.items()}
        self.dual = {name: torch.zeros_like(weight.data) for name, weight in weights.items()}

    def _nearest(self, name: str, matrix: Tensor) -> Tensor:
        structure = self.structures[name]
        return structure.expand(structure.project(matrix))

    def penalty(self) -> Tensor:
        """Return rho/2 * sum ||W - Z + U||^2, to be added to the task's loss (scalar)."""
        gaps = (w - self.target[name] + self.dual[name] for name, w in self.weights.items())
        return self.rho / 2 * torch.stack([gap.square().sum() for gap in gaps]).sum()

    @torch.no_grad()
    def update(self) -> None:
        """End a round: Z <- project(W + U), U <- U + W - Z, then let rho grow.

        The unscaled multiplier rho * U must not jump with rho, so U shrinks as rho grows.
        """
        for name, weight in self.weights.items():
            shifted = weight + self.dual[name]
            self.target[name] = self._nearest(name, shifted)
            self.dual[name] = (shifted - self.target[name]) / self.growth
        self.rho *= self.growth

    @torch.no_grad()
    def gap(self) -> float:
        """Return ||W - Z|| over all matrices: how far the weights are from their targets."""
        gaps = [(w - self.target[name]).square().sum() for name, w in self.weights.items()]
        return float(torch.stack(gaps).sum().sqrt())

    def state(self) -> dict[str, Tensor]:
        """Return everything that changes from round to round, for a checkpoint."""
        return {
            "rho": torch.tensor(self.rho, dtype=torch.float64),
            **{f"target.{name}": value for name, value in self.target.items()},
            **{f"dual.{name}": value for name, value in self.dual.items()},
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state` returned."""
        self.rho = float(state["rho"])
        for name, weight in self.weights.items():
            self.target[name] = state[f"target.{name}"].to(weight)
            self.dual[name] = state[f"dual.{name}"].to(weight)
