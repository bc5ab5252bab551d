"""What is known of an accelerator from its plan and its simulation, with its power estimated."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ernn.energy.comparison import Ours
from ernn.energy.fit import Fit
from ernn.energy.groups import estimate_groups, loads_of
from ernn.flow.results import read_result
from ernn.flow.run_folder import SYNTHESIS
from ernn.hw.cost import Resources, group_resources
from ernn.hw.plan import HardwarePlan
from ernn.parts.part import Part
from ernn.run.activity import Activity, load_activity


@dataclass(frozen=True)
class SynthesisResult:
    """What is read of resources.json."""

    format: Literal["ernn-synth-1"]
    plan: str
    command: str
    groups: dict[str, Resources]


@dataclass(frozen=True)
class Timing:
    """Cycles of an accelerator, and where they are from."""

    frame_cycles: float
    latency_cycles: float
    mark: str
    latency_mark: str
    checked: str


def describe_plan(
    plan: HardwarePlan,
    part: Part,
    timing: Timing,
    activity: Activity | None,
    fit: Fit,
    speed_command: str,
    command: str,
    synthesis: Path | None = None,
) -> Ours:
    """Return what is known of an accelerator, its power estimated.

    Args:
        plan: of the accelerator.
        part: that it is planned for.
        timing: its cycles.
        activity: what its simulation counted, if it did.
        fit: of the power model.
        speed_command: that made the cycles.
        command: that estimates.
        synthesis: where `ernn synth` leaves its result.
    """
    blocks, resources = _groups(synthesis, plan, part)
    loads = loads_of(blocks, activity)
    power, groups = estimate_groups(part, plan.clock_mhz, loads, fit)
    return Ours(
        name="ernn",
        plan=plan.digest,
        part=part.name,
        clock_mhz=plan.clock_mhz,
        bits=plan.vector.width,
        streams=plan.streams,
        latency_us=timing.latency_cycles / plan.clock_mhz,
        frames_per_second=plan.clock_mhz * 1e6 / timing.frame_cycles,
        mark=timing.mark,
        latency_mark=timing.latency_mark,
        checked=timing.checked,
        power_w=power.card_w,
        chip_w=power.chip_w,
        components=power.components,
        groups=groups,
        resources=resources,
        activity=_in_words(activity),
        speed_command=speed_command,
        power_command=command,
    )


def _groups(
    folder: Path | None, plan: HardwarePlan, part: Part
) -> tuple[dict[str, Resources], str]:
    """Return the blocks by group as synthesized, if that was done with this plan, else planned."""
    path = folder / SYNTHESIS if folder else None
    if path is None or not path.is_file():
        return group_resources(plan, part), "as planned"
    synthesis = read_result(path, SynthesisResult, "ernn synth")
    if synthesis.plan != plan.digest:
        return group_resources(plan, part), "as planned"
    return synthesis.groups, f"as synthesized by `{synthesis.command}`"


def find_activity(folder: Path, plan: HardwarePlan) -> Activity | None:
    """Return the switching activity that a simulation left in a folder, if it did.

    Raises:
        ModelFileError: the file is damaged, or of another plan.
    """
    path = folder / "activity.json"
    return load_activity(path, plan.digest) if path.is_file() else None


def _in_words(activity: Activity | None) -> str:
    if activity is None:
        return "not measured: the defaults of power.toml"
    return f"simulated, {activity.frames} frames in {activity.window_cycles:,} cycles"
