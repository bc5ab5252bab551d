"""build: place and route a generated project, with the open tools or with the vendor's.

The flows themselves are in ernn.backends; each takes a request and its options, and returns a
result. A build works in ``<folder>.part`` and takes the place of an earlier one when it is whole.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ernn.backends.backend import backend_of
from ernn.backends.build_result import RESULT, BuildRequest, BuildResult
from ernn.errors import BoundError, ProjectError
from ernn.flow.results import command_line
from ernn.flow.run_folder import RunFolder
from ernn.folders import filling
from ernn.hdl.project import Project, open_project
from ernn.parts.part import load_part
from ernn.resources import folder as shipped

NETLIST_FRAMES = 50  # of each stream, that a simulated netlist works on


def build(
    folder: Path,
    part: str | None = None,
    out: Path | None = None,
    *,
    force: bool = False,
    clock_mhz: float | None = None,
    timeout_s: float = 3600.0,
    say: Callable[[str], None] = print,
    **options: Any,
) -> BuildResult:
    """Place and route a project; leave build.json, summary.txt, logs and bitstream behind.

    Args:
        folder: of the project, or of the run that holds it.
        part: name or file of a part; the plan's if not given.
        out: for the results; ``build-<part>`` beside the project if not given.
        force: go on with files that were edited after generation.
        clock_mhz: to reach; the plan's if not given.
        say: takes the summary, line by line.
        timeout_s: of each tool.
        options: of the part's flow (`Backend.table`); None, False and "" are as if not given.

    Raises:
        ProjectError: no project, an edited file, or a folder of something else at ``out``.
        PlanError: an unknown part, an option that its tools do not know, or no netlist to simulate.
        ToolError: no flow for the part, a tool that is missing or fails, a design too large.
        BoundError: the clock is not met; the results are there all the same.
        MismatchError: the simulated netlist differs from the integer model.
    """
    project = open_project(folder, force)
    chip = load_part(part or project.plan.part)
    backend = backend_of(chip)
    unset = (None, "", False)
    given = {name: one for name, one in options.items() if not any(one is no for no in unset)}
    chosen = backend.parse(chip, given)
    place = out or project.folder.parent / f"build-{chip.name.lower()}"
    asked = {"clock_mhz": clock_mhz, **given}
    command = command_line("build", folder, part=part or chip.name, **asked, force=force)
    clock = clock_mhz or project.plan.clock_mhz
    with filling(place, RESULT, "build") as work:
        check = None
        if given.get("simulate"):
            check = netlist_check(project, work / "simulation", backend.netlist_cells)
        request = BuildRequest(project, chip, work, clock, command, check, timeout_s)
        started = time.monotonic()
        result = replace(backend.build(request, chosen), edited=list(project.edited))
        result = replace(result, seconds=round(time.monotonic() - started, 1))
        result.save(work)
    for line in result.lines():
        say(line)
    say(f"in {place}")
    if not result.met:
        raise BoundError(
            f"timing is not met: {result.fmax_mhz:.1f} MHz as routed, "
            f"{result.clock_mhz - result.fmax_mhz:.1f} MHz less than asked for; the slowest "
            f"path is in {place / RESULT}",
            remedy="try another --seed, or plan with a slower clock",
        )
    return result


def netlist_check(project: Project, folder: Path, models: str) -> Callable[[Path], int]:
    """Return what simulates a netlist of `ernn_top` on the run's test speech; see `simulate`.

    Args:
        project: inside the folder of its run.
        folder: for the simulation; removed when all words are equal.
        models: glob of the models of the netlist's cells, in sim/cells.

    Raises:
        ProjectError: the run's model or speech is not there.
    """
    run = RunFolder(project.folder.parent)
    model_file, speech = run.integer_model, run.corpus
    for path in (model_file, speech):
        if not path.exists():
            raise ProjectError(
                f"the netlist is simulated on a run's test speech, and {path} is not there",
                remedy="leave --simulate out, or build the folder of a run",
            )

    def check(netlist: Path) -> int:
        from ernn.quant.integer_model import IntegerModel
        from ernn.run.simulate import simulate
        from ernn.run.traffic import deal_out
        from ernn.tasks.kinds import read_frames

        cells = sorted((shipped("sim") / "cells").glob(models))
        test = read_frames(speech, "test")
        simulation = simulate(
            project.folder,
            project.plan,
            IntegerModel.load(model_file),
            deal_out(test, project.plan.streams, NETLIST_FRAMES),
            work_folder=folder,
            netlist=[netlist, *cells],
        )
        shutil.rmtree(folder)
        return sum(simulation.elements.values())

    return check
