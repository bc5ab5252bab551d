// SPDX-License-Identifier: Apache-2.0
// ernn_drain: takes the shadows of ROWS rows one after the other, through a tree of choices among four.
//
// Shadows keep their words, and a word moves through LEVELS registers, each of which waits for its turn.
// A reset ends the turns that are under way, so that they meet none of the next drain.
// start_i comes in the cycle before the first row's word is there; the next row's is a cycle later, and so on.
// Latency: LEVELS from the first row's word to drain_o.
// Golden model: none, it only moves words
// Requires:     LEVELS = ceil(log4(ROWS)), at least 1; starts lie at least ROWS cycles apart
`default_nettype none

module ernn_drain #(
    parameter integer ROWS   = 4,
    parameter integer WIDTH  = 8,  // bits of a shadow
    parameter integer LEVELS = 1
) (
    input  wire                  clk_i,
    input  wire                  rst_i,
    input  wire                  start_i,
    input  wire [ROWS*WIDTH-1:0] shadows_i,  // first row in the lowest bits
    output wire [     WIDTH-1:0] drain_o
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if ((1 << 2 * LEVELS) < ROWS || LEVELS < 1) begin : gen_fault
      ernn_drain_needs_4_to_the_LEVELS_of_ROWS_or_more u_fault ();
    end
  endgenerate

  // Level n holds ceil(ROWS / 4^n) words; a turn comes in the cycle before its word.
  wire [WIDTH-1:0] node[0:(LEVELS+1)*ROWS-1];
  wire turn[0:(LEVELS+1)*ROWS-1];

  genvar n, s, r;
  generate
    for (r = 0; r < ROWS; r = r + 1) begin : gen_row
      assign node[r] = shadows_i[r*WIDTH+:WIDTH];
      if (r == 0) begin : gen_first
        assign turn[r] = start_i;
      end else begin : gen_next
        reg turn_q;
        always @(posedge clk_i) turn_q <= turn[r-1] && !rst_i;
        assign turn[r] = turn_q;
      end
    end
    for (n = 0; n < LEVELS; n = n + 1) begin : gen_level
      for (s = 0; s < (ROWS + (4 << 2 * n) - 1) >> (2 * n + 2); s = s + 1) begin : gen_node
        localparam integer BELOW = (ROWS + (1 << 2 * n) - 1) >> (2 * n);  // words
        localparam integer FIRST = n * ROWS + 4 * s;
        wire [WIDTH-1:0] words[0:3];
        wire [3:0] turns;
        for (r = 0; r < 4; r = r + 1) begin : gen_choice
          if (4 * s + r < BELOW) begin : gen_word
            assign words[r] = node[FIRST+r];
            assign turns[r] = turn[FIRST+r];
          end else begin : gen_none
            assign words[r] = {WIDTH{1'b0}};
            assign turns[r] = 1'b0;
          end
        end
        reg [1:0] choice_q;
        reg turn_q;
        reg [WIDTH-1:0] word_q;
        wire [WIDTH-1:0] lower = choice_q[0] ? words[1] : words[0];
        wire [WIDTH-1:0] upper = choice_q[0] ? words[3] : words[2];
        always @(posedge clk_i) begin
          choice_q <= {turns[3] || turns[2], turns[3] || turns[1]};
          turn_q   <= |turns;
          if (turn_q) word_q <= choice_q[1] ? upper : lower;
        end
        assign node[(n+1)*ROWS+s] = word_q;
        assign turn[(n+1)*ROWS+s] = turn_q;
      end
    end
  endgenerate

  assign drain_o = node[LEVELS*ROWS];
  wire unused = &{1'b0, rst_i, turn[LEVELS*ROWS]};  // a single row waits for nothing

endmodule

`default_nettype wire
