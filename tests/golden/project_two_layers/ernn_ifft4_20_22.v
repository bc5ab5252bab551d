// SPDX-License-Identifier: Apache-2.0
// ernn_ifft4_20_22: 4-point transform, constants as shifts and additions.
//
// One block per cycle; latency 2 cycles.
// Golden model: ernn.graphs.fourier.Transform.run
// Written by ernn.hdl.datapath through PyRTL, whose sums are a bit wider than their operands:
// Verilog widens the operands by itself, and the carry is dropped where the result cannot need it.
`default_nettype none
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off UNUSEDSIGNAL */

module ernn_ifft4_20_22 (
  input  wire clk_i,
  input  wire [79:0] in_i,
  output wire [87:0] out_o
);

  // Registers
  reg [20:0] stage1_word0_q;
  reg [20:0] stage1_word1_q;
  reg [20:0] stage1_word2_q;
  reg [21:0] stage1_word3_q;
  reg [21:0] stage2_word0_q;
  reg [21:0] stage2_word1_q;
  reg [21:0] stage2_word2_q;
  reg [21:0] stage2_word3_q;

  // Temporaries
  wire [19:0] in_word0;
  wire [19:0] in_word1;
  wire [19:0] in_word2;
  wire [19:0] in_word3;
  wire [21:0] stage1_word0_sum1;
  wire [21:0] stage1_word2_difference1;
  wire [20:0] stage1_word3_joined1;
  wire [22:0] stage1_word3_difference1;
  wire [22:0] stage2_word0_sum1;
  wire [22:0] stage2_word1_sum1;
  wire [22:0] stage2_word2_difference1;
  wire [22:0] stage2_word3_difference1;

  // Combinational logic
  assign in_word0 = (in_i[19:0]);
  assign in_word1 = (in_i[39:20]);
  assign in_word2 = (in_i[59:40]);
  assign in_word3 = (in_i[79:60]);
  assign out_o = {stage2_word3_q, stage2_word2_q, stage2_word1_q, stage2_word0_q};
  assign stage1_word0_sum1 = ({(in_word0[19]), in_word0} + {(in_word1[19]), in_word1});
  assign stage1_word2_difference1 = ({(in_word0[19]), in_word0} - {(in_word1[19]), in_word1});
  assign stage1_word3_joined1 = {in_word3, 1'd0};
  assign stage1_word3_difference1 = (22'd0 - {(stage1_word3_joined1[20]), stage1_word3_joined1});
  assign stage2_word0_sum1 = ({(stage1_word0_q[20]), stage1_word0_q} + {(stage1_word1_q[20]), stage1_word1_q});
  assign stage2_word1_sum1 = ({(stage1_word2_q[20]), stage1_word2_q} + stage1_word3_q);
  assign stage2_word2_difference1 = ({(stage1_word0_q[20]), stage1_word0_q} - {(stage1_word1_q[20]), stage1_word1_q});
  assign stage2_word3_difference1 = ({(stage1_word2_q[20]), stage1_word2_q} - stage1_word3_q);

  // Register logic
  always @(posedge clk_i) begin
    stage1_word0_q <= (stage1_word0_sum1[20:0]);
    stage1_word1_q <= {in_word2, 1'd0};
    stage1_word2_q <= (stage1_word2_difference1[20:0]);
    stage1_word3_q <= (stage1_word3_difference1[21:0]);
    stage2_word0_q <= (stage2_word0_sum1[21:0]);
    stage2_word1_q <= (stage2_word1_sum1[21:0]);
    stage2_word2_q <= (stage2_word2_difference1[21:0]);
    stage2_word3_q <= (stage2_word3_difference1[21:0]);
  end
endmodule

/* verilator lint_on UNUSEDSIGNAL */
/* verilator lint_on WIDTHEXPAND */
`default_nettype wire
