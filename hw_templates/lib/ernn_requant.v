// SPDX-License-Identifier: Apache-2.0
// ernn_requant: move one word from one fixed-point format to another and add a word to it.
//
// Rounds half up, adds add_i (in the target's format), then saturates.  Combinational, latency 0.
// One adder does both: round(x / 2^s) + a = floor((x + a * 2^s + 2^(s-1)) / 2^s).
// Golden model: ernn.fixed.QFormat.requantize
// Requires:     positive widths; IN_FRAC and OUT_FRAC may be in any order
`default_nettype none

module ernn_requant #(
    parameter integer IN_W     = 24,  // bits, sign included
    parameter integer IN_FRAC  = 16,  // fraction bits
    parameter integer OUT_W    = 12,  // bits, sign included
    parameter integer OUT_FRAC = 8    // fraction bits
) (
    input  wire signed [ IN_W-1:0] in_i,
    input  wire signed [OUT_W-1:0] add_i,
    output wire signed [OUT_W-1:0] out_o,
    output wire                    saturated_o
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (IN_W < 1 || OUT_W < 1) begin : gen_fault
      ernn_requant_needs_widths_of_1_or_more u_fault ();
    end
  endgenerate

  localparam integer RIGHT = (IN_FRAC > OUT_FRAC) ? IN_FRAC - OUT_FRAC : 0;
  localparam integer LEFT = (OUT_FRAC > IN_FRAC) ? OUT_FRAC - IN_FRAC : 0;

  // One bit wider than both operands at the finer binary point, because the sum can carry out.
  localparam integer SUM_W = 1 + ((IN_W + LEFT > OUT_W + RIGHT) ? IN_W + LEFT : OUT_W + RIGHT);
  localparam [SUM_W-1:0] ONE = {{(SUM_W - 1) {1'b0}}, 1'b1};
  localparam [SUM_W-1:0] HALF = (ONE << RIGHT) >> 1;  // 0 where nothing is rounded

  wire [SUM_W-1:0] value = {{(SUM_W - IN_W) {in_i[IN_W-1]}}, in_i} << LEFT;
  wire [SUM_W-1:0] added = {{(SUM_W - OUT_W) {add_i[OUT_W-1]}}, add_i} << RIGHT;
  wire [SUM_W-1:0] sum = value + (added | HALF);  // the bits of HALF are free in added

  // The rounded value starts at bit RIGHT.  It fits when every dropped bit equals its sign.
  wire [SUM_W-RIGHT-OUT_W:0] top = sum[SUM_W-1:RIGHT+OUT_W-1];
  assign saturated_o = ~(&top | ~|top);
  assign out_o = saturated_o ? {sum[SUM_W-1], {(OUT_W - 1) {~sum[SUM_W-1]}}} : sum[RIGHT+:OUT_W];

endmodule

`default_nettype wire
