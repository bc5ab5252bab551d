// SPDX-License-Identifier: Apache-2.0
// ernn_delay: delay a word by a fixed number of cycles.
//
// No reset, so that it maps to shift-register primitives: the first CYCLES words are undefined.
// Latency CYCLES; 0 is a wire.
// Golden model: none, it only moves words
`default_nettype none

module ernn_delay #(
    parameter integer WIDTH  = 1,
    parameter integer CYCLES = 1
) (
    input  wire             clk_i,
    input  wire [WIDTH-1:0] in_i,
    output wire [WIDTH-1:0] out_o
);

  generate
    if (CYCLES == 0) begin : gen_wire
      wire unused_clk = clk_i;
      assign out_o = in_i;
    end else begin : gen_line
      reg  [    WIDTH*CYCLES-1:0] line_q;
      wire [WIDTH*(CYCLES+1)-1:0] line = {line_q, in_i};
      always @(posedge clk_i) line_q <= line[WIDTH*CYCLES-1:0];
      assign out_o = line[WIDTH*CYCLES+:WIDTH];
    end
  endgenerate

endmodule

`default_nettype wire
