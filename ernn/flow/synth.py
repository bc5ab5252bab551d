"""synth: what a generated project takes of its part, synthesized beside planned, by group.

The results take the place of earlier ones when they are whole.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ernn import __version__
from ernn.backends.backend import backend_of
from ernn.backends.synthesis import Synthesis, synthesize
from ernn.files import write_text
from ernn.flow.results import command_line, write_json
from ernn.flow.run_folder import SUMMARY, SYNTHESIS
from ernn.flow.timing import analyse
from ernn.flow.timing import describe as describe_timing
from ernn.folders import filling
from ernn.hdl.project import Project, open_project
from ernn.hw.cost import Resources, group_resources, in_whole_blocks
from ernn.parts.part import Part, load_part
from ernn.run.netlist import read_netlist

FORMAT = "ernn-synth-1"
_COLUMNS = {"dsp": "DSP", "bram36": "BRAM36", "lut": "LUT", "ff": "FF"}


def synth(
    folder: Path,
    part: str | None = None,
    out: Path | None = None,
    *,
    force: bool = False,
    timing: bool = False,
    timeout_s: float = 3600,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Synthesize a project; leave resources.json, summary.txt, script and log behind.

    Args:
        folder: of the project, or of the run that holds it.
        part: name or file of a part; the plan's if not given.
        out: for the results; ``synth-<part>`` beside the project if not given.
        force: go on with files that were edited after generation.
        timing: analyse the clock, too.
        timeout_s: after which Yosys is stopped.
        say: takes the summary, line by line.

    Raises:
        ProjectError: no project, an edited file, or a folder of something else at ``out``.
        PlanError: an unknown part.
        ToolError: no flow for the part, or no delays for the analysis; Yosys is missing, fails,
            takes too long or runs out of memory.
    """
    project = open_project(folder, force)
    chip = load_part(part or project.plan.part)
    delays = backend_of(chip).delays_of(chip) if timing else None
    place = out or project.folder.parent / f"synth-{chip.name.lower()}"
    command = command_line("synth", folder, part=part, force=force, timing=timing)
    with filling(place, SYNTHESIS, "synthesis") as work:
        done = synthesize(project, chip, work, timeout_s=timeout_s)
        report = _report(project, chip, done, command)
        if delays is not None:
            report["timing"] = analyse(read_netlist(done.netlist), delays)
        done.netlist.unlink()  # tens of megabytes, and made again in a minute
        write_json(work / SYNTHESIS, report)
        lines = list(describe(report))
        write_text(work / SUMMARY, "\n".join(lines) + "\n")
    for line in lines:
        say(line)
    say(f"in {place}")
    return report


def _report(project: Project, part: Part, done: Synthesis, command: str) -> dict[str, Any]:
    """Return what is kept of a synthesis."""
    planned = group_resources(project.plan, part)
    return {
        "format": FORMAT,
        "mark": "synthesized",
        "plan": project.plan.digest,
        "ernn": __version__,
        "tool": done.tool,
        "part": part.name,
        "clock_mhz": project.plan.clock_mhz,
        "family": done.family,
        "stand_in": done.stand_in,
        "edited": list(project.edited),
        "command": command,
        "seconds": round(done.seconds, 1),
        "total": asdict(in_whole_blocks(done.count.groups)),
        "planned": asdict(in_whole_blocks(planned)),
        "available": {name: getattr(part, name) for name in _COLUMNS},
        "groups": {name: asdict(used) for name, used in done.count.groups.items()},
        "planned_groups": {name: asdict(used) for name, used in planned.items()},
        "modules": [
            [name, instances, *asdict(used).values()]
            for name, (instances, used) in done.count.modules.items()
        ],
    }


def describe(report: dict[str, Any]) -> Iterator[str]:
    """Yield the contents of resources.json as a table: planned, synthesized, difference."""
    stand_in = f", synthesized as {report['family']}" if report["stand_in"] else ""
    yield (
        f"{report['part']}{stand_in}: {report['tool']}, {report['seconds']:.0f} s, "
        f"plan {report['plan']}"
    )
    if report["edited"]:
        yield f"edited after generation: {', '.join(report['edited'])}"
    width = max(map(len, (*report["groups"], *report["planned_groups"])))
    heads = "".join(f"{head:>24}" for head in _COLUMNS.values())
    yield f"{'':{width}}{heads}"
    yield f"{'':{width}}" + f"{'planned':>9}{'synth.':>8}{'%':>7}" * len(_COLUMNS)
    names = sorted({*report["groups"], *report["planned_groups"]})
    nothing = asdict(Resources())
    for name in names:
        planned, used = (report[key].get(name, nothing) for key in ("planned_groups", "groups"))
        yield f"{name:{width}}" + "".join(_cells(planned[key], used[key]) for key in _COLUMNS)
    planned, used = report["planned"], report["total"]
    yield f"{'total':{width}}" + "".join(_cells(planned[key], used[key]) for key in _COLUMNS)
    free = report["available"]
    yield f"{'of the part':{width}}" + "".join(
        f"{free[key]:>17,}{_share(used[key], free[key]):>7}" for key in _COLUMNS
    )

    if "timing" in report:
        yield from describe_timing(report["timing"], report["clock_mhz"])


def _cells(planned: float, used: float) -> str:
    if not planned and not used:
        return f"{'-':>9}{'-':>8}{'':>7}"
    more = f"{100 * (planned / used - 1):+.1f}" if used and planned != used else ""
    return f"{_number(planned):>9}{_number(used):>8}{more:>7}"


def _number(value: float) -> str:
    return f"{value:,.1f}" if value % 1 else f"{int(value):,}"


def _share(found: float, free: int) -> str:
    return f"{100 * found / free:.0f} %" if free else ""
