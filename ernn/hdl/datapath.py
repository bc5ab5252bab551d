"""Circuits whose structure is computed: Fourier transforms and activation functions, by PyRTL.

Each function describes the same arithmetic as its golden model and returns one Verilog module with
the ports clk_i, in_i, out_o. Equal circuits give equal text.
"""

import io
import re

import pyrtl

from ernn.errors import ShapeError
from ernn.quant.activation import Piecewise
from ernn.quant.network import Network, Scale, Sum

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

{module}
/* verilator lint_on UNUSEDSIGNAL */
/* verilator lint_on WIDTHEXPAND */
`default_nettype wire
"""


def transform(network: Network, in_width: int, out_width: int, name: str) -> str:
    """Return the Verilog of a transform: one register behind every stage.

    Args:
        network: what to compute.
        in_width: bits of every input word; in_i holds word 0 in its low bits.
        out_width: bits of every output word, sign-extended, in out_o.
        name: of the module.

    Raises:
        ShapeError: a result needs more than ``out_width`` bits.
    """
    with pyrtl.temp_working_block():
        transform_circuit(network, in_width, out_width)
        return _verilog(
            name=name,
            purpose=f"{network.size}-point transform, constants as shifts and additions.",
            unit="block",
            cycles=network.latency_cycles,
            golden="ernn.quant.network.Network.run",
        )


def transform_circuit(network: Network, in_width: int, out_width: int) -> None:
    """Add the circuit of `transform` to PyRTL's working block."""
    half = 1 << (in_width - 1)
    bounds = network.bounds(-half, half - 1)
    needed = max(signed_bits(low, high) for low, high in bounds[-1])
    if needed > out_width:
        raise ShapeError(f"the transform's results have {needed} bits; out_width is {out_width}")
    in_i = pyrtl.Input(network.size * in_width, "in_i")
    lines = [in_i[i * in_width : (i + 1) * in_width] for i in range(network.size)]
    for number, (stage, intervals) in enumerate(zip(network.stages, bounds[1:], strict=True), 1):
        registers = []
        for word, (op, interval) in enumerate(zip(stage, intervals, strict=True)):
            register = pyrtl.Register(signed_bits(*interval), f"stage{number}_word{word}_q")
            register.next <<= _apply(op, lines, register.bitwidth)
            registers.append(register)
        lines = registers
    out_o = pyrtl.Output(network.size * out_width, "out_o")
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
    return total[op.shift :]


def _add(a: pyrtl.WireVector, b: pyrtl.WireVector, sign: int, width: int) -> pyrtl.WireVector:
    """Return a + sign * b modulo 2**width; ``a`` has that width, ``b`` is signed."""
    b = _fit(b, width)
    if isinstance(a, pyrtl.Const) and a.val == 0 and sign > 0:
        return b
    return (a + b if sign > 0 else a - b).truncate(width)


def _fit(wire: pyrtl.WireVector, width: int) -> pyrtl.WireVector:
    """Return a signed word with ``width`` bits."""
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
            golden="ernn.quant.activation.Piecewise.run",
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
    intercept = pipeline.register("intercept", intercept)
    negative = pipeline.register("negative", negative)

    # 4: rounding and intercept in one sum, whose integer part is the result for |x|.
    pipeline.advance()
    shift = piecewise.product_shift
    added = intercept
    if shift:
        added = pyrtl.concat(intercept, pyrtl.Const(1 << (shift - 1), shift))
    width = gate_width + shift
    total = _add(_fit(pyrtl.concat(pyrtl.Const(0, 1), product), width), added, 1, width)
    y = pipeline.register("y", total[shift:])
    negative = pipeline.register("negative", negative)

    # 5: symmetry.
    pipeline.advance()
    one = 0 if piecewise.name == "tanh" else 1 << piecewise.gate.frac_bits
    mirrored = (pyrtl.Const(one, gate_width) - y).truncate(gate_width)
    out_o = pyrtl.Output(gate_width, "out_o")
    out_o <<= pipeline.register("result", pyrtl.select(negative, mirrored, y))
    return pipeline.stage


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
    module = text.getvalue()[text.getvalue().index("module ") :]
    module = re.sub(r"\bclk\b", "clk_i", stable_names(module))
    # Yosys would give an ECP5 a block of memory for each table of lines; others use LUTs anyway.
    module = re.sub(r"(reg\S* line\[)", r"(* logic_block *) \1", module)
    return _FILE.format(
        name=name, purpose=purpose, unit=unit, cycles=cycles, golden=golden, module=module
    )


def stable_names(verilog: str) -> str:
    """Renumber PyRTL's temporaries in order of appearance, whatever was built before."""
    seen: dict[str, str] = {}
    return re.sub(
        r"\b(tmp|const_)\d+(_\w+)?\b",  # const_<count>_<value>
        lambda match: seen.setdefault(match[0], f"{match[1]}{len(seen)}{match[2] or ''}"),
        verilog,
    )
