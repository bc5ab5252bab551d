"""One accelerator of a benchmark: written, simulated, and measured against its plan."""

import shutil
from dataclasses import replace
from itertools import chain
from pathlib import Path

from ernn.errors import MismatchError
from ernn.flow.activity import keep_activity
from ernn.flow.planning import describe
from ernn.hdl.project import rtl_digest, write_project
from ernn.hw.explore import Exploration
from ernn.quant.integer_model import IntegerModel
from ernn.report.bench import Measured
from ernn.run.dump import Dump
from ernn.run.simulate import simulate
from ernn.run.traffic import Streams, Traffic


def planned(exploration: Exploration, traffic: Traffic) -> Measured:
    """Return what the chosen plan promises of a kind of traffic."""
    design = exploration.chosen
    plan, rate, used = design.plan, design.rate, design.used
    cycles = rate.latency_cycles if traffic.mode == "single" else rate.cycles_per_frame
    counted = (used.dsp, plan.pes * plan.logic_macs, int(used.bram36), used.lut)
    return Measured(next(describe(exploration)), plan.streams, *counted, cycles)


def measure(
    exploration: Exploration,
    model: IntegerModel,
    streams: Streams | None,
    traffic: Traffic,
    folder: Path,
    known: Measured | None = None,
    dump: Dump | None = None,
    command: str = "ernn bench",
) -> Measured:
    """Return what the chosen plan makes of a kind of traffic, simulated.

    Args:
        exploration: of the plan.
        model: that it was made for.
        streams: features of each stream's utterances; None: nothing is simulated.
        traffic: saturated, or single frames.
        folder: for ``plan.json``, the project and the simulator's build, which is used again.
        known: an earlier result. Where it is of the same Verilog and as many frames, it stands.
        dump: what the simulation can dump; where it does, what toggled is left in ``folder``.
        command: that a file of it names.

    Raises:
        MismatchError: a word or a cycle is not as planned.
        ToolError: a tool is missing or fails.
    """
    plan = exploration.chosen.plan
    folder.mkdir(parents=True, exist_ok=True)
    plan.save(folder / "plan.json")  # for `ernn compare` and for people
    shutil.rmtree(folder / "project", ignore_errors=True)  # an interrupted run's is not whole
    project = write_project(plan, model, folder / "project")
    expected = replace(planned(exploration, traffic), rtl=rtl_digest(project))
    before = expected.simulated_as(known)
    if streams is None or (before.frames == sum(map(len, chain(*streams))) and not dump):
        return before
    work = folder / "simulator"
    done = simulate(
        project,
        plan,
        model,
        streams,
        work_folder=work,
        testbench="compiled",
        traffic=traffic,
        dump=dump,
    )
    if dump and dump.cycles:
        keep_activity(done, dump, plan, project, work, folder, command)
    cycles = done.latency_cycles if traffic.mode == "single" else done.frame_cycles
    if cycles != expected.cycles_planned:
        raise MismatchError(
            f"{folder}: a frame takes {cycles} cycles; planned are {expected.cycles_planned}"
        )
    return expected.simulated(cycles, done.frames, sum(done.elements.values()))
