"""How fast the tools are: generate, build and simulate LSTM-1024, k = 8, and run its integer model.

    .venv/bin/python benchmarks/rtl_speed.py --out out/rtl_speed

Wall time, except for the integer model: processor time of one thread, the best of three. Both
testbenches simulate the same frames, one after the other; weights are random, speech is synthetic,
and every word and cycle is checked, as ever, by a thread beside the simulator. "In processor time"
are seconds of the simulator's process, which other work on the machine does not lengthen as it does
those of the wall. `--hidden` takes a smaller layer than 1024, `--part` a smaller array, and
`--frames` fewer frames, where the whole takes too long. The last rows are a small layer, LSTM
32 -> 64 with k = 8 and two streams, fed with noise, which the planner makes as small as 300 cycles
a frame allow. Peers' figures are quoted, not measured here.
"""

import argparse
import os
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from unittest.mock import patch

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy, which reads it once

import numpy as np
from integer_speed import best_seconds

from ernn.flow import bench
from ernn.hdl.project import write_project
from ernn.hw.explore import explore, make_plan
from ernn.hw.plan import HardwarePlan
from ernn.machine import describe_machine
from ernn.quant.integer_arithmetic import IntegerArithmetic
from ernn.quant.integer_model import IntegerModel
from ernn.quant.quantize import quantize
from ernn.random_model import random_model
from ernn.recipe import HardwareRecipe, QuantizationRecipe
from ernn.run import simulate as simulating
from ernn.run.testbench import build
from ernn.run.traffic import deal_out
from ernn.run.verilator import build_compiled
from ernn.tools import require

FRAMES = 400  # simulated, of each stream: a second of start-up counts little
UTTERANCES = 32  # of the integer model's batch, 100 frames each
SMALL_CYCLES, SMALL_DSP = 300, 40
HLS4ML, CREATOR = "hls4ml", "elastic-ai.creator"
CYCLES = ("cycles/s", 10_000)
LINE = "| {:42} | {:>15} | {:>9} | {:6} | {:32} |"


@dataclass
class Stopwatch:
    """Seconds spent inside functions that it wraps, and by the processes that they waited for."""

    seconds: float = 0.0
    processor: float = 0.0

    def around(self, function: Callable) -> Callable:
        """Return a function that counts."""

        def timed(*args: object, **named: object) -> object:
            start, before = time.perf_counter(), processes()
            try:
                return function(*args, **named)
            finally:
                self.seconds += time.perf_counter() - start
                self.processor += processes() - before

        return timed


