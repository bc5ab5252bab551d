"""build: place and route a generated project, with the open tools or with the vendor's.

The flows themselves are in ernn.run; each takes a request and returns a result. A build works in
``<folder>.part`` and takes the place of an earlier one when it is whole.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ernn.errors import BoundError, PlanError, ProjectError, ToolError
from ernn.flow.results import command_line
from ernn.flow.run_folder import RunFolder
from ernn.folders import filling
from ernn.hdl.project import Project, open_project
from ernn.parts.part import Part, load_part, part_names
from ernn.resources import folder as shipped
from ernn.run.build_result import RESULT, BuildRequest, BuildResult
from ernn.run.ecp5 import build_ecp5
from ernn.run.vivado import build_vivado

NETLIST_FRAMES = 50  # of each stream, that a simulated netlist works on

Flow = Callable[[BuildRequest], BuildResult]

# By the flow of a part's family; the vendor's own flow, where there is one, comes after these.
OPEN_FLOWS: dict[str, Flow] = {"ecp5": build_ecp5}
VENDOR_FLOWS: dict[str, Flow] = {"vivado": build_vivado}
# Fields of the request that only one kind of flow reads.
OPEN_OPTIONS = ("board", "speed", "seed", "seeds")
VENDOR_OPTIONS = ("vivado_part", "xdc", "wrapper", "saif", "reports")


def build(
    folder: Path,
    part: str | None = None,
    out: Path | None = None,
    *,
    force: bool = False,
    clock_mhz: float | None = None,
    simulate: bool = False,
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
        simulate: whether to simulate the netlist on the run's test speech; open flows only.
        say: takes the summary, line by line.
        options: other fields of `BuildRequest`.

    Raises:
        ProjectError: no project, an edited file, or a folder of something else at ``out``.
        PlanError: an unknown part, an option that its tools do not know, or no netlist to simulate.
        ToolError: no flow for the part, a tool that is missing or fails, a design too large.
        BoundError: the clock is not met; the results are there all the same.
        MismatchError: the simulated netlist differs from the integer model.
    """
    project = open_project(folder, force)
    chip = load_part(part or project.plan.part)
    flow = _flow(chip)
    options = {name: value for name, value in options.items() if value not in (None, "")}
    foreign = OPEN_OPTIONS if flow in VENDOR_FLOWS.values() else VENDOR_OPTIONS
    wrong = [name for name in foreign if name in options]
    if wrong:
        raise PlanError(
            f"--{wrong[0].replace('_', '-')} says nothing to the tools that build for {chip.name}; "
            "leave it out, or give another --part"
        )
    place = out or project.folder.parent / f"build-{chip.name.lower()}"
    asked = {"clock_mhz": clock_mhz, "simulate": simulate, **options, "timeout_s": None}
    command = command_line("build", folder, part=part or chip.name, **asked, force=force)
    if simulate and chip.family.flow not in OPEN_FLOWS:
        raise PlanError(f"--simulate takes the netlist of an open flow, not of {chip.name}'s tools")
    clock = clock_mhz or project.plan.clock_mhz
    with filling(place, RESULT, "build") as work:
        check = netlist_check(project, work / "simulation") if simulate else None
        request = BuildRequest(project, chip, work, clock, command, check=check, **options)
        started = time.monotonic()
        result = replace(flow(request), edited=list(project.edited))
        result = replace(result, seconds=round(time.monotonic() - started, 1))
        result.save(work)
    for line in result.lines():
        say(line)
    say(f"in {place}")
    if not result.met:
        raise BoundError(
            f"timing is not met: {result.fmax_mhz:.1f} MHz as routed, "
            f"{result.clock_mhz - result.fmax_mhz:.1f} MHz less than asked for; the slowest path "
            f"is in {place / RESULT}; try another --seed, or plan with a slower clock"
        )
    return result


def netlist_check(project: Project, folder: Path) -> Callable[[Path], int]:
    """Return what simulates a netlist of `ernn_top` on the run's test speech; see `simulate`.

    Args:
        project: inside the folder of its run.
        folder: for the simulation; removed when all words are equal.

    Raises:
        ProjectError: the run's model or speech is not there.
    """
    run = RunFolder(project.folder.parent)
    model_file, speech = run.integer_model, run.corpus
    for path in (model_file, speech):
        if not path.exists():
            raise ProjectError(
                f"the netlist is simulated on a run's test speech, and {path} is not there; leave "
                "--simulate out, or build the folder of a run"
            )

    def check(netlist: Path) -> int:
        from ernn.quant.integer_model import IntegerModel
        from ernn.run.simulate import simulate
        from ernn.run.traffic import deal_out
        from ernn.speech.corpus import load_split

        cells = sorted((shipped("sim") / "cells").glob("ecp5_*.v"))
        test = [utterance.features for utterance in load_split(speech, "test")]
        found = simulate(
            project.folder,
            project.plan,
            IntegerModel.load(model_file),
            deal_out(test, project.plan.streams, NETLIST_FRAMES),
            work_folder=folder,
            netlist=[netlist, *cells],
        )
        shutil.rmtree(folder)
        return sum(found.elements.values())

    return check


def _flow(part: Part) -> Flow:
    """Return what places and routes a part.

    Raises:
        ToolError: nothing does.
    """
    flow = OPEN_FLOWS.get(part.family.flow) or VENDOR_FLOWS.get(part.family.flow)
    if flow is None:
        able = ", ".join(name for name in part_names() if load_part(name).family.flow in OPEN_FLOWS)
        raise ToolError(
            f"{part.name} is a part without an open router; build for one of {able}, or use "
            "the vendor's tool"
        )
    return flow
