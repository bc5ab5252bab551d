// SPDX-License-Identifier: Apache-2.0
// ernn_adder_tree: sum of TERMS signed words, a register behind every level of additions.
//
// Latency: LEVELS; 0 for a single term.
// Golden model: ernn.quant.products.Weights.multiply
// Requires:     LEVELS = ceil(log2(TERMS)); OUT_W >= IN_W holds the sum (proved by ernn.hw.widths)
`default_nettype none

module ernn_adder_tree #(
    parameter integer TERMS  = 2,
    parameter integer IN_W   = 8,
    parameter integer LEVELS = 1,
    parameter integer OUT_W  = 9
) (
    input  wire                  clk_i,
    input  wire [TERMS*IN_W-1:0] terms_i,
    output wire [     OUT_W-1:0] sum_o
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (LEVELS != $clog2(TERMS)) begin : gen_fault0
      ernn_adder_tree_needs_LEVELS_of_clog2_TERMS u_fault ();
    end
    if (OUT_W < IN_W) begin : gen_fault1
      ernn_adder_tree_needs_OUT_W_of_IN_W_or_more u_fault ();
    end
  endgenerate

  // Level n holds ceil(TERMS / 2^n) words.
  wire [OUT_W-1:0] node[0:(LEVELS+1)*TERMS-1];

  genvar n, t;
  generate
    if (LEVELS == 0) begin : gen_single
      wire unused = clk_i;
    end
    for (t = 0; t < TERMS; t = t + 1) begin : gen_term
      assign node[t] = {{(OUT_W - IN_W) {terms_i[t*IN_W+IN_W-1]}}, terms_i[t*IN_W+:IN_W]};
    end
    for (n = 0; n < LEVELS; n = n + 1) begin : gen_level
      for (t = 0; t < (TERMS + (2 << n) - 1) >> (n + 1); t = t + 1) begin : gen_node
        reg [OUT_W-1:0] sum_q;
        if (2 * t + 1 < (TERMS + (1 << n) - 1) >> n) begin : gen_add
          always @(posedge clk_i) sum_q <= node[n*TERMS+2*t] + node[n*TERMS+2*t+1];
        end else begin : gen_wait
          always @(posedge clk_i) sum_q <= node[n*TERMS+2*t];
        end
        assign node[(n+1)*TERMS+t] = sum_q;
      end
    end
  endgenerate

  assign sum_o = node[LEVELS*TERMS];

endmodule

`default_nettype wire
