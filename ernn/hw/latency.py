"""Clock cycles from the inputs to the outputs of every fixed circuit.

The Verilog in hw_templates/lib and the circuits of ernn.hdl.datapath are built to these numbers,
and tests/rtl measures them. The latency of a Fourier transform is `Transform.latency_cycles`, and
that of a cell's lane follows in ernn.hw.lane_plan.
"""

from ernn.graphs.cell import SQUASHING, Act, Dot2, Lerp, Move, Mul, Operation

ACTIVATION_CYCLES = 4  # |x|; line of its grid cell; product; sum, with the sign
MULTIPLY_CYCLES = 2  # product; rounding and sum
DOT2_CYCLES = 3  # products; their sum; rounding
LERP_CYCLES = 1 + MULTIPLY_CYCLES  # difference; then times the weight
MOVE_CYCLES = 1  # rounding


def operation_cycles(node: Operation) -> int:
    """Return the latency of the circuit of an operation; relu and none are mere gates."""
    match node:
        case Act(function=function):
            return ACTIVATION_CYCLES if function in SQUASHING else 0
        case Mul():
            return MULTIPLY_CYCLES
        case Dot2():
            return DOT2_CYCLES
        case Lerp():
            return LERP_CYCLES
        case Move():
            return MOVE_CYCLES
