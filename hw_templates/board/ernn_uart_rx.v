// SPDX-License-Identifier: Apache-2.0
// ernn_uart_rx: serial line to bytes: a start bit, eight data bits with the lowest first, a stop bit.
//
// A start bit shorter than half a bit is noise. A byte without its stop bit is an error, and the line has to rest
// before the next one.
// Latency: from the middle of the stop bit 1, and 2 of the synchronizer.
// Golden model: none (bytes pass unchanged)
// Requires:     BIT_CLOCKS >= 4
`default_nettype none

module ernn_uart_rx #(
    parameter integer BIT_CLOCKS = 100  // clock cycles of a bit
) (
    input  wire       clk_i,
    input  wire       rst_i,
    input  wire       rx_i,
    output reg        valid_o,  // one cycle
    output reg  [7:0] data_o,
    output reg        error_o   // one cycle: no stop bit
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (BIT_CLOCKS < 4) begin : gen_fault
      ernn_uart_rx_needs_BIT_CLOCKS_of_4_or_more u_fault ();
    end
  endgenerate

  localparam integer COUNT_W = $clog2(BIT_CLOCKS);
  localparam [31:0] BIT_INT = BIT_CLOCKS - 1, HALF_INT = BIT_CLOCKS / 2 - 1;
  localparam [COUNT_W-1:0] BIT = BIT_INT[COUNT_W-1:0], HALF = HALF_INT[COUNT_W-1:0];

  reg line_q, line_q2;  // from another clock
  reg [COUNT_W-1:0] count_q;
  reg [3:0] place_q;  // 0: idle; 1: start bit; 2 to 9: data; 10: stop bit; 11: until the line rests

  always @(posedge clk_i) begin
    line_q  <= rx_i;
    line_q2 <= line_q;
    valid_o <= 1'b0;
    error_o <= 1'b0;
    count_q <= count_q - 1'b1;
    if (place_q == 4'd0) begin
      count_q <= HALF;
      if (!line_q2) place_q <= 4'd1;
    end else if (place_q == 4'd11) begin
      if (line_q2) place_q <= 4'd0;
    end else if (count_q == {COUNT_W{1'b0}}) begin
      count_q <= BIT;
      place_q <= place_q + 1'b1;
      if (place_q == 4'd1 && line_q2) place_q <= 4'd0;
      if (place_q > 4'd1 && place_q < 4'd10) data_o <= {line_q2, data_o[7:1]};
      if (place_q == 4'd10) begin
        valid_o <= line_q2;
        error_o <= !line_q2;
        place_q <= line_q2 ? 4'd0 : 4'd11;
      end
    end
    if (rst_i) begin
      line_q  <= 1'b1;
      line_q2 <= 1'b1;
      valid_o <= 1'b0;
      error_o <= 1'b0;
      place_q <= 4'd0;
    end
  end

endmodule

`default_nettype wire
