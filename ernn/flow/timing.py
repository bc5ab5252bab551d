"""The clock of a synthesized project by static timing analysis, before anything is placed."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from ernn.backends.yosys_commands import TOP
from ernn.energy.interval import Interval
from ernn.hw.groups import group_of
from ernn.timing.analysis import Analysis
from ernn.timing.graph import flatten
from ernn.timing.library import Library
from ernn.timing.wires import SPREAD

PATHS, BINS = 10, 10


def analyse(modules: Mapping[str, Any], library: Library) -> dict[str, Any]:
    """Return the clock of a netlist and what limits it, for resources.json; times in ns.

    Raises:
        ToolError: a cell is not known, or a loop has no register.
    """
    found = Analysis(flatten(modules, TOP, library), library)
    typical = 1000 / found.period
    needed = found.needed[np.isfinite(found.needed)]
    edges = np.linspace(0, found.period, BINS + 1)
    counts, _ = np.histogram(needed.clip(0), edges)
    return {
        "delays": library.about,
        "mark": "analysed",
        "mhz": {"low": typical * SPREAD[0], "typical": typical, "high": typical * SPREAD[1]},
        "period_ns": found.period,
        "registers": len(needed),
        "histogram": [
            [round(float(low), 3), round(float(high), 3), int(count)]
            for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
        ],
        "paths": [
            {
                "group": group,
                "ns": path.ns,
                "wires_ns": path.wires,
                "cells": [*map(asdict, path.pieces)],
            }
            for group, path in found.worst(PATHS, group_of).items()
        ],
    }


def describe(timing: dict[str, Any], clock_mhz: float) -> Iterator[str]:
    """Yield the analysis for people.

    Args:
        timing: of `analyse`.
        clock_mhz: that the plan asks for.
    """
    found = Interval(**timing["mhz"])
    yield (
        f"clock: {found.typical:.0f} MHz ({found.low:.0f} to {found.high:.0f}), "
        f"{found.against(clock_mhz)} the "
        f"{clock_mhz:g} MHz of the plan; analysed with the delays of {timing['delays']}, not routed"
    )
    yield f"registers by the time of the longest way to each ({timing['registers']:,}):"
    most = max(count for *_, count in timing["histogram"])
    for start, end, count in timing["histogram"]:
        yield f"  {start:5.2f} to {end:5.2f} ns {count:9,} {'#' * round(40 * count / most)}"
    yield "the longest way into each unit, its cells in order, each behind its wire:"
    for path in timing["paths"]:
        yield f"  {path['group']}: {path['ns']:.2f} ns, {path['wires_ns']:.2f} of them in wires"
        for cell in path["cells"]:
            wire = f"{cell['wire']:.2f} to {cell['fan_out']}" if cell["fan_out"] else ""
            yield f"    {wire:>13} {cell['time']:6.2f}  {cell['kind']:<9} {_short(cell['cell'])}"


def _short(name: str) -> str:
    """Return a cell's name without what Yosys adds at its end again and again."""
    return name.replace(".genblk1", "")
