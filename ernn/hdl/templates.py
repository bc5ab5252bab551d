"""The Jinja environment of everything that is generated, and how generated Verilog is laid out."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import jinja2

from ernn.hdl.ports import register_ports, stream_ports
from ernn.resources import folder


@lru_cache
def environment() -> jinja2.Environment:
    """Return the Jinja environment of all templates; a misspelt name is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder("hw_templates")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    made.globals |= {"stream_ports": stream_ports, "register_ports": register_ports}
    return made


# What stands in columns: (before, column, behind) of a line.
_COLUMNS = (
    re.compile(
        r"( *(?:input  wire|output wire|output reg|wire|reg)(?: signed)?)( +\[.*?\])? +(\w.*)"
    ),
    re.compile(r"( *localparam integer )(\w+) *(=.*)"),
    re.compile(r"( *)(\w+) *(<= .*;)"),
    re.compile(r"( *\.)(\w+) *(\([^.]*\),?)"),  # one pin
)
_COMMENT = re.compile(r" *//")


def aligned(verilog: str) -> str:
    """Return Verilog with ports, declarations, constants and pins in columns.

    Lines of the same kind that follow one another make a table; a comment between them belongs to
    it. Templates cannot do this: how long a name or a range is, only the printed text knows.
    """
    lines, start = verilog.split("\n"), 0
    result: list[str] = []
    while start < len(lines):
        kind = next((kind for kind in _COLUMNS if kind.fullmatch(lines[start])), None)
        end = start + 1
        while (
            kind and end < len(lines) and (kind.fullmatch(lines[end]) or _COMMENT.match(lines[end]))
        ):
            end += 1
        result += _table(lines[start:end], kind) if kind else lines[start:end]
        start = end
    return "\n".join(result)


def _table(lines: Sequence[str], kind: re.Pattern[str]) -> Iterator[str]:
    """Yield lines, those of a kind with their first and second parts as long as the longest."""
    rows = [kind.fullmatch(line) for line in lines]
    before = max(len(row[1]) for row in rows if row)
    columns = [_column(row) for row in rows if row]
    gap = "" if kind is _COLUMNS[-1] else " "
    middle = max(map(len, columns))
    for line, row in zip(lines, rows, strict=True):
        yield f"{row[1]:{before}}{_column(row):{middle}}{gap}{row[3]}" if row else line


def _column(row: re.Match[str]) -> str:
    """Return the second part of a line, a range without the spaces that it was laid out with."""
    return re.sub(r"^ +\[ *", " [", row[2] or "")
