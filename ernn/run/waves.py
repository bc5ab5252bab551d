"""Waveforms for people: the signals of a VCD by unit, and views of them for GTKWave and Surfer.

A unit is shown by its ports, an array by those of its parts and its first PE: what passes between
units tells most, and whatever else was dumped is a click away.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ernn.errors import ToolError
from ernn.hw.groups import CORE, FIRST_PE, group_of
from ernn.run.toggles import INSTANCE

_VAR = re.compile(r"\$var\s+\w+\s+(\d+)\s+\S+\s+(\S+?)\s*(\[[^\]]*\])?\s+\$end")
_HIDDEN = ("clk_i", "rst_i", "load_")  # in every unit, or still while the accelerator works
# Instances that are shown: parts of the core, of its array, stores and cells.
_SHOWN = re.compile(
    rf"(?:{CORE}\.)?(?:u_array\.u_(?:sequencer|operands|rows|array)"
    r"|u_(?:store|cell)_\w+\.u_\w+|u_(?!array|core|store_|cell_)\w+)"
)


@dataclass(frozen=True)
class Signal:
    """A signal of a waveform."""

    scope: str  # "ernn_testbench.u_top"
    name: str
    bits: int
    range: str  # "[7:0]"; empty for a single bit

    @property
    def path(self) -> str:
        """Its full name, range included."""
        return f"{self.scope}.{self.name}{self.range}"


def read_signals(path: Path) -> list[Signal]:
    """Return the signals of a VCD file, in its order.

    Raises:
        ToolError: it is no VCD file with signals.
    """
    found, scope = [], []
    try:
        with path.open(encoding="ascii") as file:
            for line in file:
                if line.startswith("$enddefinitions"):
                    break
                if "$scope" in line:
                    scope.append(line.split()[2])
                elif "$upscope" in line:
                    scope.pop()
                elif var := _VAR.search(line):
                    bits, name, range_ = int(var[1]), var[2], var[3] or ""
                    found.append(Signal(".".join(scope), name, bits, range_.replace(" ", "")))
    except (OSError, ValueError, IndexError) as error:
        raise ToolError(
            f"{path} is no waveform", given=str(error), remedy="simulate again"
        ) from None
    if not found:
        raise ToolError(f"{path} shows no signals", remedy="simulate again")
    return found


def by_unit(signals: Sequence[Signal]) -> dict[str, list[Signal]]:
    """Return what to show, by unit, in the order in which data passes through them."""
    units: dict[str, list[Signal]] = {}
    for signal in signals:
        unit = _unit(signal)
        if unit and not signal.name.startswith(_HIDDEN):
            units.setdefault(unit, []).append(signal)
    return {unit: units[unit] for unit in sorted(units, key=_place)}


def _unit(signal: Signal) -> str | None:
    """Return the unit that shows a signal; None: it is not shown."""
    if signal.scope == INSTANCE:
        return "ports" if signal.name.startswith(("s_axis", "m_axis", "interrupt")) else None
    path = signal.scope.removeprefix(f"{INSTANCE}.")
    if path == FIRST_PE:
        return "first PE"
    if not signal.name.endswith(("_i", "_o")) or not _SHOWN.fullmatch(path):
        return None
    group = group_of(path)
    return "array" if group == "broadcast" else group


def _place(unit: str) -> tuple[int, str]:
    """Sort units as data passes through them."""
    order = (
        *("ports", "input", "rounds", "transform_", "memory_", "sequencer", "operands", "array"),
        *("first PE", "rows", "queue_"),
    )
    behind = ("output", "monitor", "registers")
    if unit in behind:
        return 100 + behind.index(unit), unit
    places = [index for index, start in enumerate(order) if unit.startswith(start)]
    return (places[0] if places else len(order)), unit  # cell units between queues and output


def gtkwave_view(waveform: str, units: dict[str, list[Signal]]) -> str:
    """Return a save file of GTKWave: a group for each unit, those behind the ports closed."""
    lines = [f'[dumpfile] "{waveform}"', "[timestart] 0", "[sst_width] 250", "[signals_width] 300"]
    for unit, signals in units.items():
        begin, end = ("@800200", "@1000200") if unit == "ports" else ("@c00200", "@1401200")
        lines += [begin, f"-{unit}"]
        for signal in signals:
            hidden = 0 if unit == "ports" else 1  # as a member of a closed group
            lines += [f"@{(0x28 if signal.bits == 1 else 0x22) | hidden:x}", signal.path]
        lines += [end, f"-{unit}"]
    return "\n".join([*lines, ""])


def surfer_view(units: dict[str, list[Signal]]) -> str:
    """Return a command file of Surfer: a divider for each unit."""
    lines = []
    for unit, signals in units.items():
        lines.append(f"divider_add {unit}")
        lines += [f"variable_add {signal.scope}.{signal.name}" for signal in signals]
    return "\n".join([*lines, "zoom_fit", ""])
