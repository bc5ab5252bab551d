"""The steps that make hardware of a model and prove it: plan, generate, simulate, report.

Each reads the folders of the steps before it and leaves its files in its own; docs/files.md
describes them. Heavy imports stay inside, so that a run with nothing to do is over at once.
"""

import shutil
from dataclasses import asdict
from itertools import cycle
from typing import TYPE_CHECKING

from ernn.flow.engine import Work

if TYPE_CHECKING:
    import numpy as np


def plan(work: Work) -> None:
    """Plan the hardware."""
    from ernn.flow.results import write_json
    from ernn.hw.cost import resources
    from ernn.hw.explore import make_plan
    from ernn.quant.integer_model import IntegerModel

    model = IntegerModel.load(work.out / "quantize" / "integer.safetensors")
    planned = make_plan(model, work.recipe.hardware, work.recipe.name)
    planned.save(work.folder / "plan.json")
    write_json(work.folder / "cost.json", asdict(resources(planned)))


def generate(work: Work) -> None:
    """Write the Verilog."""
    from ernn.hdl.project import write_project
    from ernn.hw.plan import HardwarePlan
    from ernn.quant.integer_model import IntegerModel

    model = IntegerModel.load(work.out / "quantize" / "integer.safetensors")
    write_project(HardwarePlan.load(work.out / "plan" / "plan.json"), model, work.folder)


def simulate(work: Work) -> None:
    """Simulate the Verilog twice: all streams at full speed, and one frame at a time."""
    from ernn.flow.results import write_json
    from ernn.hw.cycles import rate
    from ernn.hw.plan import HardwarePlan
    from ernn.quant.integer_model import IntegerModel
    from ernn.run.simulate import Simulation
    from ernn.run.simulate import simulate as simulate_project
    from ernn.run.traffic import Traffic
    from ernn.speech.corpus import load_split

    settings = work.recipe.simulation
    planned = HardwarePlan.load(work.out / "plan" / "plan.json")
    model = IntegerModel.load(work.out / "quantize" / "integer.safetensors")
    test = [utterance.features for utterance in load_split(work.out / "corpus", "test")]
    streams = _streams(test, planned.streams, settings.frames_per_stream)
    alone = [[test[0][: settings.frames_per_stream]]]
    build = work.folder / "build"

    def run(utterances: "list[list[np.ndarray]]", traffic: Traffic) -> Simulation:
        return simulate_project(
            work.out / "generate",
            planned,
            model,
            utterances,
            work_folder=build,
            simulator=settings.simulator,
            traffic=traffic,
        )

    busy = run(streams, Traffic("saturated"))
    single = run(alone, Traffic("single"))
    shutil.rmtree(build)  # needed only to look into a failure
    expected = rate(planned)
    write_json(
        work.folder / "timing.json",
        {
            "simulator": busy.simulator,
            "frames": busy.frames + single.frames,
            "words_compared": sum(busy.elements.values()) + sum(single.elements.values()),
            "mismatches": 0,  # the first one raises an error
            "frame_cycles_planned": expected.cycles_per_frame,
            "frame_cycles_simulated": busy.frame_cycles,
            "latency_cycles_planned": expected.latency_cycles,
            "latency_cycles_simulated": single.latency_cycles,
        },
    )


def _streams(utterances: "list[np.ndarray]", count: int, frames: int) -> "list[list[np.ndarray]]":
    """Deal utterances out to streams until each has ``frames`` frames, the last one cut short."""
    streams: list[list[np.ndarray]] = [[] for _ in range(count)]
    supply = cycle(utterances)
    for stream in streams:
        missing = frames
        while missing:
            stream.append(next(supply)[:missing])
            missing -= len(stream[-1])
    return streams


def report(work: Work) -> None:
    """Write the report."""
    from ernn.flow.summary import summarize
    from ernn.report.render import write_report

    write_report(summarize(work.recipe, work.out), work.folder)
