"""Synthesize a generated project with Yosys: what it takes of a part, and its netlist.

The netlist keeps the hierarchy, so that each module is synthesized once however often it is used.
A family that Yosys knows too little of is synthesized as another one, and marked so.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from ernn.backends.backend import backend_of
from ernn.backends.netlist import Count, count
from ernn.backends.yosys_commands import TOP
from ernn.hdl.project import Project
from ernn.parts.part import Part
from ernn.places import alias
from ernn.run.netlist import read_netlist
from ernn.run.yosys import run_yosys
from ernn.tools import require

NETLIST = "netlist.json"


@dataclass(frozen=True)
class Synthesis:
    """A synthesized design."""

    family: str  # that it was synthesized as: ernn.parts.family
    stand_in: bool  # the part is of another family
    tool: str  # "yosys 0.70"
    commands: tuple[str, ...]
    seconds: float
    count: Count
    netlist: Path


def synthesize(
    project: Project,
    part: Part,
    folder: Path,
    *,
    contents: bool = False,
    timeout_s: float = 900,
) -> Synthesis:
    """Synthesize a project for a part, keeping its hierarchy; count what it takes.

    Args:
        project: as generated.
        part: which part, or what stands in for it.
        folder: existing; script, log and ``netlist.json`` are left in it.
        contents: whether the memories of weights begin with their words. Without, the memories of
            all rows are one module, and the same size; with, each row is synthesized by itself.
        timeout_s: after which Yosys is stopped.

    Raises:
        ToolError: no synthesis for this part; Yosys is missing, fails, takes too long or runs out
            of memory.
    """
    backend, tool = backend_of(part), require("yosys")
    netlist = alias(folder.resolve()) / NETLIST  # Yosys takes names with spaces apart
    flow = backend.synthesis()
    commands = (*read_commands(project, contents), *flow, f"write_json {netlist}")
    started = time.monotonic()
    run_yosys(commands, project.rtl, folder / "synth.ys", timeout_s=timeout_s)
    if backend.registers:
        backend.registers(netlist)
    seconds = time.monotonic() - started
    counted = count(read_netlist(netlist), TOP, backend.cells)
    family = part.family.synthesized_as or part.family.name
    version = f"yosys {tool.version}"
    stand_in = bool(part.family.synthesized_as)
    return Synthesis(family, stand_in, version, commands, seconds, counted, netlist)


def read_commands(project: Project, contents: bool) -> list[str]:
    """Return the commands that read a project's Verilog; see `synthesize` for ``contents``."""
    read = [f"read_verilog {' '.join(file.name for file in project.verilog)}"]
    return read if contents else [*read, "chparam -set FILES 0 ernn_pe_array"]
