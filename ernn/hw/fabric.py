"""The logic of each group of a plan: registers, and the bits of adders and choices.

Groups are those of ernn.hw.groups; each function here follows one file of hw_templates. DSP blocks
and memories are counted by ernn.hw.cost.
"""

from collections import Counter
from collections.abc import Iterator

from ernn.bilinear import additions
from ernn.hw.array_plan import TransformPlan, bits_for
from ernn.hw.gates import (
    Gates,
    adder_tree,
    delay,
    logic_product,
    power_product,
    requant,
    shifter,
    skid,
    times,
    transform,
    valid_delay,
)
from ernn.hw.lanes import unit
from ernn.hw.plan import HardwarePlan
from ernn.hw.rams import distributed
from ernn.hw.storage_plan import MemoryPlan, QueuePlan
from ernn.parts.part import Part

REGISTERS_FF = 1212  # of ernn_registers, without what depends on the plan
REGISTERS_CONTROL = 320


def fabric(plan: HardwarePlan, part: Part, split: bool) -> Iterator[tuple[str, Gates]]:
    """Yield the logic of each group; a group may come in several pieces.

    Args:
        plan: of what is built.
        part: on what: shift registers, registers inside of DSP blocks.
        split: a multiplier of a PE takes several DSP blocks, and its sum is outside of them.
    """
    yield "top", Counter(ff=plan.load_bits + 49 + len(plan.load_targets) - plan.pe_rows, control=16)
    yield "registers", _registers(plan)
    yield "rounds", Counter(ff=6 + 7 * plan.streams, control=6 + 7 * plan.streams)
    yield "input", _input(plan)
    yield "output", _output(plan)
    yield "monitor", _monitor(plan)
    yield "sequencer", _sequencer(plan)
    yield "operands", _operands(plan, part)
    yield "broadcast", _broadcast(plan)
    yield "pes", times(pe(plan, part, split), plan.pes)
    yield "pes", Counter(ff=(plan.pe_rows - plan.drain_lanes) * plan.pe_columns * _shadow(plan))
    if plan.once_bits:
        yield "weights", times(_weight_sums(plan), plan.pes)
    yield "drain", times(_drain(plan, part), plan.drain_lanes * plan.pe_columns)
    yield "rows", _rows(plan, part)
    for memory in plan.memories:
        yield f"transform_{memory.name}", _writer(plan, memory, part)
        yield f"memory_{memory.name}", _memory(plan, memory)
    for queue in plan.queues:
        yield f"queue_{queue.name}", _queue(plan, queue)
    for one in plan.units:
        yield f"unit_{one.name}", unit(plan, one, part) + _walker(plan, one.job_bits)
    for ram in plan.rams:
        yield ram.group, distributed(ram, part)


def _registers(plan: HardwarePlan) -> Gates:
    return Counter(ff=REGISTERS_FF + plan.load_bits, control=REGISTERS_CONTROL)


def _walker(plan: HardwarePlan, job_bits: int) -> Gates:
    bits = 7 + 2 * job_bits + plan.stream_bits + plan.streams
    return Counter(ff=bits, control=bits)


def _input(plan: HardwarePlan) -> Gates:
    streams = plan.streams
    control = 12 + 2 * plan.stream_bits + plan.input_count_bits + 8 * streams
    data = Counter(ff=plan.word * plan.feature.width + control, control=control)
    if plan.element_bits > plan.feature.width:
        # Whether a value is beyond its format, and each bit of the nearest one
        data["lut"] += plan.word * (1 + plan.feature.width)
    return data + skid(plan.word * plan.element_bits + 10)


