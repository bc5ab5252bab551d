// SPDX-License-Identifier: Apache-2.0
// ernn_gru_update_lane: the new state of a GRU, h' = h + z * (n - h), n = tanh(row_n).
//
// h is a whole number of STATE units, so it is added behind the rounding of z * (n - h).
// One element per cycle; latency ACT_CYCLES + 4.
// Golden model: ernn.quant.cells.gru_update_step
// Requires:     module ernn_tanh from ROW_W to GATE_W bits in ACT_CYCLES cycles;
//               STATE_FRAC < GATE_W
`default_nettype none

module ernn_gru_update_lane #(
    parameter integer ROW_W       = 16,
    parameter integer GATE_W      = 16,  // Q0.(GATE_W-1)
    parameter integer STATE_W     = 16,
    parameter integer STATE_FRAC  = 15,
    parameter integer VECTOR_W    = 12,
    parameter integer VECTOR_FRAC = 11,
    parameter integer ACT_CYCLES  = 5
) (
    input  wire                       clk_i,
    input  wire signed [  GATE_W-1:0] z_i,
    input  wire signed [   ROW_W-1:0] row_n_i,
    input  wire signed [ STATE_W-1:0] state_i,  // h
    output wire signed [ STATE_W-1:0] state_o,  // h'
    output wire signed [VECTOR_W-1:0] value_o   // h' as a vector element
);

  localparam integer H_SHIFT = GATE_W - 1 - STATE_FRAC;  // from STATE's binary point to GATE's
  localparam integer DIFF_W = ((STATE_W + H_SHIFT > GATE_W) ? STATE_W + H_SHIFT : GATE_W) + 1;

  // Cycle ACT_CYCLES: the candidate and the state that it was computed from.
  wire signed [GATE_W-1:0] n;
  wire signed [STATE_W-1:0] h;

  ernn_tanh u_n (.clk_i(clk_i), .in_i(row_n_i), .out_o(n));
  ernn_delay #(.WIDTH(STATE_W), .CYCLES(ACT_CYCLES)) u_h (
      .clk_i(clk_i), .in_i(state_i), .out_o(h)
  );

  // One cycle later: n - h, exact.
  wire [DIFF_W-1:0] n_wide = {{(DIFF_W - GATE_W) {n[GATE_W-1]}}, n};
  wire [DIFF_W-1:0] h_wide = {{(DIFF_W - STATE_W) {h[STATE_W-1]}}, h} << H_SHIFT;
  reg signed [DIFF_W-1:0] diff_q;
  reg signed [STATE_W-1:0] h_q;
  wire signed [GATE_W-1:0] z;

  always @(posedge clk_i) begin
    diff_q <= n_wide - h_wide;
    h_q    <= h;
  end
  ernn_delay #(.WIDTH(GATE_W), .CYCLES(ACT_CYCLES + 1)) u_z (
      .clk_i(clk_i), .in_i(z_i), .out_o(z)
  );

  // Two cycles later: h'.
  wire signed [STATE_W-1:0] updated;
  reg signed [STATE_W-1:0] updated_q;
  wire signed [VECTOR_W-1:0] value;
  reg signed [VECTOR_W-1:0] value_q;
  wire unused_saturated;

  ernn_multiply #(
      .A_W         (GATE_W),
      .B_W         (DIFF_W),
      .PRODUCT_FRAC(2 * (GATE_W - 1)),
      .OUT_W       (STATE_W),
      .OUT_FRAC    (STATE_FRAC)
  ) u_state (
      .clk_i(clk_i),
      .a_i  (z),
      .b_i  (diff_q),
      .add_i(h_q),
      .out_o(updated)
  );

  // The last cycle: h' as a vector element.
  ernn_requant #(
      .IN_W    (STATE_W),
      .IN_FRAC (STATE_FRAC),
      .OUT_W   (VECTOR_W),
      .OUT_FRAC(VECTOR_FRAC)
  ) u_value (
      .in_i       (updated),
      .add_i      ({VECTOR_W{1'b0}}),
      .out_o      (value),
      .saturated_o(unused_saturated)
  );

  always @(posedge clk_i) begin
    updated_q <= updated;
    value_q   <= value;
  end
  assign state_o = updated_q;
  assign value_o = value_q;

endmodule

`default_nettype wire
