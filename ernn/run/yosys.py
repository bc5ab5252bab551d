"""Run Yosys on a script: the PyPI package pyosys, or a system Yosys, as a process of its own."""

import sys
from collections.abc import Sequence
from pathlib import Path

from ernn.run.process import run_tool
from ernn.tools import require

_PYOSYS = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for line in open(sys.argv[1], encoding="utf-8"):
    libyosys.run_pass(line.strip(), design)
"""


def run_yosys(
    commands: Sequence[str], folder: Path, script: Path, *, timeout_s: float = 900
) -> str:
    """Run Yosys commands, one a line, in ``folder``; return what it printed.

    Args:
        commands: of a Yosys script.
        folder: where it runs: $readmemh looks for its files there.
        script: file to write the script to; its log is beside it, named ``<script>.log``.
        timeout_s: see `run_tool`.

    Raises:
        ToolError: Yosys is missing, fails, takes too long or runs out of memory.
    """
    tool = require("yosys")
    script.write_text("\n".join([*commands, ""]), encoding="utf-8")
    if tool.origin == "system":
        command = [str(tool.path), "-s", str(script.resolve())]
    else:
        command = [sys.executable, "-c", _PYOSYS, str(script.resolve())]
    log = script.with_name(script.name + ".log")
    return run_tool(f"Yosys ({script.stem})", command, folder, log, timeout_s=timeout_s)