def _output(plan: HardwarePlan) -> Gates:
    bits = plan.word * plan.element_bits
    control = 26 + plan.output_count_bits
    buffer = bits + plan.stream_bits + 1
    found = Counter(ff=bits + control, control=control, lut=4 * -(-buffer // 6))
    if plan.labels:
        found["choose"] += plan.word * plan.top.width
    return found + skid(buffer) + _walker(plan, 1)


def _monitor(plan: HardwarePlan) -> Gates:
    counted = [
        (plan.drain_lanes * plan.word, plan.row.width),
        *((state.lanes, plan.state.width) for state in plan.states),
        *((plan.word, one.value_bits) for one in plan.units),
    ]
    found: Gates = Counter(ff=3 + plan.saturated_vectors_bits)
    if len(plan.states) > 1:  # their sum
        found["ff"] += plan.saturated_states_bits
    for values, bits in counted:
        levels = bits_for(values) if values > 1 else 0
        found.update(adder_tree(values, 2, levels + 2))
        found.update(ff=values + levels + 1, lut=values * -(-bits // 5))
    return found


def _sequencer(plan: HardwarePlan) -> Gates:
    several = (len(plan.modes) > 1) * plan.mode_bits + (len(plan.aligns) > 1) * plan.align_bits
    job = plan.pass_bits + plan.weight_addr_bits + plan.bias_addr_bits
    job += several + plan.entry_bits + plan.queue_bits
    out = several + plan.memory_bits + plan.weight_addr_bits
    if plan.gather:  # what a memory says, one step ahead
        found = plan.gather
        job += plan.segments * (plan.memory_bits + 1) + found.control_bits + found.addr_bits
        now = job + plan.pass_bits + plan.entry_bits
        out += plan.segments * (plan.memory_bits + 2) - plan.memory_bits
    else:
        job += plan.sub_bits + plan.segments * (plan.memory_bits + 2 * plan.offset_bits + 2)
        now = job + plan.pass_bits + plan.sub_bits + plan.offset_bits + plan.entry_bits
        out += plan.offset_bits
    out += plan.entry_bits + plan.bias_addr_bits + plan.queue_bits + 2 * plan.stream_bits + 20
    # What a job sets is a constant, and constants that are equal in all jobs are no registers.
    bits = job // 2 + now // 2 + out
    return Counter(ff=bits, control=bits) + _walker(plan, plan.job_bits)


def _operands(plan: HardwarePlan, part: Part) -> Gates:
    word = plan.slice_values * plan.spectrum_bits
    largest = plan.modes[0]
    block = largest.block * plan.spectrum_bits if plan.gather else word
    kept = largest.macs if len(plan.modes) == 1 else plan.macs  # copies of a block are one
    found = Counter(ff=word + block + kept * plan.operand_bits)
    found["choose"] += word * -(-(plan.memory_count - 1) // 3)
    if plan.gather:
        found["choose"] += block * -(-(len(plan.gather.choices) - 1) // 3)
        bits = 1 + plan.memory_bits + plan.gather.choice_bits
        found.update(ff=bits + plan.gather.choice_bits, lut=bits + plan.memory_count)
    elif plan.smaller_modes:
        found["choose"] += word
    for mode in plan.modes:
        found["add"] += additions(mode.form.operands) * plan.operand_bits
    if len(plan.modes) > 1:
        found["choose"] += plan.macs * plan.operand_bits
    control = 9 + plan.memory_bits + plan.mode_bits
    late = delay(2, 3, part) + delay(plan.weight_addr_bits, 1 if plan.once_bits else 2, part)
    return times(found, plan.paths) + Counter(ff=control) + late


def _broadcast(plan: HardwarePlan) -> Gates:
    copies = 1 + -(-plan.pe_rows // plan.fanout)  # the root and the leaves of the tree
    bits = plan.row_weight_bits + 2 * plan.weight_addr_bits + 20
    root = plan.macs
    if plan.gather and len(plan.modes) == 1:  # copies of a block are one, but for those of leaves
        root = plan.modes[0].macs
    leaves = -(-plan.tile_rows // plan.fanout) * plan.macs
    operands = plan.paths * (root + leaves) * plan.operand_bits
    return Counter(ff=copies * bits + operands, lut=4 * plan.pe_rows)


def pe(plan: HardwarePlan, part: Part, split: bool) -> Gates:
    """Return the logic of a PE without its shadow: what no DSP block takes of its multipliers."""
    found = Counter(ff=4, control=4) + delay(1, 3, part)
    block, blocks = part.family.multiplier, plan.dsp_macs
    sums = (plan.macs - blocks + blocks * (split or not block.adder)) * plan.acc_bits
    found.update(ff=sums, add=sums)
    found.update(times(logic_mac(plan, part), plan.macs - blocks))
    if split or not block.registers:  # of operand, weight and product
        found["ff"] += 2 * blocks * (plan.operand_bits + plan.factor_bits)
    early = plan.macs - blocks + blocks * (split or block.registers < 2)
    found["ff"] += early * plan.weight_bits  # as weights leave their memory
    return found


def _weight_sums(plan: HardwarePlan) -> Gates:
    """Return ernn_weight_sums of a PE."""
    largest = plan.modes[0]
    adders = largest.groups * additions(largest.form.words)
    return Counter(ff=plan.pe_words * plan.pe_word_bits, add=adders * plan.weight_bits)


def logic_mac(plan: HardwarePlan, part: Part) -> Gates:
    """Return the product of a multiplier without a DSP block."""
    if plan.weight_powers:
        return power_product(plan.operand_bits, plan.factor_bits, part)
    return logic_product(plan.operand_bits, plan.factor_bits)


def _shadow(plan: HardwarePlan) -> int:
    """Return the bits of the sums of a PE."""
    return plan.macs * plan.acc_bits


def _drain(plan: HardwarePlan, part: Part) -> Gates:
    """Return the drain of a lane and column: a LUT of six inputs chooses among four, or of two."""
    bits, words = _shadow(plan), plan.pass_cycles
    found = Counter(ff=words - 1)
    for _ in range(plan.drain_levels):
        nodes = -(-words // 4)
        choices = nodes - (words % 4 == 1)  # the last node may have but one word to take
        choices += (words // 4) * (part.family.lut_inputs < 6)
        found.update(ff=nodes * (bits + 3), choose=choices * bits, control=3 * nodes)
        words = nodes
    return found


def _rows(plan: HardwarePlan, part: Part) -> Gates:
    lane = times(adder_tree(plan.pe_columns, plan.acc_bits, plan.sum_bits), plan.macs)
    largest = plan.modes[0]
    several = len(plan.modes) > 1
    lane["add"] += largest.groups * additions(largest.form.sums) * plan.add_bits
    lane["choose"] += plan.word * plan.add_bits * several
    lane["choose"] += plan.word * plan.aligned_bits * (len(plan.aligns) > 1)
    lane["choose"] += plan.word * plan.inverse_bits * several
    lane["ff"] += plan.word * (
        plan.post_cycles * plan.add_bits
        + plan.align_cycles * plan.aligned_bits
        + plan.inverse_input.width
        + plan.place_cycles * plan.inverse_bits
        + plan.row.width
    )
    entering, row = plan.inverse_input, plan.row
    first = requant(plan.aligned_bits, plan.acc_frac_bits, entering.width, entering.frac_bits)
    last = requant(plan.inverse_bits, plan.row_frac_bits, row.width, row.frac_bits)
    lane.update(times(first + last, plan.word))
    for net in plan.inverse_networks:
        lane.update(_transform(plan, net, part))
    delays = plan.rows_cycles
    tag = delay(plan.pass_tag_bits, plan.drain_cycles - 1, part)
    tag.update(delay(plan.bias_addr_bits, delays - 2 - plan.read_wait("bias"), part))
    tag.update(delay(plan.bias_bits, plan.read_wait("bias"), part))
    tag.update(delay(plan.queue_bits + 3 * several, delays, part))
    if plan.shift_bits:
        lane.update(times(shifter(plan.aligned_bits, plan.shift_bits, part), plan.word))
        before = plan.shift_cycles - 1 - plan.read_wait("row_shifts")
        tag.update(delay(plan.bias_addr_bits, before, part) + valid_delay(before))
        tag.update(delay(plan.row_shift_bits, plan.read_wait("row_shifts"), part))
    control = plan.pass_tag_bits + len(plan.array_queues)
    tag.update(valid_delay(plan.drain_cycles - 1 + delays))
    tag.update(ff=control, control=control)
    return times(lane, plan.drain_lanes) + tag


def _transform(plan: HardwarePlan, net: TransformPlan, part: Part) -> Gates:
    """Return the transforms of a word, and the wait for slower ones beside them."""
    found = delay(plan.word * net.out_bits, net.wait_cycles, part)
    if net.module:
        bits = plan.vector.width  # the rotations have as many
        one = transform(net.inverse, net.block, net.in_bits, bits, part)
        found.update(times(one, net.groups))
    return found


def _writer(plan: HardwarePlan, memory: MemoryPlan, part: Part) -> Gates:
    """Return ernn_transform_*."""
    tag = plan.stream_bits + memory.offset_bits + 3
    found = delay(tag, memory.token_cycles, part) + valid_delay(memory.token_cycles)
    found["control"] += memory.offset_bits
    data = plan.word * memory.input_bits
    if memory.scaled:
        entering = memory.transform_bits
        found.update(ff=3 * data)
        scaled = requant(memory.product_bits, memory.scale_shift, entering, 0)
        found.update(times(scaled, plan.word))
        found.update(ff=plan.word * entering + memory.scale_addr_bits, lut=1)
        found.update(choose=plan.word * entering, control=memory.scale_addr_bits)
        if not part.family.multiplier.registers:
            found["ff"] += plan.word * memory.product_bits
    elif memory.buffered:
        found["ff"] += data
    for net in memory.networks:
        found.update(_transform(plan, net, part))
    if len(memory.modes) > 1:
        found["choose"] += plan.word * memory.spectrum_bits
    return found


def _memory(plan: HardwarePlan, memory: MemoryPlan) -> Gates:
    """Return ernn_vector_memory without its words: tokens, and where the next word goes."""
    bits = plan.streams * memory.count_bits + 1 + memory.offset_bits + bits_for(plan.pe_columns)
    bits += plan.pe_columns + plan.stream_bits + 1 + memory.offset_bits  # the write, a cycle later
    return Counter(ff=bits + plan.streams, control=2 * bits)


def _queue(plan: HardwarePlan, queue: QueuePlan) -> Gates:
    """Return ernn_row_queue without its words."""
    control = 2 * queue.addr_bits + queue.count_bits + 2
    word = queue.gates * plan.word * queue.value_bits
    number = plan.queues.index(queue)
    direct = any(u.direct and number in (*u.queues, *u.paired_queues) for u in plan.units)
    found = Counter(ff=word * (not direct) + control, control=control)
    if queue.lanes > queue.gates:  # a choice among the words of an entry
        found["choose"] += word * -(-(queue.lanes // queue.gates - 1) // 3)
    return found
