"""Block-circulant matrices: project, expand, multiply, measure. Same code for numpy and torch.

A (p*k, q*k) matrix is a p x q grid of k x k circulant blocks. A block is described by its
generator, its first column: entry [i, j] = generator[(i - j) mod k], so that a block times a
vector is a circular convolution. k = 1 is an ordinary dense matrix.
"""

import math
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ernn.bilinear import spectral
from ernn.errors import ShapeError


def library(array) -> Any:
    """Return the library that ``array`` is of, numpy or torch, without importing torch."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(array, torch.Tensor) else np


def diagonals(matrix, block: int):
    """Return the wrapped diagonals of every block, one row each: what `project` averages.

    Args:
        matrix: (p*k, q*k) numpy array or torch tensor.
        block: k, the block size.

    Returns:
        (p, q, k, k): [i, j, d, c] is where diagonal d of block (i, j) crosses its column c.

    Raises:
        ShapeError: the matrix does not divide into blocks of this size.
    """
    rows, cols = matrix.shape
    if rows % block or cols % block:
        raise ShapeError(
            f"a {rows}x{cols} matrix does not divide into blocks",
            given=f"blocks of {block}",
            allowed=f"divisors of {math.gcd(rows, cols)}",
            remedy="choose another block size, or pad the matrix",
        )
    blocks = matrix.reshape(rows // block, block, cols // block, block).swapaxes(1, 2)
    col = np.arange(block)
    return blocks[..., (col[:, None] + col) % block, col]


def project(matrix, block: int):
    """Return the nearest block-circulant matrix (least squares) as its generators.

    Args:
        matrix: (p*k, q*k) numpy array or torch tensor.
        block: k, the block size.

    Returns:
        (p, q, k): [i, j] is the mean of each wrapped diagonal of block (i, j). Exact, because
        the block-circulant matrices are a linear subspace.

    Raises:
        ShapeError: the matrix does not divide into blocks of this size.
    """
    return diagonals(matrix, block).mean(-1)


def expand(generators):
    """Return the dense matrix of block-circulant generators: (p, q, k) -> (p*k, q*k)."""
    p, q, k = generators.shape
    if library(generators) is np:
        index = (np.arange(k)[:, None] - np.arange(k)) % k
        return generators[..., index].swapaxes(1, 2).reshape(p * k, q * k)
    # A matrix product: as exact, and faster to differentiate than indexing.
    blocks = generators.reshape(-1, k) @ _tensor(_places, k, generators.dtype, generators.device)
    return blocks.view(p, q, k, k).transpose(1, 2).reshape(p * k, q * k)


def packed(generators):
    """Return the packed spectra (`ernn.graphs.fourier`) of generators (..., k)."""
    k = generators.shape[-1]
    if library(generators) is not np:
        return generators @ _tensor(_spectra_of_units, k, generators.dtype, generators.device)
    spectra = np.fft.rfft(generators)
    result = np.empty(generators.shape)
    result[..., 0] = spectra[..., 0].real
    if k > 1:
        result[..., 1] = spectra[..., k // 2].real
        result[..., 2::2] = spectra[..., 1 : k // 2].real
        result[..., 3::2] = spectra[..., 1 : k // 2].imag
    return result


def _places(k: int) -> np.ndarray:
    """Return the zeros and ones (k, k * k) that put a generator's values where a block has them."""
    return expand(np.eye(k)[:, None]).reshape(k, -1)


def _spectra_of_units(k: int) -> np.ndarray:
    """Return the packed spectrum (k, k) of every generator with a single 1."""
    return packed(np.eye(k))


@cache
def _tensor(make: Callable[[int], np.ndarray], k: int, dtype, device):
    """Return a constant of a block size as a tensor; made once."""
    return sys.modules["torch"].from_numpy(make(k)).to(device, dtype)


def matvec(generators, vectors):
    """Multiply by FFT: one FFT per input block, sum of spectra, one inverse FFT per output block.

    Args:
        generators: (p, q, k).
        vectors: (..., q*k).

    Returns:
        (..., p*k), equal to ``vectors @ expand(generators).T`` but for float rounding.
    """
    p, q, k = generators.shape
    fft = library(vectors).fft
    weights = fft.rfft(generators)  # (p, q, f)
    inputs = fft.rfft(vectors.reshape(*vectors.shape[:-1], q, k))  # (..., q, f)
    # Bins as batch: (f, p, q) @ (f, q, n) -> (f, p, n), one matrix product per bin.
    columns = inputs.reshape(-1, q, k // 2 + 1).swapaxes(0, 2)
    outputs = weights.swapaxes(1, 2).swapaxes(0, 1) @ columns
    return fft.irfft(outputs.swapaxes(0, 2), n=k).reshape(*vectors.shape[:-1], p * k)


def distance(matrix, block: int):
    """Return the Frobenius distance of a matrix from its block-circulant projection."""
    return ((matrix - expand(project(matrix, block))) ** 2).sum() ** 0.5


@cache
def bilinear(block: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return matrices A, B, C such that a circulant block g times x is ``C @ ((A @ x) * (B @ g))``.

    The form of `ernn.bilinear.spectral` between the transforms. Its products are sorted by what
    they multiply, so that training adds them up in one order.

    Args:
        block: k, a power of two.

    Returns:
        A and B (m, k), C (k, m): plain matrices, so that whole arrays of blocks are transformed by
        one matrix product.
    """
    form, transform = spectral(block), packed_transform(block)
    real = min(block, 2)
    order = [
        *range(real),
        *(i for first in range(3) for i in range(real + first, form.products, 3)),
    ]
    inverse = transform * np.repeat([1, 2], [real, block - real])[:, None] / block
    gather = np.ascontiguousarray((form.sums.T @ inverse)[order].T)
    return (form.operands @ transform)[order], (form.words @ transform)[order], gather


@cache
def packed_transform(block: int) -> np.ndarray:
    """Return the matrix (k, k) that transforms a block into its packed spectrum."""
    n = np.arange(block)
    found = np.ones((block, block))
    found[1:2] = (-1.0) ** n  # bins 0 and k/2 are real
    angle = 2 * np.pi / block * np.outer(np.arange(1, block // 2), n)
    found[2::2], found[3::2] = np.cos(angle), -np.sin(angle)
    return found
