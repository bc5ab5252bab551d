"""A weight matrix that is first dense and later held by the generators of its structure."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ernn.compressed import CirculantMatrix
from ernn.train.admm import BlockCirculant


class StructuredLinear(nn.Module):
    """x -> W diag(s) x, without bias.

    W is a dense parameter, `weight`, until `constrain` replaces it by `generators`: from then on
    it cannot leave its structure. A block size of 1 stays dense. The optional scale s (one
    factor per input, 1 at first) is an ordinary parameter throughout: ADMM pulls W alone, so the
    product ends as C diag(s) with C block-circulant.
    """

    weight: nn.Parameter | None
    generators: nn.Parameter | None
    scale: nn.Parameter | None

    def __init__(self, rows: int, cols: int, block: int, scaled: bool) -> None:
        super().__init__()
        self.cols = cols
        self.structure = BlockCirculant(block)
        self.fft = False  # multiply by FFT where W is held by generators; see `bind`
        self.weight = nn.Parameter(torch.empty(rows, cols))
        self.register_parameter("generators", None)
        self.scale = nn.Parameter(torch.empty(cols)) if scaled and block > 1 else None

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
        """Replace W by its projection, held by generators from now on."""
        if self.weight is not None and self.structure.block > 1:
            self.generators = nn.Parameter(self.structure.project(self.weight))
            self.weight = None

    def matrix(self) -> Tensor:
        """Return W diag(s) as a dense (rows, cols) matrix; differentiable."""
        if self.generators is None:
            assert self.weight is not None
            dense: Tensor = self.weight
        else:
            dense = self.structure.expand(self.generators)
        return dense if self.scale is None else dense * self.scale

    def bind(self) -> Callable[[Tensor], Tensor]:
        """Return the product, with everything that does not depend on x done once.

        Expanding to a dense matrix once per batch suits small layers; by FFT is what the hardware
        does, and suits large ones.
        """
        if self.fft and self.generators is not None:
            generators, scale = self.generators, self.scale
            return lambda x: self.structure.matvec(generators, x if scale is None else x * scale)
        transposed = self.matrix().t()
        return lambda x: x @ transposed

    def forward(self, x: Tensor) -> Tensor:
        """(..., cols) -> (..., rows)."""
        return self.bind()(x)

    def export(self) -> CirculantMatrix:
        """Return generators and scale as float64 arrays; projects W where it is still dense."""
        scale = None if self.scale is None else as_array(self.scale)
        if self.generators is not None:
            return CirculantMatrix(as_array(self.generators), scale)
        assert self.weight is not None
        return CirculantMatrix(as_array(self.structure.project(self.weight)), scale)


def as_array(tensor: Tensor) -> np.ndarray:
    """Return a tensor's values as a float64 numpy array."""
    return tensor.detach().cpu().double().numpy()
