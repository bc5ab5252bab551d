"""Read what ernn_testbench wrote: the events of a simulation, in the order of their cycles.

The format is that of hw_templates/ernn_testbench.v.j2. Data stay text until they are compared,
because a simulator may have written bits that it does not know (x).
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ernn.errors import ToolError


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


def read_trace(path: Path) -> list[list[Event]]:
    """Return the events between resets; the last list is the run that came to its end.

    Raises:
        ToolError: there is no trace, or a line of it is cut off.
    """
    runs: list[list[Event]] = [[]]
    try:
        for line in _lines(path):
            if line == "x":
                runs.append([])
            else:
                runs[-1].append(_event(line))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolError(
            f"{path} is no whole trace", given=str(error), remedy="simulate again"
        ) from None
    return [run for run in runs if run] or [[]]


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="ascii") as file:
        for line in file:
            if not line.endswith("\n"):
                raise ValueError(f"it breaks off in {line!r}")
            yield line.rstrip("\n")


def _event(line: str) -> Event:
    letter, *fields = line.split(" ")
    kind, readers = _KINDS[letter]
    event = kind(*[read(text) for read, text in zip(readers, fields, strict=False)])
    if isinstance(event, VectorWord):
        return event._replace(given=tuple(fields[len(readers) :]))
    return event


def values(data: str, bits: int, count: int) -> list[int | None]:
    """Return the ``count`` signed values of a word, the first in its low bits; None: unknown."""
    mask, sign = (1 << bits) - 1, 1 << (bits - 1)
    digits, odd = divmod(bits, 4)
    if not odd and len(data) == digits * count and data.isalnum():  # quicker, for nearly all
        with suppress(ValueError):  # unknown bits
            ends = range(len(data), 0, -digits)
            return [(int(data[end - digits : end], 16) ^ sign) - sign for end in ends]
    unknown = 0
    if not data.isalnum() or any(digit in data for digit in "xzXZ"):
        unknown = int("".join("f" if d in "xzXZ" else "0" for d in data), 16)
        data = "".join("0" if d in "xzXZ" else d for d in data)
    word = int(data, 16)
    elements: list[int | None] = []
    for low in range(0, bits * count, bits):
        if unknown >> low & mask:
            elements.append(None)
        else:
            elements.append(((word >> low & mask) ^ sign) - sign)
    return elements
