"""Boards: which part is on them, their clock and pins; one small data file each (boards/*.toml)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ernn.datafile import Strict, read_toml
from ernn.errors import PlanError

NO_BOARD = "none"  # the accelerator alone, out of context
_BOARDS = Path(__file__).resolve().parent / "boards"

Text = Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True)
class Pin(Strict):
    """Where a port of `ernn_board` leaves the chip, and how."""

    site: Text
    options: Text


@dataclass(frozen=True)
class Board(Strict):
    """A board with a serial line."""

    name: Text
    title: Text
    parts: list[Text]
    package: Text
    speed: Text  # speed grade of the part on it
    clock_mhz: Annotated[float, Field(gt=0, le=1000)]
    pins: dict[Text, Pin]  # by port of ernn_board
    source: Text


def boards() -> dict[str, Board]:
    """Return the boards that ship with ernn, by name."""
    return {path.stem: read_toml(path, Board, PlanError) for path in sorted(_BOARDS.glob("*.toml"))}


def board_of(part: str, name: str = "") -> Board | None:
    """Return a board with a part on it: the named one, or the first; None for `NO_BOARD`.

    Raises:
        PlanError: no such board, or another part is on it.
    """
    if name == NO_BOARD:
        return None
    known = boards()
    if name and name not in known:
        raise PlanError(
            f"{name!r} is not a known board", remedy=f"choose {', '.join(known)} or {NO_BOARD}"
        )
    able = [board for board in known.values() if part in board.parts and name in ("", board.name)]
    if not able:
        raise PlanError(
            f"no board with {part} is known{f' as {name}' if name else ''}",
            remedy=f"use --board {NO_BOARD}",
        )
    return able[0]
