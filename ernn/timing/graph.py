"""A hierarchical netlist of Yosys as flat arrays: nets, and the delays of the cells between them.

Each module is read once (`ernn.timing.module`); every instance of it repeats its arrays
with nets of its own.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ernn.timing.library import Library
from ernn.timing.module import NONE, Kinds, Module, Pins

REGISTER = ""  # kind of what drives the inputs of the design: registers of others


@dataclass(frozen=True, eq=False)
class Graph:
    """A flat design."""

    arcs: Pins  # inputs of cells, with the net that each output drives
    launches: Pins  # outputs of registers, and inputs of the design
    captures: Pins  # inputs of registers, and outputs of the design
    fan_out: np.ndarray  # (nets,) int64
    blocks: np.ndarray  # (nets,) bool: at a multiplier or block RAM
    driver: np.ndarray  # (nets,) int64: the kind of the cell that drives a net; NONE
    tiles: float  # that the cells fill
    instances: Sequence[tuple[int, str, Module]]  # first cell, path

    def name(self, cell: int) -> tuple[str, str]:
        """Return the path of a cell, and its kind."""
        if cell == NONE:
            return "", "port"
        place = bisect_right(self.instances, cell, key=lambda one: one[0]) - 1
        first, path, module = self.instances[place]
        name, kind = module.cells[cell - first]
        return f"{path}.{name}" if path else name, kind


def flatten(modules: Mapping[str, Any], top: str, library: Library) -> Graph:
    """Return a design as arrays.

    Args:
        modules: of a netlist (`ernn.backends.netlist.read_netlist`).
        top: its top module.
        library: delays of its cells.

    Raises:
        ToolError: a cell is not known to the library.
    """
    kinds = Kinds()
    read: dict[str, Module] = {}

    def module(name: str) -> Module:
        if name not in read:
            read[name] = Module(modules, name, library, kinds)
        return read[name]

    builder = _Builder()
    outer = builder.new(module(top).nets)
    builder.add_ports(module(top), outer, kinds.number(REGISTER), library)
    waiting = [("", top, outer)]
    while waiting:
        path, name, nets = waiting.pop()
        one = module(name)
        builder.add(path, one, nets)
        for cell, kind, ports in one.children:
            inner = builder.inside(module(kind), ports, nets)
            waiting.append((f"{path}.{cell}" if path else cell, kind, inner))
    return builder.graph()


class _Builder:
    """Collects the arrays of all instances."""

    def __init__(self) -> None:
        self.count = 0  # nets
        self.cells = 0
        self.tiles = 0.0
        self.pins: dict[str, list[Pins]] = {"arcs": [], "launches": [], "captures": []}
        self.driven: list[tuple[np.ndarray, np.ndarray]] = []  # nets, and kinds of drivers
        self.sinks: list[np.ndarray] = []
        self.blocks: list[np.ndarray] = []
        self.same: list[tuple[int, int]] = []  # nets that a module connects
        self.instances: list[tuple[int, str, Module]] = []

    def new(self, count: int) -> np.ndarray:
        """Return new nets."""
        self.count += count
        return np.arange(self.count - count, self.count)

    def inside(
        self, module: Module, ports: Mapping[str, np.ndarray], outer: np.ndarray
    ) -> np.ndarray:
        """Return the nets of an instance that is connected to some of the module's around it."""
        nets = np.full(module.nets, NONE)
        for port, ours in ports.items():
            theirs = module.ports[port]
            for inner, mine in zip(theirs.tolist(), ours.tolist(), strict=True):
                if NONE in (inner, mine):
                    continue
                if nets[inner] == NONE:
                    nets[inner] = outer[mine]
                elif nets[inner] != outer[mine]:
                    self.same.append((int(nets[inner]), int(outer[mine])))
        own = nets == NONE
        nets[own] = self.new(int(own.sum()))
        return nets

    def add(self, path: str, module: Module, nets: np.ndarray) -> None:
        """Add the cells of an instance."""
        for name, pins in self.pins.items():
            found: Pins = getattr(module, name)
            if len(found.net):
                pins.append(found.of(nets, self.cells))
        self.driven.append((nets[module.driven], module.drivers))
        self.sinks.append(nets[module.sinks])
        self.blocks.append(nets[module.blocks])
        self.instances.append((self.cells, path, module))
        self.cells += len(module.cells)
        self.tiles += module.tiles

    def add_ports(self, top: Module, nets: np.ndarray, register: int, library: Library) -> None:
        """Let registers of others drive the inputs of the design and read its outputs."""
        clock, setup = library.outside()
        bits = {True: [NONE], False: [NONE]}  # by whether they leave
        for port, found in top.ports.items():
            bits[port in top.leaving] += [NONE if bit == NONE else nets[bit] for bit in found]
        entering, leaving = (
            np.array([net for net in bits[way] if net != NONE], np.int64) for way in (False, True)
        )
        self.pins["launches"].append(Pins.outside(entering, clock))
        self.pins["captures"].append(Pins.outside(leaving, setup))
        self.driven.append((entering, np.full(len(entering), register)))
        self.sinks.append(leaving)

    def graph(self) -> Graph:
        """Return what was collected, with nets that are the same under one number."""
        first = np.arange(self.count)
        for one, other in self.same:
            one, other = _root(first, one), _root(first, other)
            first[max(one, other)] = min(one, other)
        while not np.array_equal(first, first[first]):
            first = first[first]
        driver = np.full(self.count, NONE)
        for nets, kinds in self.driven:
            driver[first[nets]] = kinds
        fan_out = np.bincount(first[np.concatenate(self.sinks)], minlength=self.count)
        blocks = np.zeros(self.count, bool)
        blocks[first[np.concatenate(self.blocks)]] = True
        joined = {name: Pins.joined(pins).of(first) for name, pins in self.pins.items()}
        return Graph(
            **joined,
            fan_out=fan_out,
            blocks=blocks,
            driver=driver,
            tiles=self.tiles,
            instances=self.instances,
        )


def _root(first: np.ndarray, net: int) -> int:
    while first[net] != net:
        net = int(first[net])
    return net
