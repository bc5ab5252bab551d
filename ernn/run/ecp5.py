"""The open flow for ECP5: Yosys, nextpnr, ecppack; from a project to a bitstream.

The accelerator's netlist (``ernn_top.v``) is synthesized first and put into the board's shell as it
is, so that the netlist that is simulated (`BuildRequest.check`) is the one that is routed.
"""

import json
import re
from pathlib import Path
from typing import Any

from ernn.errors import PlanError, ToolError
from ernn.files import write_text
from ernn.hdl.board import CONSTRAINTS, SOFTWARE, Shell, board_files
from ernn.hdl.board import TOP as BOARD_TOP
from ernn.parts.board import Board, board_of
from ernn.run.build_result import BuildRequest, BuildResult
from ernn.run.process import run_tool
from ernn.run.synth import TOP, flat_ecp5
from ernn.run.yosys import run_yosys
from ernn.tools import require

DEVICES = {"LFE5U-25F": "25k", "LFE5U-45F": "45k", "LFE5U-85F": "85k"}
SPEEDS = ("6", "7", "8")  # the slowest first
PACKAGE = "CABGA381"  # out of context, where no board names one
PLACER = "static"  # a fifth faster on ernn's arrays than nextpnr's default: docs/build.md
# What nextpnr calls what a result counts.
CELLS = {"dsp": "MULT18X18D", "ebr": "DP16KD", "lut": "TRELLIS_COMB", "ff": "TRELLIS_FF"}


def build_ecp5(request: BuildRequest) -> BuildResult:
    """Synthesize, place, route and pack a project for an ECP5.

    Raises:
        ToolError: a tool is missing or fails, or the design is too large for the part.
        PlanError: the board is not known, or suits neither part nor clock.
    """
    part = request.part
    if part.name not in DEVICES:
        raise PlanError(f"{part.name} is no ECP5 that nextpnr knows: {', '.join(DEVICES)}")
    board = board_of(part.name, request.board)
    speed = request.speed or (board.speed if board else SPEEDS[0])
    if speed not in SPEEDS:
        raise PlanError(f"speed grade {speed!r} is not one of an ECP5: {', '.join(SPEEDS)}")
    tools = {name: require(name).version for name in ("yosys", "nextpnr-ecp5", "ecppack")}
    shell = _write_shell(request, board) if board else None
    design = _synthesize(request, shell)
    words = request.check(request.folder / f"{TOP}.v") if request.check else None
    seed, report = _route(request, design, board, speed)
    files = {"netlist": f"{TOP}.v", "report": "nextpnr.json"}
    if board:
        files |= {"bitstream": _pack(request), "configuration": f"{BOARD_TOP}.config"}
        files |= {"constraints": f"board/{CONSTRAINTS}", "software": f"board/{SOFTWARE}"}
    package = board.package if board else PACKAGE
    used, available = _utilisation(report)
    return BuildResult(
        plan=request.project.plan.digest,
        part=f"{part.name}-{speed}{package}",
        tools=tools,
        command=request.command,
        top=BOARD_TOP if board else TOP,
        clock_mhz=request.clock_mhz,
        fmax_mhz=_fmax(report),
        used=used,
        available=available,
        files=files,
        critical_path=_critical_path(report),
        seed=seed,
        netlist_words=words,
    )


def _write_shell(request: BuildRequest, board: Board) -> Shell:
    """Write the board's shell; its PLL is ecppll's."""
    pll = request.clock_mhz != board.clock_mhz
    shell = Shell(board, request.clock_mhz, pll=pll)
    place = request.folder / "board"
    place.mkdir()
    for name, text in board_files(request.project.plan, shell).items():
        write_text(place / name, text)
    if pll:
        command = [
            *(str(require("ecppll").path), "-n", "ernn_pll", "-f", "ernn_pll.v"),
            *("--clkin_name", "clk_i", "--clkin", f"{board.clock_mhz:g}"),
            *("--clkout0_name", "clk_o", "--clkout0", f"{request.clock_mhz:g}"),
        ]
        log = request.folder / "ecppll.log"
        told = run_tool("ecppll", command, place, log, timeout_s=request.timeout_s)
        made = re.search(r"clkout0 frequency: ([\d.]+) MHz", told)
        if made is None or abs(float(made[1]) / request.clock_mhz - 1) > 0.001:
            raise PlanError(
                f"the PLL makes {made[1] if made else 'no'} MHz of {board.clock_mhz:g} MHz where "
                f"{request.clock_mhz:g} are asked for; choose --clock-mhz so that it can"
            )
    return shell


