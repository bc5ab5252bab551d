// SPDX-License-Identifier: Apache-2.0
// ernn_fft8_14_17: 8-point transform, constants as shifts and additions.
//
// One block per cycle; latency 5 cycles.
// Golden model: ernn.graphs.fourier.Transform.run
// Written by ernn.hdl.datapath through PyRTL, whose sums are a bit wider than their operands:
// Verilog widens the operands by itself, and the carry is dropped where the result cannot need it.
`default_nettype none
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off UNUSEDSIGNAL */

module ernn_fft8_14_17 (
  input  wire clk_i,
  input  wire [111:0] in_i,
  output wire [135:0] out_o
);

  // Registers
  reg [14:0] stage1_word0_q;
  reg [14:0] stage1_word1_q;
  reg [14:0] stage1_word2_q;
  reg [14:0] stage1_word3_q;
  reg [14:0] stage1_word4_q;
  reg [14:0] stage1_word5_q;
  reg [14:0] stage1_word6_q;
  reg [14:0] stage1_word7_q;
  reg [15:0] stage2_word0_q;
  reg [15:0] stage2_word1_q;
  reg [14:0] stage2_word2_q;
  reg [14:0] stage2_word3_q;
  reg [15:0] stage2_word4_q;
  reg [15:0] stage2_word5_q;
  reg [14:0] stage2_word6_q;
  reg [14:0] stage2_word7_q;
  reg [15:0] stage3_word0_q;
  reg [15:0] stage3_word1_q;
  reg [14:0] stage3_word2_q;
  reg [14:0] stage3_word3_q;
  reg [15:0] stage3_word4_q;
  reg [15:0] stage3_word5_q;
  reg [26:0] stage3_word6_q;
  reg [26:0] stage3_word7_q;
  reg [26:0] stage3_word8_q;
  reg [26:0] stage3_word9_q;
  reg [15:0] stage4_word0_q;
  reg [15:0] stage4_word1_q;
  reg [14:0] stage4_word2_q;
  reg [14:0] stage4_word3_q;
  reg [15:0] stage4_word4_q;
  reg [15:0] stage4_word5_q;
  reg [15:0] stage4_word6_q;
  reg [15:0] stage4_word7_q;
  reg [16:0] stage5_word0_q;
  reg [16:0] stage5_word1_q;
  reg [16:0] stage5_word2_q;
  reg [16:0] stage5_word3_q;
  reg [15:0] stage5_word4_q;
  reg [15:0] stage5_word5_q;
  reg [16:0] stage5_word6_q;
  reg [16:0] stage5_word7_q;

  // Temporaries
  wire [13:0] in_word0;
  wire [13:0] in_word1;
  wire [13:0] in_word2;
  wire [13:0] in_word3;
  wire [13:0] in_word4;
  wire [13:0] in_word5;
  wire [13:0] in_word6;
  wire [13:0] in_word7;
  wire [15:0] stage1_word0_sum1;
  wire [15:0] stage1_word1_difference1;
  wire [15:0] stage1_word2_sum1;
  wire [15:0] stage1_word3_difference1;
  wire [15:0] stage1_word4_sum1;
  wire [15:0] stage1_word5_difference1;
  wire [15:0] stage1_word6_sum1;
  wire [15:0] stage1_word7_difference1;
  wire [16:0] stage2_word0_sum1;
  wire [16:0] stage2_word1_difference1;
  wire [15:0] stage2_word3_difference1;
  wire [16:0] stage2_word4_sum1;
  wire [16:0] stage2_word5_difference1;
  wire [15:0] stage2_word7_difference1;
  wire [18:0] stage3_word6_joined1;
  wire stage3_word6_bits1;
  wire [20:0] stage3_word6_joined2;
  wire stage3_word6_bits2;
  wire [27:0] stage3_word6_sum1;
  wire [27:0] stage3_word6_sum2;
  wire [22:0] stage3_word6_joined3;
  wire stage3_word6_bits3;
  wire [27:0] stage3_word6_difference1;
  wire [24:0] stage3_word6_joined4;
  wire stage3_word6_bits4;
  wire [27:0] stage3_word6_difference2;
  wire [18:0] stage3_word7_joined1;
  wire stage3_word7_bits1;
  wire [20:0] stage3_word7_joined2;
  wire stage3_word7_bits2;
  wire [27:0] stage3_word7_sum1;
  wire [27:0] stage3_word7_sum2;
  wire [22:0] stage3_word7_joined3;
  wire stage3_word7_bits3;
  wire [27:0] stage3_word7_difference1;
  wire [24:0] stage3_word7_joined4;
  wire stage3_word7_bits4;
  wire [27:0] stage3_word7_difference2;
  wire [18:0] stage3_word8_joined1;
  wire stage3_word8_bits1;
  wire [20:0] stage3_word8_joined2;
  wire stage3_word8_bits2;
  wire [27:0] stage3_word8_sum1;
  wire [27:0] stage3_word8_sum2;
  wire [22:0] stage3_word8_joined3;
  wire stage3_word8_bits3;
  wire [27:0] stage3_word8_difference1;
  wire [24:0] stage3_word8_joined4;
  wire stage3_word8_bits4;
  wire [27:0] stage3_word8_difference2;
  wire [18:0] stage3_word9_joined1;
  wire stage3_word9_bits1;
  wire [20:0] stage3_word9_joined2;
  wire stage3_word9_bits2;
  wire [27:0] stage3_word9_sum1;
  wire [27:0] stage3_word9_sum2;
  wire [22:0] stage3_word9_joined3;
  wire stage3_word9_bits3;
  wire [27:0] stage3_word9_difference1;
  wire [24:0] stage3_word9_joined4;
  wire stage3_word9_bits4;
  wire [27:0] stage3_word9_difference2;
  wire [28:0] stage4_word6_sum1;
  wire [28:0] stage4_word6_sum2;
  wire [27:0] stage4_word6_bits1;
  wire [28:0] stage4_word7_difference1;
  wire [28:0] stage4_word7_sum1;
  wire [27:0] stage4_word7_bits1;
  wire [17:0] stage5_word0_sum1;
  wire [17:0] stage5_word1_difference1;
  wire stage5_word2_bits1;
  wire [17:0] stage5_word2_sum1;
  wire stage5_word3_bits1;
  wire [17:0] stage5_word3_sum1;
  wire [16:0] stage5_word5_difference1;
  wire stage5_word6_bits1;
  wire [17:0] stage5_word6_difference1;
  wire stage5_word7_bits1;
  wire [17:0] stage5_word7_difference1;

  // Combinational logic
  assign in_word0 = (in_i[13:0]);
  assign in_word1 = (in_i[27:14]);
  assign in_word2 = (in_i[41:28]);
  assign in_word3 = (in_i[55:42]);
  assign in_word4 = (in_i[69:56]);
  assign in_word5 = (in_i[83:70]);
  assign in_word6 = (in_i[97:84]);
  assign in_word7 = (in_i[111:98]);
  assign out_o = {stage5_word7_q, stage5_word6_q, {(stage5_word5_q[15]), stage5_word5_q}, {(stage5_word4_q[15]), stage5_word4_q}, stage5_word3_q, stage5_word2_q, stage5_word1_q, stage5_word0_q};
  assign stage1_word0_sum1 = ({(in_word0[13]), in_word0} + {(in_word4[13]), in_word4});
  assign stage1_word1_difference1 = ({(in_word0[13]), in_word0} - {(in_word4[13]), in_word4});
  assign stage1_word2_sum1 = ({(in_word2[13]), in_word2} + {(in_word6[13]), in_word6});
  assign stage1_word3_difference1 = ({(in_word2[13]), in_word2} - {(in_word6[13]), in_word6});
  assign stage1_word4_sum1 = ({(in_word1[13]), in_word1} + {(in_word5[13]), in_word5});
  assign stage1_word5_difference1 = ({(in_word1[13]), in_word1} - {(in_word5[13]), in_word5});
  assign stage1_word6_sum1 = ({(in_word3[13]), in_word3} + {(in_word7[13]), in_word7});
  assign stage1_word7_difference1 = ({(in_word3[13]), in_word3} - {(in_word7[13]), in_word7});
  assign stage2_word0_sum1 = ({(stage1_word0_q[14]), stage1_word0_q} + {(stage1_word2_q[14]), stage1_word2_q});
  assign stage2_word1_difference1 = ({(stage1_word0_q[14]), stage1_word0_q} - {(stage1_word2_q[14]), stage1_word2_q});
  assign stage2_word3_difference1 = (15'd0 - stage1_word3_q);
  assign stage2_word4_sum1 = ({(stage1_word4_q[14]), stage1_word4_q} + {(stage1_word6_q[14]), stage1_word6_q});
  assign stage2_word5_difference1 = ({(stage1_word4_q[14]), stage1_word4_q} - {(stage1_word6_q[14]), stage1_word6_q});
  assign stage2_word7_difference1 = (15'd0 - stage1_word7_q);
  assign stage3_word6_joined1 = {stage2_word6_q, 4'd0};
  assign stage3_word6_bits1 = (stage3_word6_joined1[18]);
  assign stage3_word6_joined2 = {stage2_word6_q, 6'd0};
  assign stage3_word6_bits2 = (stage3_word6_joined2[20]);
  assign stage3_word6_sum1 = ({{8 {stage3_word6_bits1}}, stage3_word6_joined1} + {{6 {stage3_word6_bits2}}, stage3_word6_joined2});
  assign stage3_word6_sum2 = ((stage3_word6_sum1[26:0]) + {stage2_word6_q, 12'd0});
  assign stage3_word6_joined3 = {stage2_word6_q, 8'd0};
  assign stage3_word6_bits3 = (stage3_word6_joined3[22]);
  assign stage3_word6_difference1 = ((stage3_word6_sum2[26:0]) - {{4 {stage3_word6_bits3}}, stage3_word6_joined3});
  assign stage3_word6_joined4 = {stage2_word6_q, 10'd0};
  assign stage3_word6_bits4 = (stage3_word6_joined4[24]);
  assign stage3_word6_difference2 = ((stage3_word6_difference1[26:0]) - {{2 {stage3_word6_bits4}}, stage3_word6_joined4});
  assign stage3_word7_joined1 = {stage2_word7_q, 4'd0};
  assign stage3_word7_bits1 = (stage3_word7_joined1[18]);
  assign stage3_word7_joined2 = {stage2_word7_q, 6'd0};
  assign stage3_word7_bits2 = (stage3_word7_joined2[20]);
  assign stage3_word7_sum1 = ({{8 {stage3_word7_bits1}}, stage3_word7_joined1} + {{6 {stage3_word7_bits2}}, stage3_word7_joined2});
  assign stage3_word7_sum2 = ((stage3_word7_sum1[26:0]) + {stage2_word7_q, 12'd0});
  assign stage3_word7_joined3 = {stage2_word7_q, 8'd0};
  assign stage3_word7_bits3 = (stage3_word7_joined3[22]);
  assign stage3_word7_difference1 = ((stage3_word7_sum2[26:0]) - {{4 {stage3_word7_bits3}}, stage3_word7_joined3});
  assign stage3_word7_joined4 = {stage2_word7_q, 10'd0};
  assign stage3_word7_bits4 = (stage3_word7_joined4[24]);
  assign stage3_word7_difference2 = ((stage3_word7_difference1[26:0]) - {{2 {stage3_word7_bits4}}, stage3_word7_joined4});
  assign stage3_word8_joined1 = {stage2_word7_q, 4'd0};
  assign stage3_word8_bits1 = (stage3_word8_joined1[18]);
  assign stage3_word8_joined2 = {stage2_word7_q, 6'd0};
  assign stage3_word8_bits2 = (stage3_word8_joined2[20]);
  assign stage3_word8_sum1 = ({{8 {stage3_word8_bits1}}, stage3_word8_joined1} + {{6 {stage3_word8_bits2}}, stage3_word8_joined2});
  assign stage3_word8_sum2 = ((stage3_word8_sum1[26:0]) + {stage2_word7_q, 12'd0});
  assign stage3_word8_joined3 = {stage2_word7_q, 8'd0};
  assign stage3_word8_bits3 = (stage3_word8_joined3[22]);
  assign stage3_word8_difference1 = ((stage3_word8_sum2[26:0]) - {{4 {stage3_word8_bits3}}, stage3_word8_joined3});
  assign stage3_word8_joined4 = {stage2_word7_q, 10'd0};
  assign stage3_word8_bits4 = (stage3_word8_joined4[24]);
  assign stage3_word8_difference2 = ((stage3_word8_difference1[26:0]) - {{2 {stage3_word8_bits4}}, stage3_word8_joined4});
  assign stage3_word9_joined1 = {stage2_word6_q, 4'd0};
  assign stage3_word9_bits1 = (stage3_word9_joined1[18]);
  assign stage3_word9_joined2 = {stage2_word6_q, 6'd0};
  assign stage3_word9_bits2 = (stage3_word9_joined2[20]);
  assign stage3_word9_sum1 = ({{8 {stage3_word9_bits1}}, stage3_word9_joined1} + {{6 {stage3_word9_bits2}}, stage3_word9_joined2});
  assign stage3_word9_sum2 = ((stage3_word9_sum1[26:0]) + {stage2_word6_q, 12'd0});
  assign stage3_word9_joined3 = {stage2_word6_q, 8'd0};
  assign stage3_word9_bits3 = (stage3_word9_joined3[22]);
  assign stage3_word9_difference1 = ((stage3_word9_sum2[26:0]) - {{4 {stage3_word9_bits3}}, stage3_word9_joined3});
  assign stage3_word9_joined4 = {stage2_word6_q, 10'd0};
  assign stage3_word9_bits4 = (stage3_word9_joined4[24]);
  assign stage3_word9_difference2 = ((stage3_word9_difference1[26:0]) - {{2 {stage3_word9_bits4}}, stage3_word9_joined4});
  assign stage4_word6_sum1 = ({(stage3_word6_q[26]), stage3_word6_q} + {(stage3_word7_q[26]), stage3_word7_q});
  assign stage4_word6_sum2 = ((stage4_word6_sum1[27:0]) + 28'd2048);
  assign stage4_word6_bits1 = (stage4_word6_sum2[27:0]);
  assign stage4_word7_difference1 = ({(stage3_word8_q[26]), stage3_word8_q} - {(stage3_word9_q[26]), stage3_word9_q});
  assign stage4_word7_sum1 = ((stage4_word7_difference1[27:0]) + 28'd2048);
  assign stage4_word7_bits1 = (stage4_word7_sum1[27:0]);
  assign stage5_word0_sum1 = ({(stage4_word0_q[15]), stage4_word0_q} + {(stage4_word4_q[15]), stage4_word4_q});
  assign stage5_word1_difference1 = ({(stage4_word0_q[15]), stage4_word0_q} - {(stage4_word4_q[15]), stage4_word4_q});
  assign stage5_word2_bits1 = (stage4_word2_q[14]);
  assign stage5_word2_sum1 = ({{2 {stage5_word2_bits1}}, stage4_word2_q} + {(stage4_word6_q[15]), stage4_word6_q});
  assign stage5_word3_bits1 = (stage4_word3_q[14]);
  assign stage5_word3_sum1 = ({{2 {stage5_word3_bits1}}, stage4_word3_q} + {(stage4_word7_q[15]), stage4_word7_q});
  assign stage5_word5_difference1 = (16'd0 - stage4_word5_q);
  assign stage5_word6_bits1 = (stage4_word2_q[14]);
  assign stage5_word6_difference1 = ({{2 {stage5_word6_bits1}}, stage4_word2_q} - {(stage4_word6_q[15]), stage4_word6_q});
  assign stage5_word7_bits1 = (stage4_word3_q[14]);
  assign stage5_word7_difference1 = ({(stage4_word7_q[15]), stage4_word7_q} - {{2 {stage5_word7_bits1}}, stage4_word3_q});

  // Register logic
  always @(posedge clk_i) begin
    stage1_word0_q <= (stage1_word0_sum1[14:0]);
    stage1_word1_q <= (stage1_word1_difference1[14:0]);
    stage1_word2_q <= (stage1_word2_sum1[14:0]);
    stage1_word3_q <= (stage1_word3_difference1[14:0]);
    stage1_word4_q <= (stage1_word4_sum1[14:0]);
    stage1_word5_q <= (stage1_word5_difference1[14:0]);
    stage1_word6_q <= (stage1_word6_sum1[14:0]);
    stage1_word7_q <= (stage1_word7_difference1[14:0]);
    stage2_word0_q <= (stage2_word0_sum1[15:0]);
    stage2_word1_q <= (stage2_word1_difference1[15:0]);
    stage2_word2_q <= stage1_word1_q;
    stage2_word3_q <= (stage2_word3_difference1[14:0]);
    stage2_word4_q <= (stage2_word4_sum1[15:0]);
    stage2_word5_q <= (stage2_word5_difference1[15:0]);
    stage2_word6_q <= stage1_word5_q;
    stage2_word7_q <= (stage2_word7_difference1[14:0]);
    stage3_word0_q <= stage2_word0_q;
    stage3_word1_q <= stage2_word1_q;
    stage3_word2_q <= stage2_word2_q;
    stage3_word3_q <= stage2_word3_q;
    stage3_word4_q <= stage2_word4_q;
    stage3_word5_q <= stage2_word5_q;
    stage3_word6_q <= (stage3_word6_difference2[26:0]);
    stage3_word7_q <= (stage3_word7_difference2[26:0]);
    stage3_word8_q <= (stage3_word8_difference2[26:0]);
    stage3_word9_q <= (stage3_word9_difference2[26:0]);
    stage4_word0_q <= stage3_word0_q;
    stage4_word1_q <= stage3_word1_q;
    stage4_word2_q <= stage3_word2_q;
    stage4_word3_q <= stage3_word3_q;
    stage4_word4_q <= stage3_word4_q;
    stage4_word5_q <= stage3_word5_q;
    stage4_word6_q <= (stage4_word6_bits1[27:12]);
    stage4_word7_q <= (stage4_word7_bits1[27:12]);
    stage5_word0_q <= (stage5_word0_sum1[16:0]);
    stage5_word1_q <= (stage5_word1_difference1[16:0]);
    stage5_word2_q <= (stage5_word2_sum1[16:0]);
    stage5_word3_q <= (stage5_word3_sum1[16:0]);
    stage5_word4_q <= stage4_word1_q;
    stage5_word5_q <= (stage5_word5_difference1[15:0]);
    stage5_word6_q <= (stage5_word6_difference1[16:0]);
    stage5_word7_q <= (stage5_word7_difference1[16:0]);
  end
endmodule

/* verilator lint_on UNUSEDSIGNAL */
/* verilator lint_on WIDTHEXPAND */
`default_nettype wire
