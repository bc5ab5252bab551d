"""What logic is counted in: registers exactly, and the bits of adders and choices that become LUTs.

A `Counter` of kinds describes a piece of Verilog before it meets a part: ``ff`` and ``lut`` are
counted, every other kind is bits of one kind of logic, whose LUTs per bit were fitted to syntheses
(`costs` of its family). Sequences of registers become shift registers where a part has them.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ernn.graphs.fourier import Scale, Sum, Transform, forward, inverse
from ernn.hw.widths import signed_bits
from ernn.parts.family import Costs
from ernn.parts.part import Part

Gates = Counter[str]

KINDS = frozenset(Costs.__dataclass_fields__)


def luts_of(gates: Gates, part: Part) -> int:
    """Return the LUTs of a piece of logic."""
    per_bit = part.family.costs
    fitted = sum(getattr(per_bit, kind) * bits for kind, bits in gates.items() if kind in KINDS)
    return gates["lut"] + round(fitted)


def times(gates: Gates, count: int) -> Gates:
    """Return ``count`` pieces of the same logic."""
    return Counter({kind: bits * count for kind, bits in gates.items()})


def total(pieces: Iterable[Gates]) -> Gates:
    """Return several pieces together."""
    found: Gates = Counter()
    for piece in pieces:
        found.update(piece)
    return found


def delay(bits: int, cycles: int, part: Part) -> Gates:
    """Return ernn_delay, or registers in a row."""
    shift = part.family.shift_register
    if shift and cycles >= shift.shortest:
        return Counter(lut=bits * -(-cycles // shift.depth))
    return Counter(ff=bits * cycles)


def valid_delay(cycles: int) -> Gates:
    """Return ernn_valid_delay: its reset keeps it out of shift registers."""
    return Counter(ff=cycles)


def requant(in_bits: int, in_frac: int, out_bits: int, out_frac: int) -> Gates:
    """Return ernn_requant: a sum without the bits below the rounding's half, and saturation."""
    right, left = max(0, in_frac - out_frac), max(0, out_frac - in_frac)
    sum_bits = 1 + max(in_bits + left, out_bits + right)
    top = sum_bits - right - out_bits + 1
    return Counter(add=sum_bits - max(0, right - 1), round=out_bits, choose=top // 3)


def shifter(bits: int, shift_bits: int, part: Part) -> Gates:
    """Return a shift and its register: a LUT of six inputs chooses among four, or of two."""
    levels = -(-shift_bits // 2) if part.family.lut_inputs >= 6 else shift_bits
    return Counter(choose=bits * levels, ff=bits)


def adder_tree(terms: int, in_bits: int, out_bits: int) -> Gates:
    """Return ernn_adder_tree: copies of the sign are one register."""
    found: Gates = Counter()
    level = 0
    while terms > 1:
        level += 1
        bits = min(out_bits, in_bits + level)
        found.update(add=bits * (terms // 2), ff=bits * -(-terms // 2))
        terms = -(-terms // 2)
    return found


def skid(bits: int) -> Gates:
    """Return ernn_skid."""
    return Counter(ff=2 * bits + 2, choose=bits, control=2)


def multiply(a_bits: int, b_bits: int, product_frac: int, out_bits: int, out_frac: int) -> Gates:
    """Return ernn_multiply but for its product, which the DSP block registers."""
    return requant(a_bits + b_bits, product_frac, out_bits, out_frac) + Counter(ff=2 * out_bits)


def logic_product(a_bits: int, b_bits: int) -> Gates:
    """Return ernn_logic_product: sums of pairs of Booth digits, then their sum."""
    digits = (b_bits + 1) // 2
    pairs = (digits - 1) // 2
    sums = digits - pairs
    return Counter(
        ff=pairs * (a_bits + 5) + (sums - pairs) * (a_bits + 2) + a_bits + b_bits,
        product=(2 * pairs + sums - pairs) * (a_bits + 3),
        add=(sums - 1) * (a_bits + 6),
    )


def power_product(a_bits: int, b_bits: int, part: Part) -> Gates:
    """Return ernn_power_product: 0 or a shifted, with a sign; each bit is a choice."""
    shifts = (1 << (b_bits - 1)) - 2  # beyond the first power
    choices = 1 if shifts == 0 or part.family.lut_inputs >= 6 else 3
    bits = a_bits + shifts
    return Counter(ff=a_bits + b_bits + bits + 1, lut=bits * choices)


def transform(is_inverse: bool, block: int, in_bits: int, bits: int, part: Part) -> Gates:
    """Return a module of ernn.hdl.datapath.transform.

    Args:
        is_inverse: which transform.
        block: its size.
        in_bits: of a value that enters.
        bits: fraction bits of the rotations.
        part: with or without shift registers.
    """
    graph = (inverse if is_inverse else forward)(block, bits)
    return _transform(graph, in_bits, part)


@dataclass(frozen=True)
class _Register:
    sources: tuple[int, ...]  # numbers of registers; negative: an input
    copies: bool  # its source, perhaps shifted
    bits: int


@lru_cache(maxsize=256)
def _transform(graph: Transform, in_bits: int, part: Part) -> Gates:
    half = 1 << (in_bits - 1)
    registers: list[_Register] = []
    found: Gates = Counter()
    lines = [-1 - line for line in range(graph.size)]
    for stage, bounds in zip(graph.stages, graph.bounds(-half, half - 1)[1:], strict=True):
        known: dict[object, int] = {}  # equal operations are one register
        numbers = []
        for op, interval in zip(stage, bounds, strict=True):
            sources = tuple(lines[one] for one in _sources(op))
            key = (sources, op.factor if isinstance(op, Scale) else (op.sign, op.shift))
            if key not in known:
                known[key], bits = len(registers), signed_bits([interval])
                if isinstance(op, Scale):  # the zeros at its low end are no registers
                    bits -= (op.factor & -op.factor).bit_length() - 1
                adders = _adders(op, bits)
                registers.append(_Register(sources, not adders, bits))
                found.update(adders)
            numbers.append(known[key])
        lines = numbers
    readers = Counter(source for one in registers for source in one.sources)
    runs, ended = [1] * len(registers), [True] * len(registers)  # of registers in a row
    for number, one in enumerate(registers):
        source = one.sources[0]
        if one.copies and source >= 0 and readers[source] == 1:
            runs[number], ended[source] = runs[source] + 1, False
    for one, run, last in zip(registers, runs, ended, strict=True):
        if last:
            found.update(delay(one.bits, run, part))
    return found


def _sources(op: Scale | Sum) -> tuple[int, ...]:
    return (op.a,) if isinstance(op, Scale) or op.b is None else (op.a, op.b)


def _adders(op: Scale | Sum, bits: int) -> Gates:
    """Return the additions of an operation; none if it only moves a value."""
    if isinstance(op, Sum):
        if op.b is None:
            return Counter()
        return +Counter(add=bits + op.shift, digits=(bits + op.shift) * (op.shift > 0))
    size = abs(op.factor)
    digits = (3 * size ^ size).bit_count()  # signed ones, as few as there can be
    negated = op.factor < 0 and digits == 1
    return +Counter(add=bits * (digits > 1 or negated), digits=bits * max(0, digits - 2))
