"""Delays of an ECP5 at its slowest speed grade, for the analysis of a netlist's clock."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ernn.datafile import load_toml
from ernn.errors import ToolError
from ernn.parts.part import Part
from ernn.timing.library import CellTiming
from ernn.timing.wires import delays_over, wire_lengths

_BESIDE = frozenset({"LUT4", "PFUMX", "L6MUX21", "CCU2C"})
# Which parameters tell of a block's registers, and what they say where it is used
_REGISTERS = {
    "MULT18X18D": ("REG_INPUTA_CLK", "REG_OUTPUT_CLK"),
    "DP16KD": ("REGMODE_A", "REGMODE_B"),
}
_USED = ("CLK0", "OUTREG")
_FILLS = {"LUT4": 1 / 8, "CCU2C": 2 / 8, "TRELLIS_FF": 1 / 8, "TRELLIS_DPR16X4": 6 / 8}


class Ecp5:
    """The library."""

    about = "ECP5-6"

    def __init__(self, part: Part) -> None:
        """Read the table; all parts of the family have it."""
        self.table: dict[str, Any] = load_toml(Path(__file__).with_name("delays.toml"), ToolError)
        self._cells = {
            "LUT4": CellTiming({(pin, "Z"): self.table["LUT4"]["arcs"] for pin in "ABCD"}),
            "PFUMX": CellTiming(
                {(pin, "Z"): time for pin, time in self.table["PFUMX"].items()},
                near={"ALUT": frozenset({"LUT4"}), "BLUT": frozenset({"LUT4"})},
            ),
            "L6MUX21": CellTiming(
                {(pin, "Z"): time for pin, time in self.table["L6MUX21"].items()},
                near=dict.fromkeys(("D0", "D1"), frozenset({"PFUMX", "L6MUX21"})),
            ),
            "CCU2C": self._carry(),
            "TRELLIS_FF": self._ff(),
            "TRELLIS_DPR16X4": self._lut_ram(),
            **dict.fromkeys(("GND", "VCC", "GSR", "PUR"), CellTiming()),
        }
        uses = list(product((False, True), repeat=2))
        self._blocks = {
            "MULT18X18D": {used: self._multiplier(*used) for used in uses},
            "DP16KD": {used: self._block_ram(*used) for used in uses},
        }

    def cell(self, kind: str, parameters: Mapping[str, Any]) -> CellTiming:
        """Return the delays of a cell."""
        if self.block(kind):
            used = [parameters.get(name) in _USED for name in _REGISTERS[kind]]
            return self._blocks[kind][used[0], used[1]]
        return self._cells[kind]

    def wires(self, fan_out: np.ndarray, blocks: np.ndarray, tiles: float) -> np.ndarray:
        """Return the delays of wires."""
        return delays_over(wire_lengths(fan_out, blocks, tiles), self.table["wire"]["reach"])

    def fills(self, kind: str) -> float:
        """Return the share of a tile that a cell takes."""
        return 9.0 if self.block(kind) else _FILLS.get(kind, 0.0)

    def block(self, kind: str) -> bool:
        """Return whether a cell is a multiplier or a block RAM."""
        return kind in ("MULT18X18D", "DP16KD")

    def outside(self) -> tuple[float, float]:
        """Return the times of flip-flops around the design."""
        return self.table["TRELLIS_FF"]["clock"], 0.0

    def _carry(self) -> CellTiming:
        one = self.table["CCU2C"]
        arcs = {("CIN", "S0"): one["sum"], ("CIN", "S1"): one["sum"], ("CIN", "COUT"): one["carry"]}
        for pin in "ABCD":
            arcs |= {(f"{pin}0", "S0"): one["own"], (f"{pin}1", "S1"): one["own"]}
            arcs |= {(f"{pin}{number}", "COUT"): one["into"] for number in "01"}
            arcs[f"{pin}0", "S1"] = one["into"] + one["sum"]
        return CellTiming(arcs, near={"CIN": frozenset({"CCU2C"})})

    def _ff(self) -> CellTiming:
        one = self.table["TRELLIS_FF"]
        needed = {"DI": 0.0, "M": 0.0, "CE": 0.0, "LSR": one["reset"]}
        return CellTiming({}, {"Q": one["clock"]}, needed, {"DI": _BESIDE})

    def _lut_ram(self) -> CellTiming:
        one = self.table["TRELLIS_DPR16X4"]
        needed = {"DI": 0.0, "WAD": 0.0, "WRE": one["enable"]}
        return CellTiming({("RAD", "DO"): one["read"]}, {}, needed)

    def _multiplier(self, before: bool, behind: bool) -> CellTiming:
        """Return a multiplier with registers of both operands and of the product."""
        one = self.table["MULT18X18D"]
        pins = [f"{port}{bit}" for port in "AB" for bit in range(18)]
        results = [f"P{bit}" for bit in range(36)]
        if not before and not behind:
            return CellTiming({(pin, out): one["through"] for pin in pins for out in results})
        needed = one["operand" if before else "before"]
        late = one["product" if behind else "after"]
        return CellTiming({}, dict.fromkeys(results, late), dict.fromkeys(pins, needed))

    def _block_ram(self, *registers: bool) -> CellTiming:
        """Return a block RAM whose ports A and B have output registers."""
        one = self.table["DP16KD"]
        late = [one["register" if used else "clock"] for used in registers]
        launches = {
            f"DO{port}{bit}": time
            for port, time in zip("AB", late, strict=True)
            for bit in range(18)
        }
        needed = {f"{pin}{port}": one["enable"] for pin in ("WE", "CE", "OCE") for port in "AB"}
        for port in "AB":
            needed |= {f"DI{port}{bit}": one["data"] for bit in range(18)}
            needed |= {f"AD{port}{bit}": one["data"] for bit in range(14)}
        return CellTiming({}, launches, needed)
