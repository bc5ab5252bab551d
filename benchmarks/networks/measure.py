"""What is measured of a network: its import, its scores in few bits, its hardware."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ernn import __version__
from ernn.compressed import CompressedModel
from ernn.energy.estimate import estimate_power
from ernn.errors import PlanError
from ernn.hdl.project import rtl_digest, write_project
from ernn.hw.explore import Design, explore
from ernn.machine import describe_machine
from ernn.parts.part import load_part, part_names
from ernn.quant.fill import filled
from ernn.quant.integer_model import IntegerModel
from ernn.quant.quantize import measure, quantize
from ernn.quant.ranges import Ranges
from ernn.recipe import HardwareRecipe, QuantizationRecipe
from ernn.run.simulate import simulate
from ernn.run.traffic import Traffic
from ernn.score import Score
from networks.network import Frames, Network, Part, float_run, integer_run

PART, LARGE_PART, CLOCK_MHZ = "XCKU060", "XCU250", 200.0
REALTIME_MHZ = 50.0  # of the smallest part: any of them reaches it
# Name: bits of weights and of activations, and whether rows have binary points of their own.
SCORED = {
    "12 bits": (12, 12, False),
    "8 bits": (8, 8, False),
    **{f"weights {bits} by product": (bits, 12, False) for bits in (8, 6)},
}
SCORED_ROWS = {f"weights {bits} by row": (bits, 12, True) for bits in (8, 6)}

Result = dict[str, Any]


def imported(network: Network) -> Result:
    """Return what the network is, and how near ernn's float model is to its source."""
    return {
        "title": network.title,
        "package": network.package,
        "ernn": __version__,
        "machine": describe_machine("numpy"),
        "data": network.data,
        "host": network.host,
        "note": network.note,
        "frames_per_second": network.frames_per_second,
        "measures": [asdict(one) for one in network.measures],
        "parts": {
            name: {
                "layers": _layers(part),
                "weights": part.network.model.dense_parameters,
                "largest_weight": _largest(part),
                "difference": max(one.value for one in part.network.differences),
                "told": part.network.lines(),
            }
            for name, part in network.parts.items()
        },
    }


def scored(network: Network) -> Iterator[tuple[str, list[float]]]:
    """Yield the name of every kind of arithmetic and the network's scores in it."""
    models = {name: part.built for name, part in network.parts.items()}
    yield "float", _plain(network.score({name: float_run(one) for name, one in models.items()}))
    yield from _scored_in(network, SCORED)


def _scored_in(
    network: Network, kinds: Mapping[str, tuple[int, int, bool]]
) -> Iterator[tuple[str, list[float]]]:
    parts = network.parts
    ranges = {name: measure(part.built, part.calibration) for name, part in parts.items()}
    for title, asked in kinds.items():
        made = {n: quantized(one.built, ranges[n], *asked) for n, one in parts.items()}
        yield title, _plain(network.score({n: integer_run(one) for n, one in made.items()}))


def quantized(
    model: CompressedModel,
    calibration: Frames | Ranges,
    weight_bits: int,
    activation_bits: int,
    row_scales: bool = False,
) -> IntegerModel:
    """Return a model in few bits, its weights with a binary point by product or by row."""
    asked = {"weight_bits": weight_bits, "activation_bits": activation_bits}
    settings = QuantizationRecipe.from_dict(asked | {"row_scales": row_scales}, "quantization")
    return filled(quantize(model, settings, calibration))


def rows(
    network: Network, work: Path, frames: int, say: Callable[[str], None]
) -> Iterator[tuple[str, Any]]:
    """Yield scores with a binary point for every row, then designs of 8 bits, simulated.

    Designs are those of ``weights 8 by row``, and beside each that of ``weights 8 by product``.
    """
    yield from _scored_in(network, SCORED_ROWS)
    designs = {}
    for name, part in network.parts.items():
        say(f"{network.title}, {name}, by row: planning")
        beside = _fastest(quantized(part.built, part.calibration, 8, 12))
        model = quantized(part.built, part.calibration, 8, 12, row_scales=True)
        found = _fastest(model)
        designs[name] = {"by row": _described(found), "by product": _described(beside)}
        if frames:
            say(f"{network.title}, {name}, by row: simulating")
            folder = work / f"{name}-rows"
            designs[name]["by row"] |= simulated(found, model, part.calibration, folder, frames)
        yield "hardware", designs


