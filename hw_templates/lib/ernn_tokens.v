// SPDX-License-Identifier: Apache-2.0
// ernn_tokens: per stream, how many groups of words were written and not yet used.
//
// Latency: a token can be taken one cycle after it was put.
// Golden model: ernn.hw.cycles
// Requires:     take only where nonzero_o says so
`default_nettype none

module ernn_tokens #(
    parameter integer STREAMS  = 1,
    parameter integer STREAM_W = 1,
    parameter integer COUNT_W  = 4,  // bits that hold the largest count
    parameter integer INITIAL  = 0   // tokens after reset: the zeros before an utterance
) (
    input  wire                clk_i,
    input  wire                rst_i,
    input  wire                put_i,
    input  wire [STREAM_W-1:0] put_stream_i,
    input  wire                take_i,
    input  wire [STREAM_W-1:0] take_stream_i,
    output wire [ STREAMS-1:0] nonzero_o
);

  localparam [31:0] INITIAL_INT = INITIAL;
  localparam [COUNT_W-1:0] FIRST = INITIAL_INT[COUNT_W-1:0];

  genvar s;
  generate
    for (s = 0; s < STREAMS; s = s + 1) begin : gen_stream
      localparam [31:0] INDEX = s;
      reg  [COUNT_W-1:0] count_q;
      wire               put = put_i && put_stream_i == INDEX[STREAM_W-1:0];
      wire               take = take_i && take_stream_i == INDEX[STREAM_W-1:0];
      assign nonzero_o[s] = count_q != {COUNT_W{1'b0}};
      always @(posedge clk_i) begin
        if (put && !take) count_q <= count_q + 1'b1;
        if (take && !put) count_q <= count_q - 1'b1;
        if (rst_i) count_q <= FIRST;
      end
    end
  endgenerate

endmodule

`default_nettype wire
