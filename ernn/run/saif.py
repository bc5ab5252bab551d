"""Read SAIF, the Switching Activity Interchange Format (IEEE 1801, annex): what toggled how often.

Read is what simulators write: one DURATION; instances in instances; nets and ports with T0, T1, TX,
TZ, TB (time at each value, which must add up to the duration) and TC (toggles); IG and IK ignored.

Verilator's own files need two repairs, which `repaired` makes: where tracing begins late, it counts
the time before as time at 0; and it says nothing about whose design it is. A third cannot be made:
it starts every bit at 0, so that one that begins at 1 has a toggle too many.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ernn.errors import ToolError

# A name, with escaped brackets of its bits; what follows it is a number of (T0 5)-like counts.
_NAME = r"(?:\\.|[^\s()\"\\])+"
_COUNTS = r"(?:\(\s*(?:T0|T1|TX|TZ|TB|TC|IG|IK)\s+\d+\s*\)\s*)+"
_TOKEN = re.compile(
    rf"\s*(?:\(\s*(?P<net>{_NAME})\s*(?P<counts>{_COUNTS})\)|(?P<comment>//[^\n]*\n|/\*.*?\*/)"
    rf"|(?P<open>\()|(?P<close>\))|\"(?P<string>[^\"]*)\"|(?P<word>{_NAME}))",
    re.DOTALL,
)
_COUNT = re.compile(r"\(\s*(T0|T1|TX|TZ|TB|TC)\s+(\d+)")
_BIT = re.compile(r"\\?\[(\d+)\\?\]$")
LARGEST = 1 << 29  # bytes of a file, unpacked: seven times what ernn leaves of a full XC7VX690T
_TIMES = ("T0", "T1", "TX", "TZ", "TB")


@dataclass(frozen=True, slots=True)
class Bit:
    """One bit of a net."""

    high: int  # time at 1
    toggles: int


@dataclass(frozen=True)
class Saif:
    """A SAIF file."""

    design: str  # what DESIGN says; empty if nothing
    duration: int
    scopes: dict[str, dict[str, dict[int, Bit]]]  # instance "a.b" -> net -> bits by index

    @property
    def nets(self) -> int:
        """How many bits it tells about."""
        return sum(len(bits) for nets in self.scopes.values() for bits in nets.values())


def parse_saif(path: Path, text: str) -> Saif:
    """Read the text of a SAIF file.

    Args:
        path: of the file, for messages.
        text: see `read_text`.

    Raises:
        ToolError: it is damaged or no SAIF.
    """
    return _Reader(path, text).read()


def read_text(path: Path) -> str:
    """Return the text of a file, plain or compressed with gzip.

    Raises:
        ToolError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ToolError(
                f"{path} holds more than {LARGEST >> 20} MiB, which no simulation of ernn leaves",
                remedy="simulate again",
            )
        return data.decode("ascii")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ToolError(
            f"{path} cannot be read", given=str(error), remedy="simulate again"
        ) from None


def repaired(text: str, design: str, before: int) -> str:
    """Return a SAIF of Verilator with its DESIGN, and without the time before its window.

    Args:
        text: of the file.
        design: whose it is.
        before: time until the window, in the file's unit.
    """

    def shorter(found: re.Match) -> str:
        return f"({found[1]} {int(found[2]) - before})"

    named = text.replace("(PROGRAM_NAME", f'(DESIGN "{design}")\n(PROGRAM_NAME', 1)
    return re.sub(r"\((T0|DURATION) (\d+)\)", shorter, named)


class _Reader:
    """Walks a file's text."""

    def __init__(self, path: Path, text: str):
        self.path, self.text = path, text
        self.duration: int | None = None
        self.design = ""

    def read(self) -> Saif:
        """Return what the file tells.

        Raises:
            ToolError: it is damaged or no SAIF.
        """
        scopes: dict[str, dict[str, dict[int, Bit]]] = {}
        nets: dict[str, dict[int, Bit]] | None = None  # of the current instance
        heads: list[list[str]] = []  # of every list that is open: its words so far
        for token in self._tokens():
            kind, text = token.lastgroup, token[token.lastgroup or 0]
            if kind == "counts":
                if nets is None:
                    instances = [head[-1] for head in heads if head[:1] == ["INSTANCE"]]
                    nets = scopes.setdefault(".".join(instances), {})
                name, bit = _split(token["net"])
                nets.setdefault(name, {})[bit] = self._bit(token)
                continue
            nets = None
            if kind == "open":
                heads.append([])
            elif kind == "close":
                if not heads:
                    raise self._damaged("closes more than it opens")
                self._close(heads.pop())
            elif kind != "comment" and heads:
                heads[-1].append(text)
        if heads:
            raise self._damaged("breaks off")
        if self.duration is None or not scopes:
            raise self._damaged("tells no duration or no nets")
        return Saif(self.design, self.duration, scopes)

    def _tokens(self) -> Iterator[re.Match]:
        end = 0
        if not self.text[:200].lstrip().startswith(("(", "//", "/*")):
            raise self._damaged("is none")
        for token in _TOKEN.finditer(self.text):
            if token.start() != end:
                break
            end = token.end()
            yield token
        if self.text[end:].strip():
            raise self._damaged(f"holds {self.text[end : end + 20].strip()!r}")

    def _close(self, head: list[str]) -> None:
        match head:
            case ["DURATION", number] if re.fullmatch(r"\d+(\.0+)?", number):
                self.duration = int(float(number))
            case ["DURATION", *other]:
                raise self._damaged(f"has a duration of {' '.join(other)!r}")
            case ["DESIGN", name]:
                self.design = name

    def _bit(self, token: re.Match) -> Bit:
        counts = {kind: int(number) for kind, number in _COUNT.findall(token["counts"])}
        total = sum(counts.get(kind, 0) for kind in _TIMES)
        if self.duration is None:
            raise self._damaged("tells of nets before a duration")
        if total != self.duration or "TC" not in counts:
            raise self._damaged(f"tells of {total} of {self.duration} time units of {token['net']}")
        return Bit(counts.get("T1", 0), counts["TC"])

    def _damaged(self, what: str) -> ToolError:
        return ToolError(f"{self.path} is no whole SAIF file: it {what}", remedy="simulate again")


def _split(name: str) -> tuple[str, int]:
    """Return a net's name and the index of the bit: 0 unless it says one."""
    found = _BIT.search(name)
    if found is None:
        return name.replace("\\", ""), 0
    return name[: found.start()].replace("\\", ""), int(found[1])
