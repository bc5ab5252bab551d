"""Fixed-point formats and the only rounding code in Python.

`QFormat.requantize` in Verilog is hw_templates/lib/ernn_requant.v.
"""

import re
from dataclasses import dataclass

import numpy as np

from ernn.errors import ShapeError

_TEXT = re.compile(r"Q(-?\d+)\.(-?\d+)")


@dataclass(frozen=True)
class QFormat:
    """Signed two's complement Qm.n: one sign bit, m integer bits, n fraction bits.

    Width is 1 + m + n; value = raw * 2**-n; m or n may be negative.
    """

    int_bits: int
    frac_bits: int

    def __post_init__(self) -> None:
        if self.width < 2:
            raise ShapeError(f"{self} has {self.width} bits", allowed="at least 2")

    @classmethod
    def parse(cls, text: str) -> "QFormat":
        """Read ``"Q3.8"``."""
        match = _TEXT.fullmatch(text)
        if not match:
            raise ShapeError(f"{text!r} is not a fixed-point format", remedy="write it like 'Q3.8'")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def for_range(cls, largest: float, width: int) -> "QFormat":
        """Return the finest format of ``width`` bits that holds +-``largest`` (> 0).

        A power of two counts as held when only its own rounding step is missing.
        """
        int_bits = int(np.ceil(np.log2(largest))) if largest > 0 else 0
        return cls(int_bits, width - 1 - int_bits)

    @property
    def width(self) -> int:
        """Bits, sign included."""
        return 1 + self.int_bits + self.frac_bits

    @property
    def min_raw(self) -> int:
        """Smallest raw integer."""
        return -(1 << (self.width - 1))

    @property
    def max_raw(self) -> int:
        """Largest raw integer."""
        return (1 << (self.width - 1)) - 1

    @property
    def step(self) -> float:
        """Value of one raw unit."""
        return 2.0**-self.frac_bits

    def __str__(self) -> str:
        return f"Q{self.int_bits}.{self.frac_bits}"

    def quantize(self, values: np.ndarray) -> np.ndarray:
        """Round floats half up to this format and saturate; same shape, int64."""
        scaled = np.floor(np.asarray(values, dtype=np.float64) / self.step + 0.5)
        return np.clip(scaled, self.min_raw, self.max_raw).astype(np.int64)

    def to_float(self, raw: np.ndarray) -> np.ndarray:
        """Return the values (float64) of raw integers in this format."""
        return np.asarray(raw, dtype=np.float64) * self.step

    def requantize(
        self, raw: np.ndarray, source_frac_bits: int, add: np.ndarray | int = 0
    ) -> np.ndarray:
        """Move integers with ``source_frac_bits`` to this format: round half up, add, saturate.

        Args:
            raw: int64, any shape, value = raw * 2**-source_frac_bits.
            source_frac_bits: position of the binary point in ``raw``.
            add: integers in this format, added behind the rounding and before the saturation.

        Returns:
            int64 of the same shape, every value in [min_raw, max_raw].
        """
        return self.saturate(round_shift(raw, source_frac_bits - self.frac_bits) + add)

    def saturate(self, raw: np.ndarray) -> np.ndarray:
        """Clip raw integers that already have this format's binary point."""
        return np.clip(raw, self.min_raw, self.max_raw)


def round_shift(raw: np.ndarray, shift: int) -> np.ndarray:
    """Return floor(raw / 2**shift + 1/2) for integers; a negative shift is exact."""
    raw = np.asarray(raw, dtype=np.int64)
    if shift <= 0:
        return raw << -shift
    return (raw + (1 << (shift - 1))) >> shift  # floor(x + 1/2): one adder in hardware
