// SPDX-License-Identifier: Apache-2.0
// ernn_fft2_14_15: 2-point transform, constants as shifts and additions.
//
// One block per cycle; latency 1 cycles.
// Golden model: ernn.graphs.fourier.Transform.run
// Written by ernn.hdl.datapath through PyRTL, whose sums are a bit wider than their operands:
// Verilog widens the operands by itself, and the carry is dropped where the result cannot need it.
`default_nettype none
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off UNUSEDSIGNAL */

module ernn_fft2_14_15 (
  input  wire clk_i,
  input  wire [27:0] in_i,
  output wire [29:0] out_o
);

  // Registers
  reg [14:0] stage1_word0_q;
  reg [14:0] stage1_word1_q;

  // Temporaries
  wire [13:0] in_word0;
  wire [13:0] in_word1;
  wire [15:0] stage1_word0_sum1;
  wire [15:0] stage1_word1_difference1;

  // Combinational logic
  assign in_word0 = (in_i[13:0]);
  assign in_word1 = (in_i[27:14]);
  assign out_o = {stage1_word1_q, stage1_word0_q};
  assign stage1_word0_sum1 = ({(in_word0[13]), in_word0} + {(in_word1[13]), in_word1});
  assign stage1_word1_difference1 = ({(in_word0[13]), in_word0} - {(in_word1[13]), in_word1});

  // Register logic
  always @(posedge clk_i) begin
    stage1_word0_q <= (stage1_word0_sum1[14:0]);
    stage1_word1_q <= (stage1_word1_difference1[14:0]);
  end
endmodule

/* verilator lint_on UNUSEDSIGNAL */
/* verilator lint_on WIDTHEXPAND */
`default_nettype wire
