"""A hierarchical netlist, as Yosys writes it in JSON."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ernn.errors import ToolError


def read_netlist(path: Path) -> dict[str, Any]:
    """Read the modules of a netlist in Yosys' JSON.

    Raises:
        ToolError: it is damaged.
    """
    try:
        modules: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["modules"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolError(
            f"{path} is no netlist of Yosys", given=str(error), remedy="synthesize again"
        ) from None
    return modules


def is_instance(modules: Mapping[str, Any], kind: str) -> bool:
    """Return whether cells of a kind are instances of a module of the netlist."""
    return kind in modules and "blackbox" not in modules[kind].get("attributes", {})


def plain_name(module: str) -> str:
    r"""Return the Verilog name of a module that Yosys has named for its parameters.

    ``$paramod$4f3a...\ernn_delay`` and ``$paramod\ernn_delay\WIDTH=...`` are both ``ernn_delay``.
    """
    match = re.match(r"\$paramod(?:\$[0-9a-f]+)?\\([^\\]+)", module)
    return match[1] if match else module.removeprefix("\\")
