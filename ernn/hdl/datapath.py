"""Circuits whose structure is computed: Fourier transforms and activation functions, by PyRTL.

Each function describes the same arithmetic as its golden model and returns one Verilog module with
the ports clk_i, in_i, out_o. Equal circuits give equal text.
"""

import io
import re
from collections import Counter

import pyrtl

from ernn.errors import ShapeError
from ernn.graphs.activation import Piecewise
from ernn.graphs.fourier import Scale, Sum, Transform

_FILE = """\
// SPDX-License-Identifier: Apache-2.0
// {name}: {purpose}
//
// One {unit} per cycle; latency {cycles} cycles.
// Golden model: {golden}
// Written by ernn.hdl.datapath through PyRTL, whose sums are a bit wider than their operands:
// Verilog widens the operands by itself, and the carry is dropped where the result cannot need it.
`default_nettype none
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off UNUSEDSIGNAL */

module {name} (
  input  wire clk_i,
  input  wire [{in_msb}:0] in_i,
  output wire [{out_msb}:0] out_o
);
{body}
/* verilator lint_on UNUSEDSIGNAL */
/* verilator lint_on WIDTHEXPAND */
`default_nettype wire
"""


def transform(graph: Transform, in_width: int, out_width: int, name: str) -> str:
    """Return the Verilog of a transform: one register behind every stage.

    Args:
        graph: what to compute.
        in_width: bits of every input word; in_i holds word 0 in its low bits.
        out_width: bits of every output word, sign-extended, in out_o.
        name: of the module.

    Raises:
        ShapeError: a result needs more than ``out_width`` bits.
    """
    with pyrtl.temp_working_block():
        transform_circuit(graph, in_width, out_width)
        return _verilog(
            name=name,
            purpose=f"{graph.size}-point transform, constants as shifts and additions.",
            unit="block",
            cycles=graph.latency_cycles,
            golden="ernn.graphs.fourier.Transform.run",
        )


def transform_circuit(graph: Transform, in_width: int, out_width: int) -> None:
    """Add the circuit of `transform` to PyRTL's working block."""
    half = 1 << (in_width - 1)
    bounds = graph.bounds(-half, half - 1)
    needed = max(signed_bits(low, high) for low, high in bounds[-1])
    if needed > out_width:
        raise ShapeError(f"the transform's results have {needed} bits; out_width is {out_width}")
    in_i = pyrtl.Input(graph.size * in_width, "in_i")
    lines = [in_i[i * in_width : (i + 1) * in_width] for i in range(graph.size)]
    for word, line in enumerate(lines):
        line.name = f"in_word{word}"
    for number, (stage, intervals) in enumerate(zip(graph.stages, bounds[1:], strict=True), 1):
        registers = []
        for word, (op, interval) in enumerate(zip(stage, intervals, strict=True)):
            register = pyrtl.Register(signed_bits(*interval), f"stage{number}_word{word}_q")
            register.next <<= _apply(op, lines, register.bitwidth)
            registers.append(register)
        lines = registers
    out_o = pyrtl.Output(graph.size * out_width, "out_o")
    out_o <<= pyrtl.concat_list([line.sign_extended(out_width) for line in lines])


def _apply(op: Scale | Sum, lines: list[pyrtl.WireVector], width: int) -> pyrtl.WireVector:
    """Return the ``width`` bits of an operation's result."""
    if isinstance(op, Scale):
        total = pyrtl.Const(0, width)
        for shift, sign in signed_digits(op.factor):
            term = pyrtl.concat(lines[op.a], pyrtl.Const(0, shift)) if shift else lines[op.a]
            total = _add(total, term, sign, width)
        return total
    width += op.shift
    total = _fit(lines[op.a], width)
    if op.b is not None:
        total = _add(total, lines[op.b], op.sign, width)
    if op.shift:
        total = _add(total, pyrtl.Const(1 << (op.shift - 1), width), 1, width)
    return total[op.shift :] if op.shift else total


def _add(a: pyrtl.WireVector, b: pyrtl.WireVector, sign: int, width: int) -> pyrtl.WireVector:
    """Return a + sign * b modulo 2**width; ``a`` has that width, ``b`` is signed."""
    b = _fit(b, width)
    if isinstance(a, pyrtl.Const) and a.val == 0 and sign > 0:
        return b
    return (a + b if sign > 0 else a - b).truncate(width)


