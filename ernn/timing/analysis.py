"""How late signals arrive: the longest way from register to register through a flat design."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ernn.errors import ToolError
from ernn.timing.graph import Graph
from ernn.timing.library import Library
from ernn.timing.module import NONE, Pins


@dataclass(frozen=True)
class Piece:
    """A cell on a path, and the wire before it."""

    cell: str  # path of the instance; "" for a port
    kind: str
    wire: float  # ns before the cell
    fan_out: int  # of the wire; 0: there is none
    time: float  # ns through it; clock to output of the first, setup of the last


@dataclass(frozen=True)
class Path:
    """A way from register to register."""

    pieces: tuple[Piece, ...]

    @property
    def ns(self) -> float:
        """All of it."""
        return sum(piece.wire + piece.time for piece in self.pieces)

    @property
    def wires(self) -> float:
        """The wires of it, ns."""
        return sum(piece.wire for piece in self.pieces)


class Analysis:
    """The times of a design."""

    def __init__(self, graph: Graph, library: Library) -> None:
        """Analyse a design.

        Raises:
            ToolError: a signal depends on itself without a register between.
        """
        self.graph = graph
        self.wire = library.wires(graph.fan_out, graph.blocks, graph.tiles)  # (nets,) ns
        self._before = {id(pins): self._wires(pins) for pins in (graph.arcs, graph.captures)}
        self.arrival = self._arrivals()  # (nets,) ns; -inf where nothing arrives
        captures = graph.captures
        wire = self._before[id(captures)]
        self.needed = self.arrival[captures.net] + wire + captures.time  # (captures,) ns

    @property
    def period(self) -> float:
        """The longest way, ns."""
        return float(self.needed.max())

    def worst(self, count: int, group_of: Callable[[str], str]) -> dict[str, Path]:
        """Return the longest way into each group of instances, the longest first."""
        found: dict[str, Path] = {}
        for index in np.argsort(-self.needed, kind="stable"):
            if len(found) == count or not np.isfinite(self.needed[index]):
                break
            group = group_of(self.graph.name(int(self.graph.captures.cell[index]))[0])
            if group not in found:
                found[group] = self.path(int(index))
        return found

    def path(self, capture: int) -> Path:
        """Return the longest way to a capture, by its index."""
        graph, pieces = self.graph, [self._piece(self.graph.captures, capture)]
        net = int(graph.captures.net[capture])
        while (arc := self._latest(net)) is not None:
            pieces.append(self._piece(graph.arcs, arc))
            net = int(graph.arcs.net[arc])
        starts = np.flatnonzero(graph.launches.net == net)
        first = int(starts[np.argmax(graph.launches.time[starts])])
        name, kind = graph.name(int(graph.launches.cell[first]))
        pieces.append(Piece(name, kind, 0.0, 0, float(graph.launches.time[first])))
        return Path(tuple(reversed(pieces)))

    def _piece(self, pins: Pins, index: int) -> Piece:
        wire = float(self._before[id(pins)][index])
        fan_out = int(self.graph.fan_out[pins.net[index]]) if wire else 0
        name, kind = self.graph.name(int(pins.cell[index]))
        return Piece(name, kind, wire, fan_out, float(pins.time[index]))

    def _latest(self, net: int) -> int | None:
        """Return the arc by which the signal of a net arrives; None where it begins."""
        arcs = self.graph.arcs
        into = self._by_target[self._first[net] : self._first[net + 1]]
        late = self.arrival[arcs.net[into]] + self._before[id(arcs)][into] + arcs.time[into]
        if not len(into) or late.max() < self.arrival[net]:
            return None
        return int(into[np.argmax(late)])

    def _wires(self, pins: Pins) -> np.ndarray:
        """Return the wires before pins; there is none behind a driver that is beside the pin."""
        driver = self.graph.driver[pins.net]
        known = np.where(driver == NONE, 0, driver).astype(np.uint64)
        beside = (pins.near >> known) & np.uint64(1) == 1
        return np.where(beside, 0.0, self.wire[pins.net])

    def _arrivals(self) -> np.ndarray:
        """Return the latest arrival on every net, in the order of what depends on what."""
        arcs, nets = self.graph.arcs, len(self.graph.fan_out)
        self._by_target = np.argsort(arcs.to, kind="stable")
        self._first = np.searchsorted(arcs.to[self._by_target], np.arange(nets + 1))
        by_source = np.argsort(arcs.net, kind="stable")
        first = np.searchsorted(arcs.net[by_source], np.arange(nets + 1))
        waiting = np.bincount(arcs.to, minlength=nets)
        arrival = np.full(nets, -np.inf)
        np.maximum.at(arrival, self.graph.launches.net, self.graph.launches.time)
        ready, left = np.flatnonzero(waiting == 0), len(arcs.net)
        while len(ready):
            counts = first[ready + 1] - first[ready]
            ends = np.cumsum(counts)
            inside = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
            leaving = by_source[np.repeat(first[ready], counts) + inside]
            to = arcs.to[leaving]
            late = arrival[arcs.net[leaving]] + self._before[id(arcs)][leaving] + arcs.time[leaving]
            np.maximum.at(arrival, to, late)
            np.subtract.at(waiting, to, 1)
            left -= len(leaving)
            ready = np.unique(to)
            ready = ready[waiting[ready] == 0]
        if left:
            net = int(np.flatnonzero(waiting)[0])
            arc = int(self._by_target[self._first[net]])
            cell, _ = self.graph.name(int(arcs.cell[arc]))
            raise ToolError(
                f"the signal of {cell} depends on itself",
                given="no register is between",
                remedy="timing needs registers on every loop",
            )
        return arrival
