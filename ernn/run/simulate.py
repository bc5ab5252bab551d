"""simulate: a whole accelerator on real frames; every word and every cycle must be as planned.

Every row, vector, state and output word is compared with the integer model, and the cycle of every
beat at the ports with ernn.hw.cycles. Testbench: sim/accelerator.py, or sim/accelerator.cpp, in
ernn_testbench.v.j2.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Ended
from typing import Literal

from ernn.errors import MismatchError, ProjectError, RecipeError, ToolError
from ernn.hdl.register_map import RegisterMap
from ernn.hdl.registers import register_map
from ernn.hdl.templates import aligned, environment
from ernn.hw import cycles
from ernn.hw.plan import HardwarePlan
from ernn.quant.integer_model import IntegerModel
from ernn.run.compare import Golden, compare, golden_signals, require_whole
from ernn.run.dump import Dump
from ernn.run.registers import load_writes, reads, require_registers
from ernn.run.rtl import for_waves, registers_only
from ernn.run.schedule import Schedule, make_schedule
from ernn.run.testbench import Simulator, run_testbench
from ernn.run.timing import frame_cycles, latency_cycles, require_planned
from ernn.run.trace import Event, InputBeat, OutputBeat, read_trace
from ernn.run.trace_decoder import OUTPUT, TraceDecoder
from ernn.run.traffic import Packet, Streams, Traffic, packets_of, with_bad
from ernn.run.verilator import run_compiled

Testbench = Literal["cocotb", "compiled"]  # Python in the simulator, or C++ around it

TOP = "ernn_testbench"
TRACE, RESULTS = "trace.txt", "results.json"  # in the work folder
RANDOM_START = ("+verilator+rand+reset+2", "+verilator+seed+1")  # registers without reset
LONG_CYCLES = 50_000  # from here on, optimizing the simulator takes less time than it saves
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
    schedule: Schedule | None  # saturated traffic, but not a netlist's: see `ernn.run.schedule`
    ends: tuple[int, ...] = ()  # cycle of the last beat of every output packet


def simulate(
    folder: Path,
    plan: HardwarePlan,
    model: IntegerModel,
    utterances: Streams,
    *,
    work_folder: Path,
    simulator: Simulator = "verilator",
    testbench: Testbench = "cocotb",
    traffic: Traffic | None = None,
    dump: Dump | None = None,
    netlist: Sequence[Path] = (),
) -> Simulation:
    """Simulate a project and compare every word and every cycle.

    Args:
        folder: written by `ernn.hdl.project.write_project`.
        plan: of the project.
        model: of the project; with traffic that loads it, any other of the same shape.
        utterances: for each stream the features (T, F) of its utterances.
        work_folder: for the build (kept for the next call), vectors, trace and logs.
        simulator: which one.
        testbench: "compiled" is several times as fast, and Verilator's alone.
        traffic: saturated unless given.
        dump: what to leave in ``work_folder`` under `Dump.file`, if anything.
        netlist: Verilog of a synthesized `ernn_top` and of its cells, to simulate in place of the
            project's; only its ports, registers included, are seen and compared.

    Raises:
        MismatchError: the first word that differs from the integer model, or the first beat whose
            cycle differs from the plan's.
        ToolError: the simulator is missing, fails, or stops early.
        ProjectError: the folder holds another plan's project.
        PlanError: the model to load does not suit the plan.
        ShapeError, CorpusError: the utterances do not fit.
        RecipeError: a compiled testbench for another simulator than Verilator.
    """
    if testbench == "compiled" and simulator != "verilator":
        raise RecipeError(
            f"a compiled testbench does not run on {simulator}",
            remedy='simulate with Verilator, or take testbench = "cocotb"',
        )
    traffic = traffic or Traffic()
    folder, work_folder = Path(folder).resolve(), Path(work_folder).resolve()
    if HardwarePlan.load(folder / "plan.json") != plan:
        raise ProjectError(
            f"{folder} was generated from another plan", remedy="run `ernn generate` again"
        )
    packets = packets_of(model, plan, utterances)
    golden, saturated = golden_signals(model, utterances)
    if netlist:
        golden = {name: signal for name, signal in golden.items() if name.startswith(OUTPUT)}
    work_folder.mkdir(parents=True, exist_ok=True)
    for old in (TRACE, RESULTS):
        (work_folder / old).unlink(missing_ok=True)
    ended = Ended()
    with ThreadPoolExecutor(1) as beside:  # compares what the simulator has written, as it goes on
        comparing = beside.submit(_compare_runs, plan, model, golden, work_folder / TRACE, ended)
        try:
            _run(
                folder,
                plan,
                model,
                packets,
                work_folder,
                simulator,
                testbench,
                traffic,
                dump,
                netlist,
            )
        except ToolError:
            ended.set()
            with suppress(ToolError):  # of a trace that is missing or cut off
                comparing.result()  # a wrong word tells more
            raise
        finally:
            ended.set()
        run, compared = comparing.result()
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
        make_schedule(plan, run) if busy and not netlist else None,
        tuple(beat.cycle for beat in outputs if beat.last),
    )


def _compare_runs(
    plan: HardwarePlan, model: IntegerModel, golden: Golden, trace: Path, ended: Ended
) -> tuple[list[Event], Counter[str]]:
    """Compare what lies between resets; return the last run and its elements by signal."""
    run: list[Event] = []
    compared: Counter[str] = Counter()
    for events in read_trace(trace, ended):
        run = []
        compared = compare(TraceDecoder(plan, model).words(_kept(events, run)), golden)
    return run, compared


def _kept(events: Iterable[Event], run: list[Event]) -> Iterator[Event]:
    for event in events:
        run.append(event)
        yield event


def _run(
    folder: Path,
    plan: HardwarePlan,
    model: IntegerModel,
    packets: list[Packet],
    work_folder: Path,
    simulator: Simulator,
    testbench: Testbench,
    traffic: Traffic,
    dump: Dump | None,
    netlist: Sequence[Path],
) -> None:
    """Run the testbench, which leaves TRACE and RESULTS in the work folder."""
    top, vectors = work_folder / f"{TOP}.v", work_folder / "vectors.txt"
    trace, results = work_folder / TRACE, work_folder / RESULTS
    top.write_text(simulation_top(plan, dumps=dump is not None, inside=not netlist))
    registers = register_map(plan)
    writes = load_writes(plan, model, registers) if traffic.load else []
    vectors.write_text("\n".join([*_vectors(plan, traffic, packets, registers, writes), ""]))
    verilog = [*netlist] or sorted((folder / "rtl").glob("*.v"))
    sources = [*verilog, *_control(dump, simulator, verilog, work_folder), top]
    dumped = dump.plusargs(str(work_folder)) if dump else []
    plusargs = [f"+trace={trace}", *dumped, *RANDOM_START]
    kind, strict = dump.kind if dump else None, not netlist
    optimized = len(packets) * plan.round_cycles > LONG_CYCLES
    if testbench == "compiled":
        run_compiled(
            sources,
            TOP,
            "accelerator",
            work_folder,
            plusargs=[f"+vectors={vectors}", f"+results={results}", *plusargs],
            run_in=folder / "rtl",
            dump=kind,
            strict=strict,
            optimized=optimized,
        )
    else:
        run_testbench(
            sources,
            TOP,
            "accelerator",
            work_folder,
            simulator=simulator,
            environment={"ERNN_VECTORS": str(vectors), "ERNN_RESULTS": str(results)},
            plusargs=plusargs,
            run_in=folder / "rtl",
            dump=kind,
            strict=strict,
            optimized=optimized,
        )


def _vectors(
    plan: HardwarePlan,
    traffic: Traffic,
    packets: list[Packet],
    registers: RegisterMap,
    writes: list[tuple[int, int]],
) -> Iterator[str]:
    """Yield the lines that a testbench reads; sim/accelerator.py describes them."""
    settings: dict[str, object] = {
        "mode": traffic.mode,
        "begin": traffic.begin,
        "idle": traffic.idle,
        "stall": traffic.stall,
        "seed": traffic.seed,
        "expected": len(packets),
        "gap_cycles": GAP_CYCLES,
        "quiet_cycles": _quiet_cycles(plan, traffic),
        "reset_cycles": traffic.reset_cycles,
        "state_reset": registers.register("state_reset").address,
    }
    if traffic.reset_cycle is not None:
        settings["reset_cycle"] = traffic.reset_cycle
    if traffic.hold:
        settings["hold"] = "{} {}".format(*traffic.hold)
    yield from (f"{name} {value}" for name, value in settings.items())
    yield from (f"write {address} {value}" for address, value in writes)
    yield from (f"read {name} {address}" for name, address in reads(registers).items())
    for packet in with_bad(packets, traffic.bad, plan.streams):
        words = " ".join(f"{word:x}" for word in packet.words)
        yield f"packet {packet.stream} {int(packet.fresh)} {words}"


def _control(
    dump: Dump | None, simulator: Simulator, verilog: list[Path], work_folder: Path
) -> list[Path]:
    """Return a file that tells Verilator what to dump."""
    if dump is None or simulator != "verilator":
        return []
    control = work_folder / "dump.vlt"
    control.write_text(registers_only(verilog) if dump.kind == "saif" else for_waves(verilog))
    return [control]


def simulation_top(plan: HardwarePlan, dumps: bool = False, inside: bool = True) -> str:
    """Return the Verilog that writes the trace, with the accelerator inside.

    Args:
        plan: of the accelerator.
        dumps: whether a window of the inside can be dumped.
        inside: whether its inner signals have the names of the Verilog; else only ports are seen.
    """
    context = {"plan": plan, "map": register_map(plan), "dumps": dumps, "inside": inside}
    return aligned(environment().get_template(f"{TOP}.v.j2").render(context))


def _quiet_cycles(plan: HardwarePlan, traffic: Traffic) -> int:
    """Return how long to wait for a packet: far longer than a round takes."""
    held = traffic.hold[1] if traffic.hold else 0
    return held + round(8 * plan.round_cycles / (1 - traffic.idle) / (1 - traffic.stall))


def _results(path: Path) -> tuple[list, dict[str, int]]:
    """Return the packets that the AXI4-Stream sink received, and the registers that were read.

    Raises:
        ToolError: there are no results.
    """
    try:
        content = json.loads(path.read_text())
        return content["packets"], content["registers"]
    except (OSError, ValueError, KeyError, TypeError) as reason:
        raise ToolError(
            f"{path} holds no results", given=str(reason), remedy="simulate again"
        ) from None


def _require_received(received: list, outputs: list[OutputBeat]) -> None:
    """Check what the AXI4-Stream sink received against the beats in the trace.

    Raises:
        MismatchError: they differ.
    """
    packets: list[list] = []
    for beat, before in zip(outputs, [None, *outputs], strict=False):
        if before is None or before.last:
            packets.append([beat.stream, []])
        packets[-1][1].append(f"{int(beat.data, 16):x}")
    if received != packets:
        raise MismatchError("the AXI4-Stream sink received other packets than the trace shows")
