"""Families: what a fabric can do, read from one small data file per family (families/*.toml).

A family that is not shipped is a file of the same form, which a part's file names by its path.
``like`` names another family, whose numbers count where a file says none.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ernn.datafile import NotNegative, Strict, load_toml, parse
from ernn.errors import PlanError

_FAMILIES = Path(__file__).resolve().parent / "families"

Bits = Annotated[int, Field(strict=True, ge=1, le=128)]
Number = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Shapes = Annotated[tuple[tuple[Number, Number], ...], Field(min_length=1, max_length=50)]


@dataclass(frozen=True)
class ShiftRegister(Strict):
    """A LUT as a shift register."""

    shortest: Number  # registers in a row that become one
    depth: Number  # of one LUT


@dataclass(frozen=True)
class LutRam(Strict):
    """LUTs as a memory with a write and a read port."""

    luts: Number  # that are one memory
    shapes: Shapes  # bits and words of one, the shallowest first

    def luts_of(self, bits: int, words: int) -> int:
        """Return the LUTs of a memory; deeper ones choose among parts, about a LUT a part's bit."""
        wide, deep = next((one for one in self.shapes if words <= one[1]), self.shapes[-1])
        banks = -(-words // deep)
        return self.luts * -(-bits // wide) * banks + bits * (banks - 1)


@dataclass(frozen=True)
class BlockRam(Strict):
    """A block of 18 kbit with a write and a read port."""

    shapes: Shapes  # bits and words; narrow ones leave the parity bits out

    def blocks_of(self, bits: int, words: int) -> int:
        """Return the blocks of a memory."""
        return min(-(-bits // wide) * -(-words // deep) for wide, deep in self.shapes)


@dataclass(frozen=True)
class Multiplier(Strict):
    """A multiplier block, as the family's synthesis uses it; ports are signed."""

    a_bits: Bits  # the wider port
    b_bits: Bits
    acc_bits: Bits
    # In a row that it takes in front of its second operand, and one of the first and of the product
    registers: Annotated[int, Field(strict=True, ge=0, le=2)]
    adder: bool  # it adds up, and adds another block's product


@dataclass(frozen=True)
class FuseSoc(Strict):
    """The target `synth` of a package's FuseSoC core."""

    flow: Text  # of edalize
    tool: Text  # that synthesizes, for people
    constraints: Text  # ending of the package's file of constraints
    file_type: Text  # FuseSoC's, of that file
    options: tuple[Text, ...]  # of the flow, a line of YAML each
    part: bool = False  # and the part's full name; without one there is no target


@dataclass(frozen=True)
class Costs(Strict):
    """LUTs per bit of each kind of logic, as fitted by benchmarks/cost_fit.py."""

    add: NotNegative  # two operands
    digits: NotNegative  # each further operand of a sum of several
    choose: NotNegative  # a choice of two
    round: NotNegative  # a rounding: the word behind it
    activation: NotNegative  # a word through sigmoid or tanh
    product: NotNegative  # two bits of a multiplier without a DSP block, by bits of a
    control: NotNegative  # a register of control


@dataclass(frozen=True)
class Family(Strict):
    """What the fabric of some parts can do."""

    name: Text
    vendor: Text
    lut_inputs: Annotated[int, Field(strict=True, ge=3, le=8)]
    lut_ram: LutRam
    block_ram: BlockRam
    multiplier: Multiplier
    costs: Costs
    source: Text
    shift_register: ShiftRegister | None = None  # none: registers in a row stay registers
    flow: Annotated[str, Field(max_length=40)] = ""  # of ernn.backends; empty: planned only
    synthesized_as: Annotated[str, Field(max_length=40)] = ""  # a family that stands in for it
    fusesoc: FuseSoc | None = None


def family_names() -> list[str]:
    """Return the names of the families that ship with ernn, sorted."""
    return sorted(path.stem for path in _FAMILIES.glob("*.toml"))


def load_family(name: str, beside: Path) -> Family:
    """Return a family by its name, or by the path of a user's own ``.toml`` file.

    Args:
        name: the name, or a path, which starts at the folder ``beside``.
        beside: folder of the part's file.

    Raises:
        PlanError: no such family, or the file does not describe one.
    """
    if name.endswith(".toml"):
        return _read(beside / name)
    if name not in family_names():
        raise PlanError(
            f"{name!r} is not a known family of parts",
            remedy=f"choose one of {', '.join(family_names())}, or give the path of your own "
            "family's .toml file",
        )
    return _shipped(name)


@functools.cache
def _shipped(name: str) -> Family:
    return _read(_FAMILIES / f"{name}.toml")


def _read(path: Path) -> Family:
    return parse(_data(path), Family, PlanError, str(path))


def _data(path: Path) -> dict[str, Any]:
    """Return what a family's file says, with what it takes from another one's by ``like``."""
    data = load_toml(path, PlanError)
    like = data.pop("like", None)
    if like is None:
        return data
    if like not in family_names():
        known = ", ".join(family_names())
        raise PlanError(
            str(path),
            given=f"like = {like!r} is not a known family",
            remedy=f"choose one of {known}",
        )
    return _merged(_data(_FAMILIES / f"{like}.toml"), data)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return ``base`` but for what ``over`` says, table by table."""
    both = {
        key: base[key] | value
        for key, value in over.items()
        if isinstance(value, dict) and isinstance(base.get(key), dict)
    }
    return base | over | both
