// SPDX-License-Identifier: Apache-2.0
// ernn_tanh: tanh of a Q3.12 word as a Q0.15 word.
//
// One word per cycle; latency 4 cycles.
// Golden model: ernn.graphs.activation.Piecewise.run
// Written by ernn.hdl.datapath through PyRTL, whose sums are a bit wider than their operands:
// Verilog widens the operands by itself, and the carry is dropped where the result cannot need it.
`default_nettype none
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off UNUSEDSIGNAL */

module ernn_tanh (
  input  wire clk_i,
  input  wire [15:0] in_i,
  output wire [15:0] out_o
);

  // Memories
  (* logic_block *) reg [27:0] line[63:0];  // RomBlock

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
  reg [11:0] slope_q2;

  // Temporaries
  wire [24:0] added;
  wire [16:0] size1_sum1;
  wire [7:0] slope2_bits1;
  wire [27:0] slope2_word1;
  wire [27:0] slope2_choice1;
  wire [31:0] product3_product1;
  wire [16:0] intercept3_difference1;
  wire [32:0] result4_joined1;
  wire [24:0] result4_bits1;
  wire [25:0] result4_sum1;
  wire [24:0] result4_bits2;
  wire [24:0] turned;

  // Read-only memory data
  initial begin
    line[0] = 28'hfc20000;
    line[1] = 28'hfc20000;
    line[2] = 28'hfc20000;
    line[3] = 28'hfc20000;
    line[4] = 28'he390312;
    line[5] = 28'he390312;
    line[6] = 28'he390312;
    line[7] = 28'hc350a2a;
    line[8] = 28'hc350a2a;
    line[9] = 28'hc350a2a;
    line[10] = 28'h9ee158e;
    line[11] = 28'h9ee158e;
    line[12] = 28'h9ee158e;
    line[13] = 28'h7bc23ce;
    line[14] = 28'h7bc23ce;
    line[15] = 28'h7bc23ce;
    line[16] = 28'h5d23316;
    line[17] = 28'h5d23316;
    line[18] = 28'h5d23316;
    line[19] = 28'h40f43e0;
    line[20] = 28'h40f43e0;
    line[21] = 28'h40f43e0;
    line[22] = 28'h40f43e0;
    line[23] = 28'h2785628;
    line[24] = 28'h2785628;
    line[25] = 28'h2785628;
    line[26] = 28'h2785628;
    line[27] = 28'h2785628;
    line[28] = 28'h13c6771;
    line[29] = 28'h13c6771;
    line[30] = 28'h13c6771;
    line[31] = 28'h13c6771;
    line[32] = 28'h13c6771;
    line[33] = 28'h13c6771;
    line[34] = 28'h13c6771;
    line[35] = 28'h64763b;
    line[36] = 28'h64763b;
    line[37] = 28'h64763b;
    line[38] = 28'h64763b;
    line[39] = 28'h64763b;
    line[40] = 28'h64763b;
    line[41] = 28'h64763b;
    line[42] = 28'h64763b;
    line[43] = 28'h64763b;
    line[44] = 28'h64763b;
    line[45] = 28'h64763b;
    line[46] = 28'h64763b;
    line[47] = 28'h64763b;
    line[48] = 28'h1a7cf3;
    line[49] = 28'h1a7cf3;
    line[50] = 28'h1a7cf3;
    line[51] = 28'h1a7cf3;
    line[52] = 28'h1a7cf3;
    line[53] = 28'h1a7cf3;
    line[54] = 28'h1a7cf3;
    line[55] = 28'h1a7cf3;
    line[56] = 28'h7fff;
    line[57] = 28'h7fff;
    line[58] = 28'h7fff;
    line[59] = 28'h7fff;
    line[60] = 28'h7fff;
    line[61] = 28'h7fff;
    line[62] = 28'h7fff;
    line[63] = 28'h7fff;
  end

  // Combinational logic
  assign added = {intercept_q3, 9'd256};
  assign out_o = result_q4;
  assign size1_sum1 = (~(in_i) + 16'd1);
  assign slope2_bits1 = (size_q1[15:8]);
  assign slope2_choice1 = (~((slope2_bits1 < 8'd56)) ? 28'd32767 : slope2_word1);
  assign product3_product1 = ({4'd0, slope_q2} * size_q2);
  assign intercept3_difference1 = (16'd0 - intercept_q2);
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
    slope_q2 <= (slope2_choice1[27:16]);
  end

  // RomBlock line logic
  assign slope2_word1 = line[(slope2_bits1[5:0])];
endmodule

/* verilator lint_on UNUSEDSIGNAL */
/* verilator lint_on WIDTHEXPAND */
`default_nettype wire
