// SPDX-License-Identifier: Apache-2.0
// ernn_dot2: the sum of two products, moved to another fixed-point format.
//
// The products are aligned to the finer one of them, added exactly, rounded half up once, saturated.
// Latency 3: the products, their sum, rounding.
// Golden model: ernn.fixed.QFormat.requantize
// Requires:     the same as ernn_requant
`default_nettype none

module ernn_dot2 #(
    parameter integer A_W      = 16,
    parameter integer B_W      = 16,
    parameter integer AB_FRAC  = 27,  // fraction bits of a plus fraction bits of b
    parameter integer C_W      = 16,
    parameter integer D_W      = 16,
    parameter integer CD_FRAC  = 30,
    parameter integer OUT_W    = 16,
    parameter integer OUT_FRAC = 12
) (
    input  wire                    clk_i,
    input  wire signed [  A_W-1:0] a_i,
    input  wire signed [  B_W-1:0] b_i,
    input  wire signed [  C_W-1:0] c_i,
    input  wire signed [  D_W-1:0] d_i,
    output reg signed  [OUT_W-1:0] out_o   // a * b + c * d
);

  localparam integer AB_W = A_W + B_W;
  localparam integer CD_W = C_W + D_W;
  localparam integer AB_SHIFT = (CD_FRAC > AB_FRAC) ? CD_FRAC - AB_FRAC : 0;
  localparam integer CD_SHIFT = (AB_FRAC > CD_FRAC) ? AB_FRAC - CD_FRAC : 0;
  localparam integer SUM_W = 1 + ((AB_W + AB_SHIFT > CD_W + CD_SHIFT) ? AB_W + AB_SHIFT : CD_W + CD_SHIFT);

  reg signed [AB_W-1:0] ab_q;
  reg signed [CD_W-1:0] cd_q;
  reg signed [SUM_W-1:0] sum_q;
  wire [SUM_W-1:0] ab_wide = {{(SUM_W - AB_W) {ab_q[AB_W-1]}}, ab_q} << AB_SHIFT;
  wire [SUM_W-1:0] cd_wide = {{(SUM_W - CD_W) {cd_q[CD_W-1]}}, cd_q} << CD_SHIFT;
  wire signed [OUT_W-1:0] out_d;
  wire unused_saturated;

  ernn_requant #(
      .IN_W    (SUM_W),
      .IN_FRAC (AB_FRAC + AB_SHIFT),
      .OUT_W   (OUT_W),
      .OUT_FRAC(OUT_FRAC)
  ) u_requant (
      .in_i       (sum_q),
      .add_i      ({OUT_W{1'b0}}),
      .out_o      (out_d),
      .saturated_o(unused_saturated)
  );

  always @(posedge clk_i) begin
    ab_q  <= a_i * b_i;
    cd_q  <= c_i * d_i;
    sum_q <= ab_wide + cd_wide;
    out_o <= out_d;
  end

endmodule

`default_nettype wire
