"""rPLL, the GW2A's clock synthesizer: its dividers for a clock, and the module around it.

UG286 (Gowin clock): out = in * (FBDIV_SEL + 1) / (IDIV_SEL + 1); the oscillator runs at out *
ODIV_SEL. Limits of the speed grade C8/I7 from DS226 (GW2AR), not checked against it.
"""

from dataclasses import dataclass
from itertools import product

from ernn.errors import PlanError

PHASE_MHZ = (3.0, 500.0)  # at the phase detector
OSCILLATOR_MHZ = (500.0, 1250.0)
OUTPUT_DIVIDERS = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)
WITHIN = 0.001  # of the clock that is asked for

_MODULE = """// SPDX-License-Identifier: Apache-2.0
// ernn_pll: {out:g} MHz of the board's {board:g} MHz, by rPLL: * {multiply} / {divide}.
`default_nettype none

module ernn_pll (
    input  wire clk_i,
    output wire clk_o,
    output wire locked
);

  rPLL #(
      .FCLKIN("{board:g}"),
      .DEVICE("{device}"),
      .IDIV_SEL({idiv}),
      .FBDIV_SEL({fbdiv}),
      .ODIV_SEL({odiv}),
      .DYN_IDIV_SEL("false"),
      .DYN_FBDIV_SEL("false"),
      .DYN_ODIV_SEL("false"),
      .DYN_DA_EN("false"),
      .DYN_SDIV_SEL(2),
      .DUTYDA_SEL("1000"),
      .PSDA_SEL("0000"),
      .CLKFB_SEL("internal"),
      .CLKOUT_BYPASS("false"),
      .CLKOUTP_BYPASS("false"),
      .CLKOUTD_BYPASS("false"),
      .CLKOUTD_SRC("CLKOUT"),
      .CLKOUTD3_SRC("CLKOUT"),
      .CLKOUT_FT_DIR(1'b1),
      .CLKOUT_DLY_STEP(0),
      .CLKOUTP_FT_DIR(1'b1),
      .CLKOUTP_DLY_STEP(0)
  ) u_pll (
      .CLKIN(clk_i),
      .CLKFB(1'b0),
      .RESET(1'b0),
      .RESET_P(1'b0),
      .FBDSEL(6'd0),
      .IDSEL(6'd0),
      .ODSEL(6'd0),
      .PSDA(4'd0),
      .DUTYDA(4'd0),
      .FDLY(4'd0),
      .CLKOUT(clk_o),
      .LOCK(locked),
      .CLKOUTP(),
      .CLKOUTD(),
      .CLKOUTD3()
  );
endmodule

`default_nettype wire
"""


@dataclass(frozen=True)
class Dividers:
    """What an rPLL multiplies and divides by."""

    divide: int  # IDIV_SEL + 1
    multiply: int  # FBDIV_SEL + 1
    oscillator: int  # ODIV_SEL

    def clock_mhz(self, board_mhz: float) -> float:
        """Return the clock that comes out."""
        return board_mhz * self.multiply / self.divide


def dividers(board_mhz: float, clock_mhz: float) -> Dividers:
    """Return the dividers whose clock is nearest, the smallest ones among equals.

    Raises:
        PlanError: none comes within 0.1 %.
    """
    able = [
        Dividers(divide, multiply, oscillator)
        for divide, multiply, oscillator in product(range(1, 65), range(1, 65), OUTPUT_DIVIDERS)
        if PHASE_MHZ[0] <= board_mhz / divide <= PHASE_MHZ[1]
        and OSCILLATOR_MHZ[0] <= board_mhz * multiply / divide * oscillator <= OSCILLATOR_MHZ[1]
    ]
    best = min(able, key=lambda one: (abs(one.clock_mhz(board_mhz) - clock_mhz), one.divide))
    made = best.clock_mhz(board_mhz)
    if abs(made / clock_mhz - 1) > WITHIN:
        raise PlanError(
            f"the PLL makes {made:.3f} MHz of {board_mhz:g} MHz where {clock_mhz:g} are asked for",
            remedy="choose --clock-mhz so that it can",
        )
    return best


def module(board_mhz: float, clock_mhz: float, device: str) -> str:
    """Return `ernn_pll` in Verilog.

    Raises:
        PlanError: see `dividers`.
    """
    found = dividers(board_mhz, clock_mhz)
    return _MODULE.format(
        out=clock_mhz,
        board=board_mhz,
        device=device,
        multiply=found.multiply,
        divide=found.divide,
        idiv=found.divide - 1,
        fbdiv=found.multiply - 1,
        odiv=found.oscillator,
    )
