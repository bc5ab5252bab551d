"""Every memory of a plan, and whether it is built from block RAM or from LUTs.

Block RAM is counted in blocks of 18 kbit, whose shapes the part's family says. A small memory would
waste most of a block, and goes to LUTs; the planner moves others where the part is short of one and
has the other.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from ernn.hw.plan import HardwarePlan
from ernn.hw.storage_plan import RamPlan
from ernn.parts.part import Part

SMALL_DEPTH = 64  # words of a memory that starts in LUTs


def blocks18(ram: RamPlan, part: Part) -> int:
    """Count the 18-kbit blocks of all copies, were they in block RAM."""
    return ram.copies * part.family.block_ram.blocks_of(ram.width, ram.depth)


def luts(ram: RamPlan, part: Part) -> int:
    """Return the LUTs of all copies, were they in LUTs."""
    return ram.copies * part.family.lut_ram.luts_of(ram.width, ram.depth)


def distributed(ram: RamPlan, part: Part) -> Counter[str]:
    """Return LUTs and flip-flops of a memory: a read ends in registers unless it is block RAM's."""
    if ram.style == "block":
        return Counter()
    return Counter(lut=luts(ram, part), ff=ram.copies * ram.width)


def used_blocks18(plan: HardwarePlan, part: Part) -> int:
    """Count the 18-kbit blocks of what is in block RAM."""
    return sum(blocks18(ram, part) for ram in plan.rams if ram.style == "block")


def used_luts(plan: HardwarePlan, part: Part) -> int:
    """Estimate the LUTs of what is in LUTs."""
    return sum(luts(ram, part) for ram in plan.rams if ram.style == "distributed")


def rams(plan: HardwarePlan) -> tuple[RamPlan, ...]:
    """Return every memory of a plan, small ones in LUTs and all others in block RAM."""
    return tuple(
        RamPlan(name, width, depth, copies, *_start(depth), group)
        for name, group, width, depth, copies in _memories(plan)
    )


def _start(depth: int) -> tuple[str, str]:
    if depth <= SMALL_DEPTH:
        return "distributed", f"{depth} words waste a block"
    return "block", f"{depth} words are more than {SMALL_DEPTH}"


def _memories(plan: HardwarePlan) -> Iterator[tuple[str, str, int, int, int]]:
    """Yield name, group, width, depth and copies of every memory of the Verilog."""
    # The weights of a row of PEs lie beside it.
    yield "weights", "weights", plan.row_weight_bits, plan.weight_depth, plan.pe_rows
    yield "bias", "rows", plan.bias_bits, plan.bias_depth, 1
    if plan.shift_bits:
        yield "row_shifts", "rows", plan.row_shift_bits, plan.bias_depth, 1
    if plan.gather:
        yield "steps", "sequencer", plan.gather.control_bits, plan.gather.depth, 1
        yield "paths", "sequencer", plan.paths * plan.gather.path_bits, plan.gather.depth, 1
    for memory in plan.memories:
        name, depth = f"memory_{memory.name}", plan.streams << (1 + memory.offset_bits)
        yield name, name, plan.slice_values * memory.spectrum_bits, depth, plan.paths
        if memory.scaled:
            width = plan.word * memory.scale_bits
            yield f"scale_{memory.name}", f"transform_{memory.name}", width, memory.scale_words, 1
    for queue in plan.queues:
        name, copies = f"queue_{queue.name}", max(1, queue.gates // queue.lanes)
        yield name, name, queue.lanes * plan.word * queue.value_bits, queue.depth, copies
    for state in plan.states:
        yield (
            state.name,
            "state",
            state.lanes * plan.state.width,
            state.depth,
            len(state.readers),
        )
    for unit in plan.units:
        if unit.constants:
            bits = plan.constant_bits(unit)
            yield unit.constant_memory, f"unit_{unit.name}", bits, unit.constant_depth, 1


def fit(plan: HardwarePlan, part: Part, free_luts: int) -> HardwarePlan:
    """Return the plan with memories moved to what the part has more of.

    Args:
        plan: with its memories where `rams` puts them.
        part: the part.
        free_luts: LUTs that memories may take.
    """
    free = 2 * part.bram36
    if part.memory_luts is not None:
        free_luts = min(free_luts, part.memory_luts)
    plan = _move(
        plan,
        source="block",
        why=f"block RAM is short: {used_blocks18(plan, part):,} of {free:,} blocks of 18 kbit",
        price=lambda ram: luts(ram, part) / blocks18(ram, part),
        short=lambda moved: used_blocks18(moved, part) > free,
        fits=lambda moved: used_luts(moved, part) <= free_luts,
    )
    return _move(
        plan,
        source="distributed",
        why=f"LUTs are short: {used_luts(plan, part):,} where {max(0, free_luts):,} are free",
        price=lambda ram: blocks18(ram, part) / luts(ram, part),
        short=lambda moved: used_luts(moved, part) > free_luts,
        fits=lambda moved: used_blocks18(moved, part) <= free,
    )


def _move(
    plan: HardwarePlan,
    source: str,
    why: str,
    price: Callable[[RamPlan], float],
    short: Callable[[HardwarePlan], bool],
    fits: Callable[[HardwarePlan], bool],
) -> HardwarePlan:
    """Move the cheapest memories out of ``source`` while it is short and the other has room."""
    target = "distributed" if source == "block" else "block"
    for ram in sorted((ram for ram in plan.rams if ram.style == source), key=price):
        if not short(plan):
            break
        there = replace(ram, style=target, why=why)
        moved = replace(plan, rams=tuple(there if one is ram else one for one in plan.rams))
        if fits(moved):
            plan = moved
    return plan
