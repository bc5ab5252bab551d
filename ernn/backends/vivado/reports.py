"""Read Vivado's reports: what they are of, and the numbers in them.

Layouts differ a little between versions and families: a column more ("Prohibited"), "Slice" or
"CLB", a star behind a name. What cannot be read for certain is refused.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from ernn.errors import ToolError
from ernn.tools import OLDEST_VIVADO

_VERSION = re.compile(r"Vivado v\.?(\d+)\.(\d+)")
# Rows of report_utilization, by family.
_ROWS = {
    "lut": ("Slice LUTs", "CLB LUTs"),
    "ff": ("Slice Registers", "CLB Registers"),
    "bram36": ("Block RAM Tile",),
    "dsp": ("DSPs",),
}
_POWER = {
    "total_w": "Total On-Chip Power (W)",
    "dynamic_w": "Dynamic (W)",
    "static_w": "Device Static (W)",
    "confidence": "Confidence Level",
    "nets_matched": "Design Nets Matched",
}
_TIMES = ("WNS(ns)", "TNS(ns)", "WHS(ns)", "THS(ns)")
_PATH = ("Slack", "Source", "Destination", "Requirement", "Data Path Delay", "Logic Levels")


@dataclass(frozen=True)
class Report:
    """A report of Vivado that was opened."""

    path: Path
    text: str
    version: str  # of Vivado: "2023.2"
    design: str
    device: str  # with package; not always with speed grade
    state: str  # "Routed", "Fully Placed", ...

    def refuse(self, why: str) -> ToolError:
        """Return the error that says why this report is not read."""
        return ToolError(f"{self.path} {why}", remedy="run `ernn build` again")


@dataclass(frozen=True)
class Timing:
    """What report_timing_summary says."""

    wns_ns: float  # worst slack, setup
    tns_ns: float
    whs_ns: float  # hold
    ths_ns: float
    requirement_ns: float  # of the slowest path: a clock period
    slowest: tuple[str, ...]  # path, in lines

    @property
    def fmax_mhz(self) -> float:
        """The clock at which the slowest path would have no slack."""
        return 1000.0 / (self.requirement_ns - self.wns_ns)


@dataclass(frozen=True)
class Power:
    """What report_power says."""

    total_w: float
    dynamic_w: float
    static_w: float
    confidence: str  # "Low", "Medium" or "High"
    nets_matched: str  # of those that the simulation tells about; "NA": there was no simulation


def open_report(path: Path) -> Report:
    """Read a report with its header.

    Raises:
        ToolError: it is missing, is no report of Vivado, or of a version that is too old.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ToolError(
            f"{path} cannot be read ({error.strerror}), so Vivado did not finish",
            remedy="see its log beside it",
        ) from None
    head = dict(re.findall(r"^\|\s*([\w ]+?)\s*:\s*(.*?)\s*$", text, re.MULTILINE))
    version = _VERSION.search(head.get("Tool Version", ""))
    if version is None or not {"Design", "Device"} <= head.keys():
        raise ToolError(f"{path} is no report of Vivado", remedy="run `ernn build` again")
    if (int(version[1]), int(version[2])) < OLDEST_VIVADO:
        raise ToolError(
            f"{path} is of Vivado {version[1]}.{version[2]}, whose layout ernn does not know",
            remedy=f"use {OLDEST_VIVADO[0]}.{OLDEST_VIVADO[1]} or later",
        )
    found = f"{version[1]}.{version[2]}"
    return Report(path, text, found, head["Design"], head["Device"], head.get("Design State", ""))


def require_of(report: Report, version: str, design: str, part: str) -> None:
    """Check what a report is of: tool version, top module, part, and a routed design.

    Raises:
        ToolError: of something else.
    """
    if report.version != version:
        raise report.refuse(f"is of Vivado {report.version}, and this build of {version}")
    if report.design != design:
        raise report.refuse(f"is of design {report.design!r}, and this build of {design!r}")
    if not report.device or not _plain(part).startswith(_plain(report.device)):
        raise report.refuse(f"is of device {report.device}, and this build of {part}")
    if "routed" not in report.state.lower():
        raise report.refuse(f"is of a design that is {report.state.lower() or 'in no known state'}")


