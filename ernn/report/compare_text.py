"""A comparison, the fit of the power model and the models' deviations as lines of text."""

from collections.abc import Iterator, Mapping

from ernn.energy.baselines import C_LSTM, E_RNN, MOST_DSP, deviations
from ernn.energy.comparison import (
    GOAL_BLOCK,
    GOAL_RATIO,
    GOAL_TOPS_PER_W,
    Comparison,
    Efficiency,
    Ours,
)
from ernn.energy.ese import EseRun
from ernn.energy.fit import Fit, published_watts
from ernn.energy.interval import Interval
from ernn.energy.power import COMPONENTS, NODES_NM
from ernn.energy.published import Published
from ernn.parts.part import load_part


def told(interval: Interval, decimals: int = 1) -> str:
    """Return an interval as text."""
    low, typical, high = (
        f"{value:,.{decimals}f}" for value in (interval.low, interval.typical, interval.high)
    )
    return f"{typical} ({low} to {high})"


def fit_lines(fit: Fit, published: Published) -> Iterator[str]:
    """Yield the coefficients, the fit to the published boards, and its errors."""
    yield (
        "coefficients: pJ per block and cycle at the default activity, from "
        f"{len(fit.data.reports)} public reports of a vendor's power tool"
    )
    yield f"  {'':8}{''.join(f'{node:>6} nm' for node in NODES_NM)}   silicon / tool, fitted"
    for name in COMPONENTS:
        values = "".join(f"{fit.data.coefficient(name, node):9.3g}" for node in NODES_NM)
        unit = "   W per million LUTs" if name == "static" else ""
        mean, deviation = fit.value(name)
        yield f"  {name:8}{values}   {mean:.2f} +- {deviation:.2f}{unit}"
    board, deviation = fit.value("board")
    yield f"  board    {board:.1f} +- {deviation:.1f} W besides the chip"
    yield f"fit to {len(fit.rows)} published boards; each left out, and predicted by the others:"
    for row, left in zip(fit.rows, fit.left_out, strict=True):
        chip = sum(row.watts.values())
        yield (
            f"  {row.design:12} {row.cell:4} {row.part}: published {row.power_w:g} W, predicted "
            f"{left:.1f} W ({100 * (left / row.power_w - 1):+.0f} %); chip by the tool {chip:.1f} W"
        )
    yield (
        f"  leave-one-out error: {fit.left_out_rms_w:.2f} W root mean square, "
        f"{fit.left_out_percent:.1f} % in the mean"
    )
    yield from _outside(fit, published)


def _outside(fit: Fit, published: Published) -> Iterator[str]:
    """Yield what the fit says of published boards that it has not seen."""
    seen = {row.machine for row in fit.rows}
    for design in published.designs:
        if design.power_w and design.used and design.name.split()[0] not in seen:
            part = load_part(design.part)
            watts = published_watts(fit.data, published, design)
            mean, deviation = fit.predict(watts, True, fit.node_spread(part.node_nm))
            power = Interval.around(mean, deviation, fit.data.interval.deviations)
            inside = "inside" if power.low <= design.power_w <= power.high else "outside"
            yield (
                f"  not used for the fit: {design.name} on {design.part}, published "
                f"{design.power_w:g} W, predicted {told(power)} W: {inside}"
            )


def deviation_lines(published: Published) -> Iterator[str]:
    """Yield how far the models are from every published row."""
    yield (
        f"models against the published rows; useful multipliers: C-LSTM {C_LSTM.useful_share:.1%} "
        f"and E-RNN {E_RNN.useful_share:.1%} of at most {MOST_DSP:,} DSP blocks"
    )
    for one in deviations(published):
        block = f"k={one.block}" if one.block else ""
        yield (
            f"  {one.design:9}{one.cell:5}{block:5} {one.part:10} {one.figure:24}"
            f"{one.published:>11,.1f} modelled {one.modelled:>11,.1f}  {one.percent:+6.1f} %"
        )


def summary_lines(made: Comparison) -> Iterator[str]:
    """Yield both readings of the efficiency of every network, or what it takes without one."""
    for one in made.subjects:
        ours = one.ours
        yield (
            f"{one.network} on {ours.part} at {ours.clock_mhz:g} MHz: "
            f"{ours.frames_per_second:,.0f} frames/s ({ours.mark}), board {told(ours.power_w)} W "
            f"(estimated, activity {ours.activity})"
        )
        yield f"  chip {told(ours.chip_w)} W: {_most(ours.components)}; {_most(_groups(ours))}"
        if one.ese:
            yield f"  {ese_line(one.ese)}"
        for efficiency in one.efficiency:
            yield from _efficiency(efficiency)
        if not one.efficiency:
            for entry in one.entries:
                power = entry.reading.frames_per_joule
                if entry.reading.basis == "together" and power:
                    yield (
                        f"  {entry.reading.design} on {entry.reading.part}, {entry.reading.words}: "
                        f"{entry.reading.frames_per_second:,.0f} frames/s ({entry.reading.mark}), "
                        f"{told(power, 0)} frames/s per W"
                    )


def ese_line(one: EseRun) -> str:
    """Return what ESE's machine made of a network."""
    entries = one.weights + one.padding
    return (
        f"ESE, run, {one.origin}: {entries:,} entries ({100 * one.stored_share:.1f} % of the "
        f"weights), {one.padding:,} of them padding zeros; {one.cycles:,} cycles, "
        f"{one.latency_us:.1f} us for {one.channels} channels, PEs {100 * one.busy:.0f} % busy"
    )


def _groups(ours: Ours) -> dict[str, float]:
    return {group.name: group.watts for group in ours.groups}


def _most(watts: Mapping[str, float], count: int = 4) -> str:
    """Return the largest of some powers in words."""
    largest = sorted(watts.items(), key=lambda item: -item[1])[:count]
    return ", ".join(f"{name} {value:.2f}" for name, value in largest)


def _efficiency(one: Efficiency) -> Iterator[str]:
    theirs = f"{one.against.name} {one.against.cell.upper()} with {one.against.power_w:g} W"
    yield (
        f"  against {theirs}: {one.published:,.0f} frames/s per W published; goal {GOAL_RATIO:g} x"
        + (f", {GOAL_TOPS_PER_W} TOPS/W" if one.against.block_size == GOAL_BLOCK else "")
        + f": at most {one.most_w:.1f} W"
    )
    yield (
        f"    by our estimate: {told(one.estimated, 0)} frames/s per W, "
        f"{told(one.estimated_ratio, 2)} x, {told(one.estimated_tops_per_w, 3)} TOPS/W"
    )
    yield (
        f"    by the published power of the same board: {one.borrowed:,.0f} frames/s per W, "
        f"{one.borrowed_ratio:.2f} x, {one.borrowed_tops_per_w:.3f} TOPS/W"
    )
    yield f"    goal {one.met}"
