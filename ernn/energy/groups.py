"""The parts of an accelerator of ours as loads of the power model: blocks and their activity."""

from collections.abc import Mapping

from ernn.device import Part
from ernn.energy.comparison import GroupPower
from ernn.energy.estimate import Load, PowerEstimate, estimate_loads
from ernn.energy.fit import Fit
from ernn.energy.power import DYNAMIC, component_watts
from ernn.hw.cost import Resources

TOTAL = "all"  # the one group of a design whose blocks are not told by group


def loads_of(
    groups: Mapping[str, Resources], toggles: Mapping[str, float], accesses: Mapping[str, float]
) -> dict[str, Load]:
    """Return the load of each group.

    Args:
        groups: blocks by group (ernn.hw.groups).
        toggles: measured toggles per bit and cycle, of the groups that were measured.
        accesses: measured accesses per memory block and cycle, likewise.
    """
    return {
        name: Load(
            *(used.dsp, used.bram36, used.lut, used.ff), toggles.get(name), accesses.get(name)
        )
        for name, used in groups.items()
    }


def estimate_groups(
    part: Part, clock_mhz: float, loads: Mapping[str, Load], fit: Fit
) -> tuple[PowerEstimate, tuple[GroupPower, ...]]:
    """Return the power of a design, and what each of its groups takes, most first."""
    total = estimate_loads(part, clock_mhz, loads.values(), fit)
    found = []
    for name, load in loads.items():
        watts = component_watts(fit.data, part, clock_mhz, [load])
        typical = sum(fit.value(component)[0] * watts[component] for component in DYNAMIC)
        found.append(
            GroupPower(
                *(name, load.dsp, load.bram36, load.lut, load.ff),
                *(load.toggles, load.accesses, typical),
            )
        )
    return total, tuple(sorted(found, key=lambda group: -group.watts))
