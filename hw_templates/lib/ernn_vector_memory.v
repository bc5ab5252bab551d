// SPDX-License-Identifier: Apache-2.0
// ernn_vector_memory: spectra of one kind of vector, for every stream, both frames and all layers.
//
// Word w of a vector lies in bank w modulo BANKS, so that the array reads BANKS words at once.
// The array reads a cycle behind the decision for a token's words, which may so be taken before they are written.
// Latency: 1 for a read; tokens as in ernn_tokens.
// Golden model: none (storage); tokens: ernn.hw.cycles
// Requires:     a vector is written in order, from word_start_i to word_last_i
`default_nettype none

module ernn_vector_memory #(
    parameter integer BANKS    = 1,
    parameter integer WORD_W   = 64,  // bits of a word
    parameter integer OFFSET_W = 1,   // address bits within one stream's frame
    parameter integer STREAMS  = 1,
    parameter integer STREAM_W = 1,
    parameter integer COUNT_W  = 4,
    parameter integer INITIAL  = 0,   // tokens after reset
    parameter RAM_STYLE = "auto"
) (
    input  wire                            clk_i,
    input  wire                            rst_i,
    // Words, in order
    input  wire                            word_valid_i,
    input  wire                            word_start_i,
    input  wire                            word_last_i,
    input  wire [            STREAM_W-1:0] word_stream_i,
    input  wire                            word_parity_i,
    input  wire [            OFFSET_W-1:0] word_base_i,    // offset of the vector's first word
    input  wire [              WORD_W-1:0] word_data_i,  // a cycle behind the others
    // The array
    input  wire                            read_i,
    input  wire [STREAM_W+1+OFFSET_W-1:0]  read_addr_i,    // stream, parity, offset
    output wire [        BANKS*WORD_W-1:0] read_data_o,
    input  wire                            take_i,
    input  wire [            STREAM_W-1:0] stream_i,
    input  wire                            next_i,
    input  wire [            STREAM_W-1:0] next_stream_i,
    output wire                            have_o
);

  localparam integer ADDR_W = STREAM_W + 1 + OFFSET_W;
  localparam integer BANK_W = BANKS > 1 ? $clog2(BANKS) : 1;
  localparam [31:0] BANKS_INT = BANKS - 1;
  localparam [BANK_W-1:0] LAST_BANK = BANKS_INT[BANK_W-1:0];

  reg  [  BANK_W-1:0] bank_q;  // where the next word goes
  reg  [OFFSET_W-1:0] offset_q;
  wire [  BANK_W-1:0] bank = word_start_i ? {BANK_W{1'b0}} : bank_q;
  wire [OFFSET_W-1:0] offset = word_start_i ? word_base_i : offset_q;
  wire                group_done = bank == LAST_BANK;

  always @(posedge clk_i) begin
    if (word_valid_i) begin
      bank_q   <= group_done ? {BANK_W{1'b0}} : bank + 1'b1;
      offset_q <= group_done ? offset + 1'b1 : offset;
    end
  end

  reg [ADDR_W-1:0] write_addr_q;
  always @(posedge clk_i) write_addr_q <= {word_stream_i, word_parity_i, offset};

  genvar b;
  generate
    for (b = 0; b < BANKS; b = b + 1) begin : gen_bank
      localparam [31:0] INDEX = b;
      reg write_q;
      always @(posedge clk_i) write_q <= word_valid_i && bank == INDEX[BANK_W-1:0] && !rst_i;
      ernn_ram #(
          .WIDTH (WORD_W),
          .DEPTH (STREAMS << (1 + OFFSET_W)),
          .ADDR_W(ADDR_W),
          .RAM_STYLE(RAM_STYLE)
      ) u_ram (
          .clk_i  (clk_i),
          .we_i   (write_q),
          .waddr_i(write_addr_q),
          .wdata_i(word_data_i),
          .re_i   (read_i),
          .raddr_i(read_addr_i),
          .rdata_o(read_data_o[b*WORD_W+:WORD_W])
      );
    end
  endgenerate

  ernn_tokens #(
      .STREAMS (STREAMS),
      .STREAM_W(STREAM_W),
      .COUNT_W (COUNT_W),
      .INITIAL (INITIAL)
  ) u_tokens (
      .clk_i        (clk_i),
      .rst_i        (rst_i),
      .put_i        (word_valid_i && (group_done || word_last_i)),
      .put_stream_i (word_stream_i),
      .take_i       (take_i),
      .stream_i     (stream_i),
      .next_i       (next_i),
      .next_stream_i(next_stream_i),
      .have_o       (have_o)
  );

endmodule

`default_nettype wire
