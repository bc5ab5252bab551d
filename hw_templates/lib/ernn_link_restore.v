// SPDX-License-Identifier: Apache-2.0
// ernn_link_restore: the features of a frame of a compressed link, from the whole numbers in it.
//
// Each value is an offset and a sum of products of all indices and a column of weights; the steps are in the weights.
// One multiplier does it, INDICES + 1 cycles a value, and a word at a time leaves.
// Latency: per word WORD * (INDICES + 1) cycles and 5 more until it is valid.
// Golden model: ernn.link.tables.LinkTables.restore
// Requires:     INDICES >= 2; WEIGHTS_FILE holds, for each value of a group as it leaves, its offset and INDICES weights
`default_nettype none

module ernn_link_restore #(
    parameter integer INDICES     = 2,   // of a frame
    parameter integer ADDR_W      = 1,   // bits of an index's number
    parameter integer INDEX_W     = 8,   // bits of an index, sign included
    parameter integer WEIGHT_W    = 12,  // bits of a weight, sign included
    parameter integer WEIGHT_FRAC = 8,
    parameter integer VALUE_W     = 15,  // bits of a value, sign included
    parameter integer VALUE_FRAC  = 11,
    parameter integer ELEMENT_W   = 16,  // bits of a value on the bus
    parameter integer WORD        = 1,   // values of a beat
    parameter integer BEATS       = 1,   // of a feature vector
    parameter integer FRAMES       = 1,   // feature vectors, at most
    parameter integer COUNT_W     = 1,   // bits that hold FRAMES - 1
    parameter integer STREAM_W    = 1,
    parameter WEIGHTS_FILE        = "",  // $readmemh file
    parameter integer FILLED      = 0    // 1: there is one
) (
    input  wire                      clk_i,
    input  wire                      rst_i,
    // Indices, as they come
    input  wire                      index_we_i,
    input  wire [        ADDR_W-1:0] index_addr_i,
    input  wire [       INDEX_W-1:0] index_i,
    // The frame is whole
    input  wire                      whole_i,
    input  wire [      STREAM_W-1:0] stream_i,
    input  wire                      starts_i,
    input  wire [       COUNT_W-1:0] last_i,    // frames of the group, less one
    output wire                      taken_o,   // the last word has left
    // AXI4-Stream, one packet a feature vector
    output wire [WORD*ELEMENT_W-1:0] m_axis_tdata,
    output wire                      m_axis_tvalid,
    input  wire                      m_axis_tready,
    output wire                      m_axis_tlast,
    output wire [               7:0] m_axis_tid,
    output wire                      m_axis_tuser
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (INDICES < 2) begin : gen_fault0
      ernn_link_restore_needs_INDICES_of_2_or_more u_fault ();
    end
    if (VALUE_W > ELEMENT_W) begin : gen_fault1
      ernn_link_restore_needs_VALUE_W_up_to_ELEMENT_W u_fault ();
    end
  endgenerate

  localparam integer DEPTH = FRAMES * BEATS * WORD * (INDICES + 1);
  localparam integer AT_W = $clog2(DEPTH + 1);
  localparam integer PLACE_W = $clog2(INDICES + 1);  // of an index, the offset first
  localparam integer VALUE_N_W = WORD > 1 ? $clog2(WORD) : 1;
  localparam integer BEAT_W = BEATS > 1 ? $clog2(BEATS) : 1;
  localparam integer SUM_W = INDEX_W + WEIGHT_W + PLACE_W;
  localparam [31:0] PLACE_INT = INDICES, VALUE_INT = WORD - 1, BEAT_INT = BEATS - 1;
  localparam [PLACE_W-1:0] LAST_PLACE = PLACE_INT[PLACE_W-1:0];
  localparam [VALUE_N_W-1:0] LAST_VALUE = VALUE_INT[VALUE_N_W-1:0];
  localparam [BEAT_W-1:0] LAST_BEAT = BEAT_INT[BEAT_W-1:0];

  // A product a cycle; then the word waits until it is taken.
  reg                  busy_q;  // products of a word are asked for
  reg                  wait_q;  // all are
  reg                  valid_q;
  reg  [     AT_W-1:0] at_q;
  reg  [  PLACE_W-1:0] place_q;
  reg  [VALUE_N_W-1:0] value_q;
  reg  [   BEAT_W-1:0] beat_q;
  reg  [  COUNT_W-1:0] vector_q;

  wire first = place_q == {PLACE_W{1'b0}};
  wire last = place_q == LAST_PLACE;
  wire [PLACE_W-1:0] index_at = place_q - 1'b1;
  wire leaves = valid_q && m_axis_tready;
  wire done = leaves && m_axis_tlast && vector_q == last_i;

  wire [ INDEX_W-1:0] index;
  wire [WEIGHT_W-1:0] weight;

  ernn_ram #(
      .WIDTH    (INDEX_W),
      .DEPTH    (INDICES),
      .ADDR_W   (PLACE_W),
      .RAM_STYLE("distributed")
  ) u_indices (
      .clk_i  (clk_i),
      .we_i   (index_we_i),
      .waddr_i({{(PLACE_W - ADDR_W) {1'b0}}, index_addr_i}),
      .wdata_i(index_i),
      .re_i   (busy_q && !first),
      .raddr_i(index_at),
      .rdata_o(index)
  );

  ernn_ram #(
      .WIDTH    (WEIGHT_W),
      .DEPTH    (DEPTH),
      .ADDR_W   (AT_W),
      .FILLED   (FILLED),
      .INIT_FILE(WEIGHTS_FILE)
  ) u_weights (
      .clk_i  (clk_i),
      .we_i   (1'b0),
      .waddr_i({AT_W{1'b0}}),
      .wdata_i({WEIGHT_W{1'b0}}),
      .re_i   (busy_q),
      .raddr_i(at_q),
      .rdata_o(weight)
  );

  // The word was asked for, its operands are there, its product, its sum.
  reg [1:0] first_q;
  reg [2:0] last_q;
  reg [1:0] there_q;
  reg signed [INDEX_W+WEIGHT_W-1:0] product_q;
  reg signed [SUM_W-1:0] sum_q;
  wire signed [INDEX_W-1:0] factor = first_q[0] ? {{(INDEX_W - 1) {1'b0}}, 1'b1} : index;
  wire signed [INDEX_W+WEIGHT_W-1:0] product = factor * $signed(weight);
  wire signed [SUM_W-1:0] more = {{PLACE_W{product_q[INDEX_W+WEIGHT_W-1]}}, product_q};

  wire [VALUE_W-1:0] value;
  wire saturated;

  ernn_requant #(
      .IN_W    (SUM_W),
      .IN_FRAC (WEIGHT_FRAC),
      .OUT_W   (VALUE_W),
      .OUT_FRAC(VALUE_FRAC)
  ) u_requant (
      .in_i       (sum_q),
      .add_i      ({VALUE_W{1'b0}}),
      .out_o      (value),
      .saturated_o(saturated)
  );

  reg [WORD*ELEMENT_W-1:0] word_q;
  wire [WORD*ELEMENT_W-1:0] extended = {{(WORD * ELEMENT_W - VALUE_W) {value[VALUE_W-1]}}, value};
  reg [VALUE_N_W-1:0] full_q;  // values of the word that are there

  always @(posedge clk_i) begin
    first_q <= {first_q[0], busy_q && first};
    last_q  <= {last_q[1:0], busy_q && last};
    there_q <= {there_q[0], busy_q};
    if (there_q[0]) product_q <= product;
    if (there_q[1]) sum_q <= first_q[1] ? more : sum_q + more;
    if (last_q[2]) begin
      word_q <= (word_q >> ELEMENT_W) | (extended << (WORD - 1) * ELEMENT_W);  // the first in the low bits
      full_q <= full_q == LAST_VALUE ? {VALUE_N_W{1'b0}} : full_q + 1'b1;
      if (full_q == LAST_VALUE) valid_q <= 1'b1;
    end
    if (busy_q) begin
      at_q <= at_q + 1'b1;
      place_q <= last ? {PLACE_W{1'b0}} : place_q + 1'b1;
      if (last) begin
        value_q <= value_q == LAST_VALUE ? {VALUE_N_W{1'b0}} : value_q + 1'b1;
        if (value_q == LAST_VALUE) begin
          busy_q <= 1'b0;
          wait_q <= 1'b1;
        end
      end
    end else if (!wait_q && whole_i) begin
      busy_q   <= 1'b1;
      at_q     <= {AT_W{1'b0}};
      beat_q   <= {BEAT_W{1'b0}};
      vector_q <= {COUNT_W{1'b0}};
    end
    if (leaves) begin
      valid_q <= 1'b0;
      wait_q  <= 1'b0;
      busy_q  <= !done;
      beat_q  <= m_axis_tlast ? {BEAT_W{1'b0}} : beat_q + 1'b1;
      if (m_axis_tlast) vector_q <= vector_q + 1'b1;
    end
    if (rst_i) begin
      busy_q  <= 1'b0;
      wait_q  <= 1'b0;
      valid_q <= 1'b0;
      place_q <= {PLACE_W{1'b0}};
      value_q <= {VALUE_N_W{1'b0}};
      full_q  <= {VALUE_N_W{1'b0}};
      first_q <= 2'd0;
      last_q  <= 3'd0;
      there_q <= 2'd0;
    end
  end

  assign taken_o = done;
  assign m_axis_tdata = word_q;
  assign m_axis_tvalid = valid_q;
  assign m_axis_tlast = beat_q == LAST_BEAT;
  assign m_axis_tid = {{(8 - STREAM_W) {1'b0}}, stream_i};
  assign m_axis_tuser = starts_i && vector_q == {COUNT_W{1'b0}} && beat_q == {BEAT_W{1'b0}};

  wire unused = &{1'b0, saturated};

endmodule

`default_nettype wire
