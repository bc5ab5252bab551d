// SPDX-License-Identifier: Apache-2.0
// ernn_fft4_14_16: 4-point transform, constants as shifts and additions.
//
// One block per cycle; latency 2 cycles.
// Golden model: ernn.graphs.fourier.Transform.run
// Written by ernn.hdl.datapath through PyRTL, whose sums are a bit wider than their operands:
// Verilog widens the operands by itself, and the carry is dropped where the result cannot need it.
`default_nettype none
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off UNUSEDSIGNAL */

module ernn_fft4_14_16 (
  input  wire clk_i,
  input  wire [55:0] in_i,
  output wire [63:0] out_o
);

  // Registers
  reg [14:0] stage1_word0_q;
  reg [14:0] stage1_word1_q;
  reg [14:0] stage1_word2_q;
  reg [14:0] stage1_word3_q;
  reg [15:0] stage2_word0_q;
  reg [15:0] stage2_word1_q;
  reg [14:0] stage2_word2_q;
  reg [14:0] stage2_word3_q;

  // Temporaries
  wire [13:0] in_word0;
  wire [13:0] in_word1;
  wire [13:0] in_word2;
  wire [13:0] in_word3;
  wire [15:0] stage1_word0_sum1;
  wire [15:0] stage1_word1_difference1;
  wire [15:0] stage1_word2_sum1;
  wire [15:0] stage1_word3_difference1;
  wire [16:0] stage2_word0_sum1;
  wire [16:0] stage2_word1_difference1;
  wire [15:0] stage2_word3_difference1;

  // Combinational logic
  assign in_word0 = (in_i[13:0]);
  assign in_word1 = (in_i[27:14]);
  assign in_word2 = (in_i[41:28]);
  assign in_word3 = (in_i[55:42]);
  assign out_o = {{(stage2_word3_q[14]), stage2_word3_q}, {(stage2_word2_q[14]), stage2_word2_q}, stage2_word1_q, stage2_word0_q};
  assign stage1_word0_sum1 = ({(in_word0[13]), in_word0} + {(in_word2[13]), in_word2});
  assign stage1_word1_difference1 = ({(in_word0[13]), in_word0} - {(in_word2[13]), in_word2});
  assign stage1_word2_sum1 = ({(in_word1[13]), in_word1} + {(in_word3[13]), in_word3});
  assign stage1_word3_difference1 = ({(in_word1[13]), in_word1} - {(in_word3[13]), in_word3});
  assign stage2_word0_sum1 = ({(stage1_word0_q[14]), stage1_word0_q} + {(stage1_word2_q[14]), stage1_word2_q});
  assign stage2_word1_difference1 = ({(stage1_word0_q[14]), stage1_word0_q} - {(stage1_word2_q[14]), stage1_word2_q});
  assign stage2_word3_difference1 = (15'd0 - stage1_word3_q);

  // Register logic
  always @(posedge clk_i) begin
    stage1_word0_q <= (stage1_word0_sum1[14:0]);
    stage1_word1_q <= (stage1_word1_difference1[14:0]);
    stage1_word2_q <= (stage1_word2_sum1[14:0]);
    stage1_word3_q <= (stage1_word3_difference1[14:0]);
    stage2_word0_q <= (stage2_word0_sum1[15:0]);
    stage2_word1_q <= (stage2_word1_difference1[15:0]);
    stage2_word2_q <= stage1_word1_q;
    stage2_word3_q <= (stage2_word3_difference1[14:0]);
  end
endmodule

/* verilator lint_on UNUSEDSIGNAL */
/* verilator lint_on WIDTHEXPAND */
`default_nettype wire
