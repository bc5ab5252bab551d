"""simulate: a whole accelerator on real frames; every word and every cycle must be as planned.

Every row, vector, state and output word is compared with the integer model, and the cycle of every
beat at the ports with ernn.hw.cycles. Bench and window: sim/accelerator.py, ernn_testbench.v.j2.
"""

import json
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ernn.errors import MismatchError, ProjectError, ToolError
from ernn.hdl.registers import register_map
from ernn.hdl.templates import environment
from ernn.hw import cycles
from ernn.hw.plan import HardwarePlan
from ernn.quant.integer_model import IntegerModel
from ernn.run.bench import Simulator, run_bench
from ernn.run.compare import Golden, compare, golden_signals, require_whole
from ernn.run.follow import Follower
from ernn.run.registers import load_writes, reads, require_registers
from ernn.run.schedule import Schedule, make_schedule
from ernn.run.timing import frame_cycles, latency_cycles, require_planned
from ernn.run.trace import Event, InputBeat, OutputBeat, read_trace
from ernn.run.traffic import Packet, Streams, Traffic, packets_of, with_bad

TOP = "ernn_testbench"
TRACE, RESULTS = "trace.txt", "results.json"  # in the work folder
RANDOM_START = ("+verilator+rand+reset+2", "+verilator+seed+1")  # registers without reset
GAP_CYCLES = 256  # "single": from an output packet to the next input packet: the design is idle


@dataclass(frozen=True)
class Simulation:
    """What was compared and measured."""

    simulator: str
    frames: int  # of all streams
    cycles: int  # from the first input beat to the last output beat, both counted
    elements: dict[str, int]  # compared, by signal
    frame_cycles: float | None  # saturated traffic: see `ernn.run.timing.frame_cycles`
    latency_cycles: int | None  # single frames: see `latency_cycles` there
    schedule: Schedule | None  # saturated traffic: see `ernn.run.schedule`


def simulate(
    folder: Path,
    plan: HardwarePlan,
    model: IntegerModel,
    utterances: Streams,
    *,
    work_folder: Path,
    simulator: Simulator = "verilator",
    traffic: Traffic | None = None,
) -> Simulation:
    """Simulate a project and compare every word and every cycle.

    Args:
        folder: written by `ernn.hdl.project.write_project`.
        plan: of the project.
        model: of the project; with traffic that loads it, any other of the same shape.
        utterances: for each stream the features (T, F) of its utterances.
        work_folder: for the build (kept for the next call), vectors, trace and logs.
        simulator: which one.
        traffic: saturated unless given.

    Raises:
        MismatchError: the first word that differs from the integer model, or the first beat whose
            cycle differs from the plan's.
        ToolError: the simulator is missing, fails, or stops early.
        ProjectError: the folder holds another plan's project.
        PlanError: the model to load does not suit the plan.
        ShapeError, CorpusError: the utterances do not fit.
    """
    traffic = traffic or Traffic()
    folder, work_folder = Path(folder).resolve(), Path(work_folder).resolve()
    if HardwarePlan.load(folder / "plan.json") != plan:
        raise ProjectError(f"{folder} was generated from another plan; run `ernn generate` again")
    packets = packets_of(model, plan, utterances)
    golden, saturated = golden_signals(model, utterances)
    try:
        _run(folder, plan, model, packets, work_folder, simulator, traffic)
    except ToolError:
        with suppress(ToolError):  # of a trace that is missing or cut off
            _compare_runs(plan, model, golden, work_folder)  # a wrong word tells more
        raise
    run, compared = _compare_runs(plan, model, golden, work_folder)
    require_whole(compared, golden)
    inputs = [event for event in run if isinstance(event, InputBeat)]
    outputs = [event for event in run if isinstance(event, OutputBeat)]
    received, registers = _results(work_folder / RESULTS)
    _require_received(received, outputs)
    bad = [kind for _, kind in traffic.bad]
    require_registers(registers, plan, saturated, len(packets), bad)
    if traffic.steady:
        sent = [cycles.Packet(packet.stream, packet.fresh) for packet in packets]
        gap = GAP_CYCLES if traffic.mode == "single" else None
        require_planned(inputs, outputs, cycles.predict(plan, sent, inputs[0].cycle, gap))
    busy = traffic.mode == "saturated" and traffic.steady
    return Simulation(
        simulator,
        len(packets),
        outputs[-1].cycle - inputs[0].cycle + 1,
        dict(compared),
        frame_cycles(plan, outputs) if busy else None,
        latency_cycles(inputs, outputs) if traffic.mode == "single" else None,
        make_schedule(plan, run) if busy else None,
    )


