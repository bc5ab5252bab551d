"""`ernn explore`: the plans of a network over block sizes and bits, before anything is trained."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ernn import __version__
from ernn.errors import RecipeError
from ernn.flow.chain import bring, load_recipe
from ernn.flow.planning import frame_energy
from ernn.flow.results import command_line, write_json
from ernn.flow.run_folder import RunFolder
from ernn.folders import make_folder
from ernn.hw.explore import Design, sizes_of
from ernn.hw.sweep import Choice, Point, front, sweep
from ernn.parts.part import Part, load_part
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import BITS, BLOCK_SIZES, HardwareRecipe

EXPLORED = "ernn-explore-1"  # format of explore.json
FILE = "explore.json"


def choices(text: str, allowed: Sequence[int], option: str) -> list[int]:
    """Return the numbers of a list such as "4,8,16", each once.

    Raises:
        RecipeError: one of them is no number that is allowed.
    """
    found: dict[int, None] = {}
    for word in text.split(","):
        if not word.strip().isdecimal() or int(word) not in allowed:
            told = f"{allowed[0]} to {allowed[-1]}" if len(allowed) > 8 else _listed(allowed)
            raise RecipeError(option, given=repr(word.strip()), allowed=f"a list of {told}")
        found[int(word)] = None
    return list(found)


def explore(
    model: str,
    hardware: dict[str, Any],
    blocks: str,
    bits: str,
    out: Path | None,
    say: Callable[[str], None],
) -> None:
    """Plan every variant of a network; print a row each and leave explore.json.

    Args:
        model: a recipe, whose steps up to quantize are done first, or an integer model's file.
        hardware: keys of the hardware section, before those of the recipe.
        blocks: list of block sizes of the layers.
        bits: list of bits of weights and activations.
        out: folder of the file; None: out/NAME-explore.
        say: takes a line.

    Raises:
        RecipeError: a list or a key holds what is not allowed.
        ModelFileError: the model cannot be read.
    """
    sizes = choices(blocks, BLOCK_SIZES, "--blocks")
    widths = choices(bits, BITS, "--bits")
    if model.endswith(".safetensors"):
        path, asked = Path(model), HardwareRecipe.from_dict(hardware, "options")
        name = path.stem
    else:
        recipe = load_recipe(model, hardware)
        asked, name = recipe.hardware, recipe.name
        path = RunFolder(bring("quantize", recipe, say=say)).integer_model
    read, part = IntegerModel.load(path), load_part(asked.part)
    folder = out or Path("out") / f"{name}-explore"
    make_folder(folder)
    say(
        f"{part.name} at {asked.clock_mhz:g} MHz, streams: {asked.streams}, objective: "
        f"{asked.objective}; everything planned, energy of a frame estimated"
    )
    say(_HEAD)
    points = []
    for point in sweep(read, asked, name, sizes, widths):
        points.append(point)
        say(_row(point, part))
    kept = front(points)
    say(_told(points, kept, read))
    command = command_line("explore", model, blocks=blocks, bits=bits, **hardware)
    write_json(folder / FILE, _content(points, kept, part, asked, command))
    say(f"{len(kept)} designs that no other one beats are in {folder / FILE}")


_HEAD = (
    f"{'blocks':>6}{'bits':>6}{'weights':>12}{'frames/s':>12}{'latency us':>12}{'DSP':>8}"
    f"{'BRAM36':>8}{'LUT':>10}  energy, uJ"
)


def _row(point: Point, part: Part) -> str:
    start = f"{point.block:6}{point.bits:6}{point.weights:12,}"
    if point.found is None:
        return f"{start}  {point.refusal}"
    one = point.found.chosen
    energy = frame_energy(one, part)
    return (
        f"{start}{one.frames_per_second:12,.0f}{one.latency_us:12.2f}{one.used.dsp:8,}"
        f"{one.used.bram36:8,}{one.used.lut:10,}  "
        f"{energy.typical:.2f} ({energy.low:.2f} to {energy.high:.2f})"
    )


def _told(points: Sequence[Point], kept: Sequence[Choice], model: IntegerModel) -> str:
    """Say what the front does not hold, and what was not looked at."""
    there = {(one.point.block, one.point.bits) for one in kept}
    gone = [p for p in points if p.found and (p.block, p.bits) not in there]
    lines = []
    if gone:
        listed = ", ".join(f"{p.block} at {p.bits} bits" for p in gone)
        lines.append(f"beaten by smaller blocks or more bits in everything: blocks of {listed}")
    own = _listed(sorted({product.block for product in model.products}))
    lines.append(
        f"the model has blocks of {own} and weights of {model.weight_bits} bits; how accurate the "
        "others are, only a training says: `ernn search`"
    )
    return "\n".join(lines)


def _content(
    points: Sequence[Point],
    kept: Sequence[Choice],
    part: Part,
    hardware: HardwareRecipe,
    command: str,
) -> dict[str, Any]:
    return {
        "format": EXPLORED,
        "ernn": __version__,
        "command": command,
        "mark": "planned",
        "hardware": hardware.model_dump(),
        "points": [
            {
                "block": point.block,
                "bits": point.bits,
                "weights": point.weights,
                "refusal": point.refusal,
                "chosen": _design(point.found.chosen, part) if point.found else None,
                "limit": point.found.limit if point.found else "",
            }
            for point in points
        ],
        "front": [
            {"block": one.point.block, "bits": one.point.bits, **_design(one.design, part)}
            for one in kept
        ],
    }


def _design(design: Design, part: Part) -> dict[str, Any]:
    return {
        "sizes": asdict(sizes_of(design.plan)),
        "cycles_per_frame": design.rate.cycles_per_frame,
        "latency_cycles": design.rate.latency_cycles,
        "used": asdict(design.used),
        "uj_per_frame": asdict(frame_energy(design, part)),
    }


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
