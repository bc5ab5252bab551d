"""What a plan is worth, in words and figures."""

from collections.abc import Iterator
from dataclasses import asdict

from ernn.device import Part, load_part
from ernn.energy.estimate import Interval, estimate_power
from ernn.hw.explore import Design, Exploration


def describe(found: Exploration) -> Iterator[str]:
    """Yield the chosen plan, the roofline, what limits it, the front, and why not more, by line."""
    chosen, plan = found.chosen, found.chosen.plan
    part, used = load_part(plan.part), found.chosen.used
    lanes = max(unit.lanes for unit in plan.units if unit.reads_state)
    logic = plan.pes * plan.logic_macs
    yield (
        f"{plan.pe_rows} x {plan.pe_columns} PEs of {plan.macs} multipliers, words of {plan.word}, "
        f"{plan.drain_lanes} drain lanes, {lanes} cell lanes, {plan.streams} streams"
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
    )
    yield f"energy: {_energy(chosen, part)} per frame, estimated"
    share = 100 * found.roofline_cycles / chosen.rate.cycles_per_frame
    yield (
        f"roofline: {found.roofline_cycles:.1f} cycles a frame if every DSP block multiplied in "
        f"every cycle; this is {share:.0f} % of it"
    )
    yield f"limit: {found.limit}"
    if found.larger:
        yield f"the next faster design does not fit: {found.larger}"
    yield f"{'frames/s':>12}{'latency us':>12}{'DSP':>8}{'LUT':>10}  energy   Pareto front"
    for one in found.front:
        mark = "  chosen" if one is chosen else ""
        yield (
            f"{one.frames_per_second:12,.0f}{one.latency_us:12.2f}{one.used.dsp:8,}"
            f"{one.used.lut:10,}  {_energy(one, part)}{mark}"
        )


def _energy(design: Design, part: Part) -> str:
    """Return the chip's energy per frame with its interval, all streams busy."""
    power = estimate_power(part, design.plan.clock_mhz, asdict(design.used)).chip_w
    told: Interval = power.scaled(1e6 / design.frames_per_second)
    return f"{told.typical:.2f} ({told.low:.2f} to {told.high:.2f}) uJ"
