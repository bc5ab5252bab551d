"""The clocks of published designs, analysed: how near they are to the plan's, and what ends them.

    .venv/bin/python benchmarks/timing_layers.py                     # all; three minutes a layer
    .venv/bin/python benchmarks/timing_layers.py --designs gru16
    .venv/bin/python benchmarks/timing_layers.py --table             # into docs/hardware.md

The published layers for an XC7VX690T at 200 MHz, as `ernn bench` plans them for throughput, and the
quickstart's network for an XC7Z020 at 150 MHz, all with random weights, are synthesized as
`ernn synth --timing` does; a netlist of an earlier run is used again if it is of the same plan. A
result is a file in benchmarks/results/clocks, written as it comes.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ernn.api import load_recipe
from ernn.backends.backend import backend_of
from ernn.backends.synthesis import NETLIST, synthesize
from ernn.backends.yosys_commands import TOP
from ernn.files import write_text
from ernn.flow import bench
from ernn.hdl.project import open_project, write_project
from ernn.hw.explore import Design, explore
from ernn.hw.groups import group_of
from ernn.hw.plan import HardwarePlan
from ernn.machine import describe_machine
from ernn.parts.part import load_part
from ernn.parts.speed import grade_of
from ernn.quant.integer_model import IntegerModel
from ernn.quant.quantize import quantize
from ernn.random_model import random_model
from ernn.run.netlist import read_netlist
from ernn.speech.phones import PHONES
from ernn.timing.analysis import Analysis
from ernn.timing.graph import flatten
from ernn.timing.wires import SPREAD

HERE = Path(__file__).parent
RESULTS, PAGE = HERE / "results" / "clocks", HERE.parent / "docs" / "hardware.md"
MARKS = "<!-- clocks -->", "<!-- end of clocks -->"
QUICKSTART, PART, SEED = "quickstart", "XC7VX690T", 0
UNITS = 60  # more than there are
DESIGNS = (QUICKSTART, *(layer.name for layer in bench.LAYERS))


def designs(names: list[str], out: Path) -> Iterator[tuple[str, str, Design, IntegerModel]]:
    """Yield name, title, plan and model of each design."""
    layers = bench.choose(",".join(name for name in names if name != QUICKSTART) or None, PART)
    train, _ = bench.make_speech(out / "speech", SEED)
    if QUICKSTART in names:
        recipe = load_recipe(QUICKSTART)
        hidden, cells = recipe.model.layers[0].hidden, len(recipe.model.layers)
        blocks = dict.fromkeys(("input", "recurrent", "candidate"), recipe.model.layers[0].block)
        network = random_model(
            np.random.default_rng(SEED),
            "gru_before",
            hidden,
            cells,
            blocks | {"output": recipe.model.output_block},
            recipe.features.size,
            len(PHONES),
        )
        model = quantize(network, recipe.quantization, train)
        yield QUICKSTART, QUICKSTART, explore(model, recipe.hardware, QUICKSTART).chosen, model
    for layer in layers.layers:
        if layer.name in names:
            model = bench.make_model(layer, SEED, train)
            rate, _ = bench.plans(layers, model, layer, PART)
            yield layer.name, layer.title, rate.chosen, model


def measure(title: str, design: Design, model: IntegerModel, folder: Path) -> dict[str, Any]:
    """Synthesize a design, unless that has been done, and analyse it."""
    part, netlist = load_part(design.plan.part), folder / NETLIST
    told = folder / "generate" / "plan.json"
    if not netlist.is_file() or HardwarePlan.load(told).digest != design.plan.digest:
        netlist.unlink(missing_ok=True)
        write_project(design.plan, model, folder / "generate")
        synthesize(open_project(folder), part, folder, timeout_s=7200)
    library = backend_of(part).delays_of(part)
    found = Analysis(flatten(read_netlist(netlist), TOP, library), library)
    return {
        "title": title,
        "machine": describe_machine("numpy"),
        "plan": design.plan.digest,
        "part": part.full_name or part.name,
        "clock_mhz": design.plan.clock_mhz,
        "cycles_per_frame": design.rate.cycles_per_frame,
        "latency_cycles": design.rate.latency_cycles,
        "grade": grade_of(part),
        "mhz": [1000 / found.period * share for share in (SPREAD[0], 1.0, SPREAD[1])],
        "units": {  # slowest first: ns of the longest way into each, and of its wires
            unit: [round(path.ns, 3), round(path.wires, 3)]
            for unit, path in found.worst(UNITS, group_of).items()
        },
    }


def table() -> str:
    """Return what is known, a row each."""
    lines = [
        "| design | part | asked, MHz | analysed, MHz | interval | ended by | ns | wires |",
        "| --- | --- | ---: | ---: | --- | --- | ---: | ---: |",
    ]
    for path in (RESULTS / f"{name}.json" for name in DESIGNS):
        if not path.is_file():
            lines.append(f"| {path.stem} | not run | | | | | | |")
            continue
        one = json.loads(path.read_text())
        low, typical, high = one["mhz"]
        unit, (ns, wires) = next(iter(one["units"].items()))
        lines.append(
            f"| {one['title']} | {one['part']} | {one['clock_mhz']:g} | {typical:.0f} | "
            f"{low:.0f} to {high:.0f} | {unit} | {ns:.2f} | {wires:.2f} |"
        )
    return "\n".join(lines)


def write_table() -> None:
    """Put the table between its marks in the page."""
    start, end = MARKS
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(start)
    _, _, after = rest.partition(end)
    write_text(PAGE, f"{before}{start}\n\n{table()}\n\n{end}{after}")


def main() -> None:
    """Measure, or print what is known."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out/clocks"))
    parser.add_argument("--designs", default=",".join(DESIGNS), help="of " + ", ".join(DESIGNS))
    parser.add_argument("--table", action="store_true", help="set it in docs/hardware.md")
    options = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    if not options.table:
        for name, title, design, model in designs(options.designs.split(","), options.out):
            found = measure(title, design, model, options.out / name)
            write_text(RESULTS / f"{name}.json", json.dumps(found, indent=1) + "\n")
    else:
        write_table()
    print(table())


if __name__ == "__main__":
    main()
