"""FPGA parts: what a chip offers, read from one small data file per part (<vendor>/*.toml).

A part that is not shipped is described by a file of the same form and loaded by its path.
"""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ernn.datafile import Strict, load_toml, parse
from ernn.errors import PlanError
from ernn.parts.family import Family, Text, family_names, load_family

_PARTS = Path(__file__).resolve().parent
_NOT_PARTS = ("families", "boards")
# Of part files before families had files of their own.
_FORMER = ("vendor", "lut_inputs", "dsp_a_bits", "dsp_b_bits", "dsp_acc_bits")

Blocks = Annotated[int, Field(strict=True, ge=0, le=100_000_000)]


@dataclass(frozen=True)
class Part(Strict):
    """One FPGA: numbers from its data sheet."""

    name: Text
    family: Family
    node_nm: Annotated[int, Field(strict=True, ge=1, le=1000)]
    dsp: Blocks  # multipliers
    bram36: Blocks  # 36-kbit blocks, smaller blocks added up
    lut: Blocks
    ff: Blocks
    source: Text
    full_name: Annotated[str, Field(max_length=60)] = ""  # with package and speed, as its tools say
    memory_luts: Blocks | None = None  # LUTs that can be a memory; not given: all of them

    @property
    def memory_kbit(self) -> int:
        """Block RAM in kbit."""
        return 36 * self.bram36

    @property
    def most_bits(self) -> int:
        """No memories of a design hold more bits, in block RAM and in LUTs together."""
        luts = self.lut if self.memory_luts is None else self.memory_luts
        lut_ram = self.family.lut_ram
        each = max(wide * deep for wide, deep in lut_ram.shapes)
        return 1024 * self.memory_kbit + luts * each // lut_ram.luts


def part_names() -> list[str]:
    """Return the names of the parts that ship with ernn, sorted."""
    return sorted(_shipped())


def load_part(name: str) -> Part:
    """Return a part by its name, in any case, or by the path of a user's own ``.toml`` file.

    Raises:
        PlanError: no such part, or the file does not describe one.
    """
    if name.lower().endswith(".toml"):
        return _read(Path(name))
    known = _shipped()
    if name.upper() not in known:
        close = difflib.get_close_matches(name.upper(), known, n=3, cutoff=0.7)
        meant = f"did you mean {' or '.join(close)}? " if close else ""
        raise PlanError(
            f"{name!r} is not a known part",
            remedy=f"{meant}choose one of {', '.join(sorted(known))}, or give the path of your "
            "own part's .toml file",
        )
    return _read(known[name.upper()])


def _shipped() -> dict[str, Path]:
    """Return the files of the parts that ship with ernn, by name."""
    files = (path for path in _PARTS.glob("*/*.toml") if path.parent.name not in _NOT_PARTS)
    return {path.stem.upper(): path for path in files}


def _read(path: Path) -> Part:
    data = load_toml(path, PlanError)
    former = [key for key in _FORMER if key in data]
    if former:
        raise PlanError(
            str(path), given="a part file of a former ernn", remedy=_renewal(data, former)
        )
    if isinstance(data.get("family"), str):
        data["family"] = load_family(data["family"], path.parent)
    return parse(data, Part, PlanError, str(path))


def _renewal(data: dict[str, Any], former: list[str]) -> str:
    """Return what to write into a part file of a former ernn."""
    renamed = "; write `vivado` as `full_name`" if "vivado" in data else ""
    return (
        f"take out {', '.join(former)}, which its family "
        f"says now, and write family = one of {', '.join(family_names())}, or the path of your own "
        f"family's .toml file{renamed}"
    )
