// SPDX-License-Identifier: Apache-2.0
// ernn_uart_tx: bytes to a serial line: a start bit, eight data bits with the lowest first, a stop bit.
//
// Latency: 1 from taking a byte to its start bit; 10 bits a byte.
// Golden model: none (bytes pass unchanged)
// Requires:     BIT_CLOCKS >= 2
`default_nettype none

module ernn_uart_tx #(
    parameter integer BIT_CLOCKS = 100  // clock cycles of a bit
) (
    input  wire       clk_i,
    input  wire       rst_i,
    input  wire       in_valid_i,
    output wire       in_ready_o,
    input  wire [7:0] in_data_i,
    output wire       tx_o
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (BIT_CLOCKS < 2) begin : gen_fault
      ernn_uart_tx_needs_BIT_CLOCKS_of_2_or_more u_fault ();
    end
  endgenerate

  localparam integer COUNT_W = $clog2(BIT_CLOCKS);
  localparam [31:0] BIT_INT = BIT_CLOCKS - 1;
  localparam [COUNT_W-1:0] BIT = BIT_INT[COUNT_W-1:0];

  reg [8:0] bits_q;  // what is still to be sent, the line's bit lowest; at rest all ones
  reg [3:0] left_q;  // bits, the line's included
  reg [COUNT_W-1:0] count_q;

  assign tx_o = bits_q[0];
  assign in_ready_o = left_q == 4'd0;

  always @(posedge clk_i) begin
    count_q <= count_q == {COUNT_W{1'b0}} ? BIT : count_q - 1'b1;
    if (in_ready_o) begin
      count_q <= BIT;
      if (in_valid_i) begin
        bits_q <= {in_data_i, 1'b0};
        left_q <= 4'd10;
      end
    end else if (count_q == {COUNT_W{1'b0}}) begin
      bits_q <= {1'b1, bits_q[8:1]};
      left_q <= left_q - 1'b1;
    end
    if (rst_i) begin
      bits_q <= 9'h1ff;
      left_q <= 4'd0;
    end
  end

endmodule

`default_nettype wire
