// SPDX-License-Identifier: Apache-2.0
// ernn_gru_after_lane: the whole cell of a GRU that resets after the product.
//
// n = tanh(row_nx + r * row_nh), then the same update as in the other form.
// One element per cycle; latency 2 * ACT_CYCLES + 6.
// Golden model: ernn.quant.cells.gru_candidate_row, then gru_update_step
// Requires:     modules ernn_sigmoid and ernn_tanh from ROW_W to GATE_W bits in ACT_CYCLES cycles
`default_nettype none

module ernn_gru_after_lane #(
    parameter integer ROW_W       = 16,
    parameter integer ROW_FRAC    = 12,
    parameter integer GATE_W      = 16,  // Q0.(GATE_W-1)
    parameter integer STATE_W     = 16,
    parameter integer STATE_FRAC  = 15,
    parameter integer VECTOR_W    = 12,
    parameter integer VECTOR_FRAC = 11,
    parameter integer ACT_CYCLES  = 5
) (
    input  wire                       clk_i,
    input  wire signed [   ROW_W-1:0] row_z_i,
    input  wire signed [   ROW_W-1:0] row_r_i,
    input  wire signed [   ROW_W-1:0] row_nh_i,
    input  wire signed [   ROW_W-1:0] row_nx_i,
    input  wire signed [ STATE_W-1:0] state_i,   // h
    output wire signed [ STATE_W-1:0] state_o,   // h'
    output wire signed [VECTOR_W-1:0] value_o    // h' as a vector element
);

  localparam integer MULTIPLY_CYCLES = 2;
  localparam integer CANDIDATE_CYCLES = ACT_CYCLES + MULTIPLY_CYCLES;

  wire signed [GATE_W-1:0] z, z_late, r;
  wire signed [ROW_W-1:0] row_nh, row_nx, row_n;
  wire signed [STATE_W-1:0] h;

  ernn_sigmoid u_z (.clk_i(clk_i), .in_i(row_z_i), .out_o(z));
  ernn_sigmoid u_r (.clk_i(clk_i), .in_i(row_r_i), .out_o(r));

  ernn_delay #(.WIDTH(2 * ROW_W), .CYCLES(ACT_CYCLES)) u_rows (
      .clk_i(clk_i), .in_i({row_nh_i, row_nx_i}), .out_o({row_nh, row_nx})
  );
  ernn_multiply #(
      .A_W         (GATE_W),
      .B_W         (ROW_W),
      .PRODUCT_FRAC(GATE_W - 1 + ROW_FRAC),
      .OUT_W       (ROW_W),
      .OUT_FRAC    (ROW_FRAC)
  ) u_row_n (
      .clk_i(clk_i),
      .a_i  (r),
      .b_i  (row_nh),
      .add_i(row_nx),
      .out_o(row_n)
  );

  ernn_delay #(.WIDTH(GATE_W), .CYCLES(MULTIPLY_CYCLES)) u_z_late (
      .clk_i(clk_i), .in_i(z), .out_o(z_late)
  );
  ernn_delay #(.WIDTH(STATE_W), .CYCLES(CANDIDATE_CYCLES)) u_h (
      .clk_i(clk_i), .in_i(state_i), .out_o(h)
  );
  ernn_gru_update_lane #(
      .ROW_W      (ROW_W),
      .GATE_W     (GATE_W),
      .STATE_W    (STATE_W),
      .STATE_FRAC (STATE_FRAC),
      .VECTOR_W   (VECTOR_W),
      .VECTOR_FRAC(VECTOR_FRAC),
      .ACT_CYCLES (ACT_CYCLES)
  ) u_update (
      .clk_i  (clk_i),
      .z_i    (z_late),
      .row_n_i(row_n),
      .state_i(h),
      .state_o(state_o),
      .value_o(value_o)
  );

endmodule

`default_nettype wire
