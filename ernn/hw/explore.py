"""make_plan: choose the sizes of the array for a part.

Candidates are every split of the longest product into passes, every column split and every number
of drain and cell lanes that the part can hold; a bound on their cycles sorts them, and the cycle
model decides among the best. Among designs within `TIE` of the fastest the smallest wins.
"""

from collections.abc import Iterator
from math import inf

from ernn.device import Part, load_part
from ernn.errors import PlanError
from ernn.hw.build import Target, build_plan
from ernn.hw.cost import resources, shortages
from ernn.hw.cycles import rate
from ernn.hw.layout import Sizes, macs_of
from ernn.hw.plan import HardwarePlan
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import HardwareRecipe

MAX_COLUMNS = 8  # words read at once: banks of every vector memory
JUDGED = 24  # candidates that the cycle model looks at
TIE = 1.02


def make_plan(model: IntegerModel, hardware: HardwareRecipe, name: str) -> HardwarePlan:
    """Return the fastest plan for the recipe's part; sizes that the recipe names are kept.

    Raises:
        PlanError: the part is not known, or nothing fits it; says by how much, and what would fit.
    """
    part = load_part(hardware.part)
    target = Target(name, part.name, hardware.clock_mhz, hardware.streams)
    candidates = sorted(
        _candidates(model, hardware, part), key=lambda sizes: (_bound(model, sizes), _macs(sizes))
    )
    judged: list[tuple[float, int, HardwarePlan]] = []
    short: list[str] = []
    for sizes in candidates:
        plan = build_plan(model, sizes, target)
        used = resources(plan)
        missing = shortages(used, part)
        if missing:
            short = missing  # ends with the smallest candidate's
            continue
        judged.append((rate(plan).cycles_per_frame, used.dsp, plan))
        if len(judged) == JUDGED:
            break
    if not judged:
        raise PlanError(_no_fit(model, hardware, part, target, short))
    fastest = min(cycles for cycles, _, _ in judged)
    return min(
        (entry for entry in judged if entry[0] <= TIE * fastest), key=lambda entry: entry[1]
    )[2]


def _candidates(model: IntegerModel, hardware: HardwareRecipe, part: Part) -> Iterator[Sizes]:
    word_macs = max(model.word // p.block * macs_of(p.block) for p in model.products)
    pes = max(1, part.dsp // word_macs)
    rows = max(product.bias.size // model.word for product in model.products)
    columns = max(1, max(s.spectra.shape[1] * p.block for p in model.products for s in p.segments))
    columns = min(MAX_COLUMNS, -(-columns // model.word))
    lanes = [hardware.cell_lanes] if hardware.cell_lanes else _divisors(model.word)
    for drain in [hardware.drain_lanes] if hardware.drain_lanes else (1, 2, 4):
        split = {drain * -(-rows // (drain * passes)) for passes in range(1, rows + 1)}
        for count in [hardware.pe_rows] if hardware.pe_rows else sorted(split):
            for width in [hardware.pe_columns] if hardware.pe_columns else range(1, columns + 1):
                asked = hardware.pe_rows and hardware.pe_columns
                if count * width <= pes or asked:
                    yield from (Sizes(count, width, drain, lane) for lane in lanes)


def _divisors(word: int) -> list[int]:
    return [1 << bit for bit in range(word.bit_length())]


def _macs(sizes: Sizes) -> int:
    return sizes.pe_rows * sizes.pe_columns


def _bound(model: IntegerModel, sizes: Sizes) -> float:
    """Return cycles per frame that no schedule can beat: array, drain, cells, buses."""
    array = 0
    for product in model.products:
        groups = model.word // product.block
        words = [s.spectra.shape[1] * product.block // model.word for s in product.segments]
        steps = groups * sum(-(-count // sizes.pe_columns) for count in words)
        passes = -(-(product.bias.size // model.word) // sizes.pe_rows)
        array += passes * max(steps, sizes.pe_rows // sizes.drain_lanes)
    cells = sum(layer.hidden for layer in model.layers) // sizes.cell_lanes
    logits = model.products[-1].bias.size if model.labels else 0
    output = (model.layers[-1].output + logits) // model.word
    return max(array, cells, output, -(-model.features // model.word)) or inf


def _no_fit(
    model: IntegerModel, hardware: HardwareRecipe, part: Part, target: Target, short: list[str]
) -> str:
    smallest = Sizes(1, 1, 1, 1)
    least = resources(build_plan(model, smallest, target))
    missing = shortages(least, part)
    if not missing:
        named = (
            f" with the sizes that the recipe names: it needs {', '.join(short)}" if short else ""
        )
        return f"no design fits {part.name}{named}; leave the sizes to the planner"
    over = max(least.bram36 / max(1, part.bram36), least.dsp / max(1, part.dsp))
    factor = 1 << max(1, int(over - 1e-9).bit_length())
    blocks = sorted({product.block for product in model.products})
    return (
        f"the model does not fit {part.name}: its smallest design needs {', '.join(missing)}; "
        f"use block sizes {factor} times larger (now {', '.join(map(str, blocks))}), fewer "
        f"cells, or a larger part than {hardware.part}"
    )
