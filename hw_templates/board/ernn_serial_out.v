// SPDX-License-Identifier: Apache-2.0
// ernn_serial_out: output packets, answers of registers and errors to bytes, each whole and in the order of coming.
//
// 'O' stream values...  a frame's outputs, each beat's low byte first
// 'w' response  'r' response data32  of a register access (AXI4-Lite's response; low bytes first)
// 'E' code      a request was dropped: 1 unknown, 2 broken off, 3 a broken byte, 4 too fast
// Golden model: none (bytes pass unchanged)
`default_nettype none

module ernn_serial_out #(
    parameter integer BEAT_BYTES = 16  // of m_axis_tdata
) (
    input  wire                    clk_i,
    input  wire                    rst_i,
    input  wire [8*BEAT_BYTES-1:0] axis_tdata_i,
    input  wire                    axis_tvalid_i,
    output wire                    axis_tready_o,
    input  wire                    axis_tlast_i,
    input  wire [             7:0] axis_tid_i,
    input  wire [             1:0] axil_bresp_i,
    input  wire                    axil_bvalid_i,
    output wire                    axil_bready_o,
    input  wire [            31:0] axil_rdata_i,
    input  wire [             1:0] axil_rresp_i,
    input  wire                    axil_rvalid_i,
    output wire                    axil_rready_o,
    input  wire                    error_i,       // one cycle
    input  wire [             7:0] error_code_i,
    // Bytes
    output wire                    byte_valid_o,
    input  wire                    byte_ready_i,
    output wire [             7:0] byte_o
);

  localparam integer ROOM = BEAT_BYTES > 6 ? BEAT_BYTES : 6;  // bytes of the longest piece
  localparam integer COUNT_W = $clog2(ROOM + 1);
  localparam [31:0] BEAT_INT = BEAT_BYTES;
  localparam [COUNT_W-1:0] BEAT = BEAT_INT[COUNT_W-1:0], SHORT = 2, LONG = 6;

  reg [8*ROOM-1:0] bytes_q;  // the next one lowest
  reg [COUNT_W-1:0] left_q;
  reg packet_q;  // inside an output packet
  reg error_q;  // an error waits
  reg [7:0] error_code_q;

  assign byte_valid_o = left_q != {COUNT_W{1'b0}};
  assign byte_o = bytes_q[7:0];
  wire free = !byte_valid_o;
  wire choice = free && !packet_q && !error_q;
  assign axis_tready_o = free && packet_q;
  assign axil_bready_o = choice;
  assign axil_rready_o = choice && !axil_bvalid_i;

  always @(posedge clk_i) begin
    if (byte_valid_o && byte_ready_i) begin
      bytes_q <= bytes_q >> 8;
      left_q  <= left_q - 1'b1;
    end
    if (free) begin
      if (packet_q) begin
        if (axis_tvalid_i) begin
          bytes_q[8*BEAT_BYTES-1:0] <= axis_tdata_i;
          left_q   <= BEAT;
          packet_q <= !axis_tlast_i;
        end
      end else if (error_q) begin
        bytes_q[15:0] <= {error_code_q, 8'h45};  // E
        left_q  <= SHORT;
        error_q <= 1'b0;
      end else if (axil_bvalid_i) begin
        bytes_q[15:0] <= {6'd0, axil_bresp_i, 8'h77};  // w
        left_q <= SHORT;
      end else if (axil_rvalid_i) begin
        bytes_q[47:0] <= {axil_rdata_i, 6'd0, axil_rresp_i, 8'h72};  // r
        left_q <= LONG;
      end else if (axis_tvalid_i) begin
        bytes_q[15:0] <= {axis_tid_i, 8'h4f};  // O
        left_q   <= SHORT;
        packet_q <= 1'b1;
      end
    end
    if (error_i) begin
      error_q      <= 1'b1;
      error_code_q <= error_code_i;
    end
    if (rst_i) begin
      left_q   <= {COUNT_W{1'b0}};
      packet_q <= 1'b0;
      error_q  <= 1'b0;
    end
  end

endmodule

`default_nettype wire
