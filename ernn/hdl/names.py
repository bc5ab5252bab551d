"""Names of a package: every module and memory file begins with the package's own prefix.

Verilog has one space of names for all modules of a design, and $readmemh one folder for all
memories. So two accelerators fit into one design only if none of their names are the same.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from ernn.errors import ProjectError

LONGEST = 40  # characters of a prefix: file names of a module stay below the limits of tools
_OWN = "ernn_"  # what every module of a project begins with
_PREFIX = re.compile(r"[a-z](?:_?[a-z0-9])*", re.IGNORECASE)  # a basic identifier of VHDL too
_MODULE = re.compile(rf"\b{_OWN}(\w+)\b")
_MEMORY = re.compile(r'"(?=\w+\.mem"|weights_")')  # ernn_pe_array puts the row's number between


def default_prefix(name: str) -> str:
    """Return the prefix of a recipe's name: "tiny LSTM" -> "ernn_tiny_lstm"."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    return "_".join(["ernn", *(words or ["top"])])[:LONGEST].rstrip("_")


def require_prefix(prefix: str) -> str:
    """Return a prefix that every tool takes.

    Raises:
        ProjectError: it is none.
    """
    if not _PREFIX.fullmatch(prefix) or len(prefix) > LONGEST:
        what = f"prefix {prefix!r} cannot begin the names of modules"
        remedy = (
            "give a letter, then letters, digits and single underscores between them, at most "
            f"{LONGEST} characters"
        )
        raise ProjectError(what, remedy=remedy)
    return prefix


def with_prefix(files: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Return Verilog and memories, {path: text}, under names of their own; the rest as it is.

    Args:
        files: of a project; modules are ernn_<name> in a file of that name.
        prefix: what stands in place of "ernn", and in front of memory files.
    """
    modules = {PurePosixPath(path).stem for path in files if path.endswith(".v")}

    def renamed(found: re.Match[str]) -> str:
        return f"{prefix}_{found[1]}" if found[0] in modules else found[0]

    result = {}
    for path, text in files.items():
        place = PurePosixPath(path)
        if place.suffix == ".v":
            text = _MEMORY.sub(f'"{prefix}_', _MODULE.sub(renamed, text))
            path = str(place.with_name(f"{prefix}_{place.name.removeprefix(_OWN)}"))
        elif place.suffix == ".mem":
            path = str(place.with_name(f"{prefix}_{place.name}"))
        result[path] = text
    return result
