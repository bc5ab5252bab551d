// SPDX-License-Identifier: Apache-2.0
// ernn_move: a word in another fixed-point format.
//
// Rounds half up, then saturates.  Latency 1.
// Golden model: ernn.fixed.QFormat.requantize
// Requires:     the same as ernn_requant
`default_nettype none

module ernn_move #(
    parameter integer IN_W     = 16,
    parameter integer IN_FRAC  = 15,
    parameter integer OUT_W    = 12,
    parameter integer OUT_FRAC = 11
) (
    input  wire                    clk_i,
    input  wire signed [ IN_W-1:0] in_i,
    output reg signed  [OUT_W-1:0] out_o
);

  wire signed [OUT_W-1:0] out_d;
  wire unused_saturated;

  ernn_requant #(
      .IN_W    (IN_W),
      .IN_FRAC (IN_FRAC),
      .OUT_W   (OUT_W),
      .OUT_FRAC(OUT_FRAC)
  ) u_requant (
      .in_i       (in_i),
      .add_i      ({OUT_W{1'b0}}),
      .out_o      (out_d),
      .saturated_o(unused_saturated)
  );

  always @(posedge clk_i) out_o <= out_d;

endmodule

`default_nettype wire
