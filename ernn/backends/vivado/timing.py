"""Delays of AMD's 7-series parts for the analysis of their clock; no AMD router was ever run."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ernn.datafile import load_toml
from ernn.errors import ToolError
from ernn.parts.part import Part
from ernn.parts.speed import grade_of, slowness
from ernn.timing.library import CellTiming, scaled
from ernn.timing.wires import delays_over, wire_lengths

_LUTS = frozenset({"INV", *(f"LUT{inputs}" for inputs in range(1, 7))})
_LOGIC = _LUTS | {"CARRY4", "MUXF7", "MUXF8"}
_CARRY = (*(f"O[{bit}]" for bit in range(4)), *(f"CO[{bit}]" for bit in range(4)))
_TILE = {"LUT": 8, "FF": 16}  # two slices
# What changes the delays of a cell, of DSP48E1 and of block RAM.
_REGISTERS = ("AREG", "BREG", "CREG", "MREG", "PREG", "DOA_REG", "DOB_REG")


def delays(part: Part) -> "Series7":
    """Return the delays of a part at its speed grade; a part that names none is of the slowest.

    Raises:
        ToolError: the part is of another family.
    """
    grade = grade_of(part)
    if grade is None:
        raise ToolError(
            f"the clock of {part.name} cannot be analysed",
            given=f"ernn has no delays of {part.family.name}",
            remedy="leave --timing out, or give a part of the 7-series (--part)",
        )
    return Series7(grade)


class Series7:
    """The library, at a speed grade."""

    def __init__(self, grade: str) -> None:
        """Read the table; ``grade`` is one of `ernn.parts.speed.grade_of`."""
        table: dict[str, Any] = load_toml(Path(__file__).with_name("delays.toml"), ToolError)
        self.name, self.table, self.grade = grade, table, slowness(grade)
        self._known: dict[tuple[str, tuple[int, ...]], CellTiming] = {}

    @property
    def about(self) -> str:
        """Return which delays these are."""
        return f"7-series, {self.name}"

    def cell(self, kind: str, parameters: Mapping[str, Any]) -> CellTiming:
        """Return the delays of a cell."""
        key = kind, tuple(_number(parameters.get(name, 0)) for name in _REGISTERS)
        if key not in self._known:
            found = self._cell(kind, dict(zip(_REGISTERS, key[1], strict=True)))
            self._known[key] = scaled(found, self.grade)
        return self._known[key]

    def wires(self, fan_out: np.ndarray, blocks: np.ndarray, tiles: float) -> np.ndarray:
        """Return the delays of wires."""
        lengths = wire_lengths(fan_out, blocks, tiles)
        return self.grade * delays_over(lengths, self.table["wire"]["reach"])

    def block(self, kind: str) -> bool:
        """Return whether a cell is a multiplier or a block RAM."""
        return kind in ("DSP48E1", "RAMB18E1", "RAMB36E1")

    def fills(self, kind: str) -> float:
        """Return the share of a tile that a cell takes; of columns of blocks, five tiles high."""
        if kind.startswith(("FD",)):
            return 1 / _TILE["FF"]
        if kind.startswith(("LUT", "SRL")):
            return 1 / _TILE["LUT"]
        if kind in ("RAM32M", "RAM64M"):
            return 4 / _TILE["LUT"]
        return {"DSP48E1": 2.5, "RAMB36E1": 5.0, "RAMB18E1": 2.5}.get(kind, 0.0)

    def outside(self) -> tuple[float, float]:
        """Return the times of flip-flops around the design."""
        ff = self.table["ff"]
        return self.grade * ff["clock"], self.grade * ff["D"]

    def _cell(self, kind: str, registers: Mapping[str, int]) -> CellTiming:
        table = self.table
        if kind in _LUTS:
            inputs = int(kind[3]) if kind != "INV" else 1
            names = ["I"] if kind == "INV" else [f"I{number}" for number in range(inputs)]
            return CellTiming(arcs={(name, "O"): table["lut"]["through"] for name in names})
        if kind in ("MUXF7", "MUXF8"):
            data, select = table["mux"][kind[3:].lower()]
            beside = _LUTS if kind == "MUXF7" else frozenset({"MUXF7"})
            arcs = {("I0", "O"): data, ("I1", "O"): data, ("S", "O"): select}
            return CellTiming(arcs, near={"I0": beside, "I1": beside})
        if kind == "CARRY4":
            return self._carry()
        if kind in ("FDRE", "FDSE", "FDCE", "FDPE"):
            ff = table["ff"]
            reset = {"FDRE": "R", "FDSE": "S", "FDCE": "CLR", "FDPE": "PRE"}[kind]
            needed = {"D": ff["D"], "CE": ff["enable"], reset: ff["reset"]}
            return CellTiming(launches={"Q": ff["clock"]}, captures=needed, near={"D": _LOGIC})
        if kind in ("RAM32M", "RAM64M"):
            return self._lut_ram()
        if re.fullmatch(r"RAM\d+X1[SD]", kind):
            return self._narrow_ram()
        if kind in ("GND", "VCC"):
            return CellTiming()
        if kind in ("SRL16E", "SRLC32E"):
            one = table["shift_register"]
            ways = {("A", "Q"): table["lut"]["through"]} | {
                (f"A{bit}", "Q"): table["lut"]["through"] for bit in range(4)
            }
            needed = {"D": one["data"], "CE": one["enable"]}
            return CellTiming(ways, {"Q": one["clock"], "Q31": one["clock"]}, needed)
        if kind in ("RAMB18E1", "RAMB36E1"):
            return self._block_ram(registers)
        if kind == "DSP48E1":
            return self._dsp(registers)
        raise KeyError(kind)

    def _carry(self) -> CellTiming:
        arcs: dict[tuple[str, str], float] = {}
        for pin, times in self.table["carry"].items():
            start = pin if pin in ("CI", "CYINIT") else f"{pin[:-1]}[{pin[-1]}]"
            arcs |= {(start, end): t for end, t in zip(_CARRY, times, strict=True) if t}
        return CellTiming(arcs, near={"CI": frozenset({"CARRY4"}), "S": _LUTS, "DI": _LUTS})

    def _lut_ram(self) -> CellTiming:
        one, through = self.table["lut_ram"], self.table["lut"]["through"]
        ports = "ABCD"
        arcs = {(f"ADDR{port}", f"DO{port}"): through for port in ports}
        needed = {f"DI{port}": one["data"] for port in ports}
        needed |= {"ADDRD": one["address"], "WE": one["enable"]}
        return CellTiming(arcs, {f"DO{port}": one["clock"] for port in ports}, needed)

    def _narrow_ram(self) -> CellTiming:
        """Of one bit; pins that a size does not have do no harm."""
        one, through = self.table["lut_ram"], self.table["lut"]["through"]
        bits = ("", *range(8))
        arcs = {(f"DPRA{bit}", "DPO"): through for bit in bits}
        arcs |= {(f"A{bit}", end): through for bit in bits for end in ("O", "SPO")}
        needed = {f"A{bit}": one["address"] for bit in bits}
        needed |= {"D": one["data"], "WE": one["enable"]}
        return CellTiming(arcs, dict.fromkeys(("O", "SPO", "DPO"), one["clock"]), needed)

    def _block_ram(self, registers: Mapping[str, int]) -> CellTiming:
        one = self.table["block_ram"]
        launches: dict[str, float] = {}
        needed: dict[str, float] = {}
        for side, port in (("A", "ARD"), ("B", "BWR")):
            registered = registers[f"DO{side}_REG"]
            time = one["clock_registered" if registered else "clock"]
            launches |= {f"DO{side}DO": time, f"DOP{side}DOP": time}
            needed |= {f"ADDR{port}ADDR": one["address"], f"EN{port}EN": one["enable"]}
            needed |= {f"DI{side}DI": one["data"], f"DIP{side}DIP": one["data"]}
            needed |= {f"REGCE{'AREGCE' if side == 'A' else 'B'}": one["register_enable"]}
        needed |= {"WEA": one["enable"], "WEBWE": one["enable"]}
        return CellTiming({}, launches, needed)

    def _dsp(self, has: Mapping[str, int]) -> CellTiming:
        one = self.table["dsp"]
        arcs: dict[tuple[str, str], float] = {}
        launches: dict[str, float] = {}
        needed: dict[str, float] = {}
        first = "MREG" if has["MREG"] else "PREG" if has["PREG"] else "P"
        for pin in ("A", "B", "C"):
            register = f"{pin}REG"
            # C does not go through the multiplier.
            into = first if pin != "C" else "PREG" if has["PREG"] else "P"
            if has[register]:
                needed[pin] = one[f"{pin}_to_{register}"]
            elif into == "P":
                arcs[pin, "P"] = one[f"{pin}_to_P"]
            else:
                needed[pin] = one[f"{pin}_to_{into}"]
        if has["PREG"]:
            launches["P"] = one["PREG_to_P"]
        elif has["MREG"]:
            launches["P"] = one["MREG_to_P"]
        elif has["AREG"] or has["BREG"]:
            launches["P"] = one["AREG_to_P"]
        names = (
            "CEA1",
            "CEA2",
            "CEB1",
            "CEB2",
            "CEC",
            "CEM",
            "CEP",
            "RSTA",
            "RSTB",
            "RSTM",
            "RSTP",
        )
        needed |= dict.fromkeys(names, one["enable"])
        return CellTiming(arcs, launches, needed)


def _number(value: Any) -> int:
    """Return a parameter as Yosys writes it, in bits, as a number."""
    return int(value, 2) if isinstance(value, str) and set(value) <= {"0", "1"} and value else 0
