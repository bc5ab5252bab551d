"""Clock cycles from the inputs to the outputs of every fixed pipeline.

The Verilog in hw_templates/lib and the circuits of ernn.hdl.datapath are built to these numbers,
and tests/rtl measures them. The latency of a Fourier transform is `Network.latency_cycles`.
"""

ACTIVATION_CYCLES = 5  # |x|; line of its grid cell; product; sum; sign
MULTIPLY_CYCLES = 2  # product; rounding and sum


def lstm_lane_cycles(peepholes: bool) -> int:
    """Return the latency of ernn_lstm_lane."""
    rows = MULTIPLY_CYCLES if peepholes else 0
    state = 3  # products, their sum, rounding
    output_row = MULTIPLY_CYCLES if peepholes else 1  # one register rounds c' for its tanh
    return rows + ACTIVATION_CYCLES + state + output_row + ACTIVATION_CYCLES + MULTIPLY_CYCLES


def gru_reset_lane_cycles() -> int:
    """Return the latency of ernn_gru_reset_lane."""
    return ACTIVATION_CYCLES + MULTIPLY_CYCLES


def gru_update_lane_cycles() -> int:
    """Return the latency of ernn_gru_update_lane."""
    return ACTIVATION_CYCLES + 1 + MULTIPLY_CYCLES + 1  # n - h; z times it; h' as a vector element


def gru_after_lane_cycles() -> int:
    """Return the latency of ernn_gru_after_lane."""
    return ACTIVATION_CYCLES + MULTIPLY_CYCLES + gru_update_lane_cycles()
