"""What pages tell a user to type, and how tests type it."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The environment of the tests is ready: make has nothing to install.
_VENV = shlex.quote(sys.prefix)
IN_THIS_ENVIRONMENT = f"-o {_VENV}/ready -o {_VENV}/ready-dev VENV={_VENV}"


def shell_blocks(page: Path) -> list[str]:
    """Return the text of a page's `sh` blocks."""
    return re.findall(r"^```sh\n(.*?)^```", page.read_text(), flags=re.S | re.M)


def first_commands() -> list[str]:
    """Return the commands of the README's first block."""
    lines = shell_blocks(ROOT / "README.md")[0].splitlines()
    return [line.split("#")[0].strip() for line in lines]


def require_success(script: str, folder: Path, **environment: str) -> str:
    """Run a script with the tests' `ernn` in front of all others; return what it prints."""
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = subprocess.run(
        ["bash", "-ec", script],
        cwd=folder,
        env=os.environ | {"PATH": tools} | environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert found.returncode == 0, f"{script}\n{found.stdout[-2000:]}{found.stderr[-2000:]}"
    return found.stdout
