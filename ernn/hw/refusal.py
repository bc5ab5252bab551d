"""Whether a model fits a part; and if not, what its smallest design lacks and what would do."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import NamedTuple

from ernn.errors import Fault, PlanError
from ernn.hw import rams
from ernn.hw.build import Target, build_plan
from ernn.hw.cost import dsp_blocks, logic_luts, lut_limit, mac_blocks, resources, shortages
from ernn.hw.layout import Sizes
from ernn.hw.plan import HardwarePlan
from ernn.hw.variants import with_blocks
from ernn.parts.part import Part
from ernn.quant.parameters import IntegerParameters
from ernn.recipe import HardwareRecipe


class Asked(NamedTuple):
    """What a plan is for."""

    hardware: HardwareRecipe
    part: Part
    target: Target


def fitted(plan: HardwarePlan, part: Part, hardware: HardwareRecipe) -> HardwarePlan:
    """Return a plan with multipliers and memories where the part has room for them."""
    over = dsp_blocks(plan, part) - part.dsp
    if over > 0 and not plan.weight_powers and hardware.objective != "energy":
        needed = ceil(over / (plan.pes * mac_blocks(plan, part)))
        plan = replace(plan, logic_macs=min(plan.macs, needed))
    free_luts = lut_limit(part, hardware.headroom) - logic_luts(plan, part)
    return rams.fit(plan, part, free_luts)


def forms_of(model: IntegerParameters, hardware: HardwareRecipe) -> list[bool]:
    """Return whether weights may be stored once, in the order in which that is tried.

    Raises:
        PlanError: the recipe wants them stored once, and no block has a complex bin.
    """
    sums = max(product.block for product in model.products) > 2
    if hardware.weights == "once" and not sums:
        raise PlanError(
            'hardware.weights = "once" for blocks of 1 or 2, which store every weight once anyway',
            remedy="leave it out, or use blocks of 4 or more",
        )
    if hardware.weights:
        return [hardware.weights == "once"]
    return [False, True] if sums else [False]


def lacking(model: IntegerParameters, asked: Asked, forms: Sequence[bool]) -> list[str]:
    """Say what the smallest design lacks in the last of the forms; empty if it fits in one."""
    missing: list[str] = []
    for once in forms:
        sizes = Sizes(1, 1, 1, 1, weights_once=once)
        plan = fitted(build_plan(model, sizes, asked.target), asked.part, asked.hardware)
        missing = shortages(resources(plan, asked.part), asked.part, asked.hardware.headroom)
        if not missing:
            break
    return missing


def refusal(model: IntegerParameters, asked: Asked, short: list[str]) -> Fault:
    """Say why nothing fits, and what would.

    Args:
        model: in none of whose forms anything fits.
        asked: for what it was tried.
        short: what the last design that was tried lacks; empty if none was.
    """
    part, forms = asked.part, forms_of(model, asked.hardware)
    once = ", with weights stored once," if forms[-1] else ""
    missing = lacking(model, asked, forms)
    if not missing:
        sizes = " with the sizes that the recipe names" if short else ""
        needs = f"it needs{once} {', '.join(short)}" if short else ""
        remedy = "leave the sizes to the planner"
        return Fault(f"no design fits {part.name}{sizes}", needs, "", remedy)
    return Fault(
        f"the model does not fit {part.name}",
        f"its smallest design needs{once} {', '.join(missing)}",
        "",
        f"{_fitting_forms(model, asked)}{_fitting_blocks(model, asked)}, fewer cells, or a larger "
        f"part than {asked.hardware.part}",
    )


def _fitting_forms(model: IntegerParameters, asked: Asked) -> str:
    """Say whether the model would fit if the recipe did not say how weights are stored."""
    free = asked.hardware.model_copy(update={"weights": None})
    if asked.hardware.weights is None or lacking(model, asked, forms_of(model, free)):
        return ""
    return f'leave weights = "{asked.hardware.weights}" out, '


def _fitting_blocks(model: IntegerParameters, asked: Asked) -> str:
    """Say which larger blocks would fit, by planning the same layers with them."""
    blocks = sorted({product.block for product in model.products})
    now, found, still = _listed(blocks), [], ""
    factor = 2
    while (variant := with_blocks(model, factor)) is not None:
        larger = _listed([factor * block for block in blocks])
        missing = lacking(variant, asked, forms_of(variant, asked.hardware))
        if not missing:
            found.append(larger)
        still = f"blocks of {larger} would still need {', '.join(missing)}; use "
        factor *= 2
    if found:
        return f"use blocks of {' or '.join(found)} instead of {now}"
    return f"{still or 'use '}fewer bits"


def _listed(blocks: list[int]) -> str:
    return " and ".join(map(str, blocks))
