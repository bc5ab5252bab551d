"""The vendor's flow for AMD: Vivado in batch mode on the scripts of vivado_scripts/.

Vivado has never been at hand: the scripts and this file are tested with stand-ins for its commands
and samples of its reports, never with Vivado itself.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ernn.backends.build_result import BuildRequest, BuildResult
from ernn.backends.vivado.reports import open_report, power, require_of, timing, utilization
from ernn.datafile import Strict
from ernn.errors import PlanError, ProjectError, ToolError
from ernn.hdl.project import Project
from ernn.resources import folder as shipped
from ernn.run.process import run_tool
from ernn.run.saif_scope import plan_beside, require_scope
from ernn.tools import require

RESULT = "result.txt"  # of build.tcl, written last
_FILES = {  # what a build may leave, and what it is called
    "utilisation": "utilization.rpt",
    "utilisation by module": "utilization_hierarchical.rpt",
    "timing": "timing_summary.rpt",
    "power": "power.rpt",
    "design rules": "drc.rpt",
    "routes": "route_status.rpt",
    "nets that the simulation does not tell about": "saif_unmatched.rpt",
    "routed design": "routed.dcp",
    "bitstream": "{top}.bit",
    "log": "build.log",
}


@dataclass(frozen=True)
class VivadoOptions(Strict):
    """Options of this flow."""

    vivado_part: Annotated[
        str, Field(description="The part with package and speed grade; the part file's.")
    ] = ""
    xdc: Annotated[
        Path | None, Field(description="A board's constraints, for a whole build and a bitstream.")
    ] = None
    wrapper: Annotated[
        Path | None, Field(description="A board's top module, in a file of its name.")
    ] = None
    saif: Annotated[
        Path | None, Field(description="Switching activity of a simulation, for the power.")
    ] = None
    reports: Annotated[
        Path | None, Field(description="Read the reports of a build elsewhere instead of building.")
    ] = None


def build_vivado(request: BuildRequest, options: VivadoOptions) -> BuildResult:
    """Synthesize, place and route a project with Vivado, or read the reports of such a build.

    Raises:
        PlanError: a part that Vivado has no name for, another part's name, pins without
            constraints, or one of their files is not there.
        ProjectError: reports or switching activity that were given are missing, cannot be read, or
            are of something else.
        ToolError: Vivado is missing, fails, has no licence or takes too long; a report of its own
            is missing, cannot be read, or is of something else.
    """
    part = _part(request, options)
    top = options.wrapper.stem if options.wrapper else "ernn_top"
    if options.wrapper and not options.xdc:
        raise PlanError("--wrapper has pins", remedy="give their constraints with --xdc too")
    for option, path in (("--xdc", options.xdc), ("--wrapper", options.wrapper)):
        if path and not path.is_file():
            raise PlanError(
                f"{option} {path} is no file", remedy=f"give one, or leave {option} out"
            )
    if options.reports:
        with _given():
            result = _read(request, options.reports, part, top)
        for name in (RESULT, *result.files.values()):
            shutil.copyfile(options.reports / name, request.folder / name)
        return result
    saif, activity = options.saif or _simulated(request.project), None
    if saif:
        with _given():
            activity = require_scope(saif, request.project)
    _run(request, options, part, top, activity)
    result = _read(request, request.folder, part, top)
    if activity and not re.match(r"[1-9]", str(result.power["nets_matched"])):
        raise ToolError(
            f"Vivado found none of its nets in {saif} (Design Nets Matched: "
            f"{result.power['nets_matched']})",
            remedy=f"see {request.folder / 'saif_unmatched.rpt'}",
        )
    return result


def _part(request: BuildRequest, options: VivadoOptions) -> str:
    """Return the part with package and speed grade, as Vivado says it."""
    part, asked = request.part, options.vivado_part
    if asked and not asked.lower().startswith(part.name.lower()):
        raise PlanError(
            f"--vivado-part {asked} is no {part.name}",
            remedy=f"give one such as {part.full_name or part.name.lower() + '...'}, or another "
            "--part",
        )
    if not asked and not part.full_name:
        raise PlanError(
            f"ernn knows no package and speed grade of {part.name}",
            remedy="name the whole part with --vivado-part, or as `full_name` in its .toml file",
        )
    return asked or part.full_name


def _simulated(project: Project) -> Path | None:
    """Return the SAIF file that the run's simulation left of this very project, if any."""
    path = project.folder.parent / "simulate" / "activity.saif.gz"
    return path if path.is_file() and plan_beside(path) == project.plan.digest else None


