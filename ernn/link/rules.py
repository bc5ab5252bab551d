"""Rules for the steps of a link: how coarse each number may be.

A rule sees numbers of training frames, one column for each vector of a basis, and a knob that
makes everything coarser. A step of infinity leaves a number out.
"""

import numpy as np

# Standard deviation to step, in the units of pixels of 8 bits: a - k1 s up to T1, b - k2 s up to
# T2, c - k3 s above, at least Qmin. Source: Liu et al., DeepN-JPEG, arXiv 1803.05787, whose map
# "Machine Vision Guided 3D Medical Image Compression", arXiv 1904.08487, takes over.
_A, _B, _C, _T1, _T2, _K1, _K2, _K3, _QMIN = 255.0, 80.0, 240.0, 20.0, 60.0, 9.75, 1.0, 3.0, 5.0
_PIXELS = 128.0  # the largest feature of training frames in these units; our choice

_STEPS = 2.0 ** np.arange(-6, 2.01, 0.5)  # that `equal_slope` tries, in standard deviations
_FRAMES = 4096  # that it measures them on, at most


def uniform(numbers: np.ndarray, knob: float) -> np.ndarray:
    """Return the same step for all."""
    return np.full(numbers.shape[1], knob)


def equal_snr(numbers: np.ndarray, knob: float) -> np.ndarray:
    """Return steps in proportion to the standard deviations."""
    return knob * np.maximum(numbers.std(0), 1e-9)


def published(numbers: np.ndarray, knob: float, largest: float) -> np.ndarray:
    """Return steps by the map of DeepN-JPEG: fine ones where numbers vary much.

    Args:
        numbers: (N, K).
        knob: what all steps are multiplied by, as a quality of JPEG.
        largest: feature of the training frames, by magnitude.
    """
    unit = _PIXELS / largest
    s = numbers.std(0) * unit
    steps = np.where(s <= _T1, _A - _K1 * s, np.where(s <= _T2, _B - _K2 * s, _C - _K3 * s))
    return knob * np.maximum(steps, _QMIN) / unit


def equal_slope(numbers: np.ndarray, knob: float, weights: np.ndarray) -> np.ndarray:
    """Return steps at which one bit more saves the same everywhere.

    For each number the step that minimises weight * squared error + knob * bits, both measured
    on the training frames; bits are the entropy. To leave it out costs no bits.

    Args:
        numbers: (N, K).
        knob: what a bit has to save.
        weights: (K,) of squared errors: sensitivities.
    """
    steps = np.full(numbers.shape[1], np.inf)
    some = numbers[:: -(-len(numbers) // _FRAMES)]
    for index, column in enumerate(some.T):
        spread = column.std()
        if spread <= 0:
            continue
        least = weights[index] * spread**2
        for step in _STEPS * spread:
            indices = np.floor(column / step + 0.5)
            error = ((column - step * indices) ** 2).mean()
            cost = weights[index] * error + knob * _entropy(indices)
            if cost < least:
                least, steps[index] = cost, step
    return steps


def _entropy(indices: np.ndarray) -> float:
    """Return bits per number."""
    counts = np.bincount((indices - indices.min()).astype(np.int64))
    shares = counts[counts > 0] / len(indices)
    return float(-(shares * np.log2(shares)).sum())
