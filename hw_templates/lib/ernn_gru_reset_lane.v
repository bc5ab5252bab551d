// SPDX-License-Identifier: Apache-2.0
// ernn_gru_reset_lane: both gates of a GRU that resets before the product, and r * h.
//
// One element per cycle; latency ACT_CYCLES + 2.
// Golden model: ernn.quant.cells.gru_reset_step
// Requires:     modules ernn_sigmoid and ernn_tanh from ROW_W to GATE_W bits in ACT_CYCLES cycles
`default_nettype none

module ernn_gru_reset_lane #(
    parameter integer ROW_W       = 16,
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
    input  wire signed [ STATE_W-1:0] state_i,  // h
    output wire signed [  GATE_W-1:0] z_o,
    output wire signed [VECTOR_W-1:0] value_o   // r * h
);

  localparam integer MULTIPLY_CYCLES = 2;

  wire signed [GATE_W-1:0] z, r;
  wire signed [STATE_W-1:0] h;

  ernn_sigmoid u_z (.clk_i(clk_i), .in_i(row_z_i), .out_o(z));
  ernn_sigmoid u_r (.clk_i(clk_i), .in_i(row_r_i), .out_o(r));

  ernn_delay #(.WIDTH(STATE_W), .CYCLES(ACT_CYCLES)) u_h (
      .clk_i(clk_i), .in_i(state_i), .out_o(h)
  );
  ernn_delay #(.WIDTH(GATE_W), .CYCLES(MULTIPLY_CYCLES)) u_z_out (
      .clk_i(clk_i), .in_i(z), .out_o(z_o)
  );

  ernn_multiply #(
      .A_W         (GATE_W),
      .B_W         (STATE_W),
      .PRODUCT_FRAC(GATE_W - 1 + STATE_FRAC),
      .OUT_W       (VECTOR_W),
      .OUT_FRAC    (VECTOR_FRAC)
  ) u_value (
      .clk_i(clk_i),
      .a_i  (r),
      .b_i  (h),
      .add_i({VECTOR_W{1'b0}}),
      .out_o(value_o)
  );

endmodule

`default_nettype wire
