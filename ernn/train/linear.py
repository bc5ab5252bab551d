"""A weight matrix that is first dense and later held by the factors of its structure."""

import numpy as np
import torch
from torch import Tensor, nn

from ernn.compressed import StructuredMatrix
from ernn.structures.structure import Factors, Structure


class StructuredLinear(nn.Module):
    """x -> W x, without bias.

    W is a dense parameter, `weight`, until `constrain` replaces it by the factors of its
    structure, parameters and buffers by their names. From then on it cannot leave its structure.
    Where every matrix is in the structure, W stays dense.
    """

    weight: nn.Parameter | None

    def __init__(self, rows: int, cols: int, structure: Structure) -> None:
        super().__init__()
        self.rows, self.cols, self.structure = rows, cols, structure
        self.block = structure.block
        structure.check(rows // self.block, cols // self.block)
        self.fft = False  # multiply in the transformed domain where it need not be faster
        self.weight = nn.Parameter(torch.empty(rows, cols))
        for name in structure.axes:
            self._hold(name, None)

    def _hold(self, name: str, value: Tensor | None) -> None:
        """Keep a factor: a parameter, or a buffer if training does not move it."""
        if name in self.structure.held:
            self.register_buffer(name, value)
        else:
            self.register_parameter(name, None if value is None else nn.Parameter(value))

    @property
    def factors(self) -> Factors:
        """The factors that hold W, by name; none while W is dense."""
        held = {name: getattr(self, name) for name in self.structure.axes}
        return {name: value for name, value in held.items() if value is not None}

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """Draw new weights, of the same variance in either form."""
        bound = self.cols**-0.5
        if self.weight is not None:
            self.weight.uniform_(-bound, bound, generator=generator)
        for name, values in self.factors.items():
            if self.structure.axes[name] == "pqk":
                values.uniform_(-bound, bound, generator=generator)
            elif name not in self.structure.held:
                values.fill_(1.0)

    @torch.no_grad()
    def constrain(self) -> None:
        """Replace W by its projection, held by factors from now on."""
        if self.weight is not None and not self.structure.free:
            for name, value in self.structure.project(self.weight).items():
                self._hold(name, value)
            self.weight = None

    @torch.no_grad()
    def take(self, matrix: np.ndarray, gates: int = 1) -> None:
        """Take a dense matrix, padded with zeros; its rows are those of stacked gates."""
        fill(self.weight, matrix, gates)

    def matrix(self) -> Tensor:
        """Return W as a dense (rows, cols) matrix; differentiable."""
        return self.structure.expand(self.factors) if self.weight is None else self.weight

    def forward(self, x: Tensor) -> Tensor:
        """(..., cols) -> (..., rows)."""
        if self.fft and self.weight is None:
            return self.structure.matvec(self.factors, x)
        return x @ self.matrix().t()

    def export(self) -> StructuredMatrix:
        """Return the factors as float64 arrays; projects W where it is still dense."""
        factors = self.factors
        if self.weight is not None:
            factors = self.structure.project(self.weight.detach())
        factors = self.structure.settled(factors)
        arrays = {name: as_array(value) for name, value in factors.items()}
        return StructuredMatrix(self.structure.name, arrays)


@torch.no_grad()
def fill(parameter: Tensor | None, values: np.ndarray | None, gates: int = 1) -> None:
    """Write values into a parameter, and zeros behind them.

    Args:
        parameter: (gates * rows, ...).
        values: the same axes, none of them longer.
        gates: that are stacked in the first axis, each padded on its own.
    """
    assert parameter is not None and values is not None
    given = torch.from_numpy(np.ascontiguousarray(values)).unflatten(0, (gates, -1))
    parameter.zero_()
    inner = tuple(slice(size) for size in given.shape)
    parameter.unflatten(0, (gates, -1))[inner] = given.to(parameter)


def as_array(tensor: Tensor) -> np.ndarray:
    """Return a tensor's values as a float64 numpy array."""
    return tensor.detach().cpu().double().numpy()
