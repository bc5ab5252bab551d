"""Resources of a plan: DSP blocks and memories counted, LUTs and flip-flops estimated.

DSP blocks are the multipliers of the Verilog; one whose operands are wider than the ports of the
part's DSP block takes several. Registers are counted as the Verilog has them, and so are the bits
of adders and choices (ernn.hw.fabric), whose LUTs are fitted to syntheses; both are shown as
estimates.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil

from ernn.datafile import Count, NotNegative, Strict
from ernn.hw.fabric import fabric, logic_mac
from ernn.hw.gates import Gates, luts_of
from ernn.hw.lanes import lane_products
from ernn.hw.plan import HardwarePlan
from ernn.hw.rams import blocks18, used_luts
from ernn.hw.weight_code import weight_code
from ernn.parts.part import Part
from ernn.quant.products import Product

POWER_MAC_LUTS = 30  # of one whose weights are 0 or powers of two, at least
LOGIC_MAC_LUTS = 224  # of a multiplier without a DSP block, about; see `logic_mac_luts`


@dataclass(frozen=True)
class Resources(Strict):
    """What a design, or a part of it, uses."""

    dsp: Count = 0
    bram36: NotNegative = 0  # halves are blocks of 18 kbit
    lut: Count = 0
    ff: Count = 0

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(
            self.dsp + other.dsp,
            self.bram36 + other.bram36,
            self.lut + other.lut,
            self.ff + other.ff,
        )

    def __mul__(self, count: int) -> "Resources":
        return Resources(self.dsp * count, self.bram36 * count, self.lut * count, self.ff * count)


def resources(plan: HardwarePlan, part: Part) -> Resources:
    """Count and estimate what a plan needs on a part: the sum of its groups, in whole blocks."""
    return in_whole_blocks(group_resources(plan, part))


def in_whole_blocks(groups: Mapping[str, Resources]) -> Resources:
    """Return the sum of groups; two blocks of 18 kbit are one of 36, whoever uses them."""
    found = sum(groups.values(), Resources())
    return replace(found, bram36=ceil(found.bram36))


def group_resources(plan: HardwarePlan, part: Part) -> dict[str, Resources]:
    """Count and estimate what each group of ernn.hw.groups needs on a part."""
    gates: dict[str, Gates] = {}
    for group, piece in fabric(plan, part, mac_blocks(plan, part) > 1):
        gates.setdefault(group, Counter()).update(piece)
    blocks: Counter[str] = Counter()
    for ram in plan.rams:
        if ram.style == "block":
            blocks[ram.group] += blocks18(ram, part)
    multipliers = dict(_dsp_groups(plan, part))
    return {
        group: Resources(
            multipliers.get(group, 0), blocks[group] / 2, luts_of(found, part), found["ff"]
        )
        for group, found in sorted(gates.items())
    }


def dsp_blocks(plan: HardwarePlan, part: Part) -> int:
    """Count the DSP blocks of all multipliers: PEs, cell lanes, input scales."""
    return sum(blocks for _, blocks in _dsp_groups(plan, part))


def _dsp_groups(plan: HardwarePlan, part: Part) -> Iterator[tuple[str, int]]:
    yield "pes", plan.pes * plan.dsp_macs * mac_blocks(plan, part)
    for unit in plan.units:
        each = sum(blocks_of(part, *bits) for bits in lane_products(unit.lane))
        yield f"unit_{unit.name}", unit.lanes * each
    for memory in plan.memories:
        if memory.scaled:
            each = blocks_of(part, memory.input_bits, memory.scale_bits)
            yield f"transform_{memory.name}", plan.word * each


def mac_blocks(plan: HardwarePlan, part: Part) -> int:
    """Count the DSP blocks of one multiplier of a PE."""
    return blocks_of(part, plan.operand_bits, plan.factor_bits)


def blocks_of(part: Part, a_bits: int, b_bits: int) -> int:
    """Count the DSP blocks of a signed multiplier; its operands may take either port."""
    wide, narrow = part.family.multiplier.a_bits, part.family.multiplier.b_bits
    return min(
        _pieces(a_bits, wide) * _pieces(b_bits, narrow),
        _pieces(a_bits, narrow) * _pieces(b_bits, wide),
    )


def _pieces(bits: int, port: int) -> int:
    """Cut an operand: all pieces but the highest are unsigned, and a port is signed."""
    return max(1, -(-(bits - 1) // (port - 1)))


def shortages(used: Resources, part: Part, headroom: float) -> list[str]:
    """Say what does not fit the part, by how much; empty if all does.

    Args:
        used: what a design needs.
        part: the part.
        headroom: share of its LUTs and flip-flops that an estimate must leave free.
    """
    limits = {
        "DSP blocks": (used.dsp, part.dsp),
        "36-kbit memory blocks": (used.bram36, part.bram36),
        "LUTs (estimated)": (used.lut, lut_limit(part, headroom)),
        "flip-flops (estimated)": (used.ff, int((1 - headroom) * part.ff)),
    }
    return [
        f"{need:,} {name} where {limit:,} are free"
        for name, (need, limit) in limits.items()
        if need > limit
    ]


def lut_limit(part: Part, headroom: float) -> int:
    """Return the LUTs that a design may take."""
    return int((1 - headroom) * part.lut)


def most_macs(products: Iterable[Product], part: Part) -> int:
    """Return how many multipliers of PEs a part could hold, were there nothing else in it."""
    if weight_code(products, zeros=False).powers:
        return part.lut // POWER_MAC_LUTS
    return part.dsp + part.lut // LOGIC_MAC_LUTS


def logic_mac_luts(plan: HardwarePlan, part: Part) -> int:
    """Estimate the LUTs of a PE's multiplier, with its sum, that gets no DSP block."""
    return luts_of(logic_mac(plan, part) + Counter(add=plan.acc_bits), part)


def logic_luts(plan: HardwarePlan, part: Part) -> int:
    """Estimate the LUTs of all but the memories."""
    return resources(plan, part).lut - used_luts(plan, part)
