// SPDX-License-Identifier: Apache-2.0
// ernn_rom: memory filled from a file and read in one cycle.
//
// Latency: 1.
// Golden model: none (storage)
// Requires:     INIT_FILE holds DEPTH words in hex, one a line
`default_nettype none

module ernn_rom #(
    parameter integer WIDTH  = 8,  // bits per word
    parameter integer DEPTH  = 2,  // words
    parameter integer ADDR_W = 1,  // bits of an address
    parameter INIT_FILE = ""       // $readmemh file
) (
    input  wire              clk_i,
    input  wire [ADDR_W-1:0] addr_i,
    output reg  [ WIDTH-1:0] data_o
);

  reg [WIDTH-1:0] mem[0:DEPTH-1];

  generate
    if (INIT_FILE != "") begin : gen_fill  // Yosys reads modules before their parameters are set
      initial $readmemh(INIT_FILE, mem);
    end
  endgenerate

  always @(posedge clk_i) data_o <= mem[addr_i];

endmodule

`default_nettype wire