def _plain(device: str) -> str:
    """Return a device without what reports write now and then: "xc" and dashes."""
    return device.lower().replace("-", "").removeprefix("xc")


def utilization(report: Report) -> tuple[dict[str, int | float], dict[str, int | float]]:
    """Return what is used and what the part has: lut, ff, bram36 (halves count), dsp.

    Raises:
        ToolError: the tables cannot be read.
    """
    rows = _table_rows(report.text)
    used, available = {}, {}
    for name, titles in _ROWS.items():
        row = next((rows[title] for title in titles if title in rows), None)
        if row is None:
            raise report.refuse(f"has no row {' or '.join(titles)} that ernn could read")
        columns = {title.strip("()% ").lower(): value for title, value in row.items()}
        used[name] = _count(report, columns.get("used", ""), titles[0])
        available[name] = _count(report, columns.get("available", ""), titles[0])
    return used, available


def _table_rows(text: str) -> dict[str, dict[str, str]]:
    """Return {title of a row: {title of a column: value}} of all tables that begin "Site Type"."""
    rows: dict[str, dict[str, str]] = {}
    columns: list[str] = []
    for line in text.splitlines():
        if not line.startswith("|"):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[0] == "Site Type":
            columns = cells[1:]
        elif columns and len(cells) == len(columns) + 1:
            rows.setdefault(cells[0].rstrip("*"), dict(zip(columns, cells[1:], strict=True)))
    return rows


def _count(report: Report, text: str, row: str) -> int | float:
    """Read a count such as 1234 or 322.5."""
    try:
        value = float(text)
    except ValueError:
        raise report.refuse(f"says {text!r} for {row}, which is no number") from None
    return int(value) if value.is_integer() else value


def timing(report: Report) -> Timing:
    """Return slacks, and the slowest path.

    Raises:
        ToolError: there are no numbers, as without a clock, or they cannot be read.
    """
    found = re.search(
        r"Design Timing Summary.*?\n\s*(WNS\(ns\)[^\n]*)\n\s*-[-\s]*\n([^\n]*)\n",
        report.text,
        re.DOTALL,
    )
    if found is None:
        raise report.refuse("has no summary of its timing that ernn could read")
    titles = re.split(r"\s{2,}", found[1].strip())
    values = dict(zip(titles, found[2].split(), strict=False))
    try:
        wns, tns, whs, ths = (float(values[title]) for title in _TIMES)
    except (KeyError, ValueError):
        raise report.refuse("tells no slack; the design has no constrained path") from None
    paths = report.text[found.end() :].partition("Max Delay Paths")[2]
    lines = _slowest(paths, wns)
    required = re.search(r"^Requirement: ([\d.]+)ns", "\n".join(lines), re.MULTILINE)
    if required is None:
        raise report.refuse("does not show the slowest path")
    return Timing(wns, tns, whs, ths, float(required[1]), tuple(lines))


def _slowest(text: str, slack_ns: float) -> list[str]:
    """Return the path with this slack, in lines."""
    for path in re.split(r"^(?=Slack \()", text, flags=re.MULTILINE):
        lines = []
        for name in _PATH:
            line = re.search(rf"^\s*{name}\b[^:\n]*:\s*(.*?)\s*$", path, re.MULTILINE)
            if line:
                lines.append(f"{name}: {re.sub(r'  +', ' ', line[1])}")
        if lines and lines[0].startswith(f"Slack: {slack_ns:.3f}ns"):
            return lines
    return []


def power(report: Report) -> Power:
    """Return power, and how sure Vivado is of it.

    Raises:
        ToolError: the summary cannot be read.
    """
    rows = dict(re.findall(r"^\|\s*([^|]+?)\s*\|\s*([^|]*?)\s*\|\s*$", report.text, re.MULTILINE))
    told = {name: rows.get(title, "") for name, title in _POWER.items()}
    watts = {}
    for name in ("total_w", "dynamic_w", "static_w"):
        # "<0.001", or "7.318 (Junction temp exceeded!)"
        number = re.match(r"<?(\d+(?:\.\d+)?)\b", told[name])
        if number is None:
            raise report.refuse(f"says {told[name]!r} for {_POWER[name]}, which is no number")
        watts[name] = float(number[1])
    matched = " ".join(told["nets_matched"].split())
    return Power(**watts, confidence=told["confidence"], nets_matched=matched)
