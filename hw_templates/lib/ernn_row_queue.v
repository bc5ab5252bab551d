// SPDX-License-Identifier: Apache-2.0
// ernn_row_queue: rows from LANES drains in, one word of all GATES rows out, in order.
//
// Rows arrive by word, then gate.  LANES >= GATES: an entry holds LANES/GATES words; the words that fill
// up a job's last entry are skipped with its last real word.  LANES < GATES: a word takes several writes.
// Latency: a word can be popped the cycle after its last row was written; word_o is 2 cycles after pop_i (DIRECT: 1).
// Golden model: ernn.hw.cycles
// Requires:     LANES and GATES powers of two; pop only when valid_o; DEPTH holds all that is written ahead
`default_nettype none

module ernn_row_queue #(
    parameter integer LANES   = 1,
    parameter integer GATES   = 1,
    parameter integer ROW_W   = 64,  // bits of a row
    parameter integer DEPTH   = 2,   // entries
    parameter integer ADDR_W  = 1,
    parameter integer COUNT_W = 4,   // bits that hold the number of words stored
    parameter integer DIRECT  = 0,   // 1: no register behind the memory, for entries of one word
    parameter RAM_STYLE = "auto"
) (
    input  wire                   clk_i,
    input  wire                   rst_i,
    input  wire                   we_i,
    input  wire [LANES*ROW_W-1:0] rows_i,
    output wire                   valid_o,  // a word can be popped
    input  wire                   pop_i,
    input  wire                   flush_i,  // with pop_i: it is the last word of a job
    output wire [GATES*ROW_W-1:0] word_o    // gate 0 in the low bits
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if ((LANES & (LANES - 1)) != 0 || (GATES & (GATES - 1)) != 0) begin : gen_fault0
      ernn_row_queue_needs_LANES_and_GATES_of_powers_of_2 u_fault ();
    end
    if ((1 << ADDR_W) < DEPTH) begin : gen_fault1
      ernn_row_queue_needs_ADDR_W_that_reaches_DEPTH u_fault ();
    end
    if (DIRECT != 0 && LANES > GATES) begin : gen_fault2
      ernn_row_queue_needs_entries_of_one_word_for_DIRECT u_fault ();
    end
  endgenerate

  localparam integer WORDS = LANES >= GATES ? LANES / GATES : 1;  // of an entry
  localparam integer PARTS = LANES >= GATES ? 1 : GATES / LANES;  // writes per entry
  localparam [31:0] DEPTH_INT = DEPTH - 1;
  localparam [ADDR_W-1:0] LAST = DEPTH_INT[ADDR_W-1:0];
  localparam [31:0] WORDS_INT = WORDS;

  reg  [ ADDR_W-1:0] write_q;  // entry being written
  reg  [ ADDR_W-1:0] read_q;  // entry being read
  reg  [COUNT_W-1:0] count_q;  // words stored
  wire               read;  // this pop is the first of its entry
  wire               entry_written;  // this write completes an entry
  wire               entry_read;  // this pop completes an entry
  wire [COUNT_W-1:0] popped;  // words that go with this pop

  wire [PARTS*LANES*ROW_W-1:0] entry;

  genvar p;
  generate
    if (PARTS == 1) begin : gen_whole
      assign entry_written = we_i;
      ernn_ram #(
          .WIDTH (LANES * ROW_W),
          .DEPTH (DEPTH),
          .ADDR_W(ADDR_W),
          .RAM_STYLE(RAM_STYLE)
      ) u_ram (
          .clk_i  (clk_i),
          .we_i   (we_i),
          .waddr_i(write_q),
          .wdata_i(rows_i),
          .re_i   (read),
          .raddr_i(read_q),
          .rdata_o(entry)
      );
    end else begin : gen_parts
      localparam integer PART_W = $clog2(PARTS);
      reg [PART_W-1:0] part_q;
      assign entry_written = we_i && &part_q;
      always @(posedge clk_i) begin
        if (we_i) part_q <= part_q + 1'b1;
        if (rst_i) part_q <= {PART_W{1'b0}};
      end
      for (p = 0; p < PARTS; p = p + 1) begin : gen_part
        localparam [31:0] INDEX = p;
        ernn_ram #(
            .WIDTH (LANES * ROW_W),
            .DEPTH (DEPTH),
            .ADDR_W(ADDR_W),
            .RAM_STYLE(RAM_STYLE)
        ) u_ram (
            .clk_i  (clk_i),
            .we_i   (we_i && part_q == INDEX[PART_W-1:0]),
            .waddr_i(write_q),
            .wdata_i(rows_i),
            .re_i   (read),
          .raddr_i(read_q),
            .rdata_o(entry[p*LANES*ROW_W+:LANES*ROW_W])
        );
      end
    end

    if (WORDS == 1) begin : gen_one
      assign read = pop_i;
      assign entry_read = pop_i;
      assign popped = {{(COUNT_W - 1) {1'b0}}, 1'b1};
      wire unused = &{1'b0, flush_i};
      if (DIRECT != 0) begin : gen_direct
        assign word_o = entry;
      end else begin : gen_register
        reg [GATES*ROW_W-1:0] word_q;
        always @(posedge clk_i) word_q <= entry;
        assign word_o = word_q;
      end
    end else begin : gen_many
      localparam integer WORD_W = $clog2(WORDS);
      reg [WORD_W-1:0] place_q, place_q2;  // word within the entry
      reg              pop_q;
      reg [GATES*ROW_W-1:0] word_q;
      assign word_o = word_q;
      assign read = pop_i && place_q == {WORD_W{1'b0}};
      assign entry_read = pop_i && (flush_i || &place_q);
      assign popped = flush_i ? WORDS_INT[COUNT_W-1:0] - {{(COUNT_W - WORD_W) {1'b0}}, place_q}
                              : {{(COUNT_W - 1) {1'b0}}, 1'b1};
      always @(posedge clk_i) begin
        if (pop_i) place_q <= flush_i ? {WORD_W{1'b0}} : place_q + 1'b1;
        if (pop_i) place_q2 <= place_q;
        pop_q <= pop_i;
        if (pop_q) word_q <= entry[place_q2*GATES*ROW_W+:GATES*ROW_W];
        if (rst_i) place_q <= {WORD_W{1'b0}};
      end
    end
  endgenerate

  wire [COUNT_W-1:0] put = entry_written ? WORDS_INT[COUNT_W-1:0] : {COUNT_W{1'b0}};
  wire [COUNT_W-1:0] taken = pop_i ? popped : {COUNT_W{1'b0}};

  assign valid_o = count_q != {COUNT_W{1'b0}};

  always @(posedge clk_i) begin
    if (entry_written) write_q <= write_q == LAST ? {ADDR_W{1'b0}} : write_q + 1'b1;
    if (entry_read) read_q <= read_q == LAST ? {ADDR_W{1'b0}} : read_q + 1'b1;
    count_q <= count_q + put - taken;
    if (rst_i) begin
      write_q <= {ADDR_W{1'b0}};
      read_q  <= {ADDR_W{1'b0}};
      count_q <= {COUNT_W{1'b0}};
    end
  end

endmodule

`default_nettype wire
