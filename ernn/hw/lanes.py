"""The logic of the cell units: rows, state, lanes and words of hw_templates/ernn_unit.v.j2."""

from collections import Counter

from ernn.fixed import QFormat
from ernn.hw.gates import Gates, delay, multiply, requant, times, valid_delay
from ernn.hw.lane_plan import LanePlan, Step
from ernn.hw.plan import HardwarePlan
from ernn.hw.unit_plan import UnitPlan
from ernn.parts.part import Part

SLOPE_BITS = 18  # of an activation's slope, signed: ernn.graphs.activation allows no more


def unit(plan: HardwarePlan, one: UnitPlan, part: Part) -> Gates:
    """Return a unit but for its walker and the memory of its constants."""
    tag = plan.stream_bits + one.job_bits + 4
    found = delay(tag, one.end_cycles, part) + valid_delay(one.end_cycles)
    control = one.word_bits + one.beat_bits
    word = plan.word * one.value_bits
    several = one.beats > 1
    for read in one.reads(plan.queues):
        rows = len(read.values) * plan.word * read.value_bits
        found.update(ff=rows * one.holds, choose=rows * several)
    if several:
        word += plan.word * sum(given.bits for given in one.given)
        found.update(ff=word + tag + 2)
    if one.state_beats:
        control += plan.beat_addr_bits(one) + 2 * one.beat_addr_bits
    if one.state:
        found.update(ff=one.lanes * plan.state.width * (one.lane_start - 2))
    if one.state_out:
        found.update(delay(plan.beat_addr_bits(one), one.end_cycles - 1, part))
    if one.constants:
        found.update(delay(plan.constant_bits(one), one.lane_start - 2, part))
    whole = lane(one.lane, part)
    for row in one.rows(plan.queues):
        if row.half:
            whole.update(requant(row.bits, 0, row.bits, 0) + Counter(ff=row.bits, choose=row.bits))
        elif one.paired_queues:
            whole["ff"] += row.bits
    found.update(ff=control, control=2 * control)
    return found + times(whole, one.lanes)


def lane(plan: LanePlan, part: Part) -> Gates:
    """Return one lane: its circuits, and the registers of what waits."""
    found: Gates = Counter()
    for step in plan.steps:
        found.update(_circuit(plan, step, part))
    for wait in plan.waits:
        found.update(delay(plan.form(wait).width, wait.cycles, part))
    return found


def lane_products(plan: LanePlan) -> list[tuple[int, int]]:
    """Return the bits of both operands of every multiplier of a lane."""
    return [pair for step in plan.steps for pair in _products(plan, step)]


def _products(plan: LanePlan, step: Step) -> list[tuple[int, int]]:
    forms = [plan.form(operand) for operand in step.operands]
    bits = [form.width for form in forms]
    match step.circuit:
        case "sigmoid" | "tanh":  # |x| is a bit wider than a row
            return [(bits[0] + 1, SLOPE_BITS)]
        case "multiply":
            return [(bits[0], bits[1])]
        case "dot2":
            return [(bits[0], bits[1]), (bits[2], bits[3])]
        case "lerp":
            return [(bits[2], aligned(*forms[:2]).width)]
    return []


def aligned(*forms: QFormat) -> QFormat:
    """Return the format of a sum of two or more words at the finest binary point."""
    frac = max(form.frac_bits for form in forms)
    return QFormat(max(form.int_bits for form in forms) + 1, frac)


def _product(a: QFormat, b: QFormat) -> QFormat:
    return QFormat(1 + a.int_bits + b.int_bits, a.frac_bits + b.frac_bits)


def _circuit(plan: LanePlan, step: Step, part: Part) -> Gates:
    forms = [plan.form(operand) for operand in step.operands]
    out = plan.form(step)
    match step.circuit:
        case "sigmoid" | "tanh":
            return _activation(forms[0].width, out.width, part)
        case "relu":
            return Counter(choose=out.width)
        case "multiply":
            return _multiply(part, forms[0], forms[1], out)
        case "dot2":
            return _dot2(part, _product(*forms[:2]), _product(*forms[2:]), out)
        case "lerp":
            difference, a = aligned(*forms[:2]), forms[0]
            found = Counter(ff=difference.width + a.width, add=difference.width)
            return found + _multiply(part, forms[2], difference, out)
        case "move":
            return _rounded(forms[0], out) + Counter(ff=out.width)
    return Counter()


def _rounded(form: QFormat, out: QFormat) -> Gates:
    return requant(form.width, form.frac_bits, out.width, out.frac_bits)


def _activation(row: int, gate: int, part: Part) -> Gates:
    """Return ernn_sigmoid or ernn_tanh; a slope and an intercept are about as wide as a gate."""
    found = Counter(ff=row + 3 * gate + 4, activation=row + 2 * gate)
    return found if part.family.multiplier.registers else found + Counter(ff=2 * (row + gate))


def _multiply(part: Part, a: QFormat, b: QFormat, out: QFormat) -> Gates:
    frac = a.frac_bits + b.frac_bits
    found = multiply(a.width, b.width, frac, out.width, out.frac_bits)
    return found if part.family.multiplier.registers else found + Counter(ff=a.width + b.width)


def _dot2(part: Part, first: QFormat, second: QFormat, out: QFormat) -> Gates:
    total = aligned(first, second)
    found = _rounded(total, out) + Counter(ff=out.width)
    if not part.family.multiplier.adder:  # a block that has one takes both products and their sum
        found.update(ff=total.width, add=total.width)
    if not part.family.multiplier.registers:
        found.update(ff=first.width + second.width)
    return found
