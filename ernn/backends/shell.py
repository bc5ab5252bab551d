"""The open flows: an accelerator synthesized by itself, and put into a board's shell as it is.

So the netlist that is simulated (`BuildRequest.check`) is the one that is routed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ernn.backends.build_result import BuildRequest
from ernn.backends.yosys_commands import TOP
from ernn.datafile import Strict
from ernn.files import write_text
from ernn.hdl.board import TOP as BOARD_TOP
from ernn.hdl.board import Shell, board_files
from ernn.parts.board import Board
from ernn.places import alias
from ernn.run.yosys import run_yosys


@dataclass(frozen=True)
class OpenOptions(Strict):
    """What the open flows can be told."""

    board: Annotated[
        str, Field(description="The board; none: the accelerator alone. What suits the part.")
    ] = ""
    seed: Annotated[int, Field(ge=0, description="Of the first placement; 1.")] = 1
    seeds: Annotated[
        int, Field(ge=1, le=100, description="Placements to try until the clock is met; 3.")
    ] = 3
    simulate: Annotated[
        bool, Field(description="Simulate the netlist on the run's test speech.")
    ] = False

    @property
    def placements(self) -> range:
        """The seeds to try."""
        return range(self.seed, self.seed + self.seeds)


def write_shell(request: BuildRequest, board: Board, extra: dict[str, str]) -> Shell:
    """Write a board's shell into ``board/`` of the build.

    Args:
        request: of the build.
        board: what it runs on.
        extra: files of the flow, such as constraints: {name: text}.
    """
    shell = Shell(board, request.clock_mhz, pll=request.clock_mhz != board.clock_mhz)
    place = request.folder / "board"
    place.mkdir()
    for name, text in (board_files(request.project.plan, shell) | extra).items():
        write_text(place / name, text)
    return shell


def synthesize_core(
    request: BuildRequest,
    flat: Sequence[str],
    improve: Callable[[Path], None] | None = None,
) -> Path:
    """Synthesize the accelerator alone; return nextpnr's input.

    Args:
        request: of the build.
        flat: a flow's commands.
        improve: changes the netlist, which it finds as JSON.
    """
    folder = alias(request.folder.resolve())  # Yosys takes names with spaces apart
    netlist = folder / f"{TOP}.json"
    commands = [
        "read_verilog -defer " + " ".join(path.name for path in request.project.verilog),
        *flat,
        f"write_json {netlist}",
    ]
    run_yosys(commands, request.project.rtl, folder / "synth.ys", timeout_s=request.timeout_s)
    if improve:
        improve(netlist)
    commands = [
        f"read_json {netlist}",
        f"select {TOP}",
        f"write_rtlil -selected {folder / f'{TOP}.il'}",
        "select -clear",
        "splitnets",  # a word whose bits depend on each other looks like a loop to a simulator
        f"write_verilog -noattr {folder / f'{TOP}.v'}",
    ]
    run_yosys(commands, folder, folder / "netlist.ys", timeout_s=request.timeout_s)
    return netlist


def synthesize_around(request: BuildRequest, synth: str) -> Path:
    """Synthesize the shell around the accelerator's netlist; return nextpnr's input.

    Args:
        request: of the build; `write_shell` and `synthesize_core` came before.
        synth: Yosys' command but for its top.
    """
    folder = alias(request.folder.resolve())  # Yosys takes names with spaces apart
    commands = [
        f"read_verilog -lib {alias(request.project.rtl.resolve()) / f'{TOP}.v'}",
        "read_verilog -defer board/*.v",
        f"{synth} -top {BOARD_TOP}",
        f"read_rtlil -overwrite {TOP}.il",
        "flatten",
        "opt_clean",
        "check -assert",
        f"write_json {BOARD_TOP}.json",
    ]
    run_yosys(commands, folder, folder / "board.ys", timeout_s=request.timeout_s)
    return folder / f"{BOARD_TOP}.json"


def simulated_words(request: BuildRequest) -> int | None:
    """Simulate the accelerator's netlist if that was asked for; return the words compared."""
    check: Callable[[Path], int] | None = request.check
    return check(request.folder / f"{TOP}.v") if check else None
