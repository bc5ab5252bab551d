// SPDX-License-Identifier: Apache-2.0
// ernn_lerp: a + weight * (b - a), in the format of a: a way between a and b.
//
// a is a whole number of its own units, so it is added behind the rounding of weight * (b - a).
// Latency 3: the difference, its product, rounding and sum.  weight_i enters a cycle behind a_i and b_i.
// Golden model: ernn.fixed.QFormat.requantize
// Requires:     the same as ernn_requant
`default_nettype none

module ernn_lerp #(
    parameter integer A_W         = 16,
    parameter integer A_FRAC      = 15,
    parameter integer B_W         = 16,
    parameter integer B_FRAC      = 15,
    parameter integer WEIGHT_W    = 16,
    parameter integer WEIGHT_FRAC = 15
) (
    input  wire                       clk_i,
    input  wire signed [     A_W-1:0] a_i,
    input  wire signed [     B_W-1:0] b_i,
    input  wire signed [WEIGHT_W-1:0] weight_i,
    output wire signed [     A_W-1:0] out_o
);

  localparam integer A_SHIFT = (B_FRAC > A_FRAC) ? B_FRAC - A_FRAC : 0;
  localparam integer B_SHIFT = (A_FRAC > B_FRAC) ? A_FRAC - B_FRAC : 0;
  localparam integer DIFF_W = 1 + ((A_W + A_SHIFT > B_W + B_SHIFT) ? A_W + A_SHIFT : B_W + B_SHIFT);

  // b - a, exact
  wire [DIFF_W-1:0] a_wide = {{(DIFF_W - A_W) {a_i[A_W-1]}}, a_i} << A_SHIFT;
  wire [DIFF_W-1:0] b_wide = {{(DIFF_W - B_W) {b_i[B_W-1]}}, b_i} << B_SHIFT;
  reg signed [DIFF_W-1:0] diff_q;
  reg signed [A_W-1:0] a_q;

  always @(posedge clk_i) begin
    diff_q <= b_wide - a_wide;
    a_q    <= a_i;
  end

  ernn_multiply #(
      .A_W         (WEIGHT_W),
      .B_W         (DIFF_W),
      .PRODUCT_FRAC(WEIGHT_FRAC + A_FRAC + A_SHIFT),
      .OUT_W       (A_W),
      .OUT_FRAC    (A_FRAC)
  ) u_out (
      .clk_i(clk_i),
      .a_i  (weight_i),
      .b_i  (diff_q),
      .add_i(a_q),
      .out_o(out_o)
  );

endmodule

`default_nettype wire
