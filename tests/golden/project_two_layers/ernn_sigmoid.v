// SPDX-License-Identifier: Apache-2.0
// ernn_sigmoid: sigmoid of a Q3.12 word as a Q0.15 word.
//
// One word per cycle; latency 4 cycles.
// Golden model: ernn.graphs.activation.Piecewise.run
// Written by ernn.hdl.datapath through PyRTL, whose sums are a bit wider than their operands:
// Verilog widens the operands by itself, and the carry is dropped where the result cannot need it.
`default_nettype none
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off UNUSEDSIGNAL */

module ernn_sigmoid (
  input  wire clk_i,
  input  wire [15:0] in_i,
  output wire [15:0] out_o
);

  // Memories
  (* logic_block *) reg [25:0] line[127:0];  // RomBlock

  // Registers
  reg [15:0] intercept_q2;
  reg [15:0] intercept_q3;
  reg negative_q1;
  reg negative_q2;
  reg negative_q3;
  reg [31:0] product_q3;
  reg [15:0] result_q4;
  reg [15:0] size_q1;
  reg [15:0] size_q2;
  reg [9:0] slope_q2;

  // Temporaries
  wire [24:0] added;
  wire [16:0] size1_sum1;
  wire [7:0] slope2_bits1;
  wire [25:0] slope2_word1;
  wire [25:0] slope2_choice1;
  wire [31:0] product3_product1;
  wire [16:0] intercept3_difference1;
  wire [32:0] result4_joined1;
  wire [24:0] result4_bits1;
  wire [25:0] result4_sum1;
  wire [24:0] result4_bits2;
  wire [24:0] turned;

  // Read-only memory data
  initial begin
    line[0] = 26'h3e44000;
    line[1] = 26'h3e44000;
    line[2] = 26'h3e44000;
    line[3] = 26'h3e44000;
    line[4] = 26'h3e44000;
    line[5] = 26'h3e44000;
    line[6] = 26'h3e44000;
    line[7] = 26'h3e44000;
    line[8] = 26'h3e44000;
    line[9] = 26'h3e44000;
    line[10] = 26'h3e44000;
    line[11] = 26'h32f43e3;
    line[12] = 26'h32f43e3;
    line[13] = 26'h32f43e3;
    line[14] = 26'h32f43e3;
    line[15] = 26'h32f43e3;
    line[16] = 26'h32f43e3;
    line[17] = 26'h32f43e3;
    line[18] = 26'h32f43e3;
    line[19] = 26'h32f43e3;
    line[20] = 26'h2584c4b;
    line[21] = 26'h2584c4b;
    line[22] = 26'h2584c4b;
    line[23] = 26'h2584c4b;
    line[24] = 26'h2584c4b;
    line[25] = 26'h2584c4b;
    line[26] = 26'h2584c4b;
    line[27] = 26'h2584c4b;
    line[28] = 26'h2584c4b;
    line[29] = 26'h1895803;
    line[30] = 26'h1895803;
    line[31] = 26'h1895803;
    line[32] = 26'h1895803;
    line[33] = 26'h1895803;
    line[34] = 26'h1895803;
    line[35] = 26'h1895803;
    line[36] = 26'h1895803;
    line[37] = 26'h1895803;
    line[38] = 26'h1895803;
    line[39] = 26'hd9656e;
    line[40] = 26'hd9656e;
    line[41] = 26'hd9656e;
    line[42] = 26'hd9656e;
    line[43] = 26'hd9656e;
    line[44] = 26'hd9656e;
    line[45] = 26'hd9656e;
    line[46] = 26'hd9656e;
    line[47] = 26'hd9656e;
    line[48] = 26'hd9656e;
    line[49] = 26'hd9656e;
    line[50] = 26'hd9656e;
    line[51] = 26'hd9656e;
    line[52] = 26'h5672bd;
    line[53] = 26'h5672bd;
    line[54] = 26'h5672bd;
    line[55] = 26'h5672bd;
    line[56] = 26'h5672bd;
    line[57] = 26'h5672bd;
    line[58] = 26'h5672bd;
    line[59] = 26'h5672bd;
    line[60] = 26'h5672bd;
    line[61] = 26'h5672bd;
    line[62] = 26'h5672bd;
    line[63] = 26'h5672bd;
    line[64] = 26'h5672bd;
    line[65] = 26'h5672bd;
    line[66] = 26'h5672bd;
    line[67] = 26'h5672bd;
    line[68] = 26'h5672bd;
    line[69] = 26'h5672bd;
    line[70] = 26'h5672bd;
    line[71] = 26'h5672bd;
    line[72] = 26'h157bc4;
    line[73] = 26'h157bc4;
    line[74] = 26'h157bc4;
    line[75] = 26'h157bc4;
    line[76] = 26'h157bc4;
    line[77] = 26'h157bc4;
    line[78] = 26'h157bc4;
    line[79] = 26'h157bc4;
    line[80] = 26'h157bc4;
    line[81] = 26'h157bc4;
    line[82] = 26'h157bc4;
    line[83] = 26'h157bc4;
    line[84] = 26'h157bc4;
    line[85] = 26'h157bc4;
    line[86] = 26'h157bc4;
    line[87] = 26'h157bc4;
    line[88] = 26'h157bc4;
    line[89] = 26'h157bc4;
    line[90] = 26'h157bc4;
    line[91] = 26'h157bc4;
    line[92] = 26'h157bc4;
    line[93] = 26'h157bc4;
    line[94] = 26'h157bc4;
    line[95] = 26'h157bc4;
    line[96] = 26'h157bc4;
    line[97] = 26'h157bc4;
    line[98] = 26'h157bc4;
    line[99] = 26'h157bc4;
    line[100] = 26'h7fff;
    line[101] = 26'h7fff;
    line[102] = 26'h7fff;
    line[103] = 26'h7fff;
    line[104] = 26'h7fff;
    line[105] = 26'h7fff;
    line[106] = 26'h7fff;
    line[107] = 26'h7fff;
    line[108] = 26'h7fff;
    line[109] = 26'h7fff;
    line[110] = 26'h7fff;
    line[111] = 26'h7fff;
    line[112] = 26'h7fff;
    line[113] = 26'h7fff;
    line[114] = 26'h7fff;
    line[115] = 26'h7fff;
    line[116] = 26'h7fff;
    line[117] = 26'h7fff;
    line[118] = 26'h7fff;
    line[119] = 26'h7fff;
    line[120] = 26'h7fff;
    line[121] = 26'h7fff;
    line[122] = 26'h7fff;
    line[123] = 26'h7fff;
    line[124] = 26'h7fff;
    line[125] = 26'h7fff;
    line[126] = 26'h7fff;
    line[127] = 26'h7fff;
  end

  // Combinational logic
  assign added = {intercept_q3, 9'd256};
  assign out_o = result_q4;
  assign size1_sum1 = (~(in_i) + 16'd1);
  assign slope2_bits1 = (size_q1[15:8]);
  assign slope2_choice1 = (~((slope2_bits1 < 8'd100)) ? 26'd32767 : slope2_word1);
  assign product3_product1 = ({6'd0, slope_q2} * size_q2);
  assign intercept3_difference1 = (16'd32768 - intercept_q2);
  assign result4_joined1 = {1'd0, product_q3};
  assign result4_bits1 = (result4_joined1[24:0]);
  assign result4_sum1 = (turned + added);
  assign result4_bits2 = (result4_sum1[24:0]);
  assign turned = (negative_q3 ? ~(result4_bits1) : result4_bits1);

  // Register logic
  always @(posedge clk_i) begin
    intercept_q2 <= (slope2_choice1[15:0]);
    intercept_q3 <= (negative_q2 ? (intercept3_difference1[15:0]) : intercept_q2);
    negative_q1 <= (in_i[15]);
    negative_q2 <= negative_q1;
    negative_q3 <= negative_q2;
    product_q3 <= product3_product1;
    result_q4 <= (result4_bits2[24:9]);
    size_q1 <= ((in_i[15]) ? (size1_sum1[15:0]) : in_i);
    size_q2 <= size_q1;
    slope_q2 <= (slope2_choice1[25:16]);
  end

  // RomBlock line logic
  assign slope2_word1 = line[(slope2_bits1[6:0])];
endmodule

/* verilator lint_on UNUSEDSIGNAL */
/* verilator lint_on WIDTHEXPAND */
`default_nettype wire