def _run(
    request: BuildRequest,
    options: VivadoOptions,
    part: str,
    top: str,
    activity: tuple[str, str] | None,
) -> None:
    """Run build.tcl and, with switching activity, power.tcl."""
    period_ns = int(1e6 / request.clock_mhz) / 1000  # rounded down: no slower clock than asked for
    words = {
        "sources": request.project.rtl,
        "part": part,
        "top": top,
        "clock_ns": period_ns,
        "output": request.folder,
        "plan": request.project.plan.digest,
        "missed": "report",
    }
    if options.xdc:
        words["xdc"] = options.xdc.resolve()
    if options.wrapper:
        words["wrapper"] = options.wrapper.resolve()
    _vivado("build", words, request, part)
    if activity:
        text, scope = activity
        plain = request.folder / "activity.saif"  # Vivado unpacks nothing
        plain.write_text(text, encoding="ascii")
        names = {"saif": plain, "strip_path": scope}
        checkpoint = {"checkpoint": request.folder / "routed.dcp", "output": request.folder}
        _vivado("power", checkpoint | names, request, part)
        plain.unlink()


def _vivado(script: str, words: dict, request: BuildRequest, part: str) -> None:
    """Run a script of vivado_scripts/ in a folder of its own, which goes when it succeeds.

    Raises:
        ToolError: see `build_vivado`.
    """
    tool = require("vivado")
    where, log = request.folder / "run", request.folder / f"{script}.log"
    where.mkdir(exist_ok=True)
    source = shipped("vivado_scripts") / f"{script}.tcl"
    arguments = [str(word) for pair in words.items() for word in pair]
    command: list[str | Path] = [tool.path, "-mode", "batch", "-notrace", "-nojournal", "-nolog"]
    command += ["-source", source, "-tclargs", *arguments]
    try:
        run_tool(f"Vivado ({script})", command, where, log, timeout_s=request.timeout_s)
    except ToolError as error:
        raise _explained(error, script, log, part) from None
    shutil.rmtree(where, ignore_errors=True)


def _explained(error: ToolError, script: str, log: Path, part: str) -> ToolError:
    """Say in one sentence why Vivado ended with an error; it was not killed by ernn."""
    if not str(error).startswith(f"Vivado ({script}) failed") or not log.is_file():
        return error
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    if any("valid license was not found" in line for line in lines):
        return ToolError(
            f"Vivado has no licence for {part}",
            remedy=f"install one, or build for a part that its free edition holds (log: {log})",
        )
    said = next((line for line in lines if line.startswith("ERROR:")), None)
    if said is None:
        before = (line for line, after in pairwise(lines) if after.strip() == "while executing")
        said = next(before, None)
    if said is None:  # it crashed
        said = str(error).splitlines()[0].partition("failed ")[2].strip("():")
    return ToolError(f"Vivado ({script}) failed", given=f"{said} (log: {log})")


@contextmanager
def _given() -> Iterator[None]:
    """Blame no tool for a file that the user gave."""
    try:
        yield
    except ToolError as error:
        raise ProjectError(*error.faults) from None


def _read(request: BuildRequest, folder: Path, part: str, top: str) -> BuildResult:
    """Read the reports of a build in a folder.

    Raises:
        ToolError: one is missing, cannot be read, or is of something else.
    """
    digest, told = request.project.plan.digest, _told(folder / RESULT)
    if top == "ernn_top" and told["top"].endswith("_top"):
        top = told["top"]  # a package's begins with its own name; the plan tells whose it is
    for name, ours in (("plan", digest), ("part", part), ("top", top)):
        if told[name] != ours:
            raise ToolError(
                f"{folder} is a build of {name} {told[name]}, and this is one of {ours}",
                remedy="build this project",
            )
    version = ".".join(told["vivado"].split(".")[:2])
    found = {}
    for name in ("utilization", "timing_summary", "power"):
        found[name] = open_report(folder / f"{name}.rpt")
        require_of(found[name], version, top, part)
    used, available = utilization(found["utilization"])
    times, watts = timing(found["timing_summary"]), power(found["power"])
    if times.whs_ns < 0:
        raise ToolError(
            f"hold is missed by {-times.whs_ns:.3f} ns, so no clock will do",
            remedy=f"see {folder / 'timing_summary.rpt'}",
        )
    left = {what: name.format(top=top) for what, name in _FILES.items()}
    return BuildResult(
        plan=digest,
        part=part,
        tools={"Vivado": told["vivado"]},
        command=request.command,
        top=top,
        clock_mhz=request.clock_mhz,
        fmax_mhz=times.fmax_mhz,
        used=used,
        available=available,
        files={what: name for what, name in left.items() if (folder / name).is_file()},
        critical_path=list(times.slowest),
        power_w=watts.total_w,
        power={
            "dynamic_w": watts.dynamic_w,
            "static_w": watts.static_w,
            "confidence": watts.confidence,
            "nets_matched": watts.nets_matched,
        },
    )


def _told(path: Path) -> dict[str, str]:
    """Read result.txt: a name and a value a line; plan, part, top and vivado are among them.

    Raises:
        ToolError: there is none, or it is damaged.
    """
    if not path.is_file():  # it is written last
        raise ToolError(
            f"{path} is missing: Vivado ended before the build did", remedy="see its log"
        )
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    told = dict(line.partition(" ")[::2] for line in lines)
    if not {"plan", "part", "top", "vivado"} <= told.keys():
        raise ToolError(
            f"{path} does not tell plan, part, top and version", remedy="build this project"
        )
    return told