def _compare_runs(
    plan: HardwarePlan, model: IntegerModel, golden: Golden, work_folder: Path
) -> tuple[list[Event], Counter[str]]:
    """Compare what lies between resets; return the last run and its elements by signal."""
    for run in read_trace(work_folder / TRACE):
        compared = compare(Follower(plan, model).words(run), golden)
    return run, compared


def _run(
    folder: Path,
    plan: HardwarePlan,
    model: IntegerModel,
    packets: list[Packet],
    work_folder: Path,
    simulator: Simulator,
    traffic: Traffic,
) -> None:
    """Run the bench, which leaves TRACE and RESULTS in the work folder."""
    work_folder.mkdir(parents=True, exist_ok=True)
    top, vectors = work_folder / f"{TOP}.v", work_folder / "vectors.json"
    trace, results = work_folder / TRACE, work_folder / RESULTS
    trace.unlink(missing_ok=True)
    results.unlink(missing_ok=True)
    top.write_text(bench_top(plan))
    sent = with_bad(packets, traffic.bad, plan.streams)
    registers = register_map(plan)
    content = asdict(traffic) | {
        "packets": [[packet.stream, packet.fresh, packet.words] for packet in sent],
        "expected": len(packets),
        "gap_cycles": GAP_CYCLES,
        "state_reset": registers.register("state_reset").address,
        "writes": load_writes(plan, model, registers) if traffic.load else [],
        "reads": reads(registers),
        "quiet_cycles": _quiet_cycles(plan, traffic),
        "results": str(results),
    }
    vectors.write_text(json.dumps(content))
    run_bench(
        [*sorted((folder / "rtl").glob("*.v")), top],
        TOP,
        "accelerator",
        work_folder,
        simulator=simulator,
        environment={"ERNN_VECTORS": str(vectors)},
        plusargs=[f"+trace={trace}", *RANDOM_START],
        run_in=folder / "rtl",
    )


def bench_top(plan: HardwarePlan) -> str:
    """Return the Verilog that writes the trace, with the accelerator inside."""
    made = register_map(plan)
    return environment().get_template(f"{TOP}.v.j2").render(plan=plan, map=made)


def _quiet_cycles(plan: HardwarePlan, traffic: Traffic) -> int:
    """Return how long to wait for a packet: far longer than a round takes."""
    round_cycles = plan.streams * (plan.steps + 100 * len(plan.jobs)) + 1000
    held = traffic.hold[1] if traffic.hold else 0
    return held + round(8 * round_cycles / (1 - traffic.idle) / (1 - traffic.stall))


def _results(path: Path) -> tuple[list, dict[str, int]]:
    """Return the packets that the AXI4-Stream sink received, and the registers that were read.

    Raises:
        ToolError: there are no results.
    """
    try:
        content = json.loads(path.read_text())
        return content["packets"], content["registers"]
    except (OSError, ValueError, KeyError, TypeError) as reason:
        raise ToolError(f"{path} holds no results ({reason}); simulate again") from None


def _require_received(received: list, outputs: list[OutputBeat]) -> None:
    """Check what the AXI4-Stream sink received against the beats in the trace.

    Raises:
        MismatchError: they differ.
    """
    packets: list[list] = []
    for beat, before in zip(outputs, [None, *outputs], strict=False):
        if before is None or before.last:
            packets.append([beat.stream, []])
        packets[-1][1].append(int(beat.data, 16))
    if received != packets:
        raise MismatchError("the AXI4-Stream sink received other packets than the trace shows")
