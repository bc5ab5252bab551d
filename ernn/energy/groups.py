"""The parts of an accelerator of ours as loads of the power model: blocks and their activity."""

from collections.abc import Mapping

from ernn.energy.comparison import GroupPower
from ernn.energy.estimate import Load, PowerEstimate, estimate_loads
from ernn.energy.fit import Fit
from ernn.energy.power import DYNAMIC, component_watts
from ernn.hw.cost import Resources
from ernn.parts.part import Part
from ernn.run.activity import Activity, Group, Rate


def loads_of(groups: Mapping[str, Resources], activity: Activity | None) -> dict[str, Load]:
    """Return the load of each group; what was not measured keeps the defaults of power.toml.

    Args:
        groups: blocks by group (ernn.hw.groups).
        activity: of a simulation, if there was one that counted.
    """
    measured = activity.groups if activity else {}
    return {name: _load(used, measured.get(name)) for name, used in groups.items()}


def _load(used: Resources, group: Group | None) -> Load:
    blocks = (used.dsp, used.bram36, used.lut, used.ff)
    if group is None:
        return Load(*blocks)
    memories = group.memories
    return Load(
        *blocks,
        toggles=_rate(group.registers),
        dsp_toggles=_rate(group.operands, group.results),
        accesses=memories.reads_per_cycle + memories.writes_per_cycle if memories.count else None,
    )


def _rate(*kinds: Rate) -> float | None:
    """Return the rate of all bits together; None where no bit was traced."""
    bits = sum(kind.bits for kind in kinds)
    return sum(kind.bits * kind.toggles_per_bit_cycle for kind in kinds) / bits if bits else None


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
                *(load.toggles, load.dsp_toggles, load.accesses, typical),
            )
        )
    return total, tuple(sorted(found, key=lambda group: -group.watts))
