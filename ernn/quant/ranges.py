"""Choose formats: of constants from their values, of signals from what calibration saw."""

import numpy as np

from ernn.fixed import QFormat

_LOWEST, _HIGHEST = -20, 40  # exponents that are told apart
TOLERATED = 1e-4  # fraction of a signal's values that may saturate in calibration


def constant_format(values: np.ndarray, width: int) -> QFormat:
    """Return the format of ``width`` bits with the least squared error for constants.

    The finest format that holds the largest value, or a finer one where clipping a few outliers
    costs less than a coarser step for all the others; or the next coarser one, where the largest is
    a power of two and few levels have no step to lose.
    """
    finest = QFormat.for_range(float(np.abs(values).max(initial=0.0)), width)
    candidates = [QFormat(finest.int_bits - n, finest.frac_bits + n) for n in (0, 1, 2, 3, -1)]
    return min(candidates, key=lambda q: _squared_error(values, q))


def _squared_error(values: np.ndarray, target: QFormat) -> float:
    return float(np.square(target.to_float(target.quantize(values)) - values).sum())


class Ranges:
    """How large every signal of a model gets: a histogram of binary exponents per signal."""

    def __init__(self) -> None:
        self.counts: dict[str, np.ndarray] = {}

    def add(self, name: str, values: np.ndarray) -> None:
        """Count the values of a signal; zeros (padding, the first state) do not count."""
        sizes = np.abs(values[values != 0])
        exponents = np.ceil(np.log2(sizes)).clip(_LOWEST, _HIGHEST).astype(int) - _LOWEST
        count = np.bincount(exponents, minlength=_HIGHEST - _LOWEST + 1)
        self.counts[name] = self.counts.get(name, 0) + count

    def int_bits(self, *names: str) -> int:
        """Return the integer bits that hold all but `TOLERATED` of each of the signals."""
        return max((self._int_bits(name) for name in names), default=_LOWEST)

    def _int_bits(self, name: str) -> int:
        above = self.counts[name][::-1].cumsum()[::-1]  # values with this exponent or a larger one
        return _LOWEST + int((above > TOLERATED * max(above[0], 1)).sum()) - 1
