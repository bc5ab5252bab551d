"""What a timing library says: delays of cells, and how long wires are. Times are in ns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True)
class CellTiming:
    """Delays of a cell; a pin is a port, for all of its bits, or a bit of it: "O[2]"."""

    arcs: Mapping[tuple[str, str], float] = field(default_factory=dict)  # input pin, output pin
    launches: Mapping[str, float] = field(default_factory=dict)  # clock to an output pin
    captures: Mapping[str, float] = field(default_factory=dict)  # setup of an input pin
    # Kinds of cells that are placed beside this one, by the port that they drive: no wire between.
    near: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Library(Protocol):
    """Delays of a family's cells and wires."""

    @property
    def about(self) -> str:
        """Return which delays these are, for people."""
        ...

    def cell(self, kind: str, parameters: Mapping[str, Any]) -> CellTiming:
        """Return the delays of a cell.

        Raises:
            ToolError: the library has no such cell.
        """
        ...

    def wires(self, fan_out: np.ndarray, blocks: np.ndarray, tiles: float) -> np.ndarray:
        """Return the delay from a driver to its sinks; see `ernn.timing.wires.wire_lengths`."""
        ...

    def block(self, kind: str) -> bool:
        """Return whether a cell is a multiplier or a block RAM, whose places are few."""
        ...

    def fills(self, kind: str) -> float:
        """Return the share of a tile that a cell takes."""
        ...

    def outside(self) -> tuple[float, float]:
        """Return clock to output, and setup, of the registers around the design."""
        ...


def scaled(cell: CellTiming, factor: float) -> CellTiming:
    """Return a cell whose times are all so much longer."""
    return CellTiming(
        {pins: factor * time for pins, time in cell.arcs.items()},
        {pin: factor * time for pin, time in cell.launches.items()},
        {pin: factor * time for pin, time in cell.captures.items()},
        cell.near,
    )
