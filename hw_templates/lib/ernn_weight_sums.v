// SPDX-License-Identifier: Apache-2.0
// ernn_weight_sums: the weights of a PE's multipliers, of words that are stored once.
//
// The words of a block are its real bins, then c and d of each complex one; the weights are the real bins,
// then c, d - c and c + d of each complex one, all modulo 2^WEIGHT_W.
// Latency: 1, the register in front of the adders; weights_o goes into another one.
// Golden model: ernn.bilinear.spectral (words)
// Requires:     POINTS of 4 or more that divides WORD; WORD_W <= WEIGHT_W
`default_nettype none

module ernn_weight_sums #(
    parameter integer WORD     = 8,   // stored words
    parameter integer POINTS   = 8,   // values of a block
    parameter integer WORD_W   = 12,  // bits of a stored word
    parameter integer WEIGHT_W = 13   // bits of a weight
) (
    input  wire                                         clk_i,
    input  wire [                      WORD*WORD_W-1:0] words_i,
    output wire [WORD/POINTS*(3*POINTS/2-1)*WEIGHT_W-1:0] weights_o
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (POINTS < 4 || WORD % POINTS != 0) begin : gen_fault0
      ernn_weight_sums_needs_BLOCK_of_4_or_more_that_divides_WORD u_fault ();
    end
    if (WORD_W > WEIGHT_W) begin : gen_fault1
      ernn_weight_sums_needs_WEIGHT_W_of_WORD_W_or_more u_fault ();
    end
  endgenerate

  localparam integer WEIGHTS = 3 * POINTS / 2 - 1;  // of a block

  reg [WORD*WORD_W-1:0] words_q;
  always @(posedge clk_i) words_q <= words_i;

  genvar w, b, p;
  generate
    for (w = 0; w < WORD; w = w + 1) begin : gen_word
      wire [WORD_W-1:0] stored = words_q[w*WORD_W+:WORD_W];
      wire [WORD_W+WEIGHT_W-1:0] extended = {{WEIGHT_W{stored[WORD_W-1]}}, stored};
      wire [WEIGHT_W-1:0] weight = extended[WEIGHT_W-1:0];
      wire unused = &{1'b0, extended};  // copies of the sign
    end
    for (b = 0; b < WORD / POINTS; b = b + 1) begin : gen_block
      for (p = 0; p < 2; p = p + 1) begin : gen_real
        assign weights_o[(b*WEIGHTS+p)*WEIGHT_W+:WEIGHT_W] = gen_word[b*POINTS+p].weight;
      end
      for (p = 1; p < POINTS / 2; p = p + 1) begin : gen_complex
        wire [WEIGHT_W-1:0] c = gen_word[b*POINTS+2*p].weight;
        wire [WEIGHT_W-1:0] d = gen_word[b*POINTS+2*p+1].weight;
        assign weights_o[(b*WEIGHTS+3*p-1)*WEIGHT_W+:3*WEIGHT_W] = {c + d, d - c, c};
      end
    end
  endgenerate

endmodule

`default_nettype wire
