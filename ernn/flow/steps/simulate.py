"""Simulate the Verilog: every word and cycle must be as planned."""

from typing import Any

from ernn.errors import MismatchError
from ernn.flow.activity import keep_activity
from ernn.flow.results import write_json
from ernn.flow.work import Work
from ernn.hw.cycles import RATE_ROUNDS, rate
from ernn.hw.plan import HardwarePlan
from ernn.quant.integer_model import IntegerModel
from ernn.run.dump import Dump, steady_window
from ernn.run.schedule import save_schedule
from ernn.run.simulate import Simulation, simulate
from ernn.run.traffic import Traffic, deal_out
from ernn.tasks.kinds import read_frames


def run(work: Work) -> None:
    """Simulate the Verilog twice: all streams at full speed, and one frame at a time.

    The first also counts what toggles, where the simulator can (ernn.flow.activity).
    """
    settings = work.recipe.simulation
    planned = HardwarePlan.load(work.run.plan)
    model = IntegerModel.load(work.run.integer_model)
    test = read_frames(work.run.corpus, "test")
    frames = max(settings.frames_per_stream, RATE_ROUNDS)  # fewer show no steady state
    streams, alone = deal_out(test, planned.streams, frames), [[test[0][:frames]]]
    window = steady_window(planned, frames) if settings.simulator == "verilator" else None
    idle = window and Dump(window.kind)  # the same build
    project = work.run.project
    runs = [
        simulate(
            project,
            planned,
            model,
            utterances,
            work_folder=work.cache,
            simulator=settings.simulator,
            testbench=settings.testbench,
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
    write_json(work.run.timing, _timing(planned, *runs))
    schedule = runs[0].schedule
    assert schedule is not None  # saturated, and long enough
    save_schedule(schedule, planned, runs[0].simulator, work.run.schedule)


def _timing(planned: HardwarePlan, busy: Simulation, single: Simulation) -> dict[str, Any]:
    """Return what the report shows of two simulations.

    Raises:
        MismatchError: they did not take the planned cycles.
    """
    expected = rate(planned)
    simulated = (busy.frame_cycles, single.latency_cycles)
    if simulated != (expected.cycles_per_frame, expected.latency_cycles):
        raise MismatchError(
            f"a frame takes {simulated[0]} cycles, {simulated[1]} when it comes alone; planned are "
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
