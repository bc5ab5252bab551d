// SPDX-License-Identifier: Apache-2.0
// ernn_rounds: decides which streams take part in the next round.
//
// A round is issued when some stream has a whole feature vector, the array has begun the last task of
// the round before, and at most one round is still on its way to the output.
// Latency: 1 from the last condition to issued_o.
// Golden model: ernn.hw.cycles
`default_nettype none

module ernn_rounds #(
    parameter integer STREAMS = 1
) (
    input  wire                 clk_i,
    input  wire                 rst_i,
    output reg                  idle_o,     // no round and no packet is on its way
    input  wire                 empty_i,    // nothing is at the input and at the output
    // Feature buffers: whole and not yet used, for the even and the odd frames of each stream
    input  wire [2*STREAMS-1:0] full_i,     // low half: even frames
    input  wire [2*STREAMS-1:0] fresh_i,    // the frame is the first of an utterance
    input  wire                 advance_i,  // the array began the last task of a round
    input  wire                 done_i,     // the output finished a round
    // The two rounds that may be open; see ernn_walker
    output reg  [          1:0] issued_o,
    output reg  [2*STREAMS-1:0] active_o,
    output reg  [2*STREAMS-1:0] parity_o,
    output reg  [2*STREAMS-1:0] fresh_o
);

  reg  [STREAMS-1:0] parity_q;  // of every stream's next frame
  reg  [        1:0] open_q;  // rounds issued and not done: 0 to 2
  reg                free_q;  // the array can take a round

  wire [STREAMS-1:0] even = full_i[STREAMS-1:0];
  wire [STREAMS-1:0] odd = full_i[2*STREAMS-1:STREAMS];
  wire [STREAMS-1:0] full = (parity_q & odd) | (~parity_q & even);
  wire [STREAMS-1:0] fresh =
      (parity_q & fresh_i[2*STREAMS-1:STREAMS]) | (~parity_q & fresh_i[STREAMS-1:0]);
  wire               issue = |full && free_q && !open_q[1];

  always @(posedge clk_i) begin
    if (issue) begin
      issued_o <= issued_o + 1'b1;
      parity_q <= parity_q ^ full;
      if (issued_o[0]) begin
        active_o[2*STREAMS-1:STREAMS] <= full;
        parity_o[2*STREAMS-1:STREAMS] <= parity_q;
        fresh_o[2*STREAMS-1:STREAMS]  <= fresh;
      end else begin
        active_o[STREAMS-1:0] <= full;
        parity_o[STREAMS-1:0] <= parity_q;
        fresh_o[STREAMS-1:0]  <= fresh;
      end
    end
    idle_o <= open_q == 2'd0 && !issue && empty_i;
    if (issue) free_q <= 1'b0;
    else if (advance_i) free_q <= 1'b1;
    case ({
      issue, done_i
    })
      2'b10:   open_q <= open_q + 1'b1;
      2'b01:   open_q <= open_q - 1'b1;
      default: open_q <= open_q;
    endcase
    if (rst_i) begin
      issued_o <= 2'd0;
      parity_q <= {STREAMS{1'b0}};
      open_q   <= 2'd0;
      idle_o   <= 1'b1;
      free_q   <= 1'b1;
    end
  end

endmodule

`default_nettype wire
