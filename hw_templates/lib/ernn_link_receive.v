// SPDX-License-Identifier: Apache-2.0
// ernn_link_receive: frames of a compressed link, a byte a beat, to the whole numbers in them.
//
// Frame: flag 0x7E; stream, utterance, frames - 1; a Golomb-Rice code for each index, some behind a bit that says
// whether it and those up to the next such bit are not all zero; zeros up to a byte; CRC-16.  Behind the flag, 0x7D
// and a byte xor 0x20 stand for 0x7E and 0x7D.  A frame that is cut, or whose checksum is wrong, is dropped and told;
// so are bytes that no flag came before, together.  Whatever came before it, a frame that comes whole is taken.
// While whole_o is high no byte is taken: the indices are read, and taken_i ends it.
// Latency: about two cycles an index and one a bit.
// Golden model: ernn.link.frames.Receiver
// Requires:     INDICES >= 2; CODES_FILE holds a word for each index: its flag above its parameter in 3 bits
`default_nettype none

module ernn_link_receive #(
    parameter integer INDICES     = 2,      // of a frame
    parameter integer ADDR_W      = 1,      // bits of an index's number
    parameter integer INDEX_W     = 8,      // bits of an index, sign included
    parameter integer STREAM_BITS = 0,      // of the header
    parameter integer COUNT_BITS  = 0,
    parameter integer STREAM_W    = 1,      // bits of a port: at least 1
    parameter integer COUNT_W     = 1,
    parameter integer TABLE_ID    = 0,  // where the checksum begins
    parameter         CODES_FILE  = "",     // $readmemh file
    parameter integer FILLED      = 0       // 1: there is one
) (
    input  wire                clk_i,
    input  wire                rst_i,
    // AXI4-Stream
    input  wire [         7:0] s_axis_tdata,
    input  wire                s_axis_tvalid,
    output wire                s_axis_tready,
    // Indices, as they come
    output wire                index_we_o,
    output wire [  ADDR_W-1:0] index_addr_o,
    output wire [ INDEX_W-1:0] index_o,
    // The frame is whole
    output wire                whole_o,
    output wire [STREAM_W-1:0] stream_o,
    output wire                starts_o,    // an utterance
    output wire [ COUNT_W-1:0] last_o,      // frames of the group, less one
    input  wire                taken_i,
    output reg                 good_o,      // one cycle
    output reg                 bad_o
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (INDICES < 2) begin : gen_fault0
      ernn_link_receive_needs_INDICES_of_2_or_more u_fault ();
    end
    if (INDEX_W < 4) begin : gen_fault1
      ernn_link_receive_needs_INDEX_W_of_4_or_more u_fault ();
    end
  endgenerate

  localparam [7:0] FLAG = 8'h7E, ESCAPE = 8'h7D, CHANGED = 8'h20;
  localparam integer UTTERANCE_BITS = 2;
  localparam integer HEAD_BITS = STREAM_BITS + UTTERANCE_BITS + COUNT_BITS;
  localparam integer STREAMS = 1 << STREAM_BITS;
  localparam [31:0] LAST_INT = INDICES - 1, HEAD_INT = HEAD_BITS, INDEX_INT = INDEX_W, TABLE_INT = TABLE_ID;
  localparam [ADDR_W-1:0] LAST = LAST_INT[ADDR_W-1:0];

  localparam [3:0] HUNT = 4'd0,  // for a flag
                   HEAD = 4'd1,
                   LOOK = 4'd2,  // the code of an index is read
                   CODE = 4'd3,  // it is there
                   ONES = 4'd4,
                   REST = 4'd5,
                   KEEP = 4'd6,  // an index is complete
                   FILL = 4'd7,  // up to a byte
                   TEST = 4'd8,
                   TELL = 4'd9,  // what the checksum came to
                   HELD = 4'd10;

  reg [        3:0] state_q;
  reg [        7:0] byte_q;  // its next bit is the highest
  reg [        3:0] left_q;  // bits of it
  reg               escaped_q;
  reg               idle_q;  // nothing came since the last frame that ended well
  reg [       15:0] check_q;
  reg [ ADDR_W-1:0] index_q;
  reg               some_q;  // not all zero up to the next flag
  reg [        3:0] ones_q;
  reg [INDEX_W-1:0] value_q;
  reg [        4:0] count_q;  // bits that are still to come of what is read
  reg [HEAD_BITS-1:0] head_q;

  wire [3:0] code;
  wire       flagged = code[3];
  wire [2:0] rice = code[2:0];

  ernn_ram #(
      .WIDTH    (4),
      .DEPTH    (INDICES),
      .ADDR_W   (ADDR_W),
      .RAM_STYLE("distributed"),
      .FILLED   (FILLED),
      .INIT_FILE(CODES_FILE)
  ) u_codes (
      .clk_i  (clk_i),
      .we_i   (1'b0),
      .waddr_i({ADDR_W{1'b0}}),
      .wdata_i(4'd0),
      .re_i   (state_q == LOOK),
      .raddr_i(index_q),
      .rdata_o(code)
  );

  assign s_axis_tready = left_q == 4'd0 && state_q != TELL && state_q != HELD;
  wire come = s_axis_tvalid && s_axis_tready;
  wire flag = come && s_axis_tdata == FLAG;
  wire escape = come && s_axis_tdata == ESCAPE && !escaped_q;

  wire bit_there = left_q != 4'd0;
  wire bit_now = byte_q[7];
  wire begun = bit_there && left_q != 4'd8;  // some bits of the byte are read, and some are not
  wire wanted = state_q == HEAD || (state_q == CODE && flagged) || state_q == ONES || state_q == REST
      || (state_q == FILL && begun) || state_q == TEST;
  wire taken = bit_there && wanted;
  wire at_end = count_q == 5'd1;

  // Utterances of each stream
  wire [STREAM_W-1:0] stream;
  reg  [ STREAMS-1:0] seen_q;
  reg  [2*STREAMS-1:0] utterances_q;
  wire [         1:0] utterance = head_q[COUNT_BITS+:2];
  generate
    if (STREAM_BITS > 0) begin : gen_stream
      assign stream = head_q[HEAD_BITS-1-:STREAM_BITS];
    end else begin : gen_one_stream
      assign stream = 1'b0;
    end
    if (COUNT_BITS > 0) begin : gen_count
      assign last_o = head_q[COUNT_BITS-1:0];
    end else begin : gen_one_frame
      assign last_o = 1'b0;
    end
  endgenerate
  wire good = state_q == TELL && check_q == 16'd0;
  reg  starts_q;

  always @(posedge clk_i) begin
    good_o <= good;
    bad_o  <= 1'b0;
    if (taken) begin
      byte_q  <= {byte_q[6:0], 1'b0};
      left_q  <= left_q - 1'b1;
      check_q <= {check_q[14:0], 1'b0} ^ ({16{check_q[15] ^ bit_now}} & 16'h1021);
      count_q <= count_q - 1'b1;
    end
    case (state_q)
      HEAD:
      if (taken) begin
        head_q <= {head_q[HEAD_BITS-2:0], bit_now};
        if (at_end) state_q <= LOOK;
      end
      LOOK: state_q <= CODE;
      CODE: begin
        ones_q  <= 4'd0;
        value_q <= {INDEX_W{1'b0}};
        if (!flagged) state_q <= some_q ? ONES : KEEP;
        else if (taken) begin
          some_q  <= bit_now;
          state_q <= bit_now ? ONES : KEEP;
        end
      end
      ONES:
      if (taken) begin
        ones_q <= ones_q + 1'b1;
        if (bit_now) begin
          if (ones_q == 4'd15) begin
            state_q <= REST;
            count_q <= INDEX_INT[4:0];
          end
        end else begin
          value_q <= {{(INDEX_W - 4) {1'b0}}, ones_q};
          count_q <= {2'd0, rice};
          state_q <= rice == 3'd0 ? KEEP : REST;
        end
      end
      REST:
      if (taken) begin
        value_q <= {value_q[INDEX_W-2:0], bit_now};
        if (at_end) state_q <= KEEP;
      end
      KEEP: begin
        index_q <= index_q + 1'b1;
        state_q <= index_q == LAST ? FILL : LOOK;
      end
      FILL:
      if (!begun) begin
        state_q <= TEST;
        count_q <= 5'd16;
      end
      TEST: if (taken && at_end) state_q <= TELL;
      TELL:
      if (good) begin
        state_q  <= HELD;
        starts_q <= !seen_q[stream] || utterances_q[2*stream+:2] != utterance;
        seen_q[stream] <= 1'b1;
        utterances_q[2*stream+:2] <= utterance;
      end else begin
        state_q <= HUNT;
        idle_q  <= 1'b0;
        bad_o   <= 1'b1;
      end
      HELD: if (taken_i) state_q <= HUNT;
      default: ;
    endcase
    if (flag) begin
      bad_o     <= state_q != HUNT;
      state_q   <= HEAD;
      count_q   <= HEAD_INT[4:0];
      check_q   <= TABLE_INT[15:0];
      escaped_q <= 1'b0;
      idle_q    <= 1'b1;
      index_q   <= {ADDR_W{1'b0}};
      some_q    <= 1'b1;
    end else if (come && state_q == HUNT) begin
      bad_o  <= idle_q;
      idle_q <= 1'b0;
    end else if (come) begin
      escaped_q <= escape;
      if (!escape) begin
        byte_q <= escaped_q ? s_axis_tdata ^ CHANGED : s_axis_tdata;
        left_q <= 4'd8;
      end
    end
    if (rst_i) begin
      state_q   <= HUNT;
      left_q    <= 4'd0;
      idle_q    <= 1'b1;
      escaped_q <= 1'b0;
      seen_q    <= {STREAMS{1'b0}};
      good_o    <= 1'b0;
      bad_o     <= 1'b0;
    end
  end

  assign index_we_o = state_q == KEEP;
  assign index_addr_o = index_q;
  assign index_o = {1'b0, value_q[INDEX_W-1:1]} ^ {INDEX_W{value_q[0]}};  // 0, -1, 1, -2 ...
  assign whole_o = state_q == HELD;
  assign stream_o = stream;
  assign starts_o = starts_q;

endmodule

`default_nettype wire
