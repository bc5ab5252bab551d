// SPDX-License-Identifier: Apache-2.0
// ernn_logic_product: a signed product built from adders, for multipliers that get no DSP block.
//
// Digits of four bits of b are multiplied in the first cycle and added up in the second.  It contains
// no multiplication operator, so that no synthesizer turns it into a DSP block.
// Latency: 2.
// Golden model: none (a product)
`default_nettype none

module ernn_logic_product #(
    parameter integer A_W = 16,
    parameter integer B_W = 13
) (
    input  wire                      clk_i,
    input  wire signed [    A_W-1:0] a_i,
    input  wire signed [    B_W-1:0] b_i,
    output wire signed [A_W+B_W-1:0] product_o
);

  localparam integer DIGITS = (B_W + 3) / 4;
  localparam integer DIGIT_W = A_W + 4;
  localparam integer SUM_W = A_W + 4 * DIGITS;

  wire signed [4*DIGITS-1:0] b = {{(4 * DIGITS - B_W) {b_i[B_W-1]}}, b_i};
  wire signed [  DIGIT_W-1:0] a = {{4{a_i[A_W-1]}}, a_i};
  wire signed [    SUM_W-1:0] sums[0:DIGITS];

  assign sums[0] = {SUM_W{1'b0}};

  genvar d;
  generate
    for (d = 0; d < DIGITS; d = d + 1) begin : gen_digit
      wire signed [DIGIT_W-1:0] low = (b[4*d] ? a : {DIGIT_W{1'b0}})
                                    + (b[4*d+1] ? a <<< 1 : {DIGIT_W{1'b0}});
      wire signed [DIGIT_W-1:0] bit2 = b[4*d+2] ? a <<< 2 : {DIGIT_W{1'b0}};
      wire signed [DIGIT_W-1:0] bit3 = b[4*d+3] ? a <<< 3 : {DIGIT_W{1'b0}};
      reg signed [DIGIT_W-1:0] digit_q;
      // The highest bit of all counts negative.
      always @(posedge clk_i) digit_q <= low + (d == DIGITS - 1 ? bit2 - bit3 : bit2 + bit3);
      wire signed [SUM_W-1:0] wide = {{(SUM_W - DIGIT_W) {digit_q[DIGIT_W-1]}}, digit_q};
      assign sums[d+1] = sums[d] + (wide <<< (4 * d));
    end
  endgenerate

  reg signed [A_W+B_W-1:0] product_q;
  always @(posedge clk_i) product_q <= sums[DIGITS][A_W+B_W-1:0];
  assign product_o = product_q;

  generate
    if (4 * DIGITS > B_W) begin : gen_unused  // copies of the sign
      wire unused = &{1'b0, sums[DIGITS][SUM_W-1:A_W+B_W]};
    end
  endgenerate

endmodule

`default_nettype wire
