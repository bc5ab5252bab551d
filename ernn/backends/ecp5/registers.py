"""Registers of the fabric become those that MULT18X18D and DP16KD have: Yosys uses none of them.

In a netlist of `synth_ecp5` operands, products and words of block RAM lie in flip-flops beside the
blocks. Where these have neither enable nor reset, the block's own register takes their place, with
the same value in every cycle.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Bit = int | str  # a net, or a constant
_ZERO = frozenset({"0", "x", None})
_OPERANDS = tuple(f"{port}{bit}" for port in "AB" for bit in range(18))
_PRODUCT = tuple(f"P{bit}" for bit in range(36))
_WORD = {side: tuple(f"DO{side}{bit}" for bit in range(18)) for side in "AB"}


def use_block_registers(netlist: Path) -> None:
    """Move flip-flops into the multipliers and block RAMs beside them.

    Args:
        netlist: JSON of Yosys, of an ECP5's cells; it is written anew.
    """
    design = json.loads(netlist.read_text(encoding="utf-8"))
    for module in design["modules"].values():
        _Module(module).move()
    netlist.write_text(json.dumps(design), encoding="utf-8")


class _Module:
    """A module's cells, and what reads each net."""

    def __init__(self, module: dict[str, Any]) -> None:
        self.cells: dict[str, Any] = module.get("cells", {})
        self.flops: dict[Bit | None, str] = {}  # registers that could be moved, by what they drive
        self.readers: dict[Bit | None, set[tuple[str, str]]] = defaultdict(set)  # cell, port
        for name, cell in self.cells.items():
            if _is_plain(cell):
                self.flops[_net(cell, "Q")] = name
            for port, bits in cell["connections"].items():
                if cell["port_directions"][port] != "output":
                    for bit in bits:
                        self.readers[bit].add((name, port))
        for port, one in module["ports"].items():
            if one["direction"] != "input":
                for bit in one["bits"]:
                    self.readers[bit].add(("", port))

    def move(self) -> None:
        """Move what can be moved."""
        blocks: dict[str, list[str]] = defaultdict(list)
        for name, cell in self.cells.items():
            blocks[cell["type"]].append(name)
        ready = [name for name in blocks["MULT18X18D"] if self._operands_are_registers(name)]
        for name in ready:
            self._take_operands(name)
        for name in blocks["MULT18X18D"]:
            if self._take_outputs(name, _PRODUCT, ["CLK0"]):
                self._clock_register(name, "OUTPUT")
        for name in blocks["DP16KD"]:
            self._take_words(name)

    def _operands_are_registers(self, name: str) -> bool:
        """Tell whether both operands come from registers that nothing but multipliers reads."""
        bits = {_net(self.cells[name], pin) for pin in _OPERANDS} - _ZERO
        if not bits or not bits <= self.flops.keys():
            return False
        readers = {reader for bit in bits for reader, _ in self.readers[bit]}
        multipliers = all(self.cells[one]["type"] == "MULT18X18D" for one in readers if one)
        return multipliers and "" not in readers and len({self._clock(bit) for bit in bits}) == 1

    def _take_operands(self, name: str) -> None:
        cell = self.cells[name]
        for pin in _OPERANDS:
            after = _net(cell, pin)
            if after in _ZERO:
                continue
            flop = self.flops[after]
            before = _net(self.cells[flop], "DI")
            _connect(cell, "CLK0", self._clock(after))
            _connect(cell, pin, before)
            self.readers[before].add((name, pin))
            self.readers[after].remove((name, pin))
            if not self.readers[after]:
                self._remove(flop)
        self._clock_register(name, "INPUTA")
        self._clock_register(name, "INPUTB")

    def _clock_register(self, name: str, register: str) -> None:
        """Switch a register of a multiplier on: always enabled, never reset."""
        cell = self.cells[name]
        for pin in ("CLK", "CE", "RST"):
            cell["parameters"][f"REG_{register}_{pin}"] = f"{pin}0"
        _connect(cell, "CE0", "1")
        _connect(cell, "RST0", "0")

    def _take_words(self, name: str) -> None:
        """Use the output registers of a block RAM, for both halves of a word of 36 bits at once."""
        cell = self.cells[name]
        wide = int(cell["parameters"]["DATA_WIDTH_B"], 2) == 36
        for sides in ("AB",) if wide else ("A", "B"):
            pins = [pin for side in sides for pin in _WORD[side]]
            reset = any(_net(cell, f"RST{side}") not in _ZERO for side in sides)
            if not reset and self._take_outputs(name, pins, [f"CLK{side}" for side in sides]):
                for side in sides:
                    cell["parameters"][f"REGMODE_{side}"] = "OUTREG"
                    _connect(cell, f"OCE{side}", "1")

    def _take_outputs(self, name: str, pins: Sequence[str], clocks: Sequence[str]) -> bool:
        """Let a block drive what the registers behind it do, where it drives nothing else.

        Args:
            name: of the block.
            pins: its outputs; one that drives nothing needs no register.
            clocks: its clock pins: those that are connected have to be the registers' clock.

        Returns:
            Whether it does so now.
        """
        cell = self.cells[name]
        flops = {}
        for pin in pins:
            for flop, port in self.readers.get(_net(cell, pin), ()):
                if pin in flops or port != "DI" or not _is_plain(self.cells.get(flop, {})):
                    return False
                flops[pin] = flop
        used = {_net(self.cells[flop], "CLK") for flop in flops.values()}
        used |= {_net(cell, clock) for clock in clocks} - {None}
        if not flops or len(used) != 1:
            return False
        for clock in clocks:
            _connect(cell, clock, *used)
        for pin, flop in flops.items():
            _connect(cell, pin, _net(self.cells[flop], "Q"))
            self._remove(flop)
        return True

    def _clock(self, bit: Bit | None) -> Bit | None:
        """Return the clock of the register that drives a net."""
        return _net(self.cells[self.flops[bit]], "CLK")

    def _remove(self, flop: str) -> None:
        cell = self.cells.pop(flop)
        self.readers[_net(cell, "DI")].discard((flop, "DI"))
        del self.flops[_net(cell, "Q")]


def _is_plain(cell: Mapping[str, Any]) -> bool:
    """Tell whether a cell is a register without enable and reset, which begins with 0."""
    # Yosys marks a string that could be bits by a space behind it.
    wanted = {"CLKMUX": "CLK", "CEMUX": "1 ", "LSRMUX": "LSR", "REGSET": "RESET"}
    return (
        cell.get("type") == "TRELLIS_FF"
        and all(cell["parameters"].get(name) == value for name, value in wanted.items())
        and _net(cell, "LSR") in _ZERO
    )


def _net(cell: Mapping[str, Any], pin: str) -> Bit | None:
    """Return what is at a pin of one bit; None: nothing is."""
    bits = cell["connections"].get(pin)
    return bits[0] if bits else None


def _connect(cell: dict[str, Any], pin: str, bit: Bit | None) -> None:
    cell["connections"][pin] = [bit]
    cell["port_directions"].setdefault(pin, "input")
