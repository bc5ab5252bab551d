"""Switching activity: what a simulation's SAIF leaves for power models and vendors' tools."""

import gzip
import re
from pathlib import Path

from ernn import __version__
from ernn.errors import ToolError
from ernn.hw.plan import HardwarePlan
from ernn.run.activity import FORMAT, Activity
from ernn.run.dump import Dump
from ernn.run.saif import parse_saif, read_text, repaired
from ernn.run.simulate import Simulation
from ernn.run.toggles import count_toggles
from ernn.tools import require

ACTIVITY, SAIF = "activity.json", "activity.saif.gz"
CLOCK = "clk_i"


def design_name(plan: HardwarePlan) -> str:
    """Return the DESIGN of a plan's SAIF files."""
    return f"ernn_top plan {plan.digest}"


def keep_activity(
    simulation: Simulation,
    dump: Dump,
    plan: HardwarePlan,
    project: Path,
    work_folder: Path,
    folder: Path,
    command: str,
) -> Activity:
    """Turn the SAIF in a simulation's work folder into activity.json and activity.saif.gz.

    Args:
        simulation: that left it, every word and cycle as planned.
        dump: its window.
        plan: of the accelerator.
        project: its folder.
        work_folder: of the simulation.
        folder: for the two files.
        command: that the user gave.

    Raises:
        ToolError: the SAIF does not show the window or the design.
    """
    raw = work_folder / dump.file
    text = read_text(raw)
    text = repaired(text, design_name(plan), _time_before(raw, text, dump))
    saif = parse_saif(raw, text)
    last = dump.first_cycle + dump.cycles
    activity = Activity(
        FORMAT,
        __version__,
        plan.digest,
        f"Verilator {require('verilator').version}",
        command,
        "simulated",
        dump.first_cycle,
        dump.cycles,
        sum(dump.first_cycle < end <= last for end in simulation.ends),
        count_toggles(saif, plan, sorted((project / "rtl").glob("*.v")), dump.cycles),
    )
    activity.save(folder / ACTIVITY)
    with gzip.GzipFile(folder / SAIF, "wb", compresslevel=6, mtime=0) as file:
        file.write(text.encode("ascii"))
    return activity


def _time_before(path: Path, text: str, dump: Dump) -> int:
    """Return the time before the window, which Verilator counts as time at 0.

    Verilator writes the clock as a port of the testbench: low in the last half cycle before the
    window's first edge, and high behind its last one.

    Raises:
        ToolError: another number of clock edges than the window's was counted.
    """
    clock = re.search(rf"\({CLOCK} \(T0 \d+\) \(T1 (\d+)\) .*?\(TC (\d+)\)\)", text)
    duration = re.search(r"\(DURATION (\d+)\)", text)
    if clock is None or duration is None or int(clock[2]) != 2 * dump.cycles - 1:
        told = f"{clock[2]} toggles of the clock" if clock else "no clock"
        raise ToolError(
            f"{path} shows {told}",
            allowed=f"{2 * dump.cycles - 1} in a window of {dump.cycles} cycles",
            remedy="simulate again",
        )
    half = int(clock[1]) // (dump.cycles - 1)  # the last high phase is not over
    return int(duration[1]) - half * (2 * dump.cycles - 1)
