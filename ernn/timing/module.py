"""A module of a netlist as arrays over nets of its own: the delays of its cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from ernn.errors import ToolError
from ernn.run.netlist import is_instance, plain_name
from ernn.timing.library import CellTiming, Library

NONE = -1  # no net: a constant; no cell: a port
ALL = (1 << 64) - 1  # every kind of driver

Row = tuple[int, float, int, int, int]  # as the fields of `Pins`


class Kinds:
    """Numbers of the kinds of cells that drive nets, below 64: a bit each in `Pins.near`."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, kind: str) -> int:
        """Return the number of a kind."""
        return self._numbers.setdefault(kind, len(self._numbers))

    def mask(self, kinds: frozenset[str]) -> int:
        """Return a bit for each of some kinds."""
        return sum(1 << self.number(kind) for kind in sorted(kinds))


@dataclass(frozen=True, eq=False)
class Pins:
    """Pins of cells, one an entry of each array."""

    net: np.ndarray  # int64: at the pin
    time: np.ndarray  # float64, ns: through the cell, from the clock or to it
    cell: np.ndarray  # int64
    near: np.ndarray  # uint64: kinds of drivers that are beside it, a bit each; see `Kinds`
    to: np.ndarray  # int64: net that is driven; NONE

    @classmethod
    def of_rows(cls, rows: Sequence[Row]) -> Self:
        """Return the pins of rows in the order of the fields."""
        columns = list(zip(*rows, strict=True)) or [()] * len(fields(cls))
        kinds = (np.int64, np.float64, np.int64, np.uint64, np.int64)
        return cls(*(np.array(one, kind) for one, kind in zip(columns, kinds, strict=True)))

    @classmethod
    def outside(cls, nets: np.ndarray, time: float) -> Self:
        """Return pins of registers outside of the design."""
        return cls.of_rows([(int(net), time, NONE, 0, NONE) for net in nets if net != NONE])

    @classmethod
    def joined(cls, many: Sequence["Pins"]) -> "Pins":
        """Return the pins of all."""
        if not many:
            return cls.of_rows([])
        return cls(*(np.concatenate([getattr(p, f.name) for p in many]) for f in fields(cls)))

    def of(self, nets: np.ndarray, first_cell: int = 0) -> "Pins":
        """Return the pins with the nets that a module's own are outside of it."""
        cell = np.where(self.cell == NONE, NONE, self.cell + first_cell)
        to = np.where(self.to == NONE, NONE, nets[self.to])
        return Pins(nets[self.net], self.time, cell, self.near, to)


class Module:
    """A module's own cells, and the instances in it."""

    def __init__(
        self, modules: Mapping[str, Any], name: str, library: Library, kinds: Kinds
    ) -> None:
        """Read a module.

        Args:
            modules: of the netlist.
            name: of the module.
            library: delays of its cells.
            kinds: of drivers; added to.

        Raises:
            ToolError: a cell is not known to the library.
        """
        module = modules[name]
        self._numbers: dict[int, int] = {}  # of nets, by Yosys' number
        self._virtual = 0  # nets of the analysis alone, in the numbers too
        self.ports = {port: self._nets(one["bits"]) for port, one in module["ports"].items()}
        self.leaving = {
            port for port, one in module["ports"].items() if one["direction"] == "output"
        }
        self.cells: list[tuple[str, str]] = []  # name, kind
        self.children: list[tuple[str, str, dict[str, np.ndarray]]] = []  # name, module, ports
        self.tiles = 0.0
        self._rows: dict[str, list[Row]] = {"arcs": [], "launches": [], "captures": []}
        self._driven: list[tuple[int, int]] = []
        self._sinks: list[int] = []
        self._blocks: list[int] = []
        for cell, one in module.get("cells", {}).items():
            kind, connected = one["type"], one["connections"]
            if kind.startswith("$scopeinfo"):
                continue
            nets = {port: self._nets(bits) for port, bits in connected.items()}
            if is_instance(modules, kind):
                self.children.append((cell, kind, nets))
                continue
            try:
                timing = library.cell(kind, one.get("parameters", {}))
            except KeyError:
                raise ToolError(
                    f"the netlist of {plain_name(name)} holds {kind}",
                    given="no cell whose delays ernn knows",
                    remedy="use the Yosys version that `ernn doctor` names",
                ) from None
            self._add(cell, kind, timing, nets, kinds)
            if library.block(kind):
                self._blocks += [net for found in nets.values() for net in found if net != NONE]
            self.tiles += library.fills(kind)
        self.arcs, self.launches, self.captures = map(Pins.of_rows, self._rows.values())
        self.driven, self.drivers = np.array(self._driven, np.int64).reshape(-1, 2).T
        self.sinks = np.array(self._sinks, np.int64)
        self.blocks = np.array(self._blocks, np.int64)
        self.nets = len(self._numbers)

    def _add(
        self, name: str, kind: str, timing: CellTiming, nets: dict[str, np.ndarray], kinds: Kinds
    ) -> None:
        """Add a cell; ``nets`` are those of its ports."""
        cell, number = len(self.cells), kinds.number(kind)
        self.cells.append((name, kind))
        near = {port: kinds.mask(beside) for port, beside in timing.near.items()}
        for (start, end), time in timing.arcs.items():
            inputs, outputs = _at(nets, start), _at(nets, end)
            mask = near.get(_port(start), 0)
            if len(inputs) * len(outputs) <= len(inputs) + len(outputs):
                self._rows["arcs"] += [
                    (net, time, cell, mask, to) for net in inputs for to in outputs
                ]
            else:  # every bit to every bit, by a net between them
                between = self._new()
                self._rows["arcs"] += [(net, time, cell, mask, between) for net in inputs]
                self._rows["arcs"] += [(between, 0.0, cell, ALL, to) for to in outputs]
            self._driven += [(net, number) for net in outputs]
        for pin, time in timing.launches.items():
            outputs = _at(nets, pin)
            self._rows["launches"] += [(net, time, cell, 0, NONE) for net in outputs]
            self._driven += [(net, number) for net in outputs]
        for pin, time in timing.captures.items():
            inputs, mask = _at(nets, pin), near.get(_port(pin), 0)
            self._rows["captures"] += [(net, time, cell, mask, NONE) for net in inputs]
        read = {_port(pin) for pin in (*(start for start, _ in timing.arcs), *timing.captures)}
        self._sinks += [net for port in sorted(read) for net in _at(nets, port)]

    def _new(self) -> int:
        """Return a net that Yosys does not know."""
        self._virtual += 1
        return self._numbers.setdefault(-self._virtual, len(self._numbers))

    def _nets(self, bits: Sequence[int | str]) -> np.ndarray:
        """Return the nets of bits as Yosys writes them; constants are none."""
        found = [
            NONE if isinstance(bit, str) else self._numbers.setdefault(bit, len(self._numbers))
            for bit in bits
        ]
        return np.array(found, np.int64)


def _port(pin: str) -> str:
    """Return the port of a pin."""
    return pin.partition("[")[0]


def _at(nets: Mapping[str, np.ndarray], pin: str) -> list[int]:
    """Return the nets at a pin that is connected: those of its port, or that of its bit."""
    port, _, bit = pin.partition("[")
    found = nets.get(port, np.zeros(0, np.int64))
    if bit:
        found = found[int(bit[:-1]) : int(bit[:-1]) + 1]
    return [net for net in found.tolist() if net != NONE]
