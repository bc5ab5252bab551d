// SPDX-License-Identifier: Apache-2.0
// ernn_valid_delay: one control bit, CYCLES later; a reset forgets those on their way.
//
// Latency: CYCLES.
// Golden model: ernn.hw.cycles
// Requires:     CYCLES >= 1
`default_nettype none

module ernn_valid_delay #(
    parameter integer CYCLES = 1
) (
    input  wire clk_i,
    input  wire rst_i,
    input  wire in_i,
    output wire out_o
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (CYCLES < 1) begin : gen_fault
      ernn_valid_delay_needs_CYCLES_of_1_or_more u_fault ();
    end
  endgenerate

  reg [CYCLES-1:0] bits_q;  // newest in bit 0

  integer i;
  always @(posedge clk_i) begin
    bits_q[0] <= in_i;
    for (i = 1; i < CYCLES; i = i + 1) bits_q[i] <= bits_q[i-1];
    if (rst_i) bits_q <= {CYCLES{1'b0}};
  end

  assign out_o = bits_q[CYCLES-1];

endmodule

`default_nettype wire
