"""A weight matrix that is first dense and later held by the factors of its structure."""

import numpy as np
import torch
from torch import Tensor, nn

from ernn.compressed import CirculantMatrix
from ernn.train.structures import BlockCirculant, Factors, ScaledCirculant, Structure


class StructuredLinear(nn.Module):
    """x -> W x, without bias.

    W is a dense parameter, `weight`, until `constrain` replaces it by the factors of its
    structure: `generators` and, where there is one, the input `scale`. From then on it cannot
    leave its structure. A block size of 1 stays dense.
    """

    weight: nn.Parameter | None
    generators: nn.Parameter | None
    scale: nn.Parameter | None

    def __init__(self, rows: int, cols: int, block: int, scaled: bool) -> None:
        super().__init__()
        self.rows, self.cols, self.block = rows, cols, block
        self.structure: Structure = (ScaledCirculant if scaled else BlockCirculant)(block)
        self.fft = False  # multiply in the transformed domain where it need not be faster
        self.weight = nn.Parameter(torch.empty(rows, cols))
        self.register_parameter("generators", None)
        self.register_parameter("scale", None)

    @property
    def factors(self) -> Factors:
        """The factors that hold W, by name; none while W is dense."""
        held = {"generators": self.generators, "scale": self.scale}
        return {name: value for name, value in held.items() if value is not None}

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """Draw new weights, of the same variance in either form."""
        bound = self.cols**-0.5
        for values in (self.weight, self.generators):
            if values is not None:
                values.uniform_(-bound, bound, generator=generator)
        if self.scale is not None:
            self.scale.fill_(1.0)

    @torch.no_grad()
    def constrain(self) -> None:
        """Replace W by its projection, held by factors from now on."""
        if self.weight is not None and self.block > 1:
            for name, value in self.structure.project(self.weight).items():
                setattr(self, name, nn.Parameter(value))
            self.weight = None

    def matrix(self) -> Tensor:
        """Return W as a dense (rows, cols) matrix; differentiable."""
        return self.structure.expand(self.factors) if self.weight is None else self.weight

    def forward(self, x: Tensor) -> Tensor:
        """(..., cols) -> (..., rows)."""
        if self.fft and self.weight is None:
            return self.structure.matvec(self.factors, x)
        return x @ self.matrix().t()

    def export(self) -> CirculantMatrix:
        """Return generators and scale as float64 arrays; projects W where it is still dense."""
        factors = self.factors
        if self.weight is not None and self.block > 1:
            factors = self.structure.project(self.weight.detach())
        elif self.weight is not None:
            factors = {"generators": self.weight.unsqueeze(-1)}
        return CirculantMatrix(**{name: as_array(value) for name, value in factors.items()})


def as_array(tensor: Tensor) -> np.ndarray:
    """Return a tensor's values as a float64 numpy array."""
    return tensor.detach().cpu().double().numpy()