def built(
    network: Network,
    work: Path,
    frames: int,
    say: Callable[[str], None],
    known: Mapping[str, Result] | None = None,
) -> Iterator[tuple[str, Result]]:
    """Yield for every part its fastest design, simulated, and the smallest part for real time.

    Args:
        network: whose parts are built.
        work: folder of projects and simulators.
        frames: to simulate; 0: none.
        say: takes lines.
        known: what an earlier run yielded. Designs of the same Verilog are not simulated again.
    """
    for name, part in network.parts.items():
        model = quantized(part.built, part.calibration, 12, 12)
        say(f"{network.title}, {name}: planning")
        found = _fastest(model)
        result = {
            **_described(found),
            "smallest": {
                f"{bits} bits": smallest(
                    quantized(part.built, part.calibration, bits, bits), network.frames_per_second
                )
                for bits in (12, 8)
            },
        }
        if frames:
            say(f"{network.title}, {name}: simulating")
            folder, before = work / name, (known or {}).get(name)
            result |= simulated(found, model, part.calibration, folder, frames, before)
        yield name, result


def _plain(values: Sequence[float | Score]) -> list[float]:
    return [one.value if isinstance(one, Score) else float(one) for one in values]


def _fastest(model: IntegerModel) -> Design:
    """Return the design with the shortest latency on the usual part, or on a large one."""
    for part in (PART, LARGE_PART):
        asked = HardwareRecipe(part=part, clock_mhz=CLOCK_MHZ, streams=1, objective="latency")
        try:
            return explore(model, asked, "network").chosen
        except PlanError as error:
            refused = error
    raise refused


def smallest(model: IntegerModel, frames_per_second: float) -> Result | None:
    """Return the part with the fewest memory blocks that keeps up with a rate; None: none does."""
    for part in sorted(map(load_part, part_names()), key=lambda one: (one.bram36, one.lut)):
        asked = HardwareRecipe(
            part=part.name,
            clock_mhz=REALTIME_MHZ,
            streams=1,
            objective="smallest",
            realtime_fps=frames_per_second,
        )
        try:
            return _described(explore(model, asked, "network").chosen)
        except PlanError:
            continue
    return None


def _described(design: Design) -> Result:
    part = load_part(design.plan.part)
    power = estimate_power(part, design.plan.clock_mhz, asdict(design.used)).chip_w
    energy = power.scaled(1e6 / design.frames_per_second)
    return {
        "part": part.name,
        "clock_mhz": design.plan.clock_mhz,
        "used": asdict(design.used),
        "cycles": design.rate.cycles_per_frame,
        "latency_cycles": design.rate.latency_cycles,
        "power_w": asdict(power),
        "energy_uj": asdict(energy),
    }


def simulated(
    design: Design,
    model: IntegerModel,
    sequences: Frames,
    work: Path,
    frames: int,
    known: Result | None = None,
) -> Result:
    """Simulate the first frames of the data one by one; every word and cycle is compared.

    What is known of the same Verilog and as many frames stands.
    """
    chosen, left = [], frames
    for sequence in sequences:
        chosen.append(sequence[:left])
        left -= len(chosen[-1])
        if not left:
            break
    project = write_project(design.plan, model, work / "project")
    rtl = rtl_digest(project)
    if known and (known.get("rtl"), known.get("frames")) == (rtl, frames):
        return {key: known[key] for key in ("rtl", "frames", "words", "latency_cycles_simulated")}
    done = simulate(
        *(project, design.plan, model, [chosen]),
        work_folder=work / "sim",
        testbench="compiled",
        traffic=Traffic("single"),
    )
    return {
        "rtl": rtl,
        "frames": done.frames,
        "words": sum(done.elements.values()),
        "latency_cycles_simulated": done.latency_cycles,
    }


def _layers(part: Part) -> str:
    told = []
    for layer in part.network.model.stack:
        size = f"{layer.hidden}" + (f"/{layer.output}" if layer.output != layer.hidden else "")
        told.append(f"{layer.kind.called} {size}")
    return f"{part.network.model.features} > " + " > ".join(told)


def _largest(part: Part) -> float:
    matrices = part.network.model.matrices().values()
    return max(float(np.abs(one.generators).max()) for one in matrices)
