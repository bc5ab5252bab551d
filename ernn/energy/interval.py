"""A figure with its error: what estimates give instead of a point."""

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

# What is found in the world: no size at which arithmetic fails.
Figure = Annotated[float, Field(ge=1e-6, le=1e12)]
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

    @classmethod
    def around(cls, mean: float, deviation: float, deviations: float) -> "Interval":
        """Return the interval of a positive figure: as many deviations to either side, as factors.

        A factor keeps the lower end positive, and gives the upper end the longer tail.
        """
        factor = math.exp(deviations * deviation / mean)
        return cls(mean / factor, mean, mean * factor)

    def __add__(self, other: "Interval") -> "Interval":
        return Interval(self.low + other.low, self.typical + other.typical, self.high + other.high)

    def scaled(self, factor: float) -> "Interval":
        """Return the interval times a positive number."""
        return Interval(self.low * factor, self.typical * factor, self.high * factor)

    def against(self, value: float) -> str:
        """Return where the whole interval lies: "above" or "below" a value, or "around" it."""
        return "below" if self.high < value else "above" if self.low > value else "around"

    def under(self, value: float) -> "Interval":
        """Return ``value`` divided by the interval, for example frames/s per watt."""
        return Interval(value / self.high, value / self.typical, value / self.low)
