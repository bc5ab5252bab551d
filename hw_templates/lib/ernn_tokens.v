// SPDX-License-Identifier: Apache-2.0
// ernn_tokens: per stream, how many groups of words were written and not yet used.
//
// The array looks at one stream at a time. Whether that stream has a token is a register, chosen while
// the token before it is taken or the stream changes, so that no counter lies on the array's path. Nor
// does that path, at whose end a token is taken, go on into a counter: it loses the token a cycle later.
// Latency: a token can be taken one cycle after it was put.
// Golden model: ernn.hw.cycles
// Requires:     take_i only where have_o says so
`default_nettype none

module ernn_tokens #(
    parameter integer STREAMS  = 1,
    parameter integer STREAM_W = 1,
    parameter integer COUNT_W  = 4,  // bits that hold one more than the largest count
    parameter integer INITIAL  = 0   // tokens after reset: the zeros before an utterance
) (
    input  wire                clk_i,
    input  wire                rst_i,
    input  wire                put_i,
    input  wire [STREAM_W-1:0] put_stream_i,
    input  wire                take_i,         // of stream_i
    input  wire [STREAM_W-1:0] stream_i,
    input  wire                next_i,         // next_stream_i is looked at from the next cycle on
    input  wire [STREAM_W-1:0] next_stream_i,
    output reg                 have_o          // stream_i has a token
);

  localparam [31:0] INITIAL_INT = INITIAL;
  localparam [31:0] TWO = 2;
  localparam [COUNT_W-1:0] FIRST = INITIAL_INT[COUNT_W-1:0];

  wire [STREAMS-1:0] kept;  // there will be a token if none is taken
  wire [STREAMS-1:0] left;  // there will be one even if one is taken

  genvar s;
  generate
    for (s = 0; s < STREAMS; s = s + 1) begin : gen_stream
      localparam [31:0] INDEX = s;
      reg  [COUNT_W-1:0] count_q;
      reg                taken_q;  // one of them has gone
      wire               put = put_i && put_stream_i == INDEX[STREAM_W-1:0];
      wire               take = take_i && stream_i == INDEX[STREAM_W-1:0];
      wire               one = count_q != {COUNT_W{1'b0}};  // or more
      wire               two = |(count_q >> 1);
      wire               three = two && count_q != TWO[COUNT_W-1:0];
      wire               some = taken_q ? two : one;
      wire               many = taken_q ? three : two;
      assign kept[s] = some || put;
      assign left[s] = many || (some && put);
      always @(posedge clk_i) begin
        taken_q <= take && !rst_i;
        if (put && !taken_q) count_q <= count_q + 1'b1;
        if (taken_q && !put) count_q <= count_q - 1'b1;
        if (rst_i) count_q <= FIRST;
      end
    end
  endgenerate

  // Two muxes by stream, and then one by what the array does
  wire same = next_stream_i == stream_i;
  always @(posedge clk_i)
    case ({
      next_i, take_i
    })
      2'b00:   have_o <= kept[stream_i];
      2'b01:   have_o <= left[stream_i];
      2'b10:   have_o <= kept[next_stream_i];
      default: have_o <= same ? left[next_stream_i] : kept[next_stream_i];
    endcase

endmodule

`default_nettype wire
