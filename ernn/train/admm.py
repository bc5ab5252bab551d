"""ADMM: pulls weight matrices towards their structures while they are trained.

Nothing here knows the task. Algorithm: docs/algorithm.md.
"""

import torch
from torch import Tensor, nn

from ernn.structures.structure import Structure


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
        closed: float = 0.0,
        progressive: float = 0.0,
    ) -> None:
        """Start from trained weights: Z = project(W), U = 0.

        Args:
            weights: the matrices by name; they are read at each call, never written.
            structures: the set that each is to end in, by the same names.
            rho_start: weight of the penalty in the first round.
            rho_end: weight of the penalty in the last round.
            rounds: number of rounds at most, each ended by one `update()`.
            closed: a `gap()` at which nothing is left to do.
            progressive: share of the rounds in which sets become smaller (`Structure.at`).
        """
        self.weights, self.structures = weights, structures
        self.schedule = (rho_start, rho_end, rounds, closed, progressive)
        self.rho, self.closed = rho_start, closed
        changing = any(structure.at(0.0) != structure for structure in structures.values())
        self.round, self.steps = 0, progressive * rounds if changing else 0.0
        self.growth = (rho_end / rho_start) ** (1 / max(rounds - 1, 1))
        self.target = {name: self._nearest(name, weight.data) for name, weight in weights.items()}
        self.dual = {name: torch.zeros_like(weight.data) for name, weight in weights.items()}

    def penalty(self) -> Tensor:
        """Return rho/2 * sum ||W - Z + U||^2, to be added to the task's loss (scalar)."""
        gaps = (w - self.target[name] + self.dual[name] for name, w in self.weights.items())
        return self.rho / 2 * torch.stack([gap.square().sum() for gap in gaps]).sum()

    @torch.no_grad()
    def update(self) -> None:
        """End a round: Z <- project(W + U), U <- U + W - Z, then let rho grow.

        The unscaled multiplier rho * U must not jump with rho, so U shrinks as rho grows.
        """
        self.round += 1
        for name, weight in self.weights.items():
            shifted = weight + self.dual[name]
            self.target[name] = self._nearest(name, shifted)
            self.dual[name] = (shifted - self.target[name]) / self.growth
        self.rho *= self.growth

    @property
    def arrived(self) -> bool:
        """Whether the sets are those to end in."""
        return self.round >= self.steps

    def _nearest(self, name: str, matrix: Tensor) -> Tensor:
        """Project onto the set of this round."""
        progress = 1.0 if self.arrived else self.round / self.steps
        return self.structures[name].at(progress).nearest(matrix)

    @torch.no_grad()
    def gap(self) -> float:
        """Return ||W - Z|| / ||W|| over all matrices: how far they are from their targets."""
        total = sum(weight.square().sum() for weight in self.weights.values())
        away = sum((w - self.target[name]).square().sum() for name, w in self.weights.items())
        return float((away / total) ** 0.5)

    def state(self) -> dict[str, Tensor]:
        """Return everything that changes from round to round, for a checkpoint."""
        return {
            "rho": torch.tensor(self.rho, dtype=torch.float64),
            "round": torch.tensor(self.round),
            **{f"target.{name}": value for name, value in self.target.items()},
            **{f"dual.{name}": value for name, value in self.dual.items()},
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state` returned."""
        self.rho, self.round = float(state["rho"]), int(state["round"])
        for name, weight in self.weights.items():
            self.target[name] = state[f"target.{name}"].to(weight)
            self.dual[name] = state[f"dual.{name}"].to(weight)
