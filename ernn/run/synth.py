"""Synthesize a generated project with Yosys: what it takes of a part, and its netlist.

The netlist keeps the hierarchy, so that each module is synthesized once however often it is used.
UltraScale parts are synthesized as 7-series: Yosys packs no register into their DSP blocks.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from ernn.errors import PlanError
from ernn.hdl.project import Project
from ernn.parts.part import Part
from ernn.run.netlist import ECP5, XC7, Count, count, read_netlist
from ernn.run.yosys import run_yosys
from ernn.tools import require

TOP = "ernn_top"
NETLIST = "netlist.json"
_LUT_COSTS = "2:2,3,6:5,10,20"  # of 1 to 8 inputs, as synth_xilinx has them


@dataclass(frozen=True)
class Synthesis:
    """A synthesized design."""

    family: str  # "xc7" or "ecp5"
    stand_in: bool  # the part is of another family
    tool: str  # "yosys 0.70"
    commands: tuple[str, ...]
    seconds: float
    count: Count
    netlist: Path


def family_of(part: Part) -> str:
    """Return the family that Yosys synthesizes a part as.

    Raises:
        PlanError: it knows none.
    """
    known = {"vivado": "xc7", "ecp5": "ecp5"}
    if part.family.flow in known:
        return known[part.family.flow]
    raise PlanError(
        f"{part.name} is a {part.family.vendor} {part.family.name}, which ernn cannot synthesize; "
        "choose a part of AMD or an ECP5"
    )


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
        PlanError: no synthesis for this part.
        ToolError: Yosys is missing, fails, takes too long or runs out of memory.
    """
    family, tool = family_of(part), require("yosys")
    netlist = folder / NETLIST
    flow = _xc7() if family == "xc7" else _ecp5()
    commands = (*read_commands(project, contents), *flow, f"write_json {netlist.resolve()}")
    started = time.monotonic()
    run_yosys(commands, project.rtl, folder / "synth.ys", timeout_s=timeout_s)
    seconds = time.monotonic() - started
    counted = count(read_netlist(netlist), TOP, XC7 if family == "xc7" else ECP5)
    stand_in = family == "xc7" and part.family.name == "ultrascale"
    version = f"yosys {tool.version}"
    return Synthesis(family, stand_in, version, commands, seconds, counted, netlist)


def read_commands(project: Project, contents: bool) -> list[str]:
    """Return the commands that read a project's Verilog; see `synthesize` for ``contents``."""
    read = [f"read_verilog {' '.join(file.name for file in project.verilog)}"]
    return read if contents else [*read, "chparam -set FILES 0 ernn_pe_array"]


def keep_leaves() -> list[str]:
    """Return the commands that keep a register of the broadcast tree for every leaf.

    Yosys would take them for copies of each other, which they are on purpose.
    """
    return ["proc", "setattr -set keep 1 */w:*.leaf_* %ci1 */t:$*dff* %i"]


def _xc7() -> list[str]:
    """Return synth_xilinx, with abc for abc9: as small to 5 %, where abc9 takes minutes."""
    synth = f"synth_xilinx -family xc7 -noiopad -noclkbuf -top {TOP} -run"
    return [
        f"{synth} begin:prepare",
        *keep_leaves(),
        f"{synth} prepare:map_luts",
        "opt_expr -mux_undef -noclkinv",
        f"abc -luts {_LUT_COSTS}",
        "clean",
        "xilinx_srl -fixed -minlen 3",
        "techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6",
        "xilinx_dffopt",
        "opt_lut_ins -tech xilinx",
        f"{synth} finalize:",
    ]


def _ecp5() -> list[str]:
    """Return synth_ecp5, with abc for abc9; only what the plan puts into block RAM goes there."""
    synth = f"synth_ecp5 -noflatten -nobram -top {TOP} -run"
    return [
        f"{synth} begin:coarse",
        *keep_leaves(),
        f"{synth} coarse:map_luts",
        "abc -lut 4:7 -dress",
        "clean",
        f"{synth} map_cells:",
    ]


def flat_ecp5() -> list[str]:
    """Return synth_ecp5 as a router wants it: flat, mapped by abc9, which knows delays."""
    synth = f"synth_ecp5 -nobram -top {TOP} -run"  # block RAM only where the plan says
    return [f"{synth} begin:coarse", *keep_leaves(), f"{synth} coarse:"]
