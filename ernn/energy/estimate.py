"""A stated, simple power estimate: leakage of the part plus a figure per busy block.

It knows block counts and the clock, not activity. Coefficients and where they come from are in
power.toml; the error is stated as an interval, never left out.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from ernn.datafile import read_toml
from ernn.device import Part
from ernn.errors import ErnnError

Watts = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class Interval:
    """A figure with its lower and upper bound."""

    low: Watts
    typical: Watts
    high: Watts

    @classmethod
    def exact(cls, value: float) -> "Interval":
        """Return a figure without a stated error."""
        return cls(value, value, value)

    def __add__(self, other: "Interval") -> "Interval":
        return Interval(self.low + other.low, self.typical + other.typical, self.high + other.high)

    def scaled(self, factor: float) -> "Interval":
        """Return the interval times a positive number."""
        return Interval(self.low * factor, self.typical * factor, self.high * factor)

    def under(self, value: float) -> "Interval":
        """Return ``value`` divided by the interval, for example frames/s per watt."""
        return Interval(value / self.high, value / self.typical, value / self.low)


@dataclass(frozen=True)
class PowerCoefficients:
    """The content of power.toml."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    uncertainty_factor: Annotated[float, Field(ge=1, le=10)]
    reference_node_nm: Annotated[float, Field(gt=0)]
    static_w_per_lut: Watts
    dsp_w_per_ghz: Watts
    bram36_w_per_ghz: Watts
    lut_w_per_ghz: Watts
    ff_w_per_ghz: Watts
    card_w: Interval


@dataclass(frozen=True)
class PowerEstimate:
    """Estimated power in watts: of the chip alone, and of a card like the published ones."""

    chip_w: Interval
    card_w: Interval


def load_coefficients(path: Path | None = None) -> PowerCoefficients:
    """Read the coefficients, from a user's own file if a path is given."""
    return read_toml(path or Path(__file__).with_name("power.toml"), PowerCoefficients, ErnnError)


def estimate_power(
    part: Part,
    clock_mhz: float,
    used: dict[str, int],
    coefficients: PowerCoefficients | None = None,
) -> PowerEstimate:
    """Estimate the power of a design that keeps all its blocks busy.

    Args:
        part: the FPGA.
        clock_mhz: clock.
        used: blocks in use, by name: ``"dsp"``, ``"bram36"``, ``"lut"``, ``"ff"``.
        coefficients: those of power.toml unless given.
    """
    known = coefficients or load_coefficients()
    per_ghz = sum(getattr(known, f"{name}_w_per_ghz") * count for name, count in used.items())
    dynamic_w = per_ghz * clock_mhz / 1000 * part.node_nm / known.reference_node_nm
    chip_w = known.static_w_per_lut * part.lut + dynamic_w
    factor = known.uncertainty_factor
    chip = Interval(chip_w / factor, chip_w, chip_w * factor)
    return PowerEstimate(chip, chip + known.card_w)
