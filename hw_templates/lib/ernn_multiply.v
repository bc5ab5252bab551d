// SPDX-License-Identifier: Apache-2.0
// ernn_multiply: product of two words, moved to another fixed-point format, plus a word.
//
// Rounds half up, adds add_i (in the target's format), then saturates.
// Latency 2: the product, then rounding and sum.  add_i enters together with the operands.
// Golden model: ernn.fixed.QFormat.requantize
// Requires:     the same as ernn_requant
`default_nettype none

module ernn_multiply #(
    parameter integer A_W          = 12,
    parameter integer B_W          = 16,
    parameter integer PRODUCT_FRAC = 22,  // fraction bits of a plus fraction bits of b
    parameter integer OUT_W        = 12,
    parameter integer OUT_FRAC     = 8
) (
    input  wire                    clk_i,
    input  wire signed [  A_W-1:0] a_i,
    input  wire signed [  B_W-1:0] b_i,
    input  wire signed [OUT_W-1:0] add_i,
    output reg signed  [OUT_W-1:0] out_o
);

  reg signed [A_W+B_W-1:0] product_q;
  reg signed [OUT_W-1:0] add_q;
  wire signed [OUT_W-1:0] out_d;
  wire unused_saturated;

  ernn_requant #(
      .IN_W    (A_W + B_W),
      .IN_FRAC (PRODUCT_FRAC),
      .OUT_W   (OUT_W),
      .OUT_FRAC(OUT_FRAC)
  ) u_requant (
      .in_i       (product_q),
      .add_i      (add_q),
      .out_o      (out_d),
      .saturated_o(unused_saturated)
  );

  always @(posedge clk_i) begin
    product_q <= a_i * b_i;
    add_q     <= add_i;
    out_o     <= out_d;
  end

endmodule

`default_nettype wire
