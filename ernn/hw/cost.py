"""Resources of a plan: DSP blocks and memories counted, LUTs and flip-flops estimated.

DSP blocks are the multipliers of the Verilog; one whose operands are wider than the ports of the
part's DSP block takes several. LUTs count adders, multiplexers and small memories by their bits,
flip-flops the pipelines; both are estimates, good for "does it fit" with the headroom that
`shortages` keeps, and are shown as estimates.
"""

from dataclasses import dataclass

from ernn.device import Part
from ernn.hw.plan import HardwarePlan
from ernn.hw.rams import used_blocks18, used_luts

LOGIC_MAC_LUTS = 256  # of a multiplier without a DSP block, about; `logic_mac_luts` counts its bits
SLOPE_BITS = 18  # of an activation's slope, signed: ernn.quant.activation allows no more

# Operands of the multipliers of one lane. An activation multiplies |x|, a bit wider than a row.
_ACTIVATION = ("size", "slope")
_MULTIPLIERS = {
    "lstm": [_ACTIVATION] * 5 + [("gate", "state"), ("gate", "gate"), ("gate", "gate")],
    "gru_reset": [_ACTIVATION] * 2 + [("gate", "state")],
    "gru_update": [_ACTIVATION, ("gate", "difference")],
    "gru_after": [_ACTIVATION] * 3 + [("gate", "row"), ("gate", "difference")],
    "projection": [],
}
_PEEPHOLE_MULTIPLIERS = [("peephole", "state")] * 3


@dataclass(frozen=True)
class Resources:
    """What a design, or a part of it, uses."""

    dsp: int = 0
    bram36: float = 0  # halves are blocks of 18 kbit
    lut: int = 0
    ff: int = 0

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
    """Count and estimate what a plan needs on a part."""
    return Resources(
        dsp=dsp_blocks(plan, part),
        bram36=-(-used_blocks18(plan) // 2),
        lut=used_luts(plan, part) + logic_luts(plan, part),
        ff=_register_bits(plan),
    )


def dsp_blocks(plan: HardwarePlan, part: Part) -> int:
    """Count the DSP blocks of all multipliers: PEs, cell lanes, input scales."""
    total = plan.pes * (plan.macs - plan.logic_macs) * mac_blocks(plan, part)
    for unit in plan.units:
        widths = _operand_bits(plan)
        total += unit.lanes * sum(
            blocks_of(part, widths[a], widths[b])
            for a, b in lane_operands(unit.name, unit.peepholes)
        )
    for memory in plan.memories:
        if memory.scaled:
            total += plan.word * blocks_of(part, memory.input_bits, memory.scale_bits)
    return total


def mac_blocks(plan: HardwarePlan, part: Part) -> int:
    """Count the DSP blocks of one multiplier of a PE."""
    return blocks_of(part, plan.operand_bits, plan.weight_bits)


def blocks_of(part: Part, a_bits: int, b_bits: int) -> int:
    """Count the DSP blocks of a signed multiplier; its operands may take either port."""
    wide, narrow = part.dsp_a_bits, part.dsp_b_bits
    return min(
        _pieces(a_bits, wide) * _pieces(b_bits, narrow),
        _pieces(a_bits, narrow) * _pieces(b_bits, wide),
    )


def _pieces(bits: int, port: int) -> int:
    """Cut an operand: all pieces but the highest are unsigned, and a port is signed."""
    return max(1, -(-(bits - 1) // (port - 1)))


def _operand_bits(plan: HardwarePlan) -> dict[str, int]:
    """Return the widths of what lanes multiply, by name."""
    gate, state = plan.gate.width, plan.state
    aligned = state.width + plan.gate.frac_bits - state.frac_bits
    return {
        "size": plan.row.width + 1,
        "slope": SLOPE_BITS,
        "gate": gate,
        "row": plan.row.width,
        "state": state.width,
        "difference": 1 + max(gate, aligned),  # of the candidate and h
        "peephole": plan.peephole.width,
    }


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


def lane_multipliers(kind: str, peepholes: bool) -> int:
    """Count the multipliers of one lane of a unit, activations included."""
    return len(lane_operands(kind, peepholes))


def lane_operands(kind: str, peepholes: bool) -> list[tuple[str, str]]:
    """Return the operands of each multiplier of one lane of a unit."""
    return _MULTIPLIERS[kind] + _PEEPHOLE_MULTIPLIERS * (peepholes and kind == "lstm")


def logic_mac_luts(plan: HardwarePlan) -> int:
    """Estimate the LUTs of a PE's multiplier, with its sum, that gets no DSP block."""
    return plan.operand_bits * plan.weight_bits + plan.acc_bits


def logic_luts(plan: HardwarePlan, part: Part) -> int:
    """Estimate the LUTs without memories: bits of adders and multiplexers, about one LUT each."""
    rows = plan.macs * plan.sum_bits * (plan.pe_columns - 1)  # column sums
    rows += plan.word * (2 * plan.add_bits + 2 * plan.inverse_input.width)  # Re/Im, alignment
    for net in plan.inverse_networks:
        rows += _transform_bits(net.block, net.groups, net.out_bits)
    rows += 2 * plan.word * plan.row.width
    total = plan.drain_lanes * rows
    total += plan.pes * plan.macs * plan.acc_bits  # shadow: capture or shift
    total += plan.pes * plan.logic_macs * logic_mac_luts(plan)
    if mac_blocks(plan, part) > 1:  # only a product within one block is added up inside it
        total += plan.pes * (plan.macs - plan.logic_macs) * plan.acc_bits
    for memory in plan.memories:
        for net in memory.networks:
            total += _transform_bits(net.block, net.groups, net.out_bits)
    total += plan.pe_columns * plan.word * plan.operand_bits * (1 + plan.memory_count // 2)
    total += sum(unit.lanes * 25 * plan.row.width for unit in plan.units)
    return total + 2000  # control


def _register_bits(plan: HardwarePlan) -> int:
    operands = plan.pe_columns * plan.macs * plan.operand_bits
    leaves = -(-plan.pe_rows // plan.fanout)
    total = plan.pes * plan.macs * plan.acc_bits  # shadows; the rest of a PE is in its DSP blocks
    total += operands * (leaves + 3)
    per_value = plan.sum_bits + plan.inverse_bits * (plan.inverse_cycles + 4)
    total += plan.drain_lanes * plan.word * per_value
    for memory in plan.memories:
        total += plan.word * memory.spectrum_bits * (memory.latency_cycles + 1)
    for unit in plan.units:
        total += unit.lanes * plan.row.width * 3 * unit.lane_cycles
    return total + 2000


def _transform_bits(block: int, groups: int, bits: int) -> int:
    """Adder bits: log2 k additions a value, and about four more for each rotated one."""
    levels = block.bit_length() - 1
    rotations = max(0, levels - 2) * max(0, block // 2 - 2)
    return groups * bits * (block * levels + 4 * rotations)
