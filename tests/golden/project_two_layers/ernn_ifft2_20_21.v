// SPDX-License-Identifier: Apache-2.0
// ernn_ifft2_20_21: 2-point transform, constants as shifts and additions.
//
// One block per cycle; latency 1 cycles.
// Golden model: ernn.graphs.fourier.Transform.run
// Written by ernn.hdl.datapath through PyRTL, whose sums are a bit wider than their operands:
// Verilog widens the operands by itself, and the carry is dropped where the result cannot need it.
`default_nettype none
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off UNUSEDSIGNAL */

module ernn_ifft2_20_21 (
  input  wire clk_i,
  input  wire [39:0] in_i,
  output wire [41:0] out_o
);

  // Registers
  reg [20:0] stage1_word0_q;
  reg [20:0] stage1_word1_q;

  // Temporaries
  wire [19:0] in_word0;
  wire [19:0] in_word1;
  wire [21:0] stage1_word0_sum1;
  wire [21:0] stage1_word1_difference1;

  // Combinational logic
  assign in_word0 = (in_i[19:0]);
  assign in_word1 = (in_i[39:20]);
  assign out_o = {stage1_word1_q, stage1_word0_q};
  assign stage1_word0_sum1 = ({(in_word0[19]), in_word0} + {(in_word1[19]), in_word1});
  assign stage1_word1_difference1 = ({(in_word0[19]), in_word0} - {(in_word1[19]), in_word1});

  // Register logic
  always @(posedge clk_i) begin
    stage1_word0_q <= (stage1_word0_sum1[20:0]);
    stage1_word1_q <= (stage1_word1_difference1[20:0]);
  end
endmodule

/* verilator lint_on UNUSEDSIGNAL */
/* verilator lint_on WIDTHEXPAND */
`default_nettype wire
