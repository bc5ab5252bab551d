// SPDX-License-Identifier: Apache-2.0
// ernn_counter: counts to 2^64 by any number a cycle, with a short carry chain.
//
// The carry into the high half is registered: high_o of a cycle belongs to low_o of the cycle before.
// Latency: 1 to low_o, 2 to high_o.
// Golden model: none (counter)
// Requires:     INC_W <= HALF_W <= 32
`default_nettype none

module ernn_counter #(
    parameter integer INC_W  = 1,
    parameter integer HALF_W = 32  // bits of a half: fewer only in tests, to see it overflow
) (
    input  wire             clk_i,
    input  wire             rst_i,
    input  wire             clear_i,
    input  wire [INC_W-1:0] inc_i,
    output reg  [     31:0] low_o,
    output reg  [     31:0] high_o
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (INC_W > HALF_W || HALF_W > 32) begin : gen_fault
      ernn_counter_needs_INC_W_within_HALF_W_within_32 u_fault ();
    end
  endgenerate

  wire [32:0] sum = {1'b0, low_o} + {{(33 - INC_W) {1'b0}}, inc_i};
  reg carry_q;

  always @(posedge clk_i) begin
    low_o[HALF_W-1:0] <= sum[HALF_W-1:0];
    carry_q           <= sum[HALF_W];
    high_o            <= high_o + {31'd0, carry_q};
    if (clear_i || rst_i) begin
      low_o   <= 32'd0;
      high_o  <= 32'd0;
      carry_q <= 1'b0;
    end
  end

endmodule

`default_nettype wire
