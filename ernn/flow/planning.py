"""What a plan is worth, in words and figures."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ernn import __version__
from ernn.energy.estimate import Interval, estimate_power
from ernn.hw.cost import logic_mac_luts, mac_blocks, resources
from ernn.hw.explore import WIDE_BITS, Design, Exploration, sizes_of
from ernn.hw.packing import pack
from ernn.hw.plan import HardwarePlan
from ernn.parts.part import Part

FRONT = "ernn-front-1"  # format of front.json


def describe(exploration: Exploration) -> Iterator[str]:
    """Yield the chosen plan, the roofline, what limits it, the front, and why not more, by line."""
    chosen, plan = exploration.chosen, exploration.chosen.plan
    part, used = exploration.part, chosen.used
    lanes = sizes_of(plan).cell_lanes
    logic, blocks = plan.pes * plan.logic_macs, mac_blocks(plan, part)
    yield (
        f"{plan.pe_rows} x {plan.pe_columns} PEs of {plan.macs} multipliers, words of {plan.word}, "
        f"{plan.drain_lanes} drain lanes, {lanes} cell lanes, {plan.streams} streams"
    )
    if plan.gather:
        cut = f"1/{plan.slices} of" if plan.slices > 1 else "all of"
        yield (
            f"blocks without weights are left out: {plan.paths} paths gather for {plan.row_groups} "
            f"groups of {plan.tile_rows} rows, each with a copy of {cut} every word"
        )
    yield (
        f"{part.name} at {plan.clock_mhz:g} MHz: {chosen.frames_per_second:,.0f} frames/s "
        f"({chosen.rate.cycles_per_frame:g} cycles each), a frame alone in "
        f"{chosen.latency_us:.2f} us ({chosen.rate.latency_cycles} cycles)"
    )
    yield (
        f"{used.dsp:,} of {part.dsp:,} DSP blocks, {used.bram36:,} of {part.bram36:,} BRAM36, "
        f"about {used.lut:,} of {part.lut:,} LUTs and {used.ff:,} of {part.ff:,} flip-flops"
        + (f"; {logic:,} multipliers are built from logic" if logic else "")
        + (f"; a PE's multiplier takes {blocks} DSP blocks" if blocks > 1 else "")
    )
    if exploration.once:
        yield (
            f"weights are stored once, c and d of complex bins in {plan.once_bits} bits, and "
            f"adders in front of the PEs make d - c and c + d: {exploration.once}"
        )
    yield f"energy: {_energy(chosen, part)} per frame, estimated"
    if exploration.wider is not None:
        yield from _few_bits(chosen, exploration.wider, part)
    share = 100 * exploration.roofline_cycles / chosen.rate.cycles_per_frame
    yield (
        f"roofline: {exploration.roofline_cycles:.1f} cycles a frame if every DSP block multiplied "
        f"in every cycle; this is {share:.0f} % of it"
    )
    yield f"limit: {exploration.limit}"
    if exploration.larger:
        yield f"the next faster design does not fit: {exploration.larger}"
    yield f"{'frames/s':>12}{'latency us':>12}{'DSP':>8}{'LUT':>10}  energy   Pareto front"
    for one in exploration.front:
        mark = "  chosen" if one is chosen else ""
        yield (
            f"{one.frames_per_second:12,.0f}{one.latency_us:12.2f}{one.used.dsp:8,}"
            f"{one.used.lut:10,}  {_energy(one, part)}{mark}"
        )


def front_file(exploration: Exploration) -> dict[str, Any]:
    """Return the content of front.json: every design that no other one beats, and the chosen."""
    beaten = () if exploration.chosen in exploration.front else (exploration.chosen,)
    return {
        "format": FRONT,
        "ernn": __version__,
        "plan": exploration.chosen.plan.digest,
        "part": exploration.chosen.plan.part,
        "clock_mhz": exploration.chosen.plan.clock_mhz,
        "mark": "planned",
        "command": f"ernn plan {exploration.chosen.plan.name}",
        "roofline_cycles": exploration.roofline_cycles,
        "limit": exploration.limit,
        "larger": exploration.larger,
        "once": exploration.once,
        "designs": [
            {
                **asdict(sizes_of(one.plan)),
                "cycles_per_frame": one.rate.cycles_per_frame,
                "latency_cycles": one.rate.latency_cycles,
                "used": asdict(one.used),
                "chosen": one is exploration.chosen,
            }
            for one in (*beaten, *exploration.front)
        ],
    }


def _few_bits(chosen: Design, wider: HardwarePlan, part: Part) -> Iterator[str]:
    """Yield what a model of few bits saves, and whether two products share a DSP block."""
    plan = chosen.plan
    other = Design(wider, resources(wider, part), chosen.rate)
    yield (
        f"few bits: weights of {plan.weight_bits} bits instead of {wider.weight_bits} at "
        f"{WIDE_BITS} bits ({_kbit(plan):,} instead of {_kbit(wider):,} kbit), "
        f"{chosen.used.bram36:,} instead of {other.used.bram36:,} BRAM36, "
        f"{logic_mac_luts(plan, part):,} instead of {logic_mac_luts(wider, part):,} LUTs for a "
        f"multiplier without a DSP block, {_energy(chosen, part)} instead of "
        f"{_energy(other, part)} a frame"
    )
    if plan.weight_powers:
        yield "weights are 0 and powers of two: PEs choose, shift and add, without DSP blocks"
        return
    # No accumulation is the best case; if one product fits, all steps of a pass are asked for.
    longest = max(max(job.order.lengths) for job in plan.jobs)
    each = pack(plan.operand_bits, plan.factor_bits, 1, part)
    all_steps = pack(plan.operand_bits, plan.factor_bits, longest, part)
    if all_steps.fits:
        yield f"packing: two products would fit one DSP block, but are not packed: {all_steps.why}"
    elif each.fits:
        yield (
            "packing: two products would fit one DSP block only if adders behind it took each "
            f"one out, and are not packed: {each.why}"
        )
    else:
        yield f"packing: two products do not fit one DSP block: {each.why}"


def _kbit(plan: HardwarePlan) -> int:
    """Return the bits of weight memory in kbit."""
    return round(plan.pe_rows * plan.row_weight_bits * plan.weight_depth / 1024)


def frame_energy(design: Design, part: Part) -> Interval:
    """Estimate the chip's energy per frame in microjoules, all streams busy."""
    power = estimate_power(part, design.plan.clock_mhz, asdict(design.used)).chip_w
    return power.scaled(1e6 / design.frames_per_second)


def _energy(design: Design, part: Part) -> str:
    told = frame_energy(design, part)
    return f"{told.typical:.2f} ({told.low:.2f} to {told.high:.2f}) uJ"
