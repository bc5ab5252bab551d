"""The open flow for GW2A: Yosys, nextpnr (himbaechel), gowin_pack; from a project to a bitstream.

nextpnr places a design for these parts only with its pins, so there is no build without a board.
"""

from pathlib import Path

from ernn.backends import nextpnr
from ernn.backends.build_result import BuildRequest, BuildResult
from ernn.backends.gowin import pll
from ernn.backends.gowin.synthesis import SYNTH, flat
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
from ernn.parts.board import NO_BOARD, Board, board_of
from ernn.run.process import run_tool
from ernn.tools import require

ROUTER = "nextpnr-himbaechel-gowin"
# Version of the silicon, as nextpnr and gowin_pack call it, and the device of a PLL
SILICON = {"GW2AR-18": "GW2A-18C"}
PLL_DEVICES = {"GW2AR-18": "GW2AR-18C"}
CONSTRAINTS, ROUTED, BITSTREAM = f"{BOARD_TOP}.cst", f"{BOARD_TOP}.routed.json", f"{BOARD_TOP}.fs"
# What nextpnr calls what a result counts.
CELLS = {
    "dsp": ["MULT18X18"],
    "bsram": ["BSRAM"],
    "lut": ["LUT4"],
    "alu": ["ALU"],
    "ram16": ["RAM16SDP4"],
    "ff": ["DFF"],
}


def build_gowin(request: BuildRequest, options: OpenOptions) -> BuildResult:
    """Synthesize, place, route and pack a project for a GW2A on its board.

    Raises:
        ToolError: a tool is missing or fails, or the design is too large for the part.
        PlanError: the board is not known, or suits neither part nor clock.
    """
    part = request.part
    if part.name not in SILICON:
        raise PlanError(
            f"{part.name} is no GW2A that ernn routes", remedy=f"choose one of {', '.join(SILICON)}"
        )
    board = board_of(part.name, options.board)
    if board is None:
        raise PlanError(
            f"--board {NO_BOARD}: nextpnr places a design for {part.name} only with its pins",
            remedy="leave --board out, or use `ernn synth` for resources",
        )
    tools = {name: require(name).version for name in ("yosys", ROUTER, "gowin_pack")}
    _write_shell(request, board)
    synthesize_core(request, flat())
    words = simulated_words(request)
    design = synthesize_around(request, SYNTH)
    seed, report = _route(request, options, design)
    _pack(request)
    used, available = nextpnr.utilisation(report, CELLS)
    return BuildResult(
        plan=request.project.plan.digest,
        part=part.full_name,
        tools=tools,
        command=request.command,
        top=BOARD_TOP,
        clock_mhz=request.clock_mhz,
        fmax_mhz=nextpnr.fmax(report),
        used=used,
        available=available,
        files={
            "netlist": f"{TOP}.v",
            "report": nextpnr.REPORT,
            "bitstream": BITSTREAM,
            "routed design": ROUTED,
            "constraints": f"board/{CONSTRAINTS}",
            "software": f"board/{SOFTWARE}",
        },
        critical_path=nextpnr.critical_path(report),
        seed=seed,
        netlist_words=words,
    )


def constraints(board: Board) -> str:
    """Return the pins as Gowin's file of constraints."""
    lines = [f"// {board.title}: {board.source}; never run on the board by us."]
    for port, pin in board.pins.items():
        lines.append(f'IO_LOC "{port}" {pin.site};')
        lines.append(f'IO_PORT "{port}" {pin.options};')
    return "\n".join(lines) + "\n"


def _write_shell(request: BuildRequest, board: Board) -> None:
    """Write the board's shell, and its PLL where the clock is not the board's."""
    files = {CONSTRAINTS: constraints(board)}
    if request.clock_mhz != board.clock_mhz:
        device = PLL_DEVICES[request.part.name]
        files["ernn_pll.v"] = pll.module(board.clock_mhz, request.clock_mhz, device)
    write_shell(request, board, files)


def _route(request: BuildRequest, options: OpenOptions, design: Path) -> tuple[int, nextpnr.Report]:
    """Place and route until the clock is met; return the best placement's seed and report."""
    part = request.part
    command = [
        *(str(require(ROUTER).path), "--device", part.full_name, "--json", design.name),
        *("--vopt", f"family={SILICON[part.name]}", "--vopt", f"cst=board/{CONSTRAINTS}"),
        *("--report", nextpnr.TRY + nextpnr.REPORT, "--write", nextpnr.TRY + ROUTED),
        *("--freq", f"{request.clock_mhz:g}", "--timing-allow-fail"),
    ]
    return nextpnr.best_placement(
        request, options.placements, lambda seed: [*command, "--seed", str(seed)], ROUTED
    )


def _pack(request: BuildRequest) -> None:
    """Make the bitstream of what was routed."""
    device = SILICON[request.part.name]
    command = [str(require("gowin_pack").path), "-d", device, "-o", BITSTREAM, ROUTED]
    log = request.folder / "gowin_pack.log"
    run_tool("gowin_pack", command, request.folder, log, timeout_s=request.timeout_s)
