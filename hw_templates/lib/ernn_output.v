// SPDX-License-Identifier: Apache-2.0
// ernn_output: one AXI4-Stream packet per frame: the words of the output vector, then those of the logits.
//
// Latency: 5 from popping a word to its beat (2 queue, 1 select, 1 buffer, 1 output register).
// Golden model: ernn.hw.cycles
// Requires:     VECTOR_W, LOGIT_W <= ELEMENT_W
`default_nettype none

module ernn_output #(
    parameter integer STREAMS      = 1,
    parameter integer STREAM_W     = 1,
    parameter integer WORD         = 8,   // values of a word
    parameter integer ELEMENT_W    = 16,  // bits of a value on the bus
    parameter integer VECTOR_W     = 12,
    parameter integer VECTOR_WORDS = 1,
    parameter integer LOGIT_W      = 16,
    parameter integer LOGIT_WORDS  = 0,   // 0: there are no logits
    parameter integer COUNT_W      = 1    // bits that hold VECTOR_WORDS + LOGIT_WORDS - 1
) (
    input  wire                      clk_i,
    input  wire                      rst_i,
    // Rounds
    input  wire [               1:0] issued_i,
    input  wire [     2*STREAMS-1:0] active_i,
    input  wire [     2*STREAMS-1:0] parity_i,
    input  wire [     2*STREAMS-1:0] fresh_i,
    output reg                       done_o,          // a round has left its buffers
    output wire                      empty_o,         // and all that was popped has left
    // Queues
    input  wire                      vector_valid_i,
    output wire                      vector_pop_o,
    output wire                      vector_flush_o,
    input  wire [ WORD*VECTOR_W-1:0] vector_word_i,
    input  wire                      logit_valid_i,
    output wire                      logit_pop_o,
    output wire                      logit_flush_o,
    input  wire [  WORD*LOGIT_W-1:0] logit_word_i,
    // AXI4-Stream
    output wire [WORD*ELEMENT_W-1:0] m_axis_tdata,
    output wire                      m_axis_tvalid,
    input  wire                      m_axis_tready,
    output wire                      m_axis_tlast,
    output wire [               7:0] m_axis_tid
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (VECTOR_W > ELEMENT_W || LOGIT_W > ELEMENT_W) begin : gen_fault0
      ernn_output_needs_ELEMENT_W_that_holds_a_value u_fault ();
    end
    if ((1 << COUNT_W) < VECTOR_WORDS + LOGIT_WORDS) begin : gen_fault1
      ernn_output_needs_COUNT_W_that_holds_a_packet u_fault ();
    end
  endgenerate

  localparam [31:0] VECTOR_LAST_INT = VECTOR_WORDS - 1;
  localparam [31:0] LAST_WORD_INT = VECTOR_WORDS + LOGIT_WORDS - 1;
  localparam [COUNT_W-1:0] VECTOR_LAST = VECTOR_LAST_INT[COUNT_W-1:0];
  localparam [COUNT_W-1:0] LAST_WORD = LAST_WORD_INT[COUNT_W-1:0];
  localparam integer DATA_W = WORD * ELEMENT_W;

  wire                task_valid, task_ready;
  wire [STREAM_W-1:0] task_stream;
  wire                task_last;
  wire                unused_job, unused_parity, unused_fresh;

  ernn_walker #(
      .JOBS    (1),
      .JOB_W   (1),
      .STREAMS (STREAMS),
      .STREAM_W(STREAM_W)
  ) u_walker (
      .clk_i        (clk_i),
      .rst_i        (rst_i),
      .issued_i     (issued_i),
      .active_i     (active_i),
      .parity_i     (parity_i),
      .fresh_i      (fresh_i),
      .task_valid_o (task_valid),
      .task_ready_i (task_ready),
      .task_job_o   (unused_job),
      .task_stream_o(task_stream),
      .task_parity_o(unused_parity),
      .task_fresh_o (unused_fresh),
      .task_last_o  (task_last)
  );

  // Words are popped only while the buffer behind has room for all that are on their way.
  localparam integer ROOM_W = 3;
  reg  [        ROOM_W:0] room_q;
  reg  [     COUNT_W-1:0] count_q;
  wire                    in_logits = LOGIT_WORDS != 0 && count_q > VECTOR_LAST;
  wire                    at_end = count_q == LAST_WORD;
  wire                    pop = task_valid && room_q != {(ROOM_W + 1) {1'b0}}
                                && (in_logits ? logit_valid_i : vector_valid_i);

  assign task_ready     = pop && at_end;
  assign vector_pop_o   = pop && !in_logits;
  assign vector_flush_o = vector_pop_o && count_q == VECTOR_LAST;
  assign logit_pop_o    = pop && in_logits;
  assign logit_flush_o  = logit_pop_o && at_end;

  // Stages: popped; rows in the queue's register; word; element-wise sign extension
  reg  [             2:0] valid_q;
  reg  [             1:0] logits_q;
  reg  [             2:0] last_q;
  reg  [    STREAM_W-1:0] stream_q, stream_q2, stream_q3;
  reg  [      DATA_W-1:0] data_q;
  wire                    out_valid, out_ready;
  wire                    moved = out_valid && out_ready;

  integer e;
  always @(posedge clk_i) begin
    valid_q   <= {valid_q[1:0], pop};
    logits_q  <= {logits_q[0], in_logits};
    last_q    <= {last_q[1:0], at_end};
    stream_q  <= task_stream;
    stream_q2 <= stream_q;
    stream_q3 <= stream_q2;
    for (e = 0; e < WORD; e = e + 1)
      data_q[e*ELEMENT_W+:ELEMENT_W] <= logits_q[1]
          ? {{(ELEMENT_W - LOGIT_W + 1) {logit_word_i[e*LOGIT_W+LOGIT_W-1]}},
             logit_word_i[e*LOGIT_W+:LOGIT_W-1]}
          : {{(ELEMENT_W - VECTOR_W + 1) {vector_word_i[e*VECTOR_W+VECTOR_W-1]}},
             vector_word_i[e*VECTOR_W+:VECTOR_W-1]};
    if (pop) count_q <= at_end ? {COUNT_W{1'b0}} : count_q + 1'b1;
    if (pop && !moved) room_q <= room_q - 1'b1;
    if (moved && !pop) room_q <= room_q + 1'b1;
    done_o <= task_ready && task_last;
    if (rst_i) begin
      valid_q <= 3'd0;
      count_q <= {COUNT_W{1'b0}};
      room_q  <= {1'b1, {ROOM_W{1'b0}}};
      done_o  <= 1'b0;
    end
  end

  // Buffer of 2**ROOM_W beats
  localparam integer BEAT_W = DATA_W + STREAM_W + 1;
  reg  [   BEAT_W-1:0] beats[0:(1<<ROOM_W)-1];
  reg  [   ROOM_W-1:0] write_q, read_q;
  reg  [     ROOM_W:0] stored_q;
  wire [STREAM_W-1:0] out_stream;
  integer place;
  initial for (place = 0; place < 1 << ROOM_W; place = place + 1) beats[place] = {BEAT_W{1'b0}};

  assign empty_o = room_q[ROOM_W] && !m_axis_tvalid;
  assign out_valid = stored_q != {(ROOM_W + 1) {1'b0}};

  always @(posedge clk_i) begin
    if (valid_q[2]) begin
      beats[write_q]  <= {stream_q3, last_q[2], data_q};
      write_q         <= write_q + 1'b1;
    end
    if (moved) read_q <= read_q + 1'b1;
    if (valid_q[2] && !moved) stored_q <= stored_q + 1'b1;
    if (moved && !valid_q[2]) stored_q <= stored_q - 1'b1;
    if (rst_i) begin
      write_q  <= {ROOM_W{1'b0}};
      read_q   <= {ROOM_W{1'b0}};
      stored_q <= {(ROOM_W + 1) {1'b0}};
    end
  end

  ernn_skid #(
      .WIDTH(BEAT_W)
  ) u_skid (
      .clk_i      (clk_i),
      .rst_i      (rst_i),
      .in_valid_i (out_valid),
      .in_ready_o (out_ready),
      .in_data_i  (beats[read_q]),
      .out_valid_o(m_axis_tvalid),
      .out_ready_i(m_axis_tready),
      .out_data_o ({out_stream, m_axis_tlast, m_axis_tdata})
  );

  assign m_axis_tid = {{(8 - STREAM_W) {1'b0}}, out_stream};

endmodule

`default_nettype wire
