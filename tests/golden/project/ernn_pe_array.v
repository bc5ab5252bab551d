// SPDX-License-Identifier: Apache-2.0
// ernn_pe_array: ROWS x COLUMNS PEs, their weights, the broadcast tree and the drain.
//
// Step controls come with the operands, the weight address and its enable two cycles before them.
// drain_o carries LANES rows a cycle: row LANES*t + d leaves lane d in cycle t of a drain; valid and tag
// travel outside.
// Latency: 5 + LEVELS from the last operand of a pass to its first drained row (2 broadcast, 3 PE).
// Golden model: ernn.quant.integer_model
// Requires:     LANES divides ROWS; LEVELS = ceil(log4(ROWS/LANES)), at least 1; passes end at least ROWS/LANES cycles apart
`default_nettype none

module ernn_pe_array #(
    parameter integer ROWS     = 2,   // output words computed side by side
    parameter integer COLUMNS  = 1,   // input words taken at once
    parameter integer LANES    = 1,   // rows drained a cycle
    parameter integer LEVELS   = 1,   // of a drain
    parameter integer MACS     = 11,
    parameter integer LOGIC    = 0,   // MACs of a PE without a DSP block
    parameter integer OP_W     = 16,
    parameter integer WEIGHT_W = 13,
    parameter integer ODD      = 0,   // of stored weights: see ernn_pe
    parameter integer POWERS   = 0,
    parameter integer ACC_W    = 40,
    parameter integer FANOUT   = 8,   // rows behind one leaf of the broadcast tree
    parameter integer GROUP_ROWS = ROWS,  // rows that have the same operands
    parameter integer DEPTH    = 2,   // steps of the program: words of weight memory
    parameter integer ADDR_W   = 1,
    parameter RAM_STYLE = "auto",
    parameter integer FILES    = 1    // 1: row r begins with the words of weights_<r>.mem
) (
    input  wire                                clk_i,
    input  wire                                rst_i,
    input  wire                                step_valid_i,
    input  wire                                step_first_i,  // first step of a pass
    input  wire                                step_last_i,   // last step of a pass
    input  wire                                step_read_i,   // its weights are needed, two cycles early
    input  wire [                  ADDR_W-1:0] step_weight_i, // its weight address, two cycles early
    input  wire [ROWS/GROUP_ROWS*COLUMNS*MACS*OP_W-1:0] operands_i,  // of each group
    // New weights, while the array rests: a word of row load_target_i
    input  wire                                load_we_i,
    input  wire [                        15:0] load_target_i,
    input  wire [                  ADDR_W-1:0] load_address_i,
    input  wire [   COLUMNS*MACS*WEIGHT_W-1:0] load_data_i,
    output wire [LANES*COLUMNS*MACS*ACC_W-1:0] drain_o
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (ROWS % LANES != 0) begin : gen_fault
      ernn_pe_array_needs_LANES_that_divide_ROWS u_fault ();
    end
    if (ROWS % GROUP_ROWS != 0) begin : gen_fault1
      ernn_pe_array_needs_GROUP_ROWS_that_divide_ROWS u_fault ();
    end
  endgenerate

  localparam integer LEAVES = (ROWS + FANOUT - 1) / FANOUT;
  localparam integer GROUPS = ROWS / GROUP_ROWS;
  localparam integer GROUP_LEAVES = (GROUP_ROWS + FANOUT - 1) / FANOUT;  // with a group's operands
  localparam integer OPERANDS_W = COLUMNS * MACS * OP_W;
  localparam integer SHADOW_W = MACS * ACC_W;
  localparam integer ENTRIES = ROWS / LANES;
  localparam integer WORD_W = COLUMNS * MACS * WEIGHT_W;

  // Stage 1: root of the broadcast tree, weights leave their memory; stage 2: leaves, weights in the PE;
  // stages 3 to 5: operand, product and sum inside the PE; then the drain.
  reg  [  GROUPS*OPERANDS_W-1:0] root_q;
  reg  [             ADDR_W-1:0] weight_q;
  reg                            read_q;
  reg                            valid_q, first_q, last_q;
  reg                            load_we_q;
  reg  [                   15:0] load_target_q;
  reg  [             ADDR_W-1:0] load_address_q;
  reg  [             WORD_W-1:0] load_data_q;

  always @(posedge clk_i) begin
    root_q         <= operands_i;
    weight_q       <= step_weight_i;
    read_q         <= step_read_i;
    valid_q        <= step_valid_i;
    first_q        <= step_first_i;
    last_q         <= step_valid_i && step_last_i && !rst_i;
    load_we_q      <= load_we_i;
    load_target_q  <= load_target_i;
    load_address_q <= load_address_i;
    load_data_q    <= load_data_i;
    if (rst_i) load_we_q <= 1'b0;
  end

  wire [COLUMNS*SHADOW_W-1:0] shadow[0:ROWS-1];
  wire [COLUMNS-1:0] last[0:ROWS-1];

  genvar leaf, lane, r, c;
  wire [OPERANDS_W-1:0] operands[0:GROUPS*GROUP_LEAVES-1];
  generate
    for (leaf = 0; leaf < GROUPS * GROUP_LEAVES; leaf = leaf + 1) begin : gen_operands
      (* keep = "true" *) reg [OPERANDS_W-1:0] leaf_q;
      always @(posedge clk_i) leaf_q <= root_q[leaf/GROUP_LEAVES*OPERANDS_W+:OPERANDS_W];
      assign operands[leaf] = leaf_q;
    end
    for (leaf = 0; leaf < LEAVES; leaf = leaf + 1) begin : gen_leaf
      // A copy of everything per leaf is the point of the tree.
      (* keep = "true" *) reg [ADDR_W-1:0] leaf_weight_q;
      (* keep = "true" *) reg leaf_read_q;
      (* keep = "true" *) reg leaf_valid_q, leaf_first_q, leaf_last_q;
      (* keep = "true" *) reg leaf_we_q;
      (* keep = "true" *) reg [15:0] leaf_target_q;
      (* keep = "true" *) reg [ADDR_W-1:0] leaf_address_q;
      (* keep = "true" *) reg [WORD_W-1:0] leaf_data_q;
      always @(posedge clk_i) begin
        leaf_weight_q  <= weight_q;
        leaf_read_q    <= read_q;
        leaf_valid_q   <= valid_q;
        leaf_first_q   <= first_q;
        leaf_last_q    <= last_q && !rst_i;
        leaf_we_q      <= load_we_q;
        leaf_target_q  <= load_target_q;
        leaf_address_q <= load_address_q;
        leaf_data_q    <= load_data_q;
        if (rst_i) leaf_we_q <= 1'b0;
      end
      for (r = leaf * FANOUT; r < ROWS && r < (leaf + 1) * FANOUT; r = r + 1) begin : gen_row
        localparam [31:0] TARGET = r;
        localparam [31:0] HUNDREDS = 48 + r / 100 % 10, TENS = 48 + r / 10 % 10, ONES = 48 + r % 10;
        wire [OPERANDS_W-1:0] own = operands[r/GROUP_ROWS*GROUP_LEAVES+r%GROUP_ROWS/FANOUT];
        wire [WORD_W-1:0] weights;
        ernn_ram #(
            .WIDTH    (WORD_W),
            .DEPTH    (DEPTH),
            .ADDR_W   (ADDR_W),
            .RAM_STYLE(RAM_STYLE),
            .FILLED   (FILES),
            .INIT_FILE(FILES != 0 ? {"weights_", HUNDREDS[7:0], TENS[7:0], ONES[7:0], ".mem"} : "")
        ) u_weights (
            .clk_i  (clk_i),
            .we_i   (leaf_we_q && leaf_target_q == TARGET[15:0] && !rst_i),
            .waddr_i(leaf_address_q),
            .wdata_i(leaf_data_q),
            .re_i   (leaf_read_q),
            .raddr_i(leaf_weight_q),
            .rdata_o(weights)
        );
        for (c = 0; c < COLUMNS; c = c + 1) begin : gen_column
          ernn_pe #(
              .MACS    (MACS),
              .LOGIC   (LOGIC),
              .OP_W    (OP_W),
              .WEIGHT_W(WEIGHT_W),
              .ODD     (ODD),
              .POWERS  (POWERS),
              .ACC_W   (ACC_W),
              .SHADOW  (r < LANES ? 0 : 1)
          ) u_pe (
              .clk_i     (clk_i),
              .rst_i     (rst_i),
              .operands_i(own[c*MACS*OP_W+:MACS*OP_W]),
              .weights_i (weights[c*MACS*WEIGHT_W+:MACS*WEIGHT_W]),
              .valid_i   (leaf_valid_q),
              .first_i   (leaf_first_q),
              .last_i    (leaf_last_q),
              .last_o    (last[r][c]),
              .drain_o   (shadow[r][c*SHADOW_W+:SHADOW_W])
          );
        end
      end
    end
    for (lane = 0; lane < LANES; lane = lane + 1) begin : gen_lane
      for (c = 0; c < COLUMNS; c = c + 1) begin : gen_column
        wire [ENTRIES*SHADOW_W-1:0] shadows;
        for (r = 0; r < ENTRIES; r = r + 1) begin : gen_row
          assign shadows[r*SHADOW_W+:SHADOW_W] = shadow[r*LANES+lane][c*SHADOW_W+:SHADOW_W];
        end
        ernn_drain #(
            .ROWS  (ENTRIES),
            .WIDTH (SHADOW_W),
            .LEVELS(LEVELS)
        ) u_drain (
            .clk_i    (clk_i),
            .rst_i    (rst_i),
            .start_i  (last[lane][c]),
            .shadows_i(shadows),
            .drain_o  (drain_o[(lane*COLUMNS+c)*SHADOW_W+:SHADOW_W])
        );
      end
    end
    // All PEs end a pass together: one of a drain tells it.
    for (r = LANES; r < ROWS; r = r + 1) begin : gen_unused
      wire unused = &{1'b0, last[r]};
    end
  endgenerate

endmodule

`default_nettype wire
