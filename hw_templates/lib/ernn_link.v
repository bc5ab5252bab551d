// SPDX-License-Identifier: Apache-2.0
// ernn_link: the board's end of a compressed link: bytes in, packets of feature vectors out, as ernn_top takes them.
//
//   s_axis_*  --->  receive  --- indices --->  restore  --->  m_axis_*
//                      |
//                      +--->  good_count_o, bad_count_o
//
// A frame that is cut, damaged or of other tables is dropped and counted, and the next one is right.
// Golden model: ernn.link.frames.Receiver
// Requires:     see ernn_link_receive and ernn_link_restore
`default_nettype none

module ernn_link #(
    parameter integer INDICES     = 2,      // of a frame
    parameter integer INDEX_W     = 8,      // bits of an index, sign included
    parameter integer STREAM_BITS = 0,      // of the header
    parameter integer COUNT_BITS  = 0,
    parameter integer TABLE_ID    = 0,
    parameter integer WEIGHT_W    = 12,     // bits of a weight, sign included
    parameter integer WEIGHT_FRAC = 8,
    parameter integer VALUE_W     = 15,     // bits of a value, sign included
    parameter integer VALUE_FRAC  = 11,
    parameter integer ELEMENT_W   = 16,     // bits of a value on the bus
    parameter integer WORD        = 1,      // values of a beat
    parameter integer BEATS       = 1,      // of a feature vector
    parameter         CODES_FILE  = "",     // $readmemh files
    parameter         WEIGHTS_FILE = "",
    parameter integer FILLED      = 0       // 1: there are such
) (
    input  wire                      clk_i,
    input  wire                      rst_i,  // synchronous, active high
    // AXI4-Stream of bytes
    input  wire [               7:0] s_axis_tdata,
    input  wire                      s_axis_tvalid,
    output wire                      s_axis_tready,
    // AXI4-Stream, one packet a feature vector
    output wire [WORD*ELEMENT_W-1:0] m_axis_tdata,
    output wire                      m_axis_tvalid,
    input  wire                      m_axis_tready,
    output wire                      m_axis_tlast,
    output wire [               7:0] m_axis_tid,
    output wire                      m_axis_tuser,
    // Frames since the reset
    output reg  [              31:0] good_count_o,
    output reg  [              31:0] bad_count_o
);

  localparam integer ADDR_W = INDICES > 1 ? $clog2(INDICES) : 1;
  localparam integer STREAM_W = STREAM_BITS > 0 ? STREAM_BITS : 1;
  localparam integer COUNT_W = COUNT_BITS > 0 ? COUNT_BITS : 1;

  wire                index_we;
  wire [  ADDR_W-1:0] index_addr;
  wire [ INDEX_W-1:0] index;
  wire                whole;
  wire [STREAM_W-1:0] stream;
  wire                starts;
  wire [ COUNT_W-1:0] last;
  wire                taken;
  wire                good;
  wire                bad;

  ernn_link_receive #(
      .INDICES    (INDICES),
      .ADDR_W     (ADDR_W),
      .INDEX_W    (INDEX_W),
      .STREAM_BITS(STREAM_BITS),
      .COUNT_BITS (COUNT_BITS),
      .STREAM_W   (STREAM_W),
      .COUNT_W    (COUNT_W),
      .TABLE_ID   (TABLE_ID),
      .CODES_FILE (CODES_FILE),
      .FILLED     (FILLED)
  ) u_receive (
      .clk_i        (clk_i),
      .rst_i        (rst_i),
      .s_axis_tdata (s_axis_tdata),
      .s_axis_tvalid(s_axis_tvalid),
      .s_axis_tready(s_axis_tready),
      .index_we_o   (index_we),
      .index_addr_o (index_addr),
      .index_o      (index),
      .whole_o      (whole),
      .stream_o     (stream),
      .starts_o     (starts),
      .last_o       (last),
      .taken_i      (taken),
      .good_o       (good),
      .bad_o        (bad)
  );

  ernn_link_restore #(
      .INDICES     (INDICES),
      .ADDR_W      (ADDR_W),
      .INDEX_W     (INDEX_W),
      .WEIGHT_W    (WEIGHT_W),
      .WEIGHT_FRAC (WEIGHT_FRAC),
      .VALUE_W     (VALUE_W),
      .VALUE_FRAC  (VALUE_FRAC),
      .ELEMENT_W   (ELEMENT_W),
      .WORD        (WORD),
      .BEATS       (BEATS),
      .FRAMES      (1 << COUNT_BITS),
      .COUNT_W     (COUNT_W),
      .STREAM_W    (STREAM_W),
      .WEIGHTS_FILE(WEIGHTS_FILE),
      .FILLED      (FILLED)
  ) u_restore (
      .clk_i        (clk_i),
      .rst_i        (rst_i),
      .index_we_i   (index_we),
      .index_addr_i (index_addr),
      .index_i      (index),
      .whole_i      (whole),
      .stream_i     (stream),
      .starts_i     (starts),
      .last_i       (last),
      .taken_o      (taken),
      .m_axis_tdata (m_axis_tdata),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(m_axis_tready),
      .m_axis_tlast (m_axis_tlast),
      .m_axis_tid   (m_axis_tid),
      .m_axis_tuser (m_axis_tuser)
  );

  always @(posedge clk_i) begin
    good_count_o <= good_count_o + {31'd0, good};
    bad_count_o  <= bad_count_o + {31'd0, bad};
    if (rst_i) begin
      good_count_o <= 32'd0;
      bad_count_o  <= 32'd0;
    end
  end

endmodule

`default_nettype wire
