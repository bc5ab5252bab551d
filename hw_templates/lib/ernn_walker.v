// SPDX-License-Identifier: Apache-2.0
// ernn_walker: the tasks of every round, in the one order that all units share.
//
// For each job, one task per active stream, lowest stream first.  A task is offered one cycle after
// its round was issued or the task before it was taken.
// Latency: 1.
// Golden model: ernn.hw.cycles
// Requires:     rounds at most two ahead of the slowest walker (kept by ernn_rounds)
`default_nettype none

module ernn_walker #(
    parameter integer JOBS     = 1,  // jobs of this unit in a round
    parameter integer JOB_W    = 1,  // bits of a job number
    parameter integer STREAMS  = 1,
    parameter integer STREAM_W = 1   // bits of a stream number
) (
    input  wire                 clk_i,
    input  wire                 rst_i,
    // Rounds, from ernn_rounds: the low half of a mask is the even round's, the high half the odd's
    input  wire [          1:0] issued_i,  // rounds issued, modulo 4
    input  wire [2*STREAMS-1:0] active_i,
    input  wire [2*STREAMS-1:0] parity_i,
    input  wire [2*STREAMS-1:0] fresh_i,
    // Tasks
    output reg                  task_valid_o,
    input  wire                 task_ready_i,
    output reg  [    JOB_W-1:0] task_job_o,
    output reg  [ STREAM_W-1:0] task_stream_o,
    output reg                  task_parity_o,  // frame number modulo 2: which half of the buffers
    output wire                 task_fresh_o,   // first frame of an utterance; one stream: as it is known now
    output reg                  task_last_o     // last task of the round
);

  localparam [31:0] LAST_JOB_INT = JOBS - 1;
  localparam [JOB_W-1:0] LAST_JOB = LAST_JOB_INT[JOB_W-1:0];

  reg  [        1:0] round_q;
  reg  [  JOB_W-1:0] job_q;
  reg                start_q;  // no stream of this job was taken yet
  reg  [STREAMS-1:0] pending_q;
  reg                fresh_q;

  wire               odd = round_q[0];
  wire [STREAMS-1:0] active = odd ? active_i[2*STREAMS-1:STREAMS] : active_i[STREAMS-1:0];
  wire [STREAMS-1:0] parity = odd ? parity_i[2*STREAMS-1:STREAMS] : parity_i[STREAMS-1:0];
  wire [STREAMS-1:0] fresh = odd ? fresh_i[2*STREAMS-1:STREAMS] : fresh_i[STREAMS-1:0];

  wire [STREAMS-1:0] pending = start_q ? active : pending_q;
  wire [STREAMS-1:0] lowest = pending & (~pending + 1'b1);
  wire [STREAMS-1:0] rest = pending & ~lowest;
  wire               job_done = rest == {STREAMS{1'b0}};
  wire               round_done = job_done && job_q == LAST_JOB;
  wire               advance = round_q != issued_i && (!task_valid_o || task_ready_i);

  // Rounds and frames of one stream count alike, and a round that began early learns it late.
  assign task_fresh_o = STREAMS == 1 ? (task_parity_o ? fresh_i[2*STREAMS-1] : fresh_i[0]) : fresh_q;
  wire unused = &{1'b0, fresh_q};

  function [STREAM_W-1:0] index_of(input [STREAMS-1:0] one_hot);
    integer i;
    begin
      index_of = {STREAM_W{1'b0}};
      for (i = 0; i < STREAMS; i = i + 1) if (one_hot[i]) index_of = index_of | i[STREAM_W-1:0];
    end
  endfunction

  always @(posedge clk_i) begin
    if (advance) begin
      task_job_o    <= job_q;
      task_stream_o <= index_of(lowest);
      task_parity_o <= |(parity & lowest);
      fresh_q       <= |(fresh & lowest);
      task_last_o   <= round_done;
      pending_q     <= rest;
      start_q       <= job_done;
      if (job_done) job_q <= round_done ? {JOB_W{1'b0}} : job_q + 1'b1;
      if (round_done) round_q <= round_q + 1'b1;
    end
    task_valid_o <= advance || (task_valid_o && !task_ready_i);
    if (rst_i) begin
      task_valid_o <= 1'b0;
      round_q      <= 2'd0;
      job_q        <= {JOB_W{1'b0}};
      start_q      <= 1'b1;
    end
  end

endmodule

`default_nettype wire
