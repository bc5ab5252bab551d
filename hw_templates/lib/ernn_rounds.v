// SPDX-License-Identifier: Apache-2.0
// ernn_rounds: decides which streams take part in the next round.
//
// A round is issued when some stream has a whole feature vector, the array has begun the last task of
// the round before, and at most one round is still on its way to the output.  With EARLY it is issued as
// soon as the packet has begun; the array then waits for the vector, and whether it is the first of an
// utterance is known when the array goes on.
// Latency: 1 from the last condition to issued_o.
// Golden model: ernn.hw.cycles
`default_nettype none

module ernn_rounds #(
    parameter integer STREAMS = 1,
    parameter integer EARLY   = 0   // 1: for one stream
) (
    input  wire                 clk_i,
    input  wire                 rst_i,
    output reg                  idle_o,     // no round and no packet is on its way
    input  wire                 empty_i,    // nothing is at the input and at the output
    // Feature buffers: whole (EARLY: begun) and not yet used, for the even and the odd frames of each stream
    input  wire [2*STREAMS-1:0] full_i,     // low half: even frames
    input  wire [2*STREAMS-1:0] fresh_i,    // the frame is the first of an utterance
    input  wire                 advance_i,  // the array began the last task of a round
    // EARLY: the array waits for the features of the last round issued; it went on with those of a parity
    input  wire                 waits_i,
    input  wire                 begin_i,
    input  wire                 begin_parity_i,
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

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (EARLY != 0 && STREAMS != 1) begin : gen_fault
      ernn_rounds_needs_one_stream_for_EARLY u_fault ();
    end
  endgenerate
  wire unused = &{1'b0, waits_i, begin_i, begin_parity_i};  // without EARLY

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
    if (EARLY != 0 && begin_i) begin
      if (begin_parity_i) fresh_o[2*STREAMS-1] <= fresh_i[2*STREAMS-1];
      else fresh_o[0] <= fresh_i[0];
    end
    idle_o <= (open_q == 2'd0 || (EARLY != 0 && open_q == 2'd1 && waits_i)) && !issue && empty_i;
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
