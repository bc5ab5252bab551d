// SPDX-License-Identifier: Apache-2.0
// MULT18X18D: an ECP5's multiplier as ernn uses it: with or without registers of both operands, with or
// without one of the product, on clock 0 with its enable and reset; for any simulator.
//
// Golden model: none (tests/rtl/test_cells.py compares it with a product)
`default_nettype none

module MULT18X18D (
    input wire
      A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0, B17, B16, B15, B14, B13, B12, B11,
      B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0, C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3,
      C2, C1, C0, SIGNEDA, SIGNEDB, SOURCEA, SOURCEB, CLK3, CLK2, CLK1, CLK0, CE3, CE2, CE1, CE0, RST3, RST2, RST1, RST0,
    output wire
      P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15, P14, P13,
      P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
  parameter REG_INPUTA_CLK = "NONE", REG_INPUTA_CE = "CE0", REG_INPUTA_RST = "RST0";
  parameter REG_INPUTB_CLK = "NONE", REG_INPUTB_CE = "CE0", REG_INPUTB_RST = "RST0";
  parameter REG_INPUTC_CLK = "NONE", REG_INPUTC_CE = "CE0", REG_INPUTC_RST = "RST0";
  parameter REG_PIPELINE_CLK = "NONE", REG_PIPELINE_CE = "CE0", REG_PIPELINE_RST = "RST0";
  parameter REG_OUTPUT_CLK = "NONE", REG_OUTPUT_CE = "CE0", REG_OUTPUT_RST = "RST0";
  parameter CLK0_DIV = "ENABLED", CLK1_DIV = "ENABLED", CLK2_DIV = "ENABLED", CLK3_DIV = "ENABLED";
  parameter HIGHSPEED_CLK = "NONE", GSR = "ENABLED", CAS_MATCH_REG = "FALSE";
  parameter SOURCEB_MODE = "B_SHIFT", MULT_BYPASS = "DISABLED", RESETMODE = "SYNC";

  wire [17:0] a = {
    A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0
  };
  wire [17:0] b = {
    B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0
  };
  localparam [0:0] IN = REG_INPUTA_CLK == "CLK0", OUT = REG_OUTPUT_CLK == "CLK0";

  reg [17:0] a_q, b_q;
  reg [35:0] product_q;
  wire [17:0] a_in = IN ? a_q : a;
  wire [17:0] b_in = IN ? b_q : b;
  // A bit above the operands: their sign, or nothing
  wire signed [18:0] wide_a = {SIGNEDA && a_in[17], a_in};
  wire signed [18:0] wide_b = {SIGNEDB && b_in[17], b_in};
  wire signed [37:0] product = wide_a * wide_b;
  assign {
    P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15, P14, P13,
    P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
  } = OUT ? product_q : product[35:0];

  initial {a_q, b_q, product_q} = 72'd0;
  generate
    if (IN || OUT) begin : gen_registers
      always @(posedge CLK0)
        if (RST0) {a_q, b_q, product_q} <= 72'd0;
        else if (CE0) {a_q, b_q, product_q} <= {a, b, product[35:0]};
    end
  endgenerate

  generate
    if (REG_INPUTA_CLK != REG_INPUTB_CLK || (!IN && REG_INPUTA_CLK != "NONE") || REG_PIPELINE_CLK != "NONE"
        || (!OUT && REG_OUTPUT_CLK != "NONE") || MULT_BYPASS != "DISABLED" || REG_INPUTA_CE != "CE0"
        || REG_INPUTB_CE != "CE0" || REG_OUTPUT_CE != "CE0" || REG_INPUTA_RST != "RST0" || REG_INPUTB_RST != "RST0"
        || REG_OUTPUT_RST != "RST0") begin : gen_unknown
      initial begin
        $display("%m: a multiplier with a configuration that is not modelled");
        $finish;
      end
    end
  endgenerate
endmodule

`default_nettype wire
