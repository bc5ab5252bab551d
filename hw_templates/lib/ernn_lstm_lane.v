// SPDX-License-Identifier: Apache-2.0
// ernn_lstm_lane: one LSTM cell, from pre-activations and c to the new c and o * tanh(c).
//
// One element per cycle; latency 2 * ACT_CYCLES + 6, with peepholes 2 * ACT_CYCLES + 9.
// Golden model: ernn.quant.cells.lstm_step
// Requires:     modules ernn_sigmoid and ernn_tanh from ROW_W to GATE_W bits in ACT_CYCLES cycles;
//               STATE_FRAC < GATE_W
`default_nettype none

module ernn_lstm_lane #(
    parameter integer ROW_W       = 16,
    parameter integer ROW_FRAC    = 12,
    parameter integer GATE_W      = 16,  // Q0.(GATE_W-1)
    parameter integer STATE_W     = 16,
    parameter integer STATE_FRAC  = 12,
    parameter integer VECTOR_W    = 12,
    parameter integer VECTOR_FRAC = 11,
    parameter integer PEEP_W      = 12,
    parameter integer PEEP_FRAC   = 11,
    parameter integer PEEPHOLES   = 1,   // 0: peep_*_i are ignored
    parameter integer G_TANH      = 1,   // 0: g is a sigmoid
    parameter integer ACT_CYCLES  = 5
) (
    input  wire                       clk_i,
    input  wire signed [   ROW_W-1:0] row_i_i,
    input  wire signed [   ROW_W-1:0] row_f_i,
    input  wire signed [   ROW_W-1:0] row_g_i,
    input  wire signed [   ROW_W-1:0] row_o_i,
    input  wire signed [ STATE_W-1:0] state_i,   // c
    input  wire signed [  PEEP_W-1:0] peep_i_i,
    input  wire signed [  PEEP_W-1:0] peep_f_i,
    input  wire signed [  PEEP_W-1:0] peep_o_i,
    output wire signed [ STATE_W-1:0] state_o,   // c'
    output wire signed [VECTOR_W-1:0] value_o    // m
);

  localparam integer GATE_FRAC = GATE_W - 1;
  localparam integer MULTIPLY_CYCLES = 2;

  // Cycles at which things are known, counted from the inputs.
  localparam integer AT_ROWS = (PEEPHOLES != 0) ? MULTIPLY_CYCLES : 0;
  localparam integer AT_GATES = AT_ROWS + ACT_CYCLES;
  localparam integer AT_STATE = AT_GATES + 3;  // products, sum, rounding
  localparam integer AT_ROW_O = AT_STATE + ((PEEPHOLES != 0) ? MULTIPLY_CYCLES : 1);
  localparam integer AT_END = AT_ROW_O + ACT_CYCLES + MULTIPLY_CYCLES;

  // Pre-activations behind the peepholes; o peeps at the new state.
  wire signed [ROW_W-1:0] row_i, row_f, row_g, row_o;
  reg signed [STATE_W-1:0] updated_q;  // c'

  generate
    if (PEEPHOLES != 0) begin : gen_peepholes
      wire signed [ROW_W-1:0] row_o_late;
      wire signed [PEEP_W-1:0] peep_o;

      ernn_multiply #(
          .A_W         (PEEP_W),
          .B_W         (STATE_W),
          .PRODUCT_FRAC(PEEP_FRAC + STATE_FRAC),
          .OUT_W       (ROW_W),
          .OUT_FRAC    (ROW_FRAC)
      ) u_row_i (
          .clk_i(clk_i),
          .a_i  (peep_i_i),
          .b_i  (state_i),
          .add_i(row_i_i),
          .out_o(row_i)
      );
      ernn_multiply #(
          .A_W         (PEEP_W),
          .B_W         (STATE_W),
          .PRODUCT_FRAC(PEEP_FRAC + STATE_FRAC),
          .OUT_W       (ROW_W),
          .OUT_FRAC    (ROW_FRAC)
      ) u_row_f (
          .clk_i(clk_i),
          .a_i  (peep_f_i),
          .b_i  (state_i),
          .add_i(row_f_i),
          .out_o(row_f)
      );
      ernn_delay #(.WIDTH(ROW_W + PEEP_W), .CYCLES(AT_STATE)) u_row_o_late (
          .clk_i(clk_i), .in_i({row_o_i, peep_o_i}), .out_o({row_o_late, peep_o})
      );
      ernn_multiply #(
          .A_W         (PEEP_W),
          .B_W         (STATE_W),
          .PRODUCT_FRAC(PEEP_FRAC + STATE_FRAC),
          .OUT_W       (ROW_W),
          .OUT_FRAC    (ROW_FRAC)
      ) u_row_o (
          .clk_i(clk_i),
          .a_i  (peep_o),
          .b_i  (updated_q),
          .add_i(row_o_late),
          .out_o(row_o)
      );
    end else begin : gen_no_peepholes
      wire unused_peepholes = &{1'b0, peep_i_i, peep_f_i, peep_o_i};
      assign row_i = row_i_i;
      assign row_f = row_f_i;
      ernn_delay #(.WIDTH(ROW_W), .CYCLES(AT_ROW_O)) u_row_o (
          .clk_i(clk_i), .in_i(row_o_i), .out_o(row_o)
      );
    end
  endgenerate

  ernn_delay #(.WIDTH(ROW_W), .CYCLES(AT_ROWS)) u_row_g (
      .clk_i(clk_i), .in_i(row_g_i), .out_o(row_g)
  );

  // Gates.
  wire signed [GATE_W-1:0] i, f, g;
  wire signed [STATE_W-1:0] c;

  ernn_sigmoid u_i (.clk_i(clk_i), .in_i(row_i), .out_o(i));
  ernn_sigmoid u_f (.clk_i(clk_i), .in_i(row_f), .out_o(f));
  generate
    if (G_TANH != 0) begin : gen_g_tanh
      ernn_tanh u_g (.clk_i(clk_i), .in_i(row_g), .out_o(g));
    end else begin : gen_g_sigmoid
      ernn_sigmoid u_g (.clk_i(clk_i), .in_i(row_g), .out_o(g));
    end
  endgenerate
  ernn_delay #(.WIDTH(STATE_W), .CYCLES(AT_GATES)) u_c (
      .clk_i(clk_i), .in_i(state_i), .out_o(c)
  );

  // New state: products, their sum, one rounding.
  localparam integer FC_W = GATE_W + STATE_W;
  localparam integer FC_SHIFT = GATE_FRAC - STATE_FRAC;  // from f * c to i * g
  localparam integer IG_W = 2 * GATE_W;
  localparam integer SUM_W = 1 + ((FC_W + FC_SHIFT > IG_W) ? FC_W + FC_SHIFT : IG_W);

  reg signed [FC_W-1:0] fc_q;
  reg signed [IG_W-1:0] ig_q;
  reg signed [SUM_W-1:0] sum_q;
  wire [SUM_W-1:0] fc_wide = {{(SUM_W - FC_W) {fc_q[FC_W-1]}}, fc_q} << FC_SHIFT;
  wire [SUM_W-1:0] ig_wide = {{(SUM_W - IG_W) {ig_q[IG_W-1]}}, ig_q};
  wire signed [STATE_W-1:0] updated;
  wire unused_state_saturated;

  ernn_requant #(
      .IN_W    (SUM_W),
      .IN_FRAC (2 * GATE_FRAC),
      .OUT_W   (STATE_W),
      .OUT_FRAC(STATE_FRAC)
  ) u_state (
      .in_i       (sum_q),
      .add_i      ({STATE_W{1'b0}}),
      .out_o      (updated),
      .saturated_o(unused_state_saturated)
  );

  always @(posedge clk_i) begin
    fc_q      <= f * c;
    ig_q      <= i * g;
    sum_q     <= fc_wide + ig_wide;
    updated_q <= updated;
  end

  // tanh(c') beside the output gate.
  wire signed [ROW_W-1:0] row_c;
  reg signed [ROW_W-1:0] row_c_q;
  wire signed [ROW_W-1:0] row_c_late;
  wire signed [GATE_W-1:0] o, tanh_c;
  wire unused_row_saturated;

  ernn_requant #(
      .IN_W    (STATE_W),
      .IN_FRAC (STATE_FRAC),
      .OUT_W   (ROW_W),
      .OUT_FRAC(ROW_FRAC)
  ) u_row_c (
      .in_i       (updated_q),
      .add_i      ({ROW_W{1'b0}}),
      .out_o      (row_c),
      .saturated_o(unused_row_saturated)
  );
  always @(posedge clk_i) row_c_q <= row_c;
  ernn_delay #(.WIDTH(ROW_W), .CYCLES(AT_ROW_O - AT_STATE - 1)) u_row_c_late (
      .clk_i(clk_i), .in_i(row_c_q), .out_o(row_c_late)
  );
  ernn_sigmoid u_o (.clk_i(clk_i), .in_i(row_o), .out_o(o));
  ernn_tanh u_tanh_c (.clk_i(clk_i), .in_i(row_c_late), .out_o(tanh_c));

  ernn_multiply #(
      .A_W         (GATE_W),
      .B_W         (GATE_W),
      .PRODUCT_FRAC(2 * GATE_FRAC),
      .OUT_W       (VECTOR_W),
      .OUT_FRAC    (VECTOR_FRAC)
  ) u_value (
      .clk_i(clk_i),
      .a_i  (o),
      .b_i  (tanh_c),
      .add_i({VECTOR_W{1'b0}}),
      .out_o(value_o)
  );
  ernn_delay #(.WIDTH(STATE_W), .CYCLES(AT_END - AT_STATE)) u_state_late (
      .clk_i(clk_i), .in_i(updated_q), .out_o(state_o)
  );

endmodule

`default_nettype wire