def _synthesize(request: BuildRequest, shell: Shell | None) -> Path:
    """Synthesize the accelerator, and the shell around it; return nextpnr's input."""
    folder = request.folder.resolve()
    core = [
        "read_verilog -defer " + " ".join(path.name for path in request.project.verilog),
        *flat_ecp5(),
        f"write_json {folder / f'{TOP}.json'}",
        f"select {TOP}",
        f"write_rtlil -selected {folder / f'{TOP}.il'}",
        "select -clear",
        "splitnets",  # a word whose bits depend on each other looks like a loop to a simulator
        f"write_verilog -noattr {folder / f'{TOP}.v'}",
    ]
    run_yosys(core, request.project.rtl, folder / "synth.ys", timeout_s=request.timeout_s)
    if shell is None:
        return folder / f"{TOP}.json"
    around = [
        f"read_verilog -lib {request.project.rtl / f'{TOP}.v'}",
        "read_verilog -defer board/*.v",
        f"synth_ecp5 -top {BOARD_TOP}",
        f"read_rtlil -overwrite {TOP}.il",
        "flatten",
        "opt_clean",
        "check -assert",
        f"write_json {BOARD_TOP}.json",
    ]
    run_yosys(around, folder, folder / "board.ys", timeout_s=request.timeout_s)
    return folder / f"{BOARD_TOP}.json"


def _route(
    request: BuildRequest, design: Path, board: Board | None, speed: str
) -> tuple[int, dict[str, Any]]:
    """Place and route until the clock is met; return the best placement's seed and report."""
    folder, best = request.folder.resolve(), None
    for seed in range(request.seed, request.seed + max(1, request.seeds)):
        report = _place(request, design, board, speed, seed)
        if best is None or _fmax(report) > _fmax(best[1]):
            best = seed, report
            for name in ("nextpnr.json", "nextpnr.log", f"{BOARD_TOP}.config"):
                if (folder / f"try.{name}").exists():
                    (folder / f"try.{name}").replace(folder / name)
        if _fmax(report) >= request.clock_mhz:
            break
    for left in folder.glob("try.*"):
        left.unlink()
    assert best is not None
    return best


def _place(
    request: BuildRequest, design: Path, board: Board | None, speed: str, seed: int
) -> dict[str, Any]:
    """Run nextpnr once; return its report."""
    folder = request.folder.resolve()
    command = [
        *(str(require("nextpnr-ecp5").path), f"--{DEVICES[request.part.name]}", "--speed", speed),
        *("--package", board.package if board else PACKAGE, "--json", design.name),
        *("--report", "try.nextpnr.json", "--freq", f"{request.clock_mhz:g}"),
        *("--placer", PLACER, "--seed", str(seed), "--timing-allow-fail"),
    ]
    if board:
        command += ["--lpf", f"board/{CONSTRAINTS}", "--textcfg", f"try.{BOARD_TOP}.config"]
    else:
        command.append("--out-of-context")
    log = folder / "try.nextpnr.log"
    try:
        run_tool("nextpnr", command, folder, log, timeout_s=request.timeout_s)
    except ToolError:
        lacking = _lacking(log)
        if lacking:
            raise ToolError(
                f"the design is too large for {request.part.name}: {'; '.join(lacking)}; plan it "
                f"for this part, or build for a larger one (log: {log})"
            ) from None
        raise
    return _read_report(folder / "try.nextpnr.json")


def _lacking(log: Path) -> list[str]:
    """Return what a design needs more of than the part has, from nextpnr's log."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    rows = re.findall(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%", text, re.MULTILINE)
    return [
        f"{int(used):,} {name} where it has {int(there):,}"
        for name, used, there in rows
        if int(used) > int(there)
    ]


def _read_report(path: Path) -> dict[str, Any]:
    """Read nextpnr's report.

    Raises:
        ToolError: it is not as nextpnr writes it.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        _fmax(report), _utilisation(report), _critical_path(report)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ToolError(
            f"{path} is no report of the nextpnr that ernn knows ({error!r}); install the version "
            "that `ernn doctor` names"
        ) from None
    return report


def _fmax(report: dict[str, Any]) -> float:
    """Return what the accelerator's clock reaches: the slowest clock but the board's own."""
    clocks = {name: told["achieved"] for name, told in report["fmax"].items()}
    return min(clocks.values())


def _utilisation(report: dict[str, Any]) -> tuple[dict[str, int], dict[str, int]]:
    told = report["utilization"]
    used = {name: told[cell]["used"] for name, cell in CELLS.items()}
    return used, {name: told[cell]["available"] for name, cell in CELLS.items()}


def _critical_path(report: dict[str, Any]) -> list[str]:
    """Return the slowest path from register to register, a line for each delay."""
    inside = [p for p in report["critical_paths"] if "<async>" not in (p["from"], p["to"])]
    if not inside:
        return []
    slowest = max(inside, key=lambda path: sum(piece["delay"] for piece in path["path"]))
    lines, total = [], 0.0
    for piece in slowest["path"]:
        total += piece["delay"]
        end = piece["to"]
        lines.append(
            f"{piece['delay']:6.2f} {total:6.2f} ns  {piece['type']:<9} {end['cell']}.{end['port']}"
        )
    return lines


def _pack(request: BuildRequest) -> str:
    """Make the bitstream of what was routed; return its file name."""
    name = f"{BOARD_TOP}.bit"
    command = [str(require("ecppack").path), "--compress", f"{BOARD_TOP}.config", name]
    log = request.folder / "ecppack.log"
    run_tool("ecppack", command, request.folder, log, timeout_s=request.timeout_s)
    return name
