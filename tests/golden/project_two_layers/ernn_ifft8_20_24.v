// SPDX-License-Identifier: Apache-2.0
// ernn_ifft8_20_24: 8-point transform, constants as shifts and additions.
//
// One block per cycle; latency 5 cycles.
// Golden model: ernn.graphs.fourier.Transform.run
// Written by ernn.hdl.datapath through PyRTL, whose sums are a bit wider than their operands:
// Verilog widens the operands by itself, and the carry is dropped where the result cannot need it.
`default_nettype none
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off UNUSEDSIGNAL */

module ernn_ifft8_20_24 (
  input  wire clk_i,
  input  wire [159:0] in_i,
  output wire [191:0] out_o
);

  // Registers
  reg [20:0] stage1_word0_q;
  reg [20:0] stage1_word1_q;
  reg [20:0] stage1_word2_q;
  reg [20:0] stage1_word3_q;
  reg [20:0] stage1_word4_q;
  reg [21:0] stage1_word5_q;
  reg [20:0] stage1_word6_q;
  reg [20:0] stage1_word7_q;
  reg [20:0] stage2_word0_q;
  reg [20:0] stage2_word1_q;
  reg [20:0] stage2_word2_q;
  reg [20:0] stage2_word3_q;
  reg [20:0] stage2_word4_q;
  reg [21:0] stage2_word5_q;
  reg [32:0] stage2_word6_q;
  reg [32:0] stage2_word7_q;
  reg [32:0] stage2_word8_q;
  reg [32:0] stage2_word9_q;
  reg [20:0] stage3_word0_q;
  reg [20:0] stage3_word1_q;
  reg [20:0] stage3_word2_q;
  reg [20:0] stage3_word3_q;
  reg [20:0] stage3_word4_q;
  reg [21:0] stage3_word5_q;
  reg [21:0] stage3_word6_q;
  reg [21:0] stage3_word7_q;
  reg [21:0] stage4_word0_q;
  reg [21:0] stage4_word1_q;
  reg [21:0] stage4_word2_q;
  reg [21:0] stage4_word3_q;
  reg [21:0] stage4_word4_q;
  reg [22:0] stage4_word5_q;
  reg [21:0] stage4_word6_q;
  reg [22:0] stage4_word7_q;
  reg [22:0] stage5_word0_q;
  reg [23:0] stage5_word1_q;
  reg [22:0] stage5_word2_q;
  reg [23:0] stage5_word3_q;
  reg [22:0] stage5_word4_q;
  reg [23:0] stage5_word5_q;
  reg [22:0] stage5_word6_q;
  reg [23:0] stage5_word7_q;

  // Temporaries
  wire [19:0] in_word0;
  wire [19:0] in_word1;
  wire [19:0] in_word2;
  wire [19:0] in_word3;
  wire [19:0] in_word4;
  wire [19:0] in_word5;
  wire [19:0] in_word6;
  wire [19:0] in_word7;
  wire [21:0] stage1_word0_sum1;
  wire [21:0] stage1_word2_sum1;
  wire [21:0] stage1_word3_difference1;
  wire [21:0] stage1_word4_difference1;
  wire [20:0] stage1_word5_joined1;
  wire [22:0] stage1_word5_difference1;
  wire [21:0] stage1_word6_difference1;
  wire [21:0] stage1_word7_sum1;
  wire [24:0] stage2_word6_joined1;
  wire stage2_word6_bits1;
  wire [26:0] stage2_word6_joined2;
  wire stage2_word6_bits2;
  wire [33:0] stage2_word6_sum1;
  wire [33:0] stage2_word6_sum2;
  wire [28:0] stage2_word6_joined3;
  wire stage2_word6_bits3;
  wire [33:0] stage2_word6_difference1;
  wire [30:0] stage2_word6_joined4;
  wire stage2_word6_bits4;
  wire [33:0] stage2_word6_difference2;
  wire [24:0] stage2_word7_joined1;
  wire stage2_word7_bits1;
  wire [26:0] stage2_word7_joined2;
  wire stage2_word7_bits2;
  wire [33:0] stage2_word7_sum1;
  wire [33:0] stage2_word7_sum2;
  wire [28:0] stage2_word7_joined3;
  wire stage2_word7_bits3;
  wire [33:0] stage2_word7_difference1;
  wire [30:0] stage2_word7_joined4;
  wire stage2_word7_bits4;
  wire [33:0] stage2_word7_difference2;
  wire [24:0] stage2_word8_joined1;
  wire stage2_word8_bits1;
  wire [26:0] stage2_word8_joined2;
  wire stage2_word8_bits2;
  wire [33:0] stage2_word8_sum1;
  wire [33:0] stage2_word8_sum2;
  wire [28:0] stage2_word8_joined3;
  wire stage2_word8_bits3;
  wire [33:0] stage2_word8_difference1;
  wire [30:0] stage2_word8_joined4;
  wire stage2_word8_bits4;
  wire [33:0] stage2_word8_difference2;
  wire [24:0] stage2_word9_joined1;
  wire stage2_word9_bits1;
  wire [26:0] stage2_word9_joined2;
  wire stage2_word9_bits2;
  wire [33:0] stage2_word9_sum1;
  wire [33:0] stage2_word9_sum2;
  wire [28:0] stage2_word9_joined3;
  wire stage2_word9_bits3;
  wire [33:0] stage2_word9_difference1;
  wire [30:0] stage2_word9_joined4;
  wire stage2_word9_bits4;
  wire [33:0] stage2_word9_difference2;
  wire [34:0] stage3_word6_difference1;
  wire [34:0] stage3_word6_sum1;
  wire [33:0] stage3_word6_bits1;
  wire [34:0] stage3_word7_sum1;
  wire [34:0] stage3_word7_sum2;
  wire [33:0] stage3_word7_bits1;
  wire [22:0] stage4_word0_sum1;
  wire [22:0] stage4_word2_difference1;
  wire [22:0] stage4_word3_difference1;
  wire [22:0] stage4_word4_sum1;
  wire [22:0] stage4_word6_difference1;
  wire [23:0] stage4_word7_difference1;
  wire [23:0] stage5_word0_sum1;
  wire stage5_word1_bits1;
  wire [24:0] stage5_word1_sum1;
  wire [23:0] stage5_word2_sum1;
  wire stage5_word3_bits1;
  wire [24:0] stage5_word3_sum1;
  wire [23:0] stage5_word4_difference1;
  wire stage5_word5_bits1;
  wire [24:0] stage5_word5_difference1;
  wire [23:0] stage5_word6_difference1;
  wire stage5_word7_bits1;
  wire [24:0] stage5_word7_difference1;

  // Combinational logic
  assign in_word0 = (in_i[19:0]);
  assign in_word1 = (in_i[39:20]);
  assign in_word2 = (in_i[59:40]);
  assign in_word3 = (in_i[79:60]);
  assign in_word4 = (in_i[99:80]);
  assign in_word5 = (in_i[119:100]);
  assign in_word6 = (in_i[139:120]);
  assign in_word7 = (in_i[159:140]);
  assign out_o = {stage5_word7_q, {(stage5_word6_q[22]), stage5_word6_q}, stage5_word5_q, {(stage5_word4_q[22]), stage5_word4_q}, stage5_word3_q, {(stage5_word2_q[22]), stage5_word2_q}, stage5_word1_q, {(stage5_word0_q[22]), stage5_word0_q}};
  assign stage1_word0_sum1 = ({(in_word0[19]), in_word0} + {(in_word1[19]), in_word1});
  assign stage1_word2_sum1 = ({(in_word2[19]), in_word2} + {(in_word6[19]), in_word6});
  assign stage1_word3_difference1 = ({(in_word3[19]), in_word3} - {(in_word7[19]), in_word7});
  assign stage1_word4_difference1 = ({(in_word0[19]), in_word0} - {(in_word1[19]), in_word1});
  assign stage1_word5_joined1 = {in_word5, 1'd0};
  assign stage1_word5_difference1 = (22'd0 - {(stage1_word5_joined1[20]), stage1_word5_joined1});
  assign stage1_word6_difference1 = ({(in_word2[19]), in_word2} - {(in_word6[19]), in_word6});
  assign stage1_word7_sum1 = ({(in_word3[19]), in_word3} + {(in_word7[19]), in_word7});
  assign stage2_word6_joined1 = {stage1_word6_q, 4'd0};
  assign stage2_word6_bits1 = (stage2_word6_joined1[24]);
  assign stage2_word6_joined2 = {stage1_word6_q, 6'd0};
  assign stage2_word6_bits2 = (stage2_word6_joined2[26]);
  assign stage2_word6_sum1 = ({{8 {stage2_word6_bits1}}, stage2_word6_joined1} + {{6 {stage2_word6_bits2}}, stage2_word6_joined2});
  assign stage2_word6_sum2 = ((stage2_word6_sum1[32:0]) + {stage1_word6_q, 12'd0});
  assign stage2_word6_joined3 = {stage1_word6_q, 8'd0};
  assign stage2_word6_bits3 = (stage2_word6_joined3[28]);
  assign stage2_word6_difference1 = ((stage2_word6_sum2[32:0]) - {{4 {stage2_word6_bits3}}, stage2_word6_joined3});
  assign stage2_word6_joined4 = {stage1_word6_q, 10'd0};
  assign stage2_word6_bits4 = (stage2_word6_joined4[30]);
  assign stage2_word6_difference2 = ((stage2_word6_difference1[32:0]) - {{2 {stage2_word6_bits4}}, stage2_word6_joined4});
  assign stage2_word7_joined1 = {stage1_word7_q, 4'd0};
  assign stage2_word7_bits1 = (stage2_word7_joined1[24]);
  assign stage2_word7_joined2 = {stage1_word7_q, 6'd0};
  assign stage2_word7_bits2 = (stage2_word7_joined2[26]);
  assign stage2_word7_sum1 = ({{8 {stage2_word7_bits1}}, stage2_word7_joined1} + {{6 {stage2_word7_bits2}}, stage2_word7_joined2});
  assign stage2_word7_sum2 = ((stage2_word7_sum1[32:0]) + {stage1_word7_q, 12'd0});
  assign stage2_word7_joined3 = {stage1_word7_q, 8'd0};
  assign stage2_word7_bits3 = (stage2_word7_joined3[28]);
  assign stage2_word7_difference1 = ((stage2_word7_sum2[32:0]) - {{4 {stage2_word7_bits3}}, stage2_word7_joined3});
  assign stage2_word7_joined4 = {stage1_word7_q, 10'd0};
  assign stage2_word7_bits4 = (stage2_word7_joined4[30]);
  assign stage2_word7_difference2 = ((stage2_word7_difference1[32:0]) - {{2 {stage2_word7_bits4}}, stage2_word7_joined4});
  assign stage2_word8_joined1 = {stage1_word7_q, 4'd0};
  assign stage2_word8_bits1 = (stage2_word8_joined1[24]);
  assign stage2_word8_joined2 = {stage1_word7_q, 6'd0};
  assign stage2_word8_bits2 = (stage2_word8_joined2[26]);
  assign stage2_word8_sum1 = ({{8 {stage2_word8_bits1}}, stage2_word8_joined1} + {{6 {stage2_word8_bits2}}, stage2_word8_joined2});
  assign stage2_word8_sum2 = ((stage2_word8_sum1[32:0]) + {stage1_word7_q, 12'd0});
  assign stage2_word8_joined3 = {stage1_word7_q, 8'd0};
  assign stage2_word8_bits3 = (stage2_word8_joined3[28]);
  assign stage2_word8_difference1 = ((stage2_word8_sum2[32:0]) - {{4 {stage2_word8_bits3}}, stage2_word8_joined3});
  assign stage2_word8_joined4 = {stage1_word7_q, 10'd0};
  assign stage2_word8_bits4 = (stage2_word8_joined4[30]);
  assign stage2_word8_difference2 = ((stage2_word8_difference1[32:0]) - {{2 {stage2_word8_bits4}}, stage2_word8_joined4});
  assign stage2_word9_joined1 = {stage1_word6_q, 4'd0};
  assign stage2_word9_bits1 = (stage2_word9_joined1[24]);
  assign stage2_word9_joined2 = {stage1_word6_q, 6'd0};
  assign stage2_word9_bits2 = (stage2_word9_joined2[26]);
  assign stage2_word9_sum1 = ({{8 {stage2_word9_bits1}}, stage2_word9_joined1} + {{6 {stage2_word9_bits2}}, stage2_word9_joined2});
  assign stage2_word9_sum2 = ((stage2_word9_sum1[32:0]) + {stage1_word6_q, 12'd0});
  assign stage2_word9_joined3 = {stage1_word6_q, 8'd0};
  assign stage2_word9_bits3 = (stage2_word9_joined3[28]);
  assign stage2_word9_difference1 = ((stage2_word9_sum2[32:0]) - {{4 {stage2_word9_bits3}}, stage2_word9_joined3});
  assign stage2_word9_joined4 = {stage1_word6_q, 10'd0};
  assign stage2_word9_bits4 = (stage2_word9_joined4[30]);
  assign stage2_word9_difference2 = ((stage2_word9_difference1[32:0]) - {{2 {stage2_word9_bits4}}, stage2_word9_joined4});
  assign stage3_word6_difference1 = ({(stage2_word6_q[32]), stage2_word6_q} - {(stage2_word7_q[32]), stage2_word7_q});
  assign stage3_word6_sum1 = ((stage3_word6_difference1[33:0]) + 34'd2048);
  assign stage3_word6_bits1 = (stage3_word6_sum1[33:0]);
  assign stage3_word7_sum1 = ({(stage2_word8_q[32]), stage2_word8_q} + {(stage2_word9_q[32]), stage2_word9_q});
  assign stage3_word7_sum2 = ((stage3_word7_sum1[33:0]) + 34'd2048);
  assign stage3_word7_bits1 = (stage3_word7_sum2[33:0]);
  assign stage4_word0_sum1 = ({(stage3_word0_q[20]), stage3_word0_q} + {(stage3_word1_q[20]), stage3_word1_q});
  assign stage4_word2_difference1 = ({(stage3_word0_q[20]), stage3_word0_q} - {(stage3_word1_q[20]), stage3_word1_q});
  assign stage4_word3_difference1 = (22'd0 - {stage3_word3_q, 1'd0});
  assign stage4_word4_sum1 = ({(stage3_word4_q[20]), stage3_word4_q} + stage3_word5_q);
  assign stage4_word6_difference1 = ({(stage3_word4_q[20]), stage3_word4_q} - stage3_word5_q);
  assign stage4_word7_difference1 = (23'd0 - {stage3_word7_q, 1'd0});
  assign stage5_word0_sum1 = ({(stage4_word0_q[21]), stage4_word0_q} + {(stage4_word1_q[21]), stage4_word1_q});
  assign stage5_word1_bits1 = (stage4_word4_q[21]);
  assign stage5_word1_sum1 = ({{2 {stage5_word1_bits1}}, stage4_word4_q} + {(stage4_word5_q[22]), stage4_word5_q});
  assign stage5_word2_sum1 = ({(stage4_word2_q[21]), stage4_word2_q} + {(stage4_word3_q[21]), stage4_word3_q});
  assign stage5_word3_bits1 = (stage4_word6_q[21]);
  assign stage5_word3_sum1 = ({{2 {stage5_word3_bits1}}, stage4_word6_q} + {(stage4_word7_q[22]), stage4_word7_q});
  assign stage5_word4_difference1 = ({(stage4_word0_q[21]), stage4_word0_q} - {(stage4_word1_q[21]), stage4_word1_q});
  assign stage5_word5_bits1 = (stage4_word4_q[21]);
  assign stage5_word5_difference1 = ({{2 {stage5_word5_bits1}}, stage4_word4_q} - {(stage4_word5_q[22]), stage4_word5_q});
  assign stage5_word6_difference1 = ({(stage4_word2_q[21]), stage4_word2_q} - {(stage4_word3_q[21]), stage4_word3_q});
  assign stage5_word7_bits1 = (stage4_word6_q[21]);
  assign stage5_word7_difference1 = ({{2 {stage5_word7_bits1}}, stage4_word6_q} - {(stage4_word7_q[22]), stage4_word7_q});

  // Register logic
  always @(posedge clk_i) begin
    stage1_word0_q <= (stage1_word0_sum1[20:0]);
    stage1_word1_q <= {in_word4, 1'd0};
    stage1_word2_q <= (stage1_word2_sum1[20:0]);
    stage1_word3_q <= (stage1_word3_difference1[20:0]);
    stage1_word4_q <= (stage1_word4_difference1[20:0]);
    stage1_word5_q <= (stage1_word5_difference1[21:0]);
    stage1_word6_q <= (stage1_word6_difference1[20:0]);
    stage1_word7_q <= (stage1_word7_sum1[20:0]);
    stage2_word0_q <= stage1_word0_q;
    stage2_word1_q <= stage1_word1_q;
    stage2_word2_q <= stage1_word2_q;
    stage2_word3_q <= stage1_word3_q;
    stage2_word4_q <= stage1_word4_q;
    stage2_word5_q <= stage1_word5_q;
    stage2_word6_q <= (stage2_word6_difference2[32:0]);
    stage2_word7_q <= (stage2_word7_difference2[32:0]);
    stage2_word8_q <= (stage2_word8_difference2[32:0]);
    stage2_word9_q <= (stage2_word9_difference2[32:0]);
    stage3_word0_q <= stage2_word0_q;
    stage3_word1_q <= stage2_word1_q;
    stage3_word2_q <= stage2_word2_q;
    stage3_word3_q <= stage2_word3_q;
    stage3_word4_q <= stage2_word4_q;
    stage3_word5_q <= stage2_word5_q;
    stage3_word6_q <= (stage3_word6_bits1[33:12]);
    stage3_word7_q <= (stage3_word7_bits1[33:12]);
    stage4_word0_q <= (stage4_word0_sum1[21:0]);
    stage4_word1_q <= {stage3_word2_q, 1'd0};
    stage4_word2_q <= (stage4_word2_difference1[21:0]);
    stage4_word3_q <= (stage4_word3_difference1[21:0]);
    stage4_word4_q <= (stage4_word4_sum1[21:0]);
    stage4_word5_q <= {stage3_word6_q, 1'd0};
    stage4_word6_q <= (stage4_word6_difference1[21:0]);
    stage4_word7_q <= (stage4_word7_difference1[22:0]);
    stage5_word0_q <= (stage5_word0_sum1[22:0]);
    stage5_word1_q <= (stage5_word1_sum1[23:0]);
    stage5_word2_q <= (stage5_word2_sum1[22:0]);
    stage5_word3_q <= (stage5_word3_sum1[23:0]);
    stage5_word4_q <= (stage5_word4_difference1[22:0]);
    stage5_word5_q <= (stage5_word5_difference1[23:0]);
    stage5_word6_q <= (stage5_word6_difference1[22:0]);
    stage5_word7_q <= (stage5_word7_difference1[23:0]);
  end
endmodule

/* verilator lint_on UNUSEDSIGNAL */
/* verilator lint_on WIDTHEXPAND */
`default_nettype wire
