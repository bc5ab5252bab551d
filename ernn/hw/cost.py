"""Resources of a plan: DSP blocks and memories counted, LUTs and flip-flops estimated.

DSP blocks are the multipliers of the Verilog, one each. A memory deeper than `LUT_RAM_DEPTH` goes
to block RAM, by its width and depth; a shallower one to LUTs. LUTs count adders, multiplexers and
such memories by their bits, flip-flops the pipelines; both are estimates, good for "does it fit"
with the headroom that `shortages` keeps, and are shown as estimates.
"""

from dataclasses import dataclass

from ernn.device import Part
from ernn.hw.plan import HardwarePlan

LUT_RAM_DEPTH = 64
LOGIC_MAC_LUTS = 256  # of a multiplier without a DSP block, about; `_logic_bits` counts its bits

# Multipliers of one lane, activations included.
_MULTIPLIERS = {"lstm": 8, "gru_reset": 3, "gru_update": 2, "gru_after": 5, "projection": 0}
_PEEPHOLE_MULTIPLIERS = 3


@dataclass(frozen=True)
class Resources:
    """What a design uses."""

    dsp: int
    bram36: int
    lut: int  # estimated
    ff: int  # estimated


@dataclass(frozen=True)
class _Memory:
    width: int
    depth: int

    @property
    def bram36(self) -> int:
        """Blocks of 512 x 72 bits; none for a shallow memory."""
        if self.depth <= LUT_RAM_DEPTH:
            return 0
        return -(-self.width // 72) * -(-self.depth // 512)

    @property
    def lut(self) -> int:
        """LUTs of 64 bits each, as dual-port RAM (3 bits in 4 LUTs); none for a deep memory."""
        return 0 if self.depth > LUT_RAM_DEPTH else -(-4 * self.width // 3)


def resources(plan: HardwarePlan) -> Resources:
    """Count and estimate what a plan needs."""
    memories = _memories(plan)
    return Resources(
        dsp=dsp_blocks(plan),
        bram36=sum(memory.bram36 for memory in memories),
        lut=sum(memory.lut for memory in memories) + _logic_bits(plan),
        ff=_register_bits(plan),
    )


def dsp_blocks(plan: HardwarePlan) -> int:
    """Count the multipliers: PEs, cell lanes, input scales."""
    cells = sum(unit.lanes * lane_multipliers(unit.name, unit.peepholes) for unit in plan.units)
    scales = sum(plan.word for memory in plan.memories if memory.scaled)
    return plan.pes * (plan.macs - plan.logic_macs) + cells + scales


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
        "LUTs (estimated)": (used.lut, int((1 - headroom) * part.lut)),
        "flip-flops (estimated)": (used.ff, int((1 - headroom) * part.ff)),
    }
    return [
        f"{need:,} {name} where {limit:,} are free"
        for name, (need, limit) in limits.items()
        if need > limit
    ]


def lane_multipliers(kind: str, peepholes: bool) -> int:
    """Count the multipliers of one lane of a unit, activations included."""
    return _MULTIPLIERS[kind] + _PEEPHOLE_MULTIPLIERS * (peepholes and kind == "lstm")


def _memories(plan: HardwarePlan) -> list[_Memory]:
    """Every memory of the Verilog."""
    # A PE's weights are next to the PE: the one wide memory is cut at its borders.
    found = [_Memory(plan.macs * plan.weight_bits, plan.weight_depth)] * plan.pes
    found.append(_Memory(plan.drain_lanes * plan.word * plan.row.width, plan.bias_depth))
    for memory in plan.memories:
        depth = plan.streams << (1 + memory.offset_bits)
        found += [_Memory(plan.word * memory.spectrum_bits, depth)] * plan.pe_columns
        if memory.scaled:
            found.append(_Memory(plan.word * memory.scale_bits, memory.scale_words))
    for queue in plan.queues:
        parts = max(1, queue.gates // queue.lanes)
        found += [_Memory(queue.lanes * plan.word * queue.value_bits, queue.depth)] * parts
    for unit in plan.units:
        if unit.reads_state:
            found.append(_Memory(unit.lanes * plan.state.width, plan.state_depth))
        if unit.peepholes:
            found.append(_Memory(3 * unit.lanes * plan.peephole.width, unit.state_beats))
    return found


def _logic_bits(plan: HardwarePlan) -> int:
    """Bits of adders and multiplexers, about one LUT each."""
    rows = plan.macs * plan.sum_bits * (plan.pe_columns - 1)  # column sums
    rows += plan.word * (2 * plan.sum_bits + 2 * plan.inverse_input.width)  # Re/Im, alignment
    for net in plan.inverse_networks:
        rows += _transform_bits(net.block, net.groups, net.out_bits)
    rows += 2 * plan.word * plan.row.width
    total = plan.drain_lanes * rows
    total += plan.pes * plan.macs * plan.acc_bits  # shadow: capture or shift
    multiplier = plan.operand_bits * plan.weight_bits + plan.acc_bits
    total += plan.pes * plan.logic_macs * multiplier
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
