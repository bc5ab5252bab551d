"""Count the cells of a hierarchical netlist by group and module.

Every instance is visited: a cell counts for the instance that contains it, so that groups, module
types and the total are sums of the same cells.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ernn.errors import ToolError
from ernn.hw.cost import Resources
from ernn.hw.groups import group_of
from ernn.run.netlist import is_instance, plain_name

# What the cells of most libraries take
LUT, FF, DSP, BLOCK18 = Resources(lut=1), Resources(ff=1), Resources(dsp=1), Resources(bram36=0.5)
FREE = Resources()  # lies beside the LUTs, or is absorbed by what it drives


@dataclass(frozen=True)
class Count:
    """What a netlist takes."""

    total: Resources
    groups: dict[str, Resources]  # by ernn.hw.groups
    modules: dict[str, tuple[int, Resources]]  # instances, and their own cells in all


def count(modules: dict[str, Any], top: str, cells: Mapping[str, Resources]) -> Count:
    """Count what a design takes.

    Args:
        modules: of a netlist.
        top: its top module.
        cells: what each cell of the library takes: `Backend.cells`.

    Raises:
        ToolError: the netlist holds a cell that is in no table: it was not mapped.
    """
    parts: dict[str, _Own] = {}
    groups: dict[str, Resources] = {}
    found: dict[str, tuple[int, Resources]] = {}
    waiting = [("", top)]
    while waiting:
        path, name = waiting.pop()
        if name not in parts:
            parts[name] = _own(modules, name, cells)
        group, kind, used = group_of(path), plain_name(name), parts[name].used
        groups[group] = groups.get(group, Resources()) + used
        instances, sofar = found.get(kind, (0, Resources()))
        found[kind] = instances + 1, sofar + used
        waiting += [
            (f"{path}.{cell}" if path else cell, one) for cell, one in parts[name].instances
        ]
    total = sum(groups.values(), Resources())
    return Count(total, dict(sorted(groups.items())), dict(sorted(found.items())))


@dataclass(frozen=True)
class _Own:
    """A module's own cells, and the instances of other modules in it."""

    used: Resources
    instances: list[tuple[str, str]]  # name, module


def _own(modules: dict[str, Any], name: str, cells: Mapping[str, Resources]) -> _Own:
    kinds: Counter[str] = Counter()
    instances = []
    for cell, one in modules[name].get("cells", {}).items():
        kind = one["type"]
        if kind in cells or kind.startswith("$scopeinfo"):
            kinds[kind] += 1
        elif is_instance(modules, kind):
            instances.append((cell, kind))
        else:
            raise ToolError(
                f"the netlist of {plain_name(name)} holds {kind}",
                given="no cell that ernn counts",
                remedy="use the Yosys version that `ernn doctor` names",
            )
    used = sum((cells[kind] * n for kind, n in kinds.items() if kind in cells), Resources())
    return _Own(used, instances)
