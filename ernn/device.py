"""FPGA parts: what a chip offers, read from one small data file per part (ernn/parts/*.toml).

A part that is not shipped is described by a file of the same form and loaded by its path.
"""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ernn.datafile import Strict, read_toml
from ernn.errors import PlanError

_PARTS = Path(__file__).resolve().parent / "parts"

Blocks = Annotated[int, Field(strict=True, ge=0, le=100_000_000)]
Bits = Annotated[int, Field(strict=True, ge=1, le=128)]
Text = Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True)
class Part(Strict):
    """One FPGA: numbers from its data sheet."""

    name: Text
    vendor: Text
    family: Text
    node_nm: Annotated[int, Field(strict=True, ge=1, le=1000)]
    dsp: Blocks  # multipliers
    bram36: Blocks  # 36-kbit blocks, smaller blocks added up
    lut: Blocks
    lut_inputs: Annotated[int, Field(strict=True, ge=3, le=8)]
    ff: Blocks
    dsp_a_bits: Bits  # the wider multiplier port, signed
    dsp_b_bits: Bits
    dsp_acc_bits: Bits
    source: Text
    vivado: Annotated[str, Field(max_length=60)] = ""  # with package and speed, as Vivado says it

    @property
    def memory_kbit(self) -> int:
        """Block RAM in kbit."""
        return 36 * self.bram36


def part_names() -> list[str]:
    """Return the names of the parts that ship with ernn, sorted."""
    return sorted(path.stem.upper() for path in _PARTS.glob("*.toml"))


def load_part(name: str) -> Part:
    """Return a part by its name, in any case, or by the path of a user's own ``.toml`` file.

    Raises:
        PlanError: no such part, or the file does not describe one.
    """
    if name.lower().endswith(".toml"):
        return read_toml(Path(name), Part, PlanError)
    known = part_names()
    if name.upper() not in known:
        close = difflib.get_close_matches(name.upper(), known, n=3, cutoff=0.7)
        meant = f"; did you mean {' or '.join(close)}?" if close else ";"
        raise PlanError(
            f"{name!r} is not a known part{meant} choose one of {', '.join(known)}, "
            "or give the path of your own part's .toml file"
        )
    return read_toml(_PARTS / f"{name.lower()}.toml", Part, PlanError)
