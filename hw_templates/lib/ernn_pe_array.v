// SPDX-License-Identifier: Apache-2.0
// ernn_pe_array: ROWS x COLUMNS PEs, their weights, the broadcast tree and the drain chains.
//
// Step controls come with the operands.  drain_o carries LANES rows a cycle: row LANES*t + d leaves
// lane d in cycle t after the capture; valid and tag travel outside.
// Latency: 6 from the last operand of a pass to its first drained row (2 broadcast, 3 PE, 1 shadow).
// Golden model: ernn.quant.integer_model
// Requires:     LANES divides ROWS; passes end at least ROWS/LANES cycles apart
`default_nettype none

module ernn_pe_array #(
    parameter integer ROWS     = 2,   // output words computed side by side
    parameter integer COLUMNS  = 1,   // input words taken at once
    parameter integer LANES    = 1,   // rows drained a cycle
    parameter integer MACS     = 11,
    parameter integer LOGIC    = 0,   // MACs of a PE without a DSP block
    parameter integer OP_W     = 16,
    parameter integer WEIGHT_W = 13,
    parameter integer ACC_W    = 40,
    parameter integer FANOUT   = 8,   // rows behind one leaf of the broadcast tree
    parameter integer DEPTH    = 2,   // steps of the program: words of weight memory
    parameter integer ADDR_W   = 1,
    parameter WEIGHT_FILE = ""
) (
    input  wire                                clk_i,
    input  wire                                step_valid_i,
    input  wire                                step_first_i,  // first step of a pass
    input  wire                                step_last_i,   // last step of a pass
    input  wire [                  ADDR_W-1:0] step_weight_i, // its weight address
    input  wire [       COLUMNS*MACS*OP_W-1:0] operands_i,
    output wire [LANES*COLUMNS*MACS*ACC_W-1:0] drain_o
);

  localparam integer PES = ROWS * COLUMNS;
  localparam integer LEAVES = (ROWS + FANOUT - 1) / FANOUT;
  localparam integer OPERANDS_W = COLUMNS * MACS * OP_W;
  localparam integer SHADOW_W = MACS * ACC_W;

  // Stage 1: root of the broadcast tree and weight address; stage 2: leaves and weights;
  // stages 3 to 5: operand, product and sum inside the PE; stage 6: shadow.
  reg  [         OPERANDS_W-1:0] root_q;
  reg  [             ADDR_W-1:0] weight_q;
  wire [PES*MACS*WEIGHT_W-1:0] weights;
  reg  [                    4:1] valid_q;
  reg  [                    4:1] first_q;
  reg  [                    5:1] last_q;

  always @(posedge clk_i) begin
    root_q   <= operands_i;
    weight_q <= step_weight_i;
    valid_q  <= {valid_q[3:1], step_valid_i};
    first_q  <= {first_q[3:1], step_first_i};
    last_q   <= {last_q[4:1], step_valid_i && step_last_i};
  end

  ernn_rom #(
      .WIDTH    (PES * MACS * WEIGHT_W),
      .DEPTH    (DEPTH),
      .ADDR_W   (ADDR_W),
      .INIT_FILE(WEIGHT_FILE)
  ) u_weights (
      .clk_i (clk_i),
      .addr_i(weight_q),
      .data_o(weights)
  );

  // chain[r]: shadows of row r; rows that do not exist are zero
  wire [COLUMNS*SHADOW_W-1:0] chain[0:ROWS+LANES-1];

  genvar leaf, r, c;
  generate
    for (r = ROWS; r < ROWS + LANES; r = r + 1) begin : gen_end
      assign chain[r] = {COLUMNS * SHADOW_W{1'b0}};
    end
    for (leaf = 0; leaf < LEAVES; leaf = leaf + 1) begin : gen_leaf
      (* keep = "true" *) reg [OPERANDS_W-1:0] leaf_q;  // a copy per leaf is the point of the tree
      always @(posedge clk_i) leaf_q <= root_q;
      for (r = leaf * FANOUT; r < ROWS && r < (leaf + 1) * FANOUT; r = r + 1) begin : gen_row
        for (c = 0; c < COLUMNS; c = c + 1) begin : gen_column
          ernn_pe #(
              .MACS    (MACS),
              .LOGIC   (LOGIC),
              .OP_W    (OP_W),
              .WEIGHT_W(WEIGHT_W),
              .ACC_W   (ACC_W)
          ) u_pe (
              .clk_i     (clk_i),
              .operands_i(leaf_q[c*MACS*OP_W+:MACS*OP_W]),
              .weights_i (weights[(r*COLUMNS+c)*MACS*WEIGHT_W+:MACS*WEIGHT_W]),
              .add_i     (valid_q[4]),
              .first_i   (first_q[4]),
              .capture_i (last_q[5]),
              .chain_i   (chain[r+LANES][c*SHADOW_W+:SHADOW_W]),
              .chain_o   (chain[r][c*SHADOW_W+:SHADOW_W])
          );
        end
      end
    end
    for (r = 0; r < LANES; r = r + 1) begin : gen_drain
      assign drain_o[r*COLUMNS*SHADOW_W+:COLUMNS*SHADOW_W] = chain[r];
    end
  endgenerate

endmodule

`default_nettype wire
