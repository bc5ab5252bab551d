"""Sigmoid and tanh as straight lines over |x|: chosen here, evaluated here, built by ernn.hdl."""

from dataclasses import dataclass

import numpy as np

from ernn.fixed import QFormat, round_shift


@dataclass(frozen=True)
class Piecewise:
    """A function of ROW values in GATE values, a line per grid cell of |x|.

    y = intercept + round(slope * |x|) with the entries at index min(|x| >> index_shift, last);
    the last entry is the constant beyond the limit. Negative x: tanh -y, sigmoid 1 - y. No input
    leaves [0, gate.max_raw] before the symmetry is applied, so nothing saturates.
    """

    name: str  # "sigmoid" or "tanh"
    row: QFormat
    gate: QFormat
    index_shift: int  # |x| bits within a grid cell
    slope_frac_bits: int  # at most 16, so that a signed slope has at most 18 bits
    slopes: np.ndarray  # (cells + 1,) int64
    intercepts: np.ndarray  # (cells + 1,) int64, raw in GATE
    max_error: float  # largest |y - f(x)| over every representable x

    @property
    def product_shift(self) -> int:
        """Bits that slope * |x| is rounded right by; never negative."""
        return self.slope_frac_bits + self.row.frac_bits - self.gate.frac_bits

    @property
    def segments(self) -> int:
        """Different lines, the constant beyond the limit included."""
        changes = (np.diff(self.slopes) != 0) | (np.diff(self.intercepts) != 0)
        return 1 + int(changes.sum())

    def run(self, raw: np.ndarray) -> np.ndarray:
        """Return raw GATE values of raw ROW values, any shape."""
        size = np.abs(raw)
        index = np.minimum(size >> self.index_shift, len(self.slopes) - 1)
        y = self.intercepts[index] + round_shift(self.slopes[index] * size, self.product_shift)
        one = 0 if self.name == "tanh" else 1 << self.gate.frac_bits
        return np.where(raw < 0, one - y, y)
