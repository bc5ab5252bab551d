// SPDX-License-Identifier: Apache-2.0
// ernn_skid: registers both directions of a valid/ready stream without losing a word.
//
// Latency: 1; one word a cycle.
// Golden model: none (storage)
`default_nettype none

module ernn_skid #(
    parameter integer WIDTH = 8
) (
    input  wire             clk_i,
    input  wire             rst_i,
    input  wire             in_valid_i,
    output wire             in_ready_o,
    input  wire [WIDTH-1:0] in_data_i,
    output reg              out_valid_o,
    input  wire             out_ready_i,
    output reg  [WIDTH-1:0] out_data_o
);

  reg             spare_valid_q;  // a word came while the output was stalled
  reg [WIDTH-1:0] spare_q;

  assign in_ready_o = !spare_valid_q;

  always @(posedge clk_i) begin
    if (!out_valid_o || out_ready_i) begin
      out_valid_o   <= in_valid_i || spare_valid_q;
      out_data_o    <= spare_valid_q ? spare_q : in_data_i;
      spare_valid_q <= 1'b0;
    end else if (in_valid_i && in_ready_o) begin
      spare_valid_q <= 1'b1;
      spare_q       <= in_data_i;
    end
    if (rst_i) begin
      out_data_o    <= {WIDTH{1'b0}};  // no x on a port, even where nothing is valid
      out_valid_o   <= 1'b0;
      spare_valid_q <= 1'b0;
    end
  end

endmodule

`default_nettype wire
