// SPDX-License-Identifier: Apache-2.0
// ernn_drain_stage: takes the shadows of its rows one after the other, then those of the stage behind.
//
// Rows keep their shadows, and a word only moves through the stages in front of its own.  start_i comes
// in the cycle before the shadows change, ROWS - 1 cycles later from stage to stage: a stage's rows fall
// between the last one of the stage in front and the first one of the stage behind.
// Latency: 1 from shadow to front_o.
// Golden model: none, it only moves words
// Requires:     starts at least as far apart as there are rows in all stages; 3 rows if any are behind
`default_nettype none

module ernn_drain_stage #(
    parameter integer ROWS  = 3,  // 1 to 3
    parameter integer WIDTH = 8   // bits of a shadow
) (
    input  wire                  clk_i,
    input  wire                  start_i,
    output wire                  start_o,    // of the stage behind
    input  wire [ROWS*WIDTH-1:0] shadows_i,  // first row in the lowest bits
    input  wire [     WIDTH-1:0] behind_i,
    output wire [     WIDTH-1:0] front_o
);

  // The row that is taken; ROWS: those behind.  No reset: a start sets it, and no word counts before.
  reg [      1:0] row_q;
  reg [WIDTH-1:0] front_q;
  wire [(ROWS+1)*WIDTH-1:0] choices = {behind_i, shadows_i};

  always @(posedge clk_i) begin
    if (start_i) row_q <= 2'd0;
    else if (row_q != ROWS[1:0]) row_q <= row_q + 2'd1;
    front_q <= choices[row_q*WIDTH+:WIDTH];
  end
  assign front_o = front_q;
  assign start_o = row_q == ROWS[1:0] - 2'd2;

endmodule

`default_nettype wire
