// SPDX-License-Identifier: Apache-2.0
// ernn_ram: memory with one write and one read port; a read takes one cycle and sees older data.
//
// It begins with zeros, or with the words of a file.  Where nothing is read it keeps its word: a block RAM
// that is not enabled takes little power.
// Latency: 1.
// Golden model: none (storage)
// Requires:     DEPTH >= 2; INIT_FILE holds DEPTH words in hex, one a line
`default_nettype none

module ernn_ram #(
    parameter integer WIDTH  = 8,  // bits per word
    parameter integer DEPTH  = 2,  // words
    parameter integer ADDR_W = 1,  // bits of an address, at least log2(DEPTH)
    /* verilator lint_off UNUSEDPARAM */  // for synthesizers
    parameter RAM_STYLE = "auto",  // "block", "distributed" or the synthesizer's choice
    /* verilator lint_on UNUSEDPARAM */
    parameter integer FILLED = 0,  // 1: begins with the words of INIT_FILE
    parameter INIT_FILE = ""       // $readmemh file
) (
    input  wire              clk_i,
    input  wire              we_i,
    input  wire [ADDR_W-1:0] waddr_i,
    input  wire [ WIDTH-1:0] wdata_i,
    input  wire              re_i,
    input  wire [ADDR_W-1:0] raddr_i,
    output reg  [ WIDTH-1:0] rdata_o
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (DEPTH < 2) begin : gen_fault0
      ernn_ram_needs_DEPTH_of_2_or_more u_fault ();
    end
    if ((1 << ADDR_W) < DEPTH) begin : gen_fault1
      ernn_ram_needs_ADDR_W_that_reaches_DEPTH u_fault ();
    end
  endgenerate

  localparam integer INDEX_W = $clog2(DEPTH);

  (* ram_style = RAM_STYLE, no_rw_check = 1 *) reg [WIDTH-1:0] mem[0:DEPTH-1];

  generate
    if (FILLED != 0) begin : gen_fill
      initial $readmemh(INIT_FILE, mem);
    end else begin : gen_zeros
      integer word;
      initial for (word = 0; word < DEPTH; word = word + 1) mem[word] = {WIDTH{1'b0}};
    end
  endgenerate

  always @(posedge clk_i) begin
    if (we_i) mem[waddr_i[INDEX_W-1:0]] <= wdata_i;
    if (re_i) rdata_o <= mem[raddr_i[INDEX_W-1:0]];
  end

  wire unused = &{1'b0, waddr_i, raddr_i};  // a single stream's number is always 0

endmodule

`default_nettype wire
