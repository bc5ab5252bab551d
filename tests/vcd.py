"""A reader of VCD files, for tests: names, ranges, and every value of chosen signals."""

import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

_VAR = re.compile(r"\$var\s+\w+\s+(\d+)\s+(\S+)\s+(\S+)(?:\s*(\[[^\]]*\]))?\s+\$end")


@dataclass
class Vcd:
    """Signals by full name, and the values that each takes one after another."""

    widths: dict[str, int] = field(default_factory=dict)
    values: dict[str, list[str]] = field(default_factory=dict)  # bits, the highest first


def read_vcd(path: Path, wanted=lambda name: True) -> Vcd:
    """Read a file; arrays' words are ``name[3]``, as in SAIF."""
    vcd, scope, codes, header = Vcd(), [], {}, True
    for line in path.read_text(encoding="ascii").splitlines():
        if not header and line[:1] in "01xzXZ" and len(line) > 1:
            _change(vcd, codes.get(line[1:], ()), line[0])
        elif not header and line[:1] in "bB":
            bits, code = line[1:].split()
            _change(vcd, codes.get(code, ()), bits)
        elif "$scope" in line:
            scope.append(line.split()[2])
        elif "$upscope" in line:
            scope.pop()
        elif "$enddefinitions" in line:
            header = False
        elif found := _VAR.search(line):
            width, code, name, _ = found.groups()
            full = ".".join([*scope, name.replace("\\", "")])
            vcd.widths[full] = int(width)
            if wanted(full):
                codes.setdefault(code, []).append(full)
    return vcd


def _change(vcd: Vcd, names, bits: str) -> None:
    for name in names:
        width = vcd.widths[name]
        fill = bits[0] if bits[0] in "xz" else "0"
        vcd.values.setdefault(name, []).append(bits.rjust(width, fill).lower())


def toggles(values: list[str], bit: int) -> tuple[str, int]:
    """Return a bit's first value, and how often it goes between 0 and 1 after that."""
    seen = [bits[-1 - bit] for bits in values]
    known = [(a, b) for a, b in pairwise(seen) if {a, b} == {"0", "1"}]
    return seen[0], len(known)
