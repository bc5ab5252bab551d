"""Find the accelerator in a SAIF file, and make sure that it is this one.

Of what is inside only the instances are looked at: a design with other units, memories or queues
has others.
"""

import json
import re
from pathlib import Path

from ernn.errors import ToolError
from ernn.hdl.project import Project
from ernn.hw.groups import CORE, core_instances
from ernn.run.saif import read_text

TOP = "u_top"  # the accelerator's instance in every testbench of ernn
ACTIVITY = "activity.json"  # beside a SAIF file of ernn: whose it is
_TOKEN = re.compile(r"\(\s*INSTANCE\s+(?:\"[^\"]*\"\s+)?([^\s()]+)|([()])")
_DESIGN = re.compile(r"\(\s*DESIGN\s+\"[^\"]*\bplan ([0-9a-f]{12})\b")


def require_scope(path: Path, project: Project) -> tuple[str, str]:
    """Check that a SAIF file is of a project; return its text and its scope "testbench/u_top".

    Raises:
        ToolError: no SAIF file, or that of another design.
    """
    text = read_text(path)
    if "(SAIFILE" not in text[:4096]:
        raise ToolError(f"{path} is no SAIF file", remedy="simulate again")
    digest = project.plan.digest
    other = {plan_beside(path), *_DESIGN.findall(text[:4096])} - {"", digest}
    if other:
        raise ToolError(
            f"{path} is of plan {other.pop()}, and this project of {digest}",
            remedy="simulate this one",
        )
    scope = _scope(text, core_instances(project.plan))
    if scope is None:
        raise ToolError(
            f"{path} tells of no instance {TOP} with the units and memories of plan {digest}",
            remedy="simulate this project",
        )
    return text, scope


def plan_beside(path: Path) -> str:
    """Return the plan that the simulation's own summary names; empty: there is no summary."""
    try:
        return str(json.loads(path.with_name(ACTIVITY).read_text(encoding="utf-8"))["plan"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _scope(text: str, instances: set[str]) -> str | None:
    """Return the path of an instance TOP whose core holds at least ``instances``."""
    open_lists: list[str] = []  # name of an instance, or nothing, of each
    inside: dict[str, set[str]] = {}  # instances by the path of the one around them
    for token in _TOKEN.finditer(text):
        if token[1]:
            path = "/".join(filter(None, open_lists))
            inside.setdefault(path, set()).add(token[1])
            open_lists.append(token[1])
        elif token[2] == "(":
            open_lists.append("")
        elif open_lists:
            open_lists.pop()
    core = f"/{CORE}"
    tops = (path.removesuffix(core) for path, found in inside.items() if instances <= found)
    return next((top for top in tops if top.split("/")[-1] == TOP and top + core in inside), None)
