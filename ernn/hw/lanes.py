"""The logic of the cell units: rows, state, lanes and words of hw_templates/ernn_unit.v.j2."""

from collections import Counter

from ernn.hw.gates import Gates, delay, multiply, requant, times, valid_delay
from ernn.hw.latency import ACTIVATION_CYCLES, MULTIPLY_CYCLES
from ernn.hw.plan import HardwarePlan
from ernn.hw.unit_plan import UnitPlan
from ernn.parts.part import Part


def unit(plan: HardwarePlan, one: UnitPlan, part: Part) -> Gates:
    """Return a unit but for its walker and its peephole memory."""
    tag = plan.stream_bits + one.job_bits + 4
    found = delay(tag, one.end_cycles, part) + valid_delay(one.end_cycles)
    control = one.word_bits + one.beat_bits
    word = plan.word * one.value_bits
    several = one.beats > 1
    for read in one.reads(plan.queues):
        rows = read.gates * plan.word * read.value_bits
        found.update(ff=rows, choose=rows * several)
    if several:
        word += plan.word * plan.gate.width * one.writes_gate
        found.update(ff=word + tag + 2)
    if one.reads_state:
        state = one.lanes * plan.state.width
        found.update(ff=state * (1 + one.pair_cycles))
        control += plan.state_addr_bits + 2 * one.beat_addr_bits
    if one.writes_state:
        found.update(delay(plan.state_addr_bits, one.end_cycles - 1, part))
    if one.peepholes:
        peep = 3 * one.lanes * plan.peephole.width
        found.update(delay(peep, one.pair_cycles + 1, part))
    lane = _LANES[one.name](plan, one, part)
    for row in one.rows(plan.queues):
        if row.half:
            lane.update(requant(row.bits, 0, row.bits, 0) + Counter(ff=row.bits, choose=row.bits))
        elif one.paired_queues:
            lane["ff"] += row.bits
    found.update(ff=control, control=2 * control)
    return found + times(lane, one.lanes)


def _activation(plan: HardwarePlan, part: Part) -> Gates:
    """Return ernn_sigmoid or ernn_tanh; a slope and an intercept are about as wide as a gate."""
    row, gate = plan.row.width, plan.gate.width
    found = Counter(ff=row + 4 * gate + 5, activation=row + 2 * gate)
    return found if part.family.multiplier.registers else found + Counter(ff=2 * (row + gate))


def _multiply(part: Part, a: int, b: int, frac: int, out: int, to: int) -> Gates:
    found = multiply(a, b, frac, out, to)
    return found if part.family.multiplier.registers else found + Counter(ff=a + b)


def _reset(plan: HardwarePlan, one: UnitPlan, part: Part) -> Gates:
    gate, state, vector = plan.gate, plan.state, plan.vector
    found = times(_activation(plan, part), 2)
    found.update(delay(state.width, ACTIVATION_CYCLES, part))
    found.update(delay(gate.width, MULTIPLY_CYCLES, part))
    frac = gate.frac_bits + state.frac_bits
    value = _multiply(part, gate.width, state.width, frac, vector.width, vector.frac_bits)
    return found + value


def _update(plan: HardwarePlan, one: UnitPlan, part: Part) -> Gates:
    gate, state, vector = plan.gate, plan.state, plan.vector
    difference = 1 + max(gate.width, state.width + gate.frac_bits - state.frac_bits)
    found = _activation(plan, part)
    found.update(delay(state.width, ACTIVATION_CYCLES, part))
    found.update(delay(gate.width, ACTIVATION_CYCLES + 1, part))
    found.update(ff=difference + 2 * state.width + vector.width, add=difference)
    frac = 2 * gate.frac_bits
    found.update(_multiply(part, gate.width, difference, frac, state.width, state.frac_bits))
    return found + requant(state.width, state.frac_bits, vector.width, vector.frac_bits)


def _after(plan: HardwarePlan, one: UnitPlan, part: Part) -> Gates:
    gate, row = plan.gate, plan.row
    found = times(_activation(plan, part), 2) + _update(plan, one, part)
    found.update(delay(2 * row.width, ACTIVATION_CYCLES, part))
    found.update(delay(gate.width, MULTIPLY_CYCLES, part))
    found.update(delay(plan.state.width, ACTIVATION_CYCLES + MULTIPLY_CYCLES, part))
    frac = gate.frac_bits + row.frac_bits
    return found + _multiply(part, gate.width, row.width, frac, row.width, row.frac_bits)


def _lstm(plan: HardwarePlan, one: UnitPlan, part: Part) -> Gates:
    gate, state, row, vector = plan.gate, plan.state, plan.row, plan.vector
    wide = 1 + max(2 * gate.width, gate.width + state.width + gate.frac_bits - state.frac_bits)
    found = times(_activation(plan, part), 5)
    found.update(requant(wide, 2 * gate.frac_bits, state.width, state.frac_bits))
    found.update(requant(state.width, state.frac_bits, row.width, row.frac_bits))
    found.update(ff=state.width + row.width)
    frac = 2 * gate.frac_bits
    found.update(_multiply(part, gate.width, gate.width, frac, vector.width, vector.frac_bits))
    if not part.family.multiplier.adder:  # a block that has one takes i * g + f * c
        found.update(ff=2 * gate.width + gate.width + state.width + wide, add=wide)
    rows = MULTIPLY_CYCLES if one.peepholes else 0
    found.update(delay(row.width, rows, part))
    found.update(delay(state.width, rows + ACTIVATION_CYCLES, part))
    late = rows + ACTIVATION_CYCLES + 3
    if one.peepholes:
        peep = plan.peephole
        frac = peep.frac_bits + state.frac_bits
        each = _multiply(part, peep.width, state.width, frac, row.width, row.frac_bits)
        found.update(times(each, 3))
        found.update(delay(row.width + peep.width, late, part))
    else:
        found.update(delay(row.width, late + 1, part))
    found.update(delay(row.width, rows // 2, part))
    found.update(delay(state.width, 2 + ACTIVATION_CYCLES + MULTIPLY_CYCLES, part))
    return found


def _projection(plan: HardwarePlan, one: UnitPlan, part: Part) -> Gates:
    row, bits = plan.row, one.value_bits
    return requant(row.width, row.frac_bits, bits, plan.top.frac_bits) + Counter(ff=bits)


_LANES = {
    "lstm": _lstm,
    "gru_reset": _reset,
    "gru_update": _update,
    "gru_after": _after,
    "projection": _projection,
}