def _fit(wire: pyrtl.WireVector, width: int) -> pyrtl.WireVector:
    """Return a signed word with ``width`` bits."""
    if wire.bitwidth == width:
        return wire
    return wire.truncate(width) if wire.bitwidth >= width else wire.sign_extended(width)


def signed_bits(low: int, high: int) -> int:
    """Return the bits that hold every integer in [low, high] in two's complement."""
    return 1 + max((-1 - low).bit_length() if low < 0 else 0, high.bit_length() if high > 0 else 0)


def signed_digits(factor: int) -> list[tuple[int, int]]:
    """Return the (shift, sign) of a constant's canonical signed digits, positive ones first.

    No constant is the sum of fewer powers of two and their negatives.
    """
    digits = []
    shift = 0
    while factor:
        if factor & 1:
            sign = 2 - (factor & 3)  # +1 or -1, whichever leaves two zeros behind it
            digits.append((shift, sign))
            factor -= sign
        factor >>= 1
        shift += 1
    return sorted(digits, key=lambda digit: (-digit[1], digit[0]))


def activation(piecewise: Piecewise) -> str:
    """Return the Verilog of module ernn_sigmoid or ernn_tanh."""
    with pyrtl.temp_working_block():
        cycles = activation_circuit(piecewise)
        return _verilog(
            name=f"ernn_{piecewise.name}",
            purpose=f"{piecewise.name} of a {piecewise.row} word as a {piecewise.gate} word.",
            unit="word",
            cycles=cycles,
            golden="ernn.graphs.activation.Piecewise.run",
        )


def activation_circuit(piecewise: Piecewise) -> int:
    """Add the circuit of `activation` to PyRTL's working block and return its latency."""
    row_width, gate_width = piecewise.row.width, piecewise.gate.width
    in_i = pyrtl.Input(row_width, "in_i")
    pipeline = _Pipeline()

    # 1: |x|, as an unsigned word because of the smallest x.
    negative = pipeline.register("negative", in_i[-1])
    size = pipeline.register("size", pyrtl.select(in_i[-1], (~in_i + 1).truncate(row_width), in_i))

    # 2: the line of its grid cell.
    pipeline.advance()
    slope, intercept = _line(piecewise, size)
    slope, intercept = pipeline.register("slope", slope), pipeline.register("intercept", intercept)
    size, negative = pipeline.register("size", size), pipeline.register("negative", negative)

    # 3: the product.
    pipeline.advance()
    product = pipeline.register("product", slope * size)
    # Symmetry: one - (intercept + round(product)) is one - intercept + round(~product), for a half
    # that rounds up rounds down with the sign; without rounding ~product misses a one.
    shift = piecewise.product_shift
    one = 0 if piecewise.name == "tanh" else 1 << piecewise.gate.frac_bits
    intercept = _fit(intercept, gate_width)
    mirrored = pyrtl.Const(one + (shift == 0), gate_width) - intercept
    intercept = pipeline.register(
        "intercept", pyrtl.select(negative, mirrored.truncate(gate_width), intercept)
    )
    negative = pipeline.register("negative", negative)

    # 4: rounding and intercept in one sum, whose integer part is the result.
    pipeline.advance()
    width = gate_width + shift
    product = _fit(pyrtl.concat(pyrtl.Const(0, 1), product), width)
    # Named, or the sum would be printed around them, and be narrower than its parts for slang.
    product = _wire("turned", pyrtl.select(negative, ~product, product))
    half = [pyrtl.Const(1 << (shift - 1), shift)] if shift else []
    added = _wire("added", pyrtl.concat(intercept, *half))
    out_o = pyrtl.Output(gate_width, "out_o")
    out_o <<= pipeline.register("result", _add(product, added, 1, width)[shift:])
    return pipeline.stage


def _wire(name: str, value: pyrtl.WireVector) -> pyrtl.WireVector:
    """Return ``value`` as a wire of this name."""
    wire = pyrtl.WireVector(value.bitwidth, name)
    wire <<= value
    return wire


class _Pipeline:
    """Names registers after the stage that they end."""

    def __init__(self) -> None:
        self.stage = 1

    def advance(self) -> None:
        """Begin the next stage."""
        self.stage += 1

    def register(self, name: str, value: pyrtl.WireVector) -> pyrtl.Register:
        """Return ``value`` one cycle later."""
        register = pyrtl.Register(value.bitwidth, f"{name}_q{self.stage}")
        register.next <<= value
        return register


