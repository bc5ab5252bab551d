"""Read what ernn_testbench wrote: the events of a simulation, in the order of their cycles.

The format is that of hw_templates/ernn_testbench.v.j2. Data stay text until they are compared,
because a simulator may have written bits that it does not know (x).
"""

import time
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from threading import Event as Ended
from typing import Any, NamedTuple

from ernn.errors import ToolError

POLL_S = 0.05  # between looks at a trace that grows


class InputBeat(NamedTuple):
    """The accelerator took a word of a feature vector."""

    cycle: int
    stream: int
    fresh: int
    last: int


class OutputBeat(NamedTuple):
    """The accelerator gave a word of an output packet."""

    cycle: int
    stream: int
    last: int
    data: str


class InputWord(NamedTuple):
    """A word of a feature vector entered its transform."""

    cycle: int
    stream: int


class Stepping(NamedTuple):
    """The array began, or stopped, to take a step in every cycle."""

    cycle: int
    begins: int


class PassEnd(NamedTuple):
    """The array took the last step of a pass."""

    cycle: int
    address: int  # of the step's weights: names the job and the pass
    stream: int


class Rows(NamedTuple):
    """The next rows of a pass went to their queue."""

    cycle: int
    queues: int  # one bit each
    data: str


class VectorWord(NamedTuple):
    """A unit finished a word of a vector."""

    cycle: int
    unit: int
    job: int
    stream: int
    start: int
    data: str
    given: tuple[str, ...] = ()  # values for other units, as `UnitPlan.given` lists them


class StateWrite(NamedTuple):
    """A unit wrote a beat of a state."""

    cycle: int
    memory: int  # index into `HardwarePlan.states`
    address: int
    data: str


Event = InputBeat | OutputBeat | InputWord | Stepping | PassEnd | Rows | VectorWord | StateWrite

_TEXT = {"data"}
_LETTERS = {
    "i": InputBeat,
    "o": OutputBeat,
    "w": InputWord,
    "a": Stepping,
    "p": PassEnd,
    "r": Rows,
    "v": VectorWord,
    "s": StateWrite,
}
# By letter: the event, and what each of its fields is read with
_KINDS = {
    letter: (
        kind,
        [str if name in _TEXT else int for name in kind.__annotations__ if name != "given"],
    )
    for letter, kind in _LETTERS.items()
}


def read_trace(path: Path, ended: Ended | None = None) -> Iterator[Iterator[Event]]:
    """Yield the events between resets, run by run; the last run is the one that came to its end.

    Args:
        path: of the trace.
        ended: set as soon as nothing writes it any more; until then the trace is followed as it
            grows. It is whole if nothing is given.

    Raises:
        ToolError: there is no trace, or a line of it is cut off.
    """
    for _, run in groupby(_numbered(path, ended), key=itemgetter(0)):
        yield map(itemgetter(1), run)


def _numbered(path: Path, ended: Ended | None) -> Iterator[tuple[int, Event]]:
    """Yield every event behind the number of resets before it."""
    resets = 0
    try:
        for line in _lines(path, ended):
            if line == "x":
                resets += 1
            else:
                yield resets, _event(line)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolError(
            f"{path} is no whole trace", given=str(error), remedy="simulate again"
        ) from None


def _lines(path: Path, ended: Ended | None) -> Iterator[str]:
    while ended and not path.exists() and not ended.wait(POLL_S):
        pass
    begun = ""  # a line of which a part is still to come
    with path.open(encoding="ascii") as file:
        while True:
            growing = ended is not None and not ended.is_set()  # asked before the rest is read
            for line in file:
                line = begun + line
                begun = "" if line.endswith("\n") else line
                if not begun:
                    yield line.rstrip("\n")
            if not growing:
                break
            time.sleep(POLL_S)
    if begun:
        raise ValueError(f"it breaks off in {begun!r}")


def _event(line: str) -> Event:
    letter, *fields = line.split(" ")
    kind, readers = _KINDS[letter]
    known: list[Any] = [read(text) for read, text in zip(readers, fields, strict=False)]
    if kind is VectorWord:
        return VectorWord._make([*known, tuple(fields[len(readers) :])])
    return kind(*known)


class Packed(NamedTuple):
    """Signed values of one width, the first in the low bits."""

    bits: int  # of each
    size: int  # how many
    word: int  # 0 in bits that are unknown
    unknown: int = 0  # 1 in these

    @classmethod
    def read(cls, data: str, bits: int, size: int) -> "Packed":
        """Return what hexadecimal digits hold; a simulator may have written x or z among them."""
        try:
            return cls(bits, size, int(data, 16))
        except ValueError:
            unknown = "".join("f" if digit in "xzXZ" else "0" for digit in data)
            known = "".join("0" if digit in "xzXZ" else digit for digit in data)
            return cls(bits, size, int(known, 16), int(unknown, 16))

    def part(self, first: int, size: int) -> "Packed":
        """Return some of the values."""
        low, mask = first * self.bits, (1 << size * self.bits) - 1
        return Packed(self.bits, size, self.word >> low & mask, self.unknown >> low & mask)

    @property
    def values(self) -> list[int | None]:
        """The values; None: one with unknown bits."""
        mask, sign = (1 << self.bits) - 1, 1 << (self.bits - 1)
        return [
            None if self.unknown >> low & mask else ((self.word >> low & mask) ^ sign) - sign
            for low in range(0, self.bits * self.size, self.bits)
        ]
