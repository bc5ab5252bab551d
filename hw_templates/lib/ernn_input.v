// SPDX-License-Identifier: Apache-2.0
// ernn_input: AXI4-Stream packets, one feature vector each, to words; keeps account of the buffers.
//
// Each stream has two buffers, for even and odd frames.  A packet waits until its buffer is free.  A packet of
// the wrong length or for an unknown stream tells of an error and is dropped whole, and so is one that a flush
// cuts off.  A value beyond its format tells of an error and becomes the format's nearest one.
// While run_i is low no packet begins; one that has begun goes on.  The first packet of a stream behind a reset
// begins an utterance.
// Latency: 2 from a beat to its word.
// Golden model: ernn.hw.cycles
`default_nettype none

module ernn_input #(
    parameter integer STREAMS   = 1,
    parameter integer STREAM_W  = 1,
    parameter integer BEATS     = 1,   // of a packet: words of a feature vector
    parameter integer COUNT_W   = 1,   // bits that hold BEATS - 1
    parameter integer WORD      = 8,   // values of a word
    parameter integer ELEMENT_W = 16,  // bits of a value on the bus
    parameter integer VALUE_W   = 15   // bits of it that count
) (
    input  wire                      clk_i,
    input  wire                      rst_i,
    input  wire                      run_i,          // packets may begin
    input  wire                      flush_i,        // the packet that has begun is over; one cycle
    output wire                      empty_o,        // no packet has begun, and no buffer is taken
    // AXI4-Stream
    input  wire [WORD*ELEMENT_W-1:0] s_axis_tdata,
    input  wire                      s_axis_tvalid,
    output wire                      s_axis_tready,
    input  wire                      s_axis_tlast,
    input  wire [               7:0] s_axis_tid,     // stream
    input  wire                      s_axis_tuser,   // first beat: an utterance begins
    // Words, in order; word_last_o only on the last word of a good packet
    output reg                       word_valid_o,
    output reg                       word_start_o,
    output reg                       word_last_o,
    output reg  [      STREAM_W-1:0] word_stream_o,
    output reg                       word_parity_o,
    output reg  [  WORD*VALUE_W-1:0] word_data_o,
    // The vector's last word has reached its memory
    input  wire                      stored_i,
    input  wire [      STREAM_W-1:0] stored_stream_i,
    input  wire                      stored_parity_i,
    // The array has read the vector for the last time
    input  wire                      release_i,
    input  wire [      STREAM_W-1:0] release_stream_i,
    input  wire                      release_parity_i,
    // Buffers; low half: even frames
    output wire [     2*STREAMS-1:0] begun_o,        // taken, or its packet has begun and is good so far
    output reg  [     2*STREAMS-1:0] full_o,
    output reg  [     2*STREAMS-1:0] fresh_o,        // first frame of an utterance
    output reg  [               3:0] error_o,        // too short, too long, unknown stream, value; one cycle
    // The next packet of these streams begins an utterance, whatever TUSER says; one cycle
    input  wire [       STREAMS-1:0] state_reset_i
);

  localparam [31:0] BEATS_INT = BEATS - 1;
  localparam [COUNT_W-1:0] LAST = BEATS_INT[COUNT_W-1:0];
  localparam integer BEAT_W = WORD * ELEMENT_W + 10;

  wire                      valid;
  wire                      ready;
  wire [WORD*ELEMENT_W-1:0] data;
  wire                      last;
  wire [               7:0] id;
  wire                      user;

  ernn_skid #(
      .WIDTH(BEAT_W)
  ) u_skid (
      .clk_i      (clk_i),
      .rst_i      (rst_i),
      .in_valid_i (s_axis_tvalid),
      .in_ready_o (s_axis_tready),
      .in_data_i  ({s_axis_tuser, s_axis_tid, s_axis_tlast, s_axis_tdata}),
      .out_valid_o(valid),
      .out_ready_i(ready),
      .out_data_o ({user, id, last, data})
  );

  reg               inside_q;  // between the first and the last beat of a packet
  reg               good_q;  // nothing wrong so far
  reg               fresh_q;
  reg [STREAM_W-1:0] stream_q;
  reg [ COUNT_W-1:0] count_q;
  reg [ STREAMS-1:0] parity_q;  // of each stream's next frame
  reg [2*STREAMS-1:0] busy_q;  // buffer taken
  reg [ STREAMS-1:0] forget_q;  // a state reset waits for the stream's next good packet
  reg                forgot_q;  // this packet takes one

  wire [     WORD-1:0] beyond;  // a value that needs more bits than count
  wire [WORD*VALUE_W-1:0] nearest;  // the values of the format
  wire                 known = {24'd0, id} < STREAMS;
  wire [ STREAM_W-1:0] stream = inside_q ? stream_q : id[STREAM_W-1:0];
  wire [  STREAMS-1:0] one = {{(STREAMS - 1) {1'b0}}, 1'b1} << stream;
  wire                 parity = |(parity_q & one);
  wire [2*STREAMS-1:0] slot = parity ? {one, {STREAMS{1'b0}}} : {{STREAMS{1'b0}}, one};
  wire                 good = inside_q ? good_q : known;
  wire [  COUNT_W-1:0] count = inside_q ? count_q : {COUNT_W{1'b0}};
  wire                 forgot = inside_q ? forgot_q : |(forget_q & one);
  wire                 fresh = inside_q ? fresh_q : user || forgot;
  wire                 at_end = count == LAST;
  wire                 whole = good && at_end && last;

  assign ready = inside_q || (run_i && (!known || ~|(busy_q & slot)));
  assign empty_o = !inside_q && ~|busy_q;
  assign begun_o = busy_q | ({2 * STREAMS{inside_q && good_q}} & slot);
  wire beat = valid && ready;
  wire cut = flush_i && inside_q && !(beat && last);

  wire [  STREAMS-1:0] stored_one = {{(STREAMS - 1) {1'b0}}, 1'b1} << stored_stream_i;
  wire [  STREAMS-1:0] release_one = {{(STREAMS - 1) {1'b0}}, 1'b1} << release_stream_i;
  wire [2*STREAMS-1:0] stored = {2 * STREAMS{stored_i}}
      & {stored_one & {STREAMS{stored_parity_i}}, stored_one & {STREAMS{~stored_parity_i}}};
  wire [2*STREAMS-1:0] released = {2 * STREAMS{release_i}}
      & {release_one & {STREAMS{release_parity_i}}, release_one & {STREAMS{~release_parity_i}}};
  wire [2*STREAMS-1:0] taken = {2 * STREAMS{beat && whole}} & slot;

  always @(posedge clk_i) begin
    word_valid_o  <= beat && good;
    word_start_o  <= !inside_q;
    word_last_o   <= whole;
    word_stream_o <= stream;
    word_parity_o <= parity;
    word_data_o   <= nearest;
    if (beat) begin
      inside_q <= !last;
      stream_q <= stream;
      fresh_q  <= fresh;
      forgot_q <= forgot;
      good_q   <= good && !at_end;
      count_q  <= count + 1'b1;
      if (whole) begin
        parity_q <= parity_q ^ one;
        fresh_o  <= (fresh_o & ~slot) | ({2 * STREAMS{fresh}} & slot);
      end
    end
    if (cut) inside_q <= 1'b0;
    error_o <= {4{beat}} & {good && |beyond, !inside_q && !known, good && !last && at_end, good && last && !at_end};
    if (cut && good_q) error_o[0] <= 1'b1;
    // A packet takes the reset with its first beat, and gives it back if it is dropped.
    forget_q <= (forget_q & ~({STREAMS{beat && !inside_q && known}} & one))
                | ({STREAMS{good && forgot && (cut || (beat && last != at_end))}} & one) | state_reset_i;
    busy_q <= (busy_q | taken) & ~released;
    full_o <= (full_o | stored) & ~released;
    if (rst_i) begin
      word_valid_o <= 1'b0;
      inside_q     <= 1'b0;
      parity_q     <= {STREAMS{1'b0}};
      busy_q       <= {2 * STREAMS{1'b0}};
      full_o       <= {2 * STREAMS{1'b0}};
      error_o      <= 4'd0;
      forget_q     <= {STREAMS{1'b1}};
    end
  end

  // The bus extends the sign.
  genvar v;
  generate
    for (v = 0; v < WORD; v = v + 1) begin : gen_beyond
      wire [ELEMENT_W-VALUE_W:0] signs = data[v*ELEMENT_W+VALUE_W-1+:ELEMENT_W-VALUE_W+1];
      assign beyond[v] = |signs && !(&signs);
      assign nearest[v*VALUE_W+:VALUE_W] = beyond[v]
          ? {data[v*ELEMENT_W+ELEMENT_W-1], {VALUE_W - 1{!data[v*ELEMENT_W+ELEMENT_W-1]}}}
          : data[v*ELEMENT_W+:VALUE_W];
    end
  endgenerate

endmodule

`default_nettype wire
