"""Products with a weight matrix, as the recurrences need them: few vectors at a time, many times.

A matrix of block size k multiplies vectors *in bins*: (k, ..., n) holds element j of block i at
[j, ..., i], so that one matrix product transforms all blocks, and element-wise functions need not
know the order. With A, B, C of `ernn.circulant.bilinear`,

    y = C ((A (s . x)) (B generators)^T)

whose middle is m = 3 k / 2 - 1 ordinary products of (vectors, q) by (q, p): k * k / m times fewer
multiplications than the dense matrix takes. A dense matrix multiplies *plain* vectors, (..., n),
those of block size 1.
"""

from functools import cache

import torch
from torch import Tensor

from ernn import circulant
from ernn.train.linear import StructuredLinear


@cache
def _transforms(block: int, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    """Return A, B, C of `ernn.circulant.bilinear` as tensors."""
    return [torch.from_numpy(m).to(device, dtype) for m in circulant.bilinear(block)]


def to_bins(x: Tensor, block: int) -> Tensor:
    """(..., n * k) -> (k, ..., n); a block size of 1 leaves x plain."""
    return x if block == 1 else x.unflatten(-1, (-1, block)).movedim(-1, 0)


def from_bins(x: Tensor, block: int) -> Tensor:
    """(k, ..., n) -> (..., n * k); the inverse of `to_bins`."""
    return x if block == 1 else x.movedim(0, -1).flatten(-2)


def rebin(x: Tensor, block: int, wanted: int) -> Tensor:
    """Bring vectors from the bins of one block size to those of another."""
    return x if block == wanted else to_bins(from_bins(x, block), wanted).contiguous()


def block_of(vectors: Tensor) -> int:
    """Return the block size in whose bins vectors (k, N, n) or plain ones (N, n) are."""
    return 1 if vectors.dim() == 2 else len(vectors)


class Product:
    """The product with one matrix and its adjoint, on vectors in any bins."""

    def __init__(self, weights: Tensor, scale: Tensor | None, block: int) -> None:
        """Take a matrix as `bind` gives it.

        Args:
            weights: (m, p, q), B times the generators; (rows, cols) of a dense matrix.
            scale: (k, 1, q), the input scale in bins, or None.
            block: k.
        """
        self.weights, self.scale, self.block = weights, scale, block
        self.spread, _, self.gather = _transforms(block, weights.dtype, weights.device)
        self.scaled: list[Tensor] = []  # gradients of the scaled inputs, one entry per `adjoint`

    def __call__(self, x: Tensor) -> Tensor:
        """Return W (s . x) in the bins of x; differentiable."""
        block = block_of(x)
        x = rebin(x, block, self.block)
        x = x if self.scale is None else x * self.scale
        return rebin(self._through(self.spread, x, self.weights.mT, self.gather), self.block, block)

    def outputs(self, block: int) -> int:
        """Return the size of the product's vectors in bins of this block size."""
        return self.weights.shape[-2] * self.block // block

    def add(self, base: Tensor, x: Tensor, out: Tensor) -> None:
        """Write base + W (s . x) to `out`, all in the same bins."""
        if self.block == block_of(x) == 1:
            torch.addmm(base, x, self.weights.t(), out=out)
        else:
            torch.add(base, self(x), out=out)

    def adjoint(self, dy: Tensor) -> Tensor:
        """Return s . (W^T dy) in the bins of dy."""
        block = block_of(dy)
        dy = rebin(dy, block, self.block)
        dx = self._through(self.gather.t(), dy, self.weights, self.spread.t())
        if self.scale is not None:
            self.scaled.append(dx)
            dx = dx * self.scale
        return rebin(dx, self.block, block)

    def add_adjoint(self, dx: Tensor, dy: Tensor) -> None:
        """Add s . (W^T dy) to `dx`, both in the same bins."""
        if self.block == block_of(dy) == 1:
            dx.addmm_(dy, self.weights)
        else:
            dx.add_(self.adjoint(dy))

    def gradients(self, x: Tensor, dy: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the gradients of weights and scale over a whole sequence.

        Args:
            x: (k, T, B, q) or (T, B, q), what was multiplied.
            dy: (k, T, B, p) or (T, B, p), gradient of the products, for each of which, last step
                first, `adjoint` has been called.
        """
        x, dy = x.flatten(-3, -2), dy.flatten(-3, -2)
        x, dy = rebin(x, block_of(x), self.block), rebin(dy, block_of(dy), self.block)
        scale = None
        if self.scale is not None:
            scale = (torch.cat(self.scaled[::-1], 1) * x).sum(1, keepdim=True)
            x = x * self.scale
        x, dy = self._mix(self.spread, x), self._mix(self.gather.t(), dy)
        return torch.matmul(dy.mT, x), scale

    def _mix(self, transform: Tensor, x: Tensor) -> Tensor:
        """Multiply the bins by a matrix: (k, N, n) -> (m, N, n)."""
        if self.block == 1:
            return x
        return torch.mm(transform, x.reshape(len(x), -1)).view(-1, *x.shape[1:])

    def _through(self, first: Tensor, x: Tensor, weights: Tensor, last: Tensor) -> Tensor:
        """(k, N, n) -> (k, N, n'): the transform in, one product per bin, the transform out."""
        if self.block == 1:
            return torch.mm(x, weights)
        return self._mix(last, torch.bmm(self._mix(first, x), weights))


def bind(matrix: StructuredLinear, transformed: bool) -> Product:
    """Return the product with a matrix; differentiable.

    Args:
        matrix: dense or held by generators.
        transformed: whether a matrix held by generators is to be multiplied in the transformed
            domain, instead of being expanded.
    """
    if matrix.weight is not None or matrix.block == 1 or not (matrix.fft or transformed):
        return Product(matrix.matrix(), None, 1)
    structure, factors = matrix.structure, matrix.factors
    generators, scale = structure.generators(factors), structure.scale(factors)
    p, q, block = generators.shape
    change = _transforms(block, generators.dtype, generators.device)[1]
    weights = (change @ generators.permute(2, 0, 1).flatten(1)).view(-1, p, q)
    return Product(weights, None if scale is None else to_bins(scale.unsqueeze(0), block), block)


def transforming_pays(entries: int, device: torch.device) -> bool:
    """Tell whether products with matrices of so many entries are faster transformed than expanded.

    As `benchmarks/training_speed.py --forms` found for batches of 32 on a CPU, whatever the block
    size: in small products the transforms cost more than they save. On a GPU a step's time is that
    of starting its operations, and the expanded matrix needs the fewest.
    """
    return device.type == "cpu" and entries >= 1 << 18
