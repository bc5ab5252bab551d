// SPDX-License-Identifier: Apache-2.0
// ernn_serial_in: requests from a serial line to AXI4-Stream packets and AXI4-Lite accesses.
//
// 'F' stream flags values...  a feature vector; bit 0 of flags: an utterance begins; each beat's low byte first
// 'W' address16 data32        writes a register    'R' address16   reads one; low bytes first
// A request that breaks off, holds a broken byte, or comes too fast is dropped whole: the last beat that came is sent
// with TLAST, so that the accelerator drops a packet that is too short. That is why a beat is held until the next one
// is complete. error_o tells of it; but for a time-out, bytes are then ignored until the line was silent that long.
// Golden model: none (bytes pass unchanged)
// Requires:     BEAT_BYTES >= 2
`default_nettype none

module ernn_serial_in #(
    parameter integer BEAT_BYTES     = 16,        // of s_axis_tdata
    parameter integer BEATS          = 1,         // of a feature vector
    parameter integer ADDRESS_W      = 12,        // of a register
    parameter integer TIMEOUT_CLOCKS = 10000000   // without a byte, inside a request
) (
    input  wire                    clk_i,
    input  wire                    rst_i,
    // Bytes
    input  wire                    byte_valid_i,
    input  wire [             7:0] byte_i,
    input  wire                    byte_error_i,
    // Feature vectors
    output reg  [8*BEAT_BYTES-1:0] axis_tdata_o,
    output reg                     axis_tvalid_o,
    input  wire                    axis_tready_i,
    output reg                     axis_tlast_o,
    output reg  [             7:0] axis_tid_o,
    output reg                     axis_tuser_o,
    // Registers
    output reg  [   ADDRESS_W-1:0] axil_address_o,  // of both channels
    output reg  [            31:0] axil_wdata_o,
    output reg                     axil_awvalid_o,
    input  wire                    axil_awready_i,
    output reg                     axil_wvalid_o,
    input  wire                    axil_wready_i,
    output reg                     axil_arvalid_o,
    input  wire                    axil_arready_i,
    // What became of a request
    input  wire                    answered_i,      // the answer to a register access is on its way
    output reg                     error_o,         // one cycle
    output reg  [             7:0] error_code_o
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (BEAT_BYTES < 2) begin : gen_fault
      ernn_serial_in_needs_BEAT_BYTES_of_2_or_more u_fault ();
    end
  endgenerate

  localparam [7:0] UNKNOWN = 8'd1, TIMEOUT = 8'd2, BROKEN = 8'd3, OVERRUN = 8'd4;
  localparam integer COUNT_W = $clog2(BEAT_BYTES * BEATS + 6);
  localparam integer TIME_W = $clog2(TIMEOUT_CLOCKS);
  localparam [31:0] LIMIT_INT = TIMEOUT_CLOCKS - 1, VECTOR_INT = BEAT_BYTES * BEATS + 1;
  localparam [31:0] BEAT_INT = BEAT_BYTES - 1;
  localparam [TIME_W-1:0] LIMIT = LIMIT_INT[TIME_W-1:0];
  localparam [COUNT_W-1:0] VECTOR = VECTOR_INT[COUNT_W-1:0], WRITE = 5, READ = 1;
  localparam integer PLACE_W = $clog2(BEAT_BYTES);
  localparam [PLACE_W-1:0] BEAT_END = BEAT_INT[PLACE_W-1:0];

  reg                     inside_q;  // a request
  reg                     drop_q;  // whatever comes, until the line is quiet
  reg                     features_q, write_q;  // which kind
  reg  [     COUNT_W-1:0] left_q;  // bytes of the request behind the next one
  reg  [     PLACE_W-1:0] place_q;  // of the next byte in its beat
  reg  [      TIME_W-1:0] time_q;
  reg  [            39:0] head_q;  // the last bytes, the newest highest
  reg  [8*BEAT_BYTES-9:0] beat_q;  // but its newest byte
  reg                     head_done_q;  // stream and flags are here
  reg                     id_half_q;
  reg  [             7:0] id_q;
  reg                     user_q;
  reg                     busy_q;  // a register access without an answer
  // A beat that waits for the next one, or for the end of its packet
  reg                     held_q, held_last_q;
  reg  [8*BEAT_BYTES-1:0] held_data_q;
  reg  [             7:0] held_id_q;
  reg                     held_user_q;

  wire quiet = !byte_valid_i && !byte_error_i && time_q == LIMIT;
  wire timed_out = inside_q && quiet;
  wire last_byte = left_q == {COUNT_W{1'b0}};
  wire data_byte = byte_valid_i && inside_q && features_q && head_done_q;
  wire beat_done = data_byte && place_q == BEAT_END;
  wire free = !axis_tvalid_o || axis_tready_i;  // the bus takes the beat that waits
  wire overrun = beat_done && held_q && !free;
  wire fails = timed_out || overrun || (byte_error_i && !drop_q);
  wire moves = held_q && free && (held_last_q || beat_done);

  wire [15:0] read_address = {byte_i, head_q[39:32]};  // the address of a read
  wire [8*BEAT_BYTES-1:0] beat = {byte_i, beat_q};

  always @(posedge clk_i) begin
    error_o      <= 1'b0;
    error_code_o <= timed_out ? TIMEOUT : overrun ? OVERRUN : BROKEN;
    time_q       <= byte_valid_i || byte_error_i || !(inside_q || drop_q) ? {TIME_W{1'b0}} : time_q + 1'b1;
    if (quiet) drop_q <= 1'b0;

    if (axis_tready_i) axis_tvalid_o <= 1'b0;
    if (moves) begin
      axis_tvalid_o <= 1'b1;
      axis_tdata_o  <= held_data_q;
      axis_tid_o    <= held_id_q;
      axis_tuser_o  <= held_user_q;
      axis_tlast_o  <= held_last_q;
      held_q        <= 1'b0;
      held_last_q   <= 1'b0;
    end
    if (axil_awready_i) axil_awvalid_o <= 1'b0;
    if (axil_wready_i) axil_wvalid_o <= 1'b0;
    if (axil_arready_i) axil_arvalid_o <= 1'b0;
    if (answered_i) busy_q <= 1'b0;

    if (byte_valid_i && !drop_q) begin
      head_q <= {byte_i, head_q[39:8]};
      if (!inside_q) begin
        inside_q    <= 1'b1;
        features_q  <= byte_i == 8'h46;
        write_q     <= byte_i == 8'h57;
        head_done_q <= 1'b0;
        id_half_q   <= 1'b0;
        place_q     <= {PLACE_W{1'b0}};
        left_q      <= byte_i == 8'h46 ? VECTOR : byte_i == 8'h57 ? WRITE : READ;
        if (byte_i != 8'h46 && byte_i != 8'h57 && byte_i != 8'h52) begin
          inside_q     <= 1'b0;
          drop_q       <= 1'b1;
          error_o      <= 1'b1;
          error_code_o <= UNKNOWN;
        end
      end else begin
        left_q    <= left_q - 1'b1;
        if (last_byte) inside_q <= 1'b0;
        id_half_q <= 1'b1;
        if (!id_half_q) id_q <= byte_i;
        else if (!head_done_q) begin
          user_q      <= byte_i[0];
          head_done_q <= 1'b1;
        end
      end
    end

    // A beat is complete.
    if (data_byte) begin
      place_q <= beat_done ? {PLACE_W{1'b0}} : place_q + 1'b1;
      beat_q  <= beat[8*BEAT_BYTES-1:8];
    end
    if (beat_done && !overrun) begin
      held_q      <= 1'b1;
      held_last_q <= last_byte;
      held_data_q <= beat;
      held_id_q   <= id_q;
      held_user_q <= user_q;
    end

    // A register access is complete: its bytes, the newest highest.
    if (byte_valid_i && inside_q && last_byte && !features_q) begin
      if (busy_q) begin
        error_o      <= 1'b1;
        error_code_o <= OVERRUN;
      end else begin
        busy_q         <= 1'b1;
        axil_awvalid_o <= write_q;
        axil_wvalid_o  <= write_q;
        axil_arvalid_o <= !write_q;
        axil_address_o <= write_q ? head_q[ADDRESS_W-1:0] : read_address[ADDRESS_W-1:0];
        axil_wdata_o   <= {byte_i, head_q[39:16]};
      end
    end

    if (fails) begin
      inside_q <= 1'b0;
      drop_q   <= !timed_out;
      error_o  <= 1'b1;
      if (features_q && held_q && !moves) held_last_q <= 1'b1;
    end
    if (rst_i) begin
      inside_q       <= 1'b0;
      drop_q         <= 1'b0;
      axis_tvalid_o  <= 1'b0;
      axil_awvalid_o <= 1'b0;
      axil_wvalid_o  <= 1'b0;
      axil_arvalid_o <= 1'b0;
      held_q         <= 1'b0;
      held_last_q    <= 1'b0;
      busy_q         <= 1'b0;
      error_o        <= 1'b0;
    end
  end

  wire unused = &{1'b0, read_address, head_q};  // an address has fewer bits

endmodule

`default_nettype wire
