"""The steps that make hardware of a model and prove it: plan, generate, simulate, report.

Each reads the folders of the steps before it and leaves its files in its own; docs/files.md
describes them. Heavy imports stay inside, so that a run with nothing to do is over at once.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ernn.errors import MismatchError
from ernn.flow.engine import SUMMARY, Work

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ernn.hw.plan import HardwarePlan
    from ernn.quant.integer_model import IntegerModel
    from ernn.recipe import HardwareRecipe
    from ernn.run.simulate import Simulation


def plan(work: Work) -> None:
    """Plan the hardware."""
    from ernn.quant.integer_model import IntegerModel

    model = IntegerModel.load(work.out / "quantize" / "integer.safetensors")
    plan_model(model, work.recipe.hardware, work.recipe.name, work.folder)


def plan_model(
    model: "IntegerModel", hardware: "HardwareRecipe", name: str, folder: "Path"
) -> None:
    """Plan the hardware of a model; leave its files and summary.txt behind."""
    from ernn.files import write_text
    from ernn.flow.planning import describe, front_file
    from ernn.flow.results import write_json
    from ernn.hw.explore import explore

    found = explore(model, hardware, name)
    found.chosen.plan.save(folder / "plan.json")
    write_json(folder / "cost.json", asdict(found.chosen.used))
    write_json(folder / "front.json", front_file(found))
    write_text(folder / SUMMARY, "\n".join(describe(found)) + "\n")


def plan_file(
    path: "Path", hardware: "dict[str, Any]", out: "Path | None", say: "Callable[[str], None]"
) -> None:
    """Plan the hardware of an integer model's file, with these keys of the hardware section."""
    from ernn.folders import make_folder
    from ernn.quant.integer_model import IntegerModel
    from ernn.recipe import HardwareRecipe

    folder = out or path.parent
    make_folder(folder)
    asked = HardwareRecipe.from_dict(hardware, "options")
    plan_model(IntegerModel.load(path), asked, path.stem, folder)
    say((folder / SUMMARY).read_text(encoding="utf-8").rstrip())


def generate(work: Work) -> None:
    """Write the Verilog."""
    from ernn.hdl.project import write_project
    from ernn.hw.plan import HardwarePlan
    from ernn.quant.integer_model import IntegerModel

    model = IntegerModel.load(work.out / "quantize" / "integer.safetensors")
    write_project(HardwarePlan.load(work.out / "plan" / "plan.json"), model, work.folder)


def simulate(work: Work) -> None:
    """Simulate the Verilog twice: all streams at full speed, and one frame at a time.

    The first also counts what toggles, where the simulator can (ernn.flow.activity).
    """
    from ernn.flow.activity import keep_activity
    from ernn.flow.results import write_json
    from ernn.hw.cycles import RATE_ROUNDS
    from ernn.hw.plan import HardwarePlan
    from ernn.quant.integer_model import IntegerModel
    from ernn.run.dump import Dump, steady_window
    from ernn.run.schedule import save_schedule
    from ernn.run.simulate import simulate as run
    from ernn.run.traffic import Traffic, deal_out
    from ernn.speech.corpus import load_split

    settings = work.recipe.simulation
    planned = HardwarePlan.load(work.out / "plan" / "plan.json")
    model = IntegerModel.load(work.out / "quantize" / "integer.safetensors")
    test = [utterance.features for utterance in load_split(work.out / "corpus", "test")]
    frames = max(settings.frames_per_stream, RATE_ROUNDS)  # fewer show no steady state
    streams, alone = deal_out(test, planned.streams, frames), [[test[0][:frames]]]
    window = steady_window(planned, frames) if settings.simulator == "verilator" else None
    idle = window and Dump(window.kind)  # the same build
    project = work.out / "generate"
    runs = [
        run(
            project,
            planned,
            model,
            utterances,
            work_folder=work.cache,
            simulator=settings.simulator,
            traffic=traffic,
            dump=dump,
        )
        for utterances, traffic, dump in (
            (streams, Traffic(), window),
            (alone, Traffic("single"), idle),
        )
    ]
    if window:
        command = f"ernn simulate {work.recipe.name}"
        keep_activity(runs[0], window, planned, project, work.cache, work.folder, command)
    write_json(work.folder / "timing.json", _timing(planned, *runs))
    schedule = runs[0].schedule
    assert schedule is not None  # saturated, and long enough
    save_schedule(schedule, planned, runs[0].simulator, work.folder / "schedule.json")


def _timing(planned: "HardwarePlan", busy: "Simulation", single: "Simulation") -> dict[str, Any]:
    """Return what the report shows of two simulations.

    Raises:
        MismatchError: they did not take the planned cycles.
    """
    from ernn.hw.cycles import rate

    expected = rate(planned)
    found = (busy.frame_cycles, single.latency_cycles)
    if found != (expected.cycles_per_frame, expected.latency_cycles):
        raise MismatchError(
            f"a frame takes {found[0]} cycles, {found[1]} when it comes alone; planned are "
            f"{expected.cycles_per_frame} and {expected.latency_cycles}"
        )
    return {
        "simulator": busy.simulator,
        "frames": busy.frames + single.frames,
        "words_compared": sum(busy.elements.values()) + sum(single.elements.values()),
        "mismatches": 0,  # the first one is an error
        "frame_cycles_planned": expected.cycles_per_frame,
        "frame_cycles_simulated": busy.frame_cycles,
        "latency_cycles_planned": expected.latency_cycles,
        "latency_cycles_simulated": single.latency_cycles,
    }


def report(work: Work) -> None:
    """Write the report."""
    from ernn.flow.summary import summarize
    from ernn.report.render import write_report

    write_report(summarize(work.recipe, work.out), work.folder)
