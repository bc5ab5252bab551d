"""Marks: what kind of figure one is, and the command that made it. Every figure has one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ernn.datafile import Finite, Strict

MARKS = {
    "measured": "computed on this machine from the data named beside it",
    "simulated": "counted in a cycle-accurate simulation of the generated Verilog; seconds follow "
    "from the plan's clock, which is an assumption until it is analysed or routed",
    "planned": "predicted by the plan, before any simulation",
    "synthesized": "counted in the netlist that a synthesizer made of the generated Verilog",
    "analysed": "by static timing analysis of that netlist, before anything is placed",
    "routed": "read from a placed and routed design",
    "estimated": "from a stated simple model, with its error as an interval",
    "published": "stated in a paper; see the trust mark beside it",
    "derived": "arithmetic on published figures",
}
TRUST = {
    "abstract": "a published abstract states it, or a ratio that reproduces it to three digits",
    "table": "from the paper's tables, not checked against the text",
    "unchecked": "quoted in words only",
    "bit-exact": "every output word compared with the integer model",
    "differs": "simulation and integer model or plan disagree",
}

Mark = Literal["measured", "simulated", "planned", "synthesized", "analysed", "routed", "estimated"]


@dataclass(frozen=True)
class Origin(Strict):
    """Where figures come from."""

    mark: Mark
    command: str


@dataclass(frozen=True)
class Measured(Strict):
    """A value with its 95 % interval."""

    value: Finite
    low: Finite
    high: Finite


def series_of_cells(cells: Iterable[str]) -> dict[str, str]:
    """Return a kind of series for each cell of a search: the last one that was tried is "ours"."""
    found = list(dict.fromkeys(cells))
    return {cell: "ours" if cell == found[-1] else "theirs" for cell in found}
