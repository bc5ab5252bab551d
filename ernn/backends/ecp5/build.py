"""The open flow for ECP5: Yosys, nextpnr, ecppack; from a project to a bitstream."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ernn.backends import nextpnr
from ernn.backends.build_result import BuildRequest, BuildResult
from ernn.backends.ecp5.registers import use_block_registers
from ernn.backends.ecp5.synthesis import flat
from ernn.backends.shell import (
    OpenOptions,
    simulated_words,
    synthesize_around,
    synthesize_core,
    write_shell,
)
from ernn.backends.yosys_commands import TOP
from ernn.errors import PlanError
from ernn.hdl.board import SOFTWARE
from ernn.hdl.board import TOP as BOARD_TOP
from ernn.parts.board import Board, board_of
from ernn.run.process import run_tool
from ernn.tools import require

DEVICES = {"LFE5U-25F": "25k", "LFE5U-45F": "45k", "LFE5U-85F": "85k"}
SPEEDS = ("6", "7", "8")  # the slowest first
PACKAGE = "CABGA381"  # out of context, where no board names one
PLACER = "static"  # a fifth faster on ernn's arrays than nextpnr's default: docs/build.md
CONSTRAINTS = f"{BOARD_TOP}.lpf"
CONFIGURATION = f"{BOARD_TOP}.config"
# What nextpnr calls what a result counts.
CELLS = {"dsp": ["MULT18X18D"], "ebr": ["DP16KD"], "lut": ["TRELLIS_COMB"], "ff": ["TRELLIS_FF"]}


@dataclass(frozen=True)
class Ecp5Options(OpenOptions):
    """Options of this flow."""

    speed: Annotated[
        str, Field(description="Speed grade, 6 to 8; the board's, or the slowest.")
    ] = ""


def build_ecp5(request: BuildRequest, options: Ecp5Options) -> BuildResult:
    """Synthesize, place, route and pack a project for an ECP5.

    Raises:
        ToolError: a tool is missing or fails, or the design is too large for the part.
        PlanError: the board is not known, or suits neither part nor clock.
    """
    part = request.part
    if part.name not in DEVICES:
        raise PlanError(
            f"{part.name} is no ECP5 that nextpnr knows",
            remedy=f"choose one of {', '.join(DEVICES)}",
        )
    board = board_of(part.name, options.board)
    speed = options.speed or (board.speed if board else SPEEDS[0])
    if speed not in SPEEDS:
        raise PlanError(
            f"speed grade {speed!r} is not one of an ECP5",
            remedy=f"choose one of {', '.join(SPEEDS)}",
        )
    tools = {name: require(name).version for name in ("yosys", "nextpnr-ecp5", "ecppack")}
    if board:
        _write_shell(request, board)
    design = _synthesize(request, board)
    words = simulated_words(request)
    seed, report = _route(request, options, design, board, speed)
    files = {"netlist": f"{TOP}.v", "report": nextpnr.REPORT}
    if board:
        files |= {"bitstream": _pack(request), "configuration": CONFIGURATION}
        files |= {"constraints": f"board/{CONSTRAINTS}", "software": f"board/{SOFTWARE}"}
    used, available = nextpnr.utilisation(report, CELLS)
    return BuildResult(
        plan=request.project.plan.digest,
        part=f"{part.name}-{speed}{board.package if board else PACKAGE}",
        tools=tools,
        command=request.command,
        top=BOARD_TOP if board else TOP,
        clock_mhz=request.clock_mhz,
        fmax_mhz=nextpnr.fmax(report),
        used=used,
        available=available,
        files=files,
        critical_path=nextpnr.critical_path(report),
        seed=seed,
        netlist_words=words,
    )


def constraints(board: Board) -> str:
    """Return the pins and the clock as Lattice's preference file."""
    lines = [f"# {board.title}: {board.source}; never run on the board by us."]
    for port, pin in board.pins.items():
        lines.append(f'LOCATE COMP "{port}" SITE "{pin.site}";')
        lines.append(f'IOBUF PORT "{port}" {pin.options};')
    lines.append(f'FREQUENCY PORT "clk_i" {board.clock_mhz:g} MHZ;')
    return "\n".join(lines) + "\n"


def _write_shell(request: BuildRequest, board: Board) -> None:
    """Write the board's shell; its PLL is ecppll's."""
    shell = write_shell(request, board, {CONSTRAINTS: constraints(board)})
    if not shell.pll:
        return
    command = [
        *(str(require("ecppll").path), "-n", "ernn_pll", "-f", "ernn_pll.v"),
        *("--clkin_name", "clk_i", "--clkin", f"{board.clock_mhz:g}"),
        *("--clkout0_name", "clk_o", "--clkout0", f"{request.clock_mhz:g}"),
    ]
    log = request.folder / "ecppll.log"
    told = run_tool("ecppll", command, request.folder / "board", log, timeout_s=request.timeout_s)
    made = re.search(r"clkout0 frequency: ([\d.]+) MHz", told)
    if made is None or abs(float(made[1]) / request.clock_mhz - 1) > 0.001:
        raise PlanError(
            f"the PLL makes {made[1] if made else 'no'} MHz of {board.clock_mhz:g} MHz where "
            f"{request.clock_mhz:g} are asked for",
            remedy="choose --clock-mhz so that it can",
        )


def _synthesize(request: BuildRequest, board: Board | None) -> Path:
    """Synthesize the accelerator, and the shell around it; return nextpnr's input."""
    core = synthesize_core(request, flat(), use_block_registers)
    return synthesize_around(request, "synth_ecp5") if board else core


def _route(
    request: BuildRequest, options: Ecp5Options, design: Path, board: Board | None, speed: str
) -> tuple[int, nextpnr.Report]:
    """Place and route until the clock is met; return the best placement's seed and report."""
    command = [
        *(str(require("nextpnr-ecp5").path), f"--{DEVICES[request.part.name]}", "--speed", speed),
        *("--package", board.package if board else PACKAGE, "--json", design.name),
        *("--report", nextpnr.TRY + nextpnr.REPORT, "--freq", f"{request.clock_mhz:g}"),
        *("--placer", PLACER, "--timing-allow-fail"),
    ]
    if board:
        command += ["--lpf", f"board/{CONSTRAINTS}", "--textcfg", nextpnr.TRY + CONFIGURATION]
    else:
        command.append("--out-of-context")
    return nextpnr.best_placement(
        request, options.placements, lambda seed: [*command, "--seed", str(seed)], CONFIGURATION
    )


def _pack(request: BuildRequest) -> str:
    """Make the bitstream of what was routed; return its file name."""
    name = f"{BOARD_TOP}.bit"
    command = [str(require("ecppack").path), "--compress", CONFIGURATION, name]
    log = request.folder / "ecppack.log"
    run_tool("ecppack", command, request.folder, log, timeout_s=request.timeout_s)
    return name
