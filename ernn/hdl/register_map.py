"""RegisterMap: addresses, bits and reset values of the registers, as templates print them."""

from dataclasses import dataclass
from typing import NamedTuple

ADDRESS_BITS = 12  # 4 KiB, the smallest window that interconnects give

_ACCESS = {
    "constant": "read",
    "input": "read",
    "storage": "read, write",
    "sticky": "read, write 1 to clear",
    "pulse": "write",
    "write": "write",
}


@dataclass(frozen=True)
class Field:
    """Bits of a register.

    Its kind says who changes it: "constant", nobody; "input", the hardware; "storage", software;
    "sticky", set by hardware and cleared by writing 1; "pulse", 1 for a cycle after software writes
    1; "write", what is written is used at once and not kept.
    """

    name: str
    kind: str
    low: int
    width: int
    reset: int  # 0 where it has none
    text: str

    @property
    def high(self) -> int:
        """Highest bit."""
        return self.low + self.width - 1

    @property
    def access(self) -> str:
        """What software can do with it, in words."""
        return _ACCESS[self.kind]

    @property
    def readable(self) -> bool:
        """Whether reading it tells anything."""
        return self.kind not in ("pulse", "write")

    @property
    def writable(self) -> bool:
        """Whether writing it does anything."""
        return self.kind not in ("constant", "input")


class Gap(NamedTuple):
    """Bits that read as 0."""

    high: int
    low: int


@dataclass(frozen=True)
class Register:
    """32 bits at an address."""

    name: str
    address: int
    title: str
    text: str
    fields: tuple[Field, ...]

    @property
    def index(self) -> int:
        """Its address in words."""
        return self.address // 4

    @property
    def readable(self) -> bool:
        """Whether any field is."""
        return any(field.readable for field in self.fields)

    @property
    def writable(self) -> bool:
        """Whether any field is."""
        return any(field.writable for field in self.fields)

    @property
    def stored(self) -> bool:
        """Whether a write to one field must give back what the others hold."""
        return any(field.kind == "storage" for field in self.fields)

    @property
    def gaps(self) -> list[Gap]:
        """Bits outside the readable fields."""
        found, next_bit = [], 0
        for field in sorted((f for f in self.fields if f.readable), key=lambda f: f.low):
            if field.low > next_bit:
                found.append(Gap(field.low - 1, next_bit))
            next_bit = field.high + 1
        return found + ([Gap(31, next_bit)] if next_bit < 32 else [])


class Counter(NamedTuple):
    """A pair of registers that counts."""

    name: str
    title: str
    text: str
    bits: int  # of the number that is added in a cycle


class Choice(NamedTuple):
    """A register that takes one of four values; None: there is no such value."""

    name: str
    sources: tuple[str | None, ...]


class Level(NamedTuple):
    """Choices that are made in the same cycle, by two bits of the address."""

    number: int
    high: int
    low: int
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class RegisterMap:
    """All registers, in the order of their addresses."""

    registers: tuple[Register, ...]
    counters: tuple[Counter, ...]

    @property
    def address_bits(self) -> int:
        """Bits of an address."""
        return ADDRESS_BITS

    @property
    def index_bits(self) -> int:
        """Bits of an address in words."""
        return ADDRESS_BITS - 2

    @property
    def single(self) -> list[Register]:
        """Registers that are no half of a counter."""
        halves = {f"{counter.name}_{half}" for counter in self.counters for half in ("low", "high")}
        return [register for register in self.registers if register.name not in halves]

    @property
    def writable(self) -> list[Register]:
        """Registers that can be written."""
        return [register for register in self.registers if register.writable]

    @property
    def readable(self) -> list[Register]:
        """Registers that can be read."""
        return [register for register in self.registers if register.readable]

    @property
    def levels(self) -> list[Level]:
        """The way of a read value: one of four in each cycle, until one is left."""
        names = {register.index: f"value_{register.name}" for register in self.readable}
        levels: list[Level] = []
        while not levels or len(names) > 1:
            number = len(levels)
            choices = {
                group: Choice(
                    f"read_{number}_{group}_q",
                    tuple(names.get(4 * group + place) for place in range(4)),
                )
                for group in sorted({index // 4 for index in names})
            }
            names = {group: choice.name for group, choice in choices.items()}
            levels.append(Level(number, 2 * number + 1, 2 * number, tuple(choices.values())))
        return levels

    @property
    def choice_bits(self) -> int:
        """Bits of an address in words that the levels look at; the others must be 0."""
        return 2 * len(self.levels)

    @property
    def read_cycles(self) -> int:
        """From an accepted address to its data."""
        return len(self.levels) + 1

    def field(self, register: str, field: str) -> Field:
        """Return a field by name."""
        return next(f for f in self.register(register).fields if f.name == field)

    def register(self, name: str) -> Register:
        """Return a register by name."""
        return next(r for r in self.registers if r.name == name)