def processes() -> float:
    """Return the processor time of all processes that this one waited for, s."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def told(what: str, value: float, unit: str, target: float, peers: str = "") -> str:
    """Return a row; a rate has to be at least its target, anything else at most."""
    rate = unit.endswith("/s")
    met = value >= target if rate else value <= target
    shown = f"{value:,.0f}" if value >= 100 or value % 1 == 0 else f"{value:.1f}"
    limit = f"{'>=' if rate else '<='} {target:,.0f}"
    return LINE.format(what, f"{shown} {unit}", limit, "met" if met else "MISSED", peers)


def large(out: Path, seed: int, hidden: int, part: str, frames: int) -> Iterator[str]:
    """Yield the rows of the large LSTM."""
    train, test = bench.make_speech(out / "speech", seed)
    layer = replace(bench.LAYERS[0], hidden=hidden, projection=hidden // 2)
    model = bench.make_model(layer, seed, train)
    start = time.perf_counter()
    plan = make_plan(model, HardwareRecipe(part=part, streams=2), "lstm8")
    project = write_project(plan, model, out / "project")
    seconds = time.perf_counter() - start
    yield told("plan and write all files", seconds, "s", 10, f"{HLS4ML}: 59 s to convert")
    rates = []
    for testbench in ("cocotb", "compiled"):
        work = out / testbench
        shutil.rmtree(work, ignore_errors=True)
        building = Stopwatch()
        building.around(build_simulator)(project, plan, work, testbench)
        peer = f"{HLS4ML}: 45 s to compile"
        yield told(f"{testbench}: build the simulator", building.seconds, "s", 120, peer)
        yield told("  in processor time, of all cores", building.processor, "s", 120)
        inside, whole = Stopwatch(), Stopwatch()
        name = "run_testbench" if testbench == "cocotb" else "run_compiled"
        with patch.object(simulating, name, inside.around(getattr(simulating, name))):
            done = whole.around(simulating.simulate)(
                project,
                plan,
                model,
                deal_out(test, 2, frames),
                work_folder=work,
                testbench=testbench,
            )
        rates.append((done.cycles / inside.processor, done.frames / whole.seconds))
        yield told(f"{testbench}: simulator alone", done.cycles / inside.seconds, *CYCLES)
        yield told("  in processor time", rates[-1][0], *CYCLES)
        peer = f"{HLS4ML}: 4.8 frames/s"
        yield told(f"{testbench}: simulate and compare", rates[-1][1], "frames/s", 40, peer)
        words = sum(done.elements.values())
        yield (
            f"  ({done.frames} frames, {done.cycles:,} cycles, {words:,} words compared: "
            f"{inside.seconds:.1f} s of simulator, {whole.seconds:.1f} s in all)"
        )
    (before, slow), (after, quick) = rates
    yield (
        f"  (compiled / cocotb: {after / before:.1f} times the cycles in processor time, "
        f"{quick / slow:.1f} times the frames)"
    )
    yield integer(model)


def build_simulator(project: Path, plan: HardwarePlan, work: Path, testbench: str) -> None:
    """Build as `simulate` would, which then finds it."""
    work.mkdir(parents=True)
    top = work / f"{simulating.TOP}.v"
    top.write_text(simulating.simulation_top(plan))
    files = [*sorted((project / "rtl").glob("*.v")), top]
    if testbench == "cocotb":
        build(files, simulating.TOP, work)
    else:
        build_compiled(files, simulating.TOP, "accelerator", work)


def integer(model: IntegerModel) -> str:
    """Return the row of the integer model, having compared it with the int64 reference."""
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (UTTERANCES, 100, model.features))
    some, names = features[:2, :10], set(model.formats)
    fast = model.run(some, taps=names)  # compiles, the first time on a machine
    exact = model.run(some, taps=names, arithmetic=IntegerArithmetic)
    for name in names:
        np.testing.assert_array_equal(fast.signals[name], exact.signals[name], name)
    rate = UTTERANCES * 100 / best_seconds(partial(model.run, features), 3)
    return told(f"integer model, {UTTERANCES} utterances, bit-exact", rate, "frames/s", 5_000)


def small(out: Path, seed: int) -> Iterator[str]:
    """Yield the rows of LSTM 32 -> 64, without peepholes, as the peer's."""
    rng = np.random.default_rng(seed)
    layer = random_model(
        rng, "lstm", 64, blocks=8, features=32, labels=0, peepholes=False, scales=False
    )
    speech = [rng.normal(0, 1, (FRAMES, 32)) for _ in range(2)]
    model = quantize(layer, QuantizationRecipe(), speech)
    asked = HardwareRecipe(
        part="XC7A35T", clock_mhz=100.0, objective="smallest", realtime_fps=100e6 / SMALL_CYCLES
    )
    found = explore(model, asked, "lstm-32-64").chosen
    project = write_project(found.plan, model, out / "small")
    done = simulating.simulate(
        project, found.plan, model, [[one] for one in speech], work_folder=out / "small-simulator"
    )
    cycles, peer = done.frame_cycles or 0.0, f"{CREATOR}: 2,171 cycles"
    yield told("LSTM 32 -> 64, simulated, a frame", cycles, "cycles", SMALL_CYCLES, peer)
    yield told("LSTM 32 -> 64, planned", found.used.dsp, "DSP", SMALL_DSP)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("out/rtl_speed"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hidden", type=int, default=1024)
    parser.add_argument("--part", default="XC7VX690T")
    parser.add_argument("--frames", type=int, default=FRAMES, help="of each of two streams")
    given = parser.parse_args()
    versions = ", ".join(f"{tool} {require(tool).version}" for tool in ("verilator", "g++"))
    busy = f"load {os.getloadavg()[0]:.1f} before it started"  # others slow all wall times
    print(f"{describe_machine('numpy')}, {versions}; {busy}; seed {given.seed}")
    title = f"LSTM {given.hidden}/{given.hidden // 2}, k = 8, {given.part}"
    print(LINE.format(title, "measured", "target", "", "peers"))
    print(LINE.format("---", "---:", "---:", "---", "---"))
    sized = large(given.out, given.seed, given.hidden, given.part, given.frames)
    for line in chain(sized, small(given.out, given.seed)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
