"""nextpnr, whichever family it is for: try placements until the clock is met, read its report."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ernn.backends.build_result import BuildRequest
from ernn.errors import ToolError
from ernn.run.process import run_tool

REPORT, LOG = "nextpnr.json", "nextpnr.log"
TRY = "try."  # in front of the files of a placement that may not be kept

Report = dict[str, Any]


def best_placement(
    request: BuildRequest,
    seeds: range,
    command: Callable[[int], Sequence[str]],
    design: str,
) -> tuple[int, Report]:
    """Place and route until the clock is met; leave the best placement's files.

    Args:
        request: of the build.
        seeds: to try.
        command: nextpnr's, by seed; it writes ``try.nextpnr.json`` and ``try.<design>``.
        design: name of the file that it leaves, if any.

    Returns:
        The seed that was kept, and its report.

    Raises:
        ToolError: nextpnr fails, or the design is too large for the part.
    """
    folder, best = request.folder.resolve(), None
    for seed in seeds:
        report = _place(request, command(seed))
        if best is None or fmax(report) > fmax(best[1]):
            best = seed, report
            for name in (REPORT, LOG, design):
                if (folder / f"{TRY}{name}").exists():
                    (folder / f"{TRY}{name}").replace(folder / name)
        if fmax(report) >= request.clock_mhz:
            break
    for left in folder.glob(f"{TRY}*"):
        left.unlink()
    assert best is not None
    return best


def _place(request: BuildRequest, command: Sequence[str]) -> Report:
    """Run nextpnr once; return its report."""
    folder = request.folder.resolve()
    log = folder / f"{TRY}{LOG}"
    try:
        run_tool("nextpnr", command, folder, log, timeout_s=request.timeout_s)
    except ToolError:
        lacking = _lacking(log)
        if lacking:
            raise ToolError(
                f"the design is too large for {request.part.name}: {'; '.join(lacking)}",
                remedy=f"plan it for this part, or build for a larger one (log: {log})",
            ) from None
        raise
    return _read_report(folder / f"{TRY}{REPORT}")


def _lacking(log: Path) -> list[str]:
    """Return what a design needs more of than the part has, from nextpnr's log."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    rows = re.findall(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%", text, re.MULTILINE)
    return [
        f"{int(used):,} {name} where it has {int(there):,}"
        for name, used, there in rows
        if int(used) > int(there)
    ]


def _read_report(path: Path) -> Report:
    """Read nextpnr's report.

    Raises:
        ToolError: it is not as nextpnr writes it.
    """
    try:
        report: Report = json.loads(path.read_text(encoding="utf-8"))
        fmax(report), critical_path(report)
        {name: (one["used"], one["available"]) for name, one in report["utilization"].items()}
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ToolError(
            f"{path} is no report of the nextpnr that ernn knows",
            given=repr(error),
            remedy="install the version that `ernn doctor` names",
        ) from None
    return report


def fmax(report: Report) -> float:
    """Return what the accelerator's clock reaches: the slowest clock but the board's own."""
    clocks = {name: told["achieved"] for name, told in report["fmax"].items()}
    return min(clocks.values())


def utilisation(
    report: Report, cells: Mapping[str, Sequence[str]]
) -> tuple[dict[str, int], dict[str, int]]:
    """Return what is used and what there is, by what a result counts.

    Args:
        report: of nextpnr.
        cells: nextpnr's names of them; the numbers of several are added up.
    """
    told = report["utilization"]
    used, available = (
        {
            name: sum(told[cell][key] for cell in kinds if cell in told)
            for name, kinds in cells.items()
        }
        for key in ("used", "available")
    )
    return used, available


def critical_path(report: Report) -> list[str]:
    """Return the slowest path from register to register, a line for each delay."""
    inside = [p for p in report["critical_paths"] if "<async>" not in (p["from"], p["to"])]
    if not inside:
        return []
    slowest = max(inside, key=lambda path: sum(piece["delay"] for piece in path["path"]))
    lines, total = [], 0.0
    for piece in slowest["path"]:
        total += piece["delay"]
        end = piece["to"]
        lines.append(
            f"{piece['delay']:6.2f} {total:6.2f} ns  {piece['type']:<9} {end['cell']}.{end['port']}"
        )
    return lines
