"""Bases of a group of frames: (G * F, G * F), a vector in each column, and their inverses.

The numbers of features x are ``inverse @ x``, and x is ``basis @ numbers``.
"""

from dataclasses import dataclass

import numpy as np
from scipy.fft import dct

_FLOOR = 1e-3  # of sensitivity, in shares of the mean one: what nobody asks for is not lost whole


@dataclass(frozen=True)
class Basis:
    """Vectors and their inverse."""

    vectors: np.ndarray  # (S, S), in columns
    inverse: np.ndarray  # (S, S)


def cosines(sizes: tuple[int, ...], group: int) -> Basis:
    """Return cosines over each run of features (bands) and over the frames of a group; orthonormal.

    Args:
        sizes: of the runs, F in all.
        group: frames.
    """
    features = sum(sizes)
    bands = np.zeros((features, features))
    first = 0
    for size in sizes:
        bands[first : first + size, first : first + size] = _cosines(size)
        first += size
    forward = np.kron(_cosines(group), bands)
    return Basis(forward.T, forward)


def _cosines(size: int) -> np.ndarray:
    """Return the DCT-II as a matrix."""
    return dct(np.eye(size), norm="ortho", axis=0)


def principal(groups: np.ndarray) -> Basis:
    """Return the Karhunen-Loeve basis of training groups (N, S); orthonormal."""
    _, vectors = np.linalg.eigh(np.cov(groups.T))
    return Basis(vectors[:, ::-1], vectors[:, ::-1].T)


def guided(groups: np.ndarray, sensitivity: np.ndarray) -> Basis:
    """Return the basis in which numbers neither hang together nor differ in what they cost.

    It is the Karhunen-Loeve basis of features multiplied by a root of the sensitivity: a squared
    error of 1 in any number costs the same, and the numbers are uncorrelated. At fine steps no
    linear transform needs fewer bits for a loss.

    Args:
        groups: (N, S) of training frames.
        sensitivity: (S, S), mean of g g'.
    """
    size = len(sensitivity)
    floor = _FLOOR * np.trace(sensitivity) / size
    values, vectors = np.linalg.eigh(sensitivity + floor * np.eye(size))
    root = (vectors * np.sqrt(values)) @ vectors.T
    back = (vectors / np.sqrt(values)) @ vectors.T
    weighted = principal(groups @ root)
    return Basis(back @ weighted.vectors, weighted.inverse @ root)
