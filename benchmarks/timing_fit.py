"""How near the analysed clock is to a router's: designs on an ECP5, predicted, then routed.

    .venv/bin/python benchmarks/timing_fit.py                # routes what has not been routed
    .venv/bin/python benchmarks/timing_fit.py --table        # prints what is known

Random small accelerators for an LFE5U-85F of the slowest speed grade: Yosys flattens and maps them
as `ernn build` does, `ernn.timing` predicts the clock from the netlist, nextpnr routes it with one
seed. A result is a file in benchmarks/results/timing, written as it comes. About five minutes each
on one core. `ernn.timing.wires.SPREAD` is the lowest and highest ratio of all.
"""

import argparse
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ernn.backends import nextpnr
from ernn.backends.ecp5.build import PACKAGE, PLACER
from ernn.backends.ecp5.registers import use_block_registers
from ernn.backends.ecp5.synthesis import flat
from ernn.backends.ecp5.timing import Ecp5
from ernn.backends.synthesis import read_commands
from ernn.backends.yosys_commands import TOP
from ernn.errors import PlanError
from ernn.files import write_text
from ernn.hdl.project import open_project, write_project
from ernn.hw.build import Target, build_plan
from ernn.hw.layout import Sizes
from ernn.hw.plan import HardwarePlan
from ernn.machine import describe_machine
from ernn.parts.part import load_part
from ernn.quant.integer_model import IntegerModel
from ernn.quant.quantize import quantize
from ernn.random_model import random_model
from ernn.recipe import QuantizationRecipe
from ernn.run.netlist import read_netlist
from ernn.run.yosys import run_yosys
from ernn.timing.analysis import Analysis
from ernn.timing.graph import flatten
from ernn.tools import require

RESULTS = Path(__file__).parent / "results" / "timing"
PART, CLOCK_MHZ, DESIGNS = "LFE5U-85F", 150, 12


def designs(count: int) -> Iterator[tuple[str, HardwarePlan, IntegerModel]]:
    """Yield random networks on arrays of random sizes, which no planner chose."""
    seed = found = 0
    while found < count:
        rng = np.random.default_rng(2000 + seed)
        name, seed = f"s{seed}", seed + 1
        cell: Any = str(rng.choice(["lstm", "gru_before", "gru_after"]))
        kinds: dict[str, Any] = {
            "blocks": int(rng.choice([1, 1, 2, 4])),
            "hidden": int(rng.choice([4, 8, 8, 16])),
            "layers": 1,
            "features": int(rng.choice([2, 3, 5])),
            "labels": int(rng.choice([0, 5])),
            "scales": bool(rng.integers(2)),
        }
        bits, drain = int(rng.choice([8, 10, 12])), int(rng.choice([1, 2]))
        try:
            network = random_model(rng, cell, **kinds)
            speech = list(rng.normal(size=(4, 24, kinds["features"])))
            settings = QuantizationRecipe(weight_bits=bits, activation_bits=bits)
            model = quantize(network, settings, speech)
            sizes = Sizes(
                pe_rows=drain * int(rng.integers(1, 4)),
                pe_columns=int(rng.integers(1, 3)),
                drain_lanes=drain,
                cell_lanes=1,
                logic_macs=int(rng.choice([0, 0, 1])),
            )
            plan = build_plan(model, sizes, Target(name, PART, 100.0, 1))
        except PlanError:
            continue  # sizes that do not go together
        found += 1
        yield name, plan, model


def measure(name: str, plan: HardwarePlan, model: IntegerModel, folder: Path) -> dict[str, Any]:
    """Predict the clock of a design, and route it unless that has been done."""
    netlist, report = folder / "netlist.json", folder / "report.json"
    if not netlist.is_file():
        write_project(plan, model, folder / "generate")
        project = open_project(folder / "generate", False)
        commands = (*read_commands(project, False), *flat(), f"write_json {netlist.resolve()}")
        run_yosys(commands, project.rtl, folder / "synth.ys", timeout_s=3600)
        use_block_registers(netlist)
    library = Ecp5(load_part(PART))
    graph = flatten(read_netlist(netlist), TOP, library)
    found = Analysis(graph, library)
    if not report.is_file():
        with (folder / "nextpnr.log").open("w") as log:
            subprocess.run(_command(), cwd=folder, stdout=log, stderr=log, check=True)
    routed = json.loads(report.read_text())
    (path,) = found.worst(1, lambda cell: "").values()
    return {
        "name": name,
        "machine": describe_machine("numpy"),
        "plan": plan.digest,
        "luts": routed["utilization"]["TRELLIS_COMB"]["used"],
        "multipliers": routed["utilization"]["MULT18X18D"]["used"],
        "predicted_mhz": 1000 / found.period,
        "predicted_path": [piece.kind for piece in path.pieces],
        "routed_mhz": nextpnr.fmax(routed),
        "routed_path": nextpnr.critical_path(routed),
    }


def _command() -> list[str]:
    return [
        *(str(require("nextpnr-ecp5").path), "--85k", "--speed", "6", "--package", PACKAGE),
        *("--json", "netlist.json", "--report", "report.json", "--freq", str(CLOCK_MHZ)),
        *("--placer", PLACER, "--timing-allow-fail", "--out-of-context", "--seed", "1"),
    ]


def table() -> str:
    """Return what is known, a row each."""
    paths = sorted(RESULTS.glob("*.json"), key=lambda path: int(path.stem[1:]))
    lines = [
        "| design | LUTs | multipliers | analysed, MHz | routed, MHz | routed / analysed |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    ratios = []
    for path in paths:
        one = json.loads(path.read_text())
        ratios.append(one["routed_mhz"] / one["predicted_mhz"])
        lines.append(
            f"| {one['name']} | {one['luts']:,} | {one['multipliers']} | "
            f"{one['predicted_mhz']:.1f} | {one['routed_mhz']:.1f} | {ratios[-1]:.2f} |"
        )
    missing = DESIGNS - len(paths)
    lines += [f"| {missing} more | not run | | | | |"] if missing else []
    return "\n".join(lines)


def main() -> None:
    """Measure, or print what is known."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out/timing"))
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if not options.table:
        for name, plan, model in designs(DESIGNS):
            path = RESULTS / f"{name}.json"
            if path.is_file() and not (options.out / name / "report.json").is_file():
                continue  # routed elsewhere
            folder = options.out / name
            folder.mkdir(parents=True, exist_ok=True)
            found = measure(name, plan, model, folder)
            write_text(path, json.dumps(found, indent=1) + "\n")
            print(f"{name}: {found['predicted_mhz']:.1f} MHz analysed, {found['routed_mhz']:.1f}")
    print(table())


if __name__ == "__main__":
    main()
