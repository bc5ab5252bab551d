"""Write the board shell: the accelerator behind a serial line, and its software."""

from dataclasses import dataclass

from ernn.errors import PlanError
from ernn.hdl.registers import register_map
from ernn.hdl.templates import aligned, environment
from ernn.hw.plan import HardwarePlan
from ernn.parts.board import Board
from ernn.resources import folder

BAUD = 1_000_000
TIMEOUT_S = 0.1  # without a byte, inside a request
TOP, SOFTWARE = "ernn_board", "ernn_serial.py"
SLOWEST_BIT = 8  # clock cycles


@dataclass(frozen=True)
class Shell:
    """What a board shell is made from."""

    board: Board
    clock_mhz: float  # of the accelerator
    baud: int = BAUD
    timeout_s: float = TIMEOUT_S
    pll: bool = True  # a module ernn_pll makes the clock of the board's

    @property
    def bit_clocks(self) -> int:
        """Clock cycles of a bit on the serial line."""
        return round(self.clock_mhz * 1e6 / self.baud)

    @property
    def timeout_clocks(self) -> int:
        """Clock cycles without a byte after which a request has broken off."""
        return round(self.clock_mhz * 1e6 * self.timeout_s)


def board_files(plan: HardwarePlan, shell: Shell) -> dict[str, str]:
    """Return the files of a board shell: {name: text}; the accelerator itself is not among them.

    Raises:
        PlanError: the clock is too slow for the serial line.
    """
    if shell.bit_clocks < SLOWEST_BIT:
        raise PlanError(
            f"{shell.clock_mhz:g} MHz are {shell.bit_clocks} cycles a bit at {shell.baud:,} baud",
            allowed=f"{SLOWEST_BIT} or more",
            remedy="use a faster clock",
        )
    context = {"plan": plan, "map": register_map(plan), "shell": shell, "board": shell.board}
    files = {
        f"{TOP}.v": aligned(environment().get_template(f"{TOP}.v.j2").render(context)),
        SOFTWARE: environment().get_template(f"{SOFTWARE}.j2").render(context),
    }
    for path in sorted((folder("hw_templates") / "board").glob("*.v")):
        files[path.name] = path.read_text(encoding="utf-8")
    return files
