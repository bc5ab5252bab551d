// SPDX-License-Identifier: Apache-2.0
// MULT18X18 and its kin: a GW2A's multipliers as synth_gowin uses them, without their registers; for any simulator.
//
// Golden model: none (tests/rtl/test_cells.py compares them with a product)
`default_nettype none

module MULT9X9 (
    input  wire [8:0] A, B,
    input  wire [8:0] SIA, SIB,
    input  wire ASEL, BSEL,
    input  wire ASIGN, BSIGN, CE, CLK, RESET,
    output wire [17:0] DOUT
);
  // A bit above the operands: their sign, or nothing
  wire signed [9:0] wide_a = {ASIGN && A[8], A};
  wire signed [9:0] wide_b = {BSIGN && B[8], B};
  wire signed [19:0] product = wide_a * wide_b;
  assign DOUT = product[17:0];
  wire unused = &{1'b0, CE, CLK, RESET, SIA, SIB, ASEL, BSEL};
endmodule

module MULT18X18 (
    input  wire [17:0] A, B,
    input  wire [17:0] SIA, SIB,
    input  wire ASEL, BSEL,
    input  wire ASIGN, BSIGN, CE, CLK, RESET,
    output wire [35:0] DOUT
);
  // A bit above the operands: their sign, or nothing
  wire signed [18:0] wide_a = {ASIGN && A[17], A};
  wire signed [18:0] wide_b = {BSIGN && B[17], B};
  wire signed [37:0] product = wide_a * wide_b;
  assign DOUT = product[35:0];
  wire unused = &{1'b0, CE, CLK, RESET, SIA, SIB, ASEL, BSEL};
endmodule

module MULT36X36 (
    input  wire [35:0] A, B,
    input  wire ASIGN, BSIGN, CE, CLK, RESET,
    output wire [71:0] DOUT
);
  // A bit above the operands: their sign, or nothing
  wire signed [36:0] wide_a = {ASIGN && A[35], A};
  wire signed [36:0] wide_b = {BSIGN && B[35], B};
  wire signed [73:0] product = wide_a * wide_b;
  assign DOUT = product[71:0];
  wire unused = &{1'b0, CE, CLK, RESET};
endmodule

`default_nettype wire
