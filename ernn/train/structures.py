"""Structures that a weight matrix can be held to: sets of matrices with few parameters.

Every structure is a small class with the same verbs. The trainer knows only the verbs, so another
set (pruned matrices, matrices of a few levels) is another class here and no change elsewhere.
Algorithm: docs/algorithm.md.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from ernn import circulant

Factors = dict[str, Tensor]  # what describes one matrix of a structure, by name


class Structure(ABC):
    """A set of matrices of one shape."""

    @abstractmethod
    def project(self, matrix: Tensor) -> Factors:
        """Return the factors of the nearest matrix in the set (least squares)."""

    @abstractmethod
    def expand(self, factors: Factors) -> Tensor:
        """Return the dense matrix of some factors; differentiable."""

    def matvec(self, factors: Factors, vectors: Tensor) -> Tensor:
        """Multiply vectors (..., cols) by the matrix of some factors: (..., rows)."""
        return vectors @ self.expand(factors).t()

    def nearest(self, matrix: Tensor) -> Tensor:
        """Return the matrix of the set that is nearest to a matrix."""
        return self.expand(self.project(matrix))

    def distance(self, matrix: Tensor) -> Tensor:
        """Return the Frobenius distance of a matrix from the set (scalar)."""
        return torch.linalg.norm(matrix - self.nearest(matrix))


@cache
def _places(block: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the zeros and ones (k, k * k) that put a generator's values where a block has them."""
    blocks = circulant.expand(np.eye(block)[:, None])
    return torch.from_numpy(blocks.reshape(block, -1)).to(device, dtype)


def _expand(generators: Tensor) -> Tensor:
    """Do circulant.expand by a matrix product: exact, and faster to differentiate than indexing."""
    p, q, k = generators.shape
    blocks = generators.reshape(-1, k) @ _places(k, generators.dtype, generators.device)
    return blocks.view(p, q, k, k).transpose(1, 2).reshape(p * k, q * k)


@dataclass(frozen=True)
class BlockCirculant(Structure):
    """C, made of circulant blocks: a linear subspace, so that `project` is exact."""

    block: int

    def project(self, matrix: Tensor) -> Factors:
        """(p*k, q*k) -> generators (p, q, k)."""
        return {"generators": circulant.project(matrix, self.block)}

    def expand(self, factors: Factors) -> Tensor:
        """Generators (p, q, k) -> (p*k, q*k)."""
        return _expand(factors["generators"])

    def matvec(self, factors: Factors, vectors: Tensor) -> Tensor:
        """(..., q*k) -> (..., p*k), by FFT."""
        return circulant.matvec(factors["generators"], vectors)


@dataclass(frozen=True)
class ScaledCirculant(Structure):
    """C diag(s): block-circulant, with a scale for every input.

    In the columns of one block column, wrapped diagonal d of block i is generator[i, d] * s: the
    numbers make a matrix of (p*k diagonals, k columns) of rank one. So the nearest such matrix is
    the best rank-one approximation of each block column (Eckart and Young 1936), and no alternation
    between generators and scales is needed.
    """

    block: int

    def project(self, matrix: Tensor) -> Factors:
        """(p*k, q*k) -> generators (p, q, k) and scale (q*k,), of mean square 1 in every block."""
        k = self.block
        diagonals = circulant.diagonals(matrix, k)  # (p, q, d, c)
        gram = torch.einsum("pqdc,pqde->qce", diagonals, diagonals)
        direction = torch.linalg.eigh(gram)[1][..., -1]  # (q, c), of length 1
        sign = torch.where(direction.sum(-1, keepdim=True) < 0, -1.0, 1.0).to(direction)
        scale = direction * sign * k**0.5
        generators = (diagonals * scale[:, None]).mean(-1)
        return {"generators": generators, "scale": scale.flatten()}

    def expand(self, factors: Factors) -> Tensor:
        """Generators (p, q, k) and scale (q*k,) -> (p*k, q*k)."""
        return _expand(factors["generators"]) * factors["scale"]

    def matvec(self, factors: Factors, vectors: Tensor) -> Tensor:
        """(..., q*k) -> (..., p*k), by FFT."""
        return circulant.matvec(factors["generators"], vectors * factors["scale"])