def _line(
    piecewise: Piecewise, size: pyrtl.WireVector
) -> tuple[pyrtl.WireVector, pyrtl.WireVector]:
    """Look up slope (unsigned) and intercept (signed) for |x|."""
    slopes, intercepts = piecewise.slopes.tolist(), piecewise.intercepts.tolist()
    assert min(slopes) >= 0, "both functions increase"
    slope_width = max(1, max(slopes).bit_length())
    intercept_width = signed_bits(min(intercepts), max(intercepts))
    mask = (1 << intercept_width) - 1
    words = [a << intercept_width | b & mask for a, b in zip(slopes, intercepts, strict=True)]
    *cells, beyond = words
    address_width = max(1, (len(cells) - 1).bit_length())
    table = pyrtl.RomBlock(
        bitwidth=slope_width + intercept_width,
        addrwidth=address_width,
        romdata=cells + [beyond] * ((1 << address_width) - len(cells)),
        name="line",
        max_read_ports=1,
        asynchronous=True,
    )
    index = size[piecewise.index_shift :]
    found = table[_unsigned(index, address_width)]
    line = pyrtl.select(index >= len(cells), pyrtl.Const(beyond, len(found)), found)
    return line[intercept_width:], line[:intercept_width]


def _unsigned(wire: pyrtl.WireVector, width: int) -> pyrtl.WireVector:
    return wire.truncate(width) if wire.bitwidth >= width else wire.zero_extended(width)


def _verilog(name: str, purpose: str, unit: str, cycles: int, golden: str) -> str:
    """Print PyRTL's working block as a file of the house."""
    text = io.StringIO()
    pyrtl.output_to_verilog(text, add_reset=False, module_name=name)
    # PyRTL's ports have no net type, which tools refuse under `default_nettype none.
    body = text.getvalue().partition("    output[")[2].partition("\n")[2].replace("    ", "  ")
    body = _named(re.sub(r"\bclk\b", "clk_i", body))
    body = re.sub(r"\b(reg|wire)\[", r"\1 [", body)
    # Yosys would give an ECP5 a block of memory for each table of lines; others use LUTs anyway.
    body = re.sub(r"(reg \S+ line\[)", r"(* logic_block *) \1", body)
    ports = pyrtl.working_block().wirevector_by_name
    return _FILE.format(
        name=name,
        purpose=purpose,
        unit=unit,
        cycles=cycles,
        golden=golden,
        in_msb=ports["in_i"].bitwidth - 1,
        out_msb=ports["out_o"].bitwidth - 1,
        body=body,
    )


_ROLES = {"+": "sum", "-": "difference", "*": "product", "s": "bits", "c": "joined", "x": "choice"}
_ROLES |= {"~": "inverse", "m": "word", "const": "constant"}


def _named(body: str) -> str:
    """Give PyRTL's temporaries names: the register that they lead to, what they are, a number.

    Whatever was built before, the same circuit has the same names.
    """
    block = pyrtl.working_block()
    driver, _ = block.net_connections()
    roles: dict[str, str] = {}

    def visit(wire: pyrtl.WireVector, goal: str) -> None:
        if isinstance(wire, pyrtl.Input | pyrtl.Register) or wire.name in roles:
            return
        net = driver.get(wire)  # a constant has none
        for source in net.args if net else ():
            visit(source, goal)
        roles[wire.name] = f"{goal}_{_ROLES.get(net.op if net else 'const', 'test')}"

    goals = block.wirevector_subset((pyrtl.Register, pyrtl.Output))
    for goal in sorted(goals, key=lambda wire: (len(wire.name), wire.name)):
        for source in driver[goal].args:
            visit(source, re.sub(r"_(q|o$)", "", goal.name))
    names: dict[str, str] = {}
    count: Counter[str] = Counter()

    def name(match: re.Match[str]) -> str:
        if match[0] not in names:
            role = roles[match[0]]
            count[role] += 1
            names[match[0]] = f"{role}{count[role]}"
        return names[match[0]]

    return re.sub(r"\b(?:tmp\d+|const_\w+)\b", name, body)
