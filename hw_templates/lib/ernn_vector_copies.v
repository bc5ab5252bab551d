// SPDX-License-Identifier: Apache-2.0
// ernn_vector_copies: spectra of one kind of vector as ernn_vector_memory keeps them, a copy for each path.
//
// Every path reads where it likes.  Path p holds slice p modulo SLICES of each word: of its UNITS, those
// whose number is the slice's modulo SLICES.
// The array reads a cycle behind the decision for a token's words, which may so be taken before they are written.
// Latency: 1 for a read; tokens as in ernn_tokens, one for each word whose offset is not silent.
// Golden model: none (storage); tokens: ernn.hw.cycles
// Requires:     a vector is written in order, from word_start_i on; SLICES divides PATHS and UNITS, UNITS divides WORD_W
`default_nettype none

module ernn_vector_copies #(
    parameter integer PATHS    = 1,
    parameter integer SLICES   = 1,
    parameter integer UNITS    = 1,   // of a word: its blocks of the largest size
    parameter integer WORD_W   = 64,  // bits of a word
    parameter integer OFFSET_W = 1,   // address bits within one stream's frame
    parameter integer READ_W   = 1,   // bits that a path has for them
    parameter integer STREAMS  = 1,
    parameter integer STREAM_W = 1,
    parameter integer COUNT_W  = 4,
    parameter integer INITIAL  = 0,   // tokens after reset
    parameter [(1<<OFFSET_W)-1:0] SILENT = {(1 << OFFSET_W) {1'b0}},  // offsets that put no token
    parameter RAM_STYLE = "auto"
) (
    input  wire                           clk_i,
    input  wire                           rst_i,
    // Words, in order
    input  wire                           word_valid_i,
    input  wire                           word_start_i,
    input  wire                           word_last_i,
    input  wire [           STREAM_W-1:0] word_stream_i,
    input  wire                           word_parity_i,
    input  wire [           OFFSET_W-1:0] word_base_i,    // offset of the vector's first word
    input  wire [             WORD_W-1:0] word_data_i,  // a cycle behind the others
    // The array
    input  wire [              PATHS-1:0] read_i,
    input  wire [           STREAM_W-1:0] read_stream_i,
    input  wire [              PATHS-1:0] read_parity_i,
    input  wire [       PATHS*READ_W-1:0] read_offset_i,
    output wire [PATHS*WORD_W/SLICES-1:0] read_data_o,
    input  wire                           take_i,
    input  wire [           STREAM_W-1:0] stream_i,
    input  wire                           next_i,
    input  wire [           STREAM_W-1:0] next_stream_i,
    output wire                           have_o
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (PATHS % SLICES != 0 || UNITS % SLICES != 0 || WORD_W % UNITS != 0) begin : gen_fault0
      ernn_vector_copies_needs_SLICES_that_divide_PATHS_and_UNITS u_fault ();
    end
    if (READ_W < OFFSET_W) begin : gen_fault1
      ernn_vector_copies_needs_READ_W_of_OFFSET_W_or_more u_fault ();
    end
  endgenerate

  localparam integer ADDR_W = STREAM_W + 1 + OFFSET_W;
  localparam integer UNIT_W = WORD_W / UNITS;
  localparam integer SLICE_W = WORD_W / SLICES;

  reg  [OFFSET_W-1:0] offset_q;  // where the next word goes
  wire [OFFSET_W-1:0] offset = word_start_i ? word_base_i : offset_q;
  reg  write_q;
  reg  [ADDR_W-1:0] write_addr_q;
  always @(posedge clk_i) begin
    if (word_valid_i) offset_q <= offset + 1'b1;
    write_q      <= word_valid_i && !rst_i;
    write_addr_q <= {word_stream_i, word_parity_i, offset};
  end

  wire [WORD_W-1:0] slices;  // one after the other
  genvar s, u, p;
  generate
    for (s = 0; s < SLICES; s = s + 1) begin : gen_slice
      for (u = 0; u < UNITS / SLICES; u = u + 1) begin : gen_unit
        assign slices[s*SLICE_W+u*UNIT_W+:UNIT_W] = word_data_i[(u*SLICES+s)*UNIT_W+:UNIT_W];
      end
    end
    for (p = 0; p < PATHS; p = p + 1) begin : gen_path
      ernn_ram #(
          .WIDTH (SLICE_W),
          .DEPTH (STREAMS << (1 + OFFSET_W)),
          .ADDR_W(ADDR_W),
          .RAM_STYLE(RAM_STYLE)
      ) u_ram (
          .clk_i  (clk_i),
          .we_i   (write_q),
          .waddr_i(write_addr_q),
          .wdata_i(slices[p%SLICES*SLICE_W+:SLICE_W]),
          .re_i   (read_i[p]),
          .raddr_i({read_stream_i, read_parity_i[p], read_offset_i[p*READ_W+:OFFSET_W]}),
          .rdata_o(read_data_o[p*SLICE_W+:SLICE_W])
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
      .put_i        (word_valid_i && !SILENT[offset]),
      .put_stream_i (word_stream_i),
      .take_i       (take_i),
      .stream_i     (stream_i),
      .next_i       (next_i),
      .next_stream_i(next_stream_i),
      .have_o       (have_o)
  );

  wire unused = &{1'b0, word_last_i, read_offset_i};

endmodule

`default_nettype wire
