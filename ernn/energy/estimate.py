"""The power of a design of ours, as an interval: of the chip alone, and of a board.

What a vendor's tool would say (ernn.energy.power), corrected by the published boards
(ernn.energy.fit). The one home of that rule for planner, report and comparison.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from ernn.energy.fit import Fit, fit_power
from ernn.energy.interval import Interval
from ernn.energy.power import COMPONENTS, Load, component_watts, load_power
from ernn.energy.published import load_published
from ernn.parts.part import Part

__all__ = ["Interval", "Load", "PowerEstimate", "default_fit", "estimate_loads", "estimate_power"]


@dataclass(frozen=True)
class PowerEstimate:
    """Estimated power in watts: of the chip alone, and of a card like the published ones."""

    chip_w: Interval
    card_w: Interval
    components: dict[str, float]  # typical watts of the chip; they add up to its typical power


@cache
def default_fit() -> Fit:
    """Return the fit to the figures that ship with ernn."""
    return fit_power(load_power(), load_published())


def estimate_power(part: Part, clock_mhz: float, used: Mapping[str, float]) -> PowerEstimate:
    """Estimate the power of a design whose activity is not known: power.toml's defaults.

    Args:
        part: the FPGA.
        clock_mhz: clock.
        used: blocks in use, by name: ``"dsp"``, ``"bram36"``, ``"lut"``, ``"ff"``.
    """
    return estimate_loads(part, clock_mhz, [Load(**used)])


def estimate_loads(
    part: Part, clock_mhz: float, loads: Iterable[Load], fit: Fit | None = None
) -> PowerEstimate:
    """Estimate the power of a design by its parts, each with its blocks and activity.

    Args:
        part: the FPGA.
        clock_mhz: clock.
        loads: the parts of the design.
        fit: a fit to other figures than those that ship.
    """
    found = fit or default_fit()
    watts = component_watts(found.data, part, clock_mhz, loads)
    spread = found.node_spread(part.node_nm)
    chip, card = (found.predict(watts, board, spread) for board in (False, True))
    deviations = found.data.interval.deviations
    return PowerEstimate(
        Interval.around(*chip, deviations),
        Interval.around(*card, deviations),
        {name: found.value(name)[0] * watts[name] for name in COMPONENTS},
    )
