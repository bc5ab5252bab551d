// SPDX-License-Identifier: Apache-2.0
// Block RAM of a GW2A as synth_gowin uses it, for any simulator: DPB, DPX9B (two ports), SDPX9B (one writes 36 bits).
//
// The low bits of the address of a word of two or four units say which units are written. A read takes one cycle, and
// no output register is modelled. What is read where the other port writes is the older word.
// Golden model: none (tests/rtl/test_cells.py compares it with ernn_ram)
`default_nettype none

// 2048 units of 8 or 9 bits; wider words are two or four of them, narrower ones lie inside of one.
module gowin_block_ram #(
    parameter [31:0] UNIT = 32'd9,
    parameter [31:0] WIDTH_A = 32'd9,
    parameter [31:0] WIDTH_B = 32'd9,
    parameter [31:0] MODE_A = 32'd0,  // 0: a write leaves what was read, 1: it is read
    parameter [31:0] MODE_B = 32'd0,
    parameter [0:0] KNOWN = 1'b1,
    parameter [0:0] LATE_RESET = 1'b1,  // at the clock; a reset at once is not modelled
    parameter [2048*UNIT-1:0] INIT = 0
) (
    input  wire clk_a, enable_a, write_a, reset_a,
    input  wire [13:0] address_a,
    input  wire [4*UNIT-1:0] data_a,
    output wire [4*UNIT-1:0] found_a,
    input  wire clk_b, enable_b, write_b, reset_b,
    input  wire [13:0] address_b,
    input  wire [4*UNIT-1:0] data_b,
    output wire [4*UNIT-1:0] found_b
);
  reg [UNIT-1:0] units[0:2047];
  integer place;
  initial for (place = 0; place < 2048; place = place + 1) units[place] = INIT[UNIT*place+:UNIT];

  // The unit of an address: an even one, or the first of four, for wider words
  localparam [10:0] BELOW_A = WIDTH_A == 4 * UNIT ? 11'd3 : WIDTH_A == 2 * UNIT ? 11'd1 : 11'd0;
  localparam [10:0] BELOW_B = WIDTH_B == 4 * UNIT ? 11'd3 : WIDTH_B == 2 * UNIT ? 11'd1 : 11'd0;
  wire [10:0] at_a = address_a[13:3] & ~BELOW_A;
  wire [10:0] at_b = address_b[13:3] & ~BELOW_B;
  wire [4*UNIT-1:0] old_a = {units[at_a|11'd3], units[at_a|11'd2], units[at_a|11'd1], units[at_a]};
  wire [4*UNIT-1:0] old_b = {units[at_b|11'd3], units[at_b|11'd2], units[at_b|11'd1], units[at_b]};

  // The units with a word written into them, and a word read from them
  function [4*UNIT-1:0] written;
    input [31:0] width;
    input [4*UNIT-1:0] old, data;
    input [3:0] address;
    integer unit;
    begin
      written = old;
      if (width == UNIT) written[UNIT-1:0] = data[UNIT-1:0];
      for (unit = 0; unit < 4; unit = unit + 1)
        if (width >= 2 * UNIT && UNIT * (unit + 1) <= width && address[unit])
          written[UNIT*unit+:UNIT] = data[UNIT*unit+:UNIT];
      if (width == 4) written[{29'd0, address[2], 2'd0}+:4] = data[3:0];
      if (width == 2) written[{29'd0, address[2:1], 1'd0}+:2] = data[1:0];
      if (width == 1) written[{29'd0, address[2:0]}] = data[0];
    end
  endfunction
  function [4*UNIT-1:0] narrow;
    input [31:0] width;
    input [4*UNIT-1:0] data;
    input [3:0] address;
    integer bits;
    begin
      narrow = data;
      if (width == 4) narrow[3:0] = data[{29'd0, address[2], 2'd0}+:4];
      if (width == 2) narrow[1:0] = data[{29'd0, address[2:1], 1'd0}+:2];
      if (width == 1) narrow[0] = data[{29'd0, address[2:0]}];
    end
  endfunction

  wire [4*UNIT-1:0] new_a = written(WIDTH_A, old_a, data_a, address_a[3:0]);
  wire [4*UNIT-1:0] new_b = written(WIDTH_B, old_b, data_b, address_b[3:0]);
  reg [4*UNIT-1:0] read_a, read_b;
  initial begin
    read_a = 0;
    read_b = 0;
  end
  assign found_a = read_a;
  assign found_b = read_b;

  integer one_a, one_b;
  always @(posedge clk_a) begin
    if (enable_a && write_a)
      for (one_a = 0; one_a <= BELOW_A; one_a = one_a + 1) units[at_a+one_a] <= new_a[UNIT*one_a+:UNIT];
    if (reset_a) read_a <= 0;
    else if (enable_a && (!write_a || MODE_A == 1)) read_a <= narrow(WIDTH_A, write_a ? new_a : old_a, address_a[3:0]);
  end
  always @(posedge clk_b) begin
    if (enable_b && write_b)
      for (one_b = 0; one_b <= BELOW_B; one_b = one_b + 1) units[at_b+one_b] <= new_b[UNIT*one_b+:UNIT];
    if (reset_b) read_b <= 0;
    else if (enable_b && (!write_b || MODE_B == 1)) read_b <= narrow(WIDTH_B, write_b ? new_b : old_b, address_b[3:0]);
  end

  generate
    if (!KNOWN || MODE_A > 1 || MODE_B > 1) begin : gen_unknown
      initial begin
        $display("%m: a block RAM with a configuration that is not modelled");
        $finish;
      end
    end
    if (!LATE_RESET) begin : gen_early
      always @(posedge reset_a or posedge reset_b) begin
        $display("%m: a block RAM that is reset at once, which is not modelled");
        $finish;
      end
    end
  endgenerate
endmodule

module DPB (
    input  wire CLKA, CEA, OCEA, RESETA, WREA, CLKB, CEB, OCEB, RESETB, WREB,
    input  wire [13:0] ADA, ADB,
    input  wire [15:0] DIA, DIB,
    input  wire [2:0] BLKSELA, BLKSELB,
    output wire [15:0] DOA, DOB
);
  parameter [0:0] READ_MODE0 = 1'b0, READ_MODE1 = 1'b0;
  parameter [31:0] WRITE_MODE0 = 32'd0, WRITE_MODE1 = 32'd0;
  parameter [31:0] BIT_WIDTH_0 = 32'd16, BIT_WIDTH_1 = 32'd16;
  parameter [2:0] BLK_SEL_0 = 3'd0, BLK_SEL_1 = 3'd0;
  parameter RESET_MODE = "SYNC";
  parameter [255:0]
      INIT_RAM_00 = 256'd0, INIT_RAM_01 = 256'd0, INIT_RAM_02 = 256'd0, INIT_RAM_03 = 256'd0,
      INIT_RAM_04 = 256'd0, INIT_RAM_05 = 256'd0, INIT_RAM_06 = 256'd0, INIT_RAM_07 = 256'd0,
      INIT_RAM_08 = 256'd0, INIT_RAM_09 = 256'd0, INIT_RAM_0A = 256'd0, INIT_RAM_0B = 256'd0,
      INIT_RAM_0C = 256'd0, INIT_RAM_0D = 256'd0, INIT_RAM_0E = 256'd0, INIT_RAM_0F = 256'd0,
      INIT_RAM_10 = 256'd0, INIT_RAM_11 = 256'd0, INIT_RAM_12 = 256'd0, INIT_RAM_13 = 256'd0,
      INIT_RAM_14 = 256'd0, INIT_RAM_15 = 256'd0, INIT_RAM_16 = 256'd0, INIT_RAM_17 = 256'd0,
      INIT_RAM_18 = 256'd0, INIT_RAM_19 = 256'd0, INIT_RAM_1A = 256'd0, INIT_RAM_1B = 256'd0,
      INIT_RAM_1C = 256'd0, INIT_RAM_1D = 256'd0, INIT_RAM_1E = 256'd0, INIT_RAM_1F = 256'd0,
      INIT_RAM_20 = 256'd0, INIT_RAM_21 = 256'd0, INIT_RAM_22 = 256'd0, INIT_RAM_23 = 256'd0,
      INIT_RAM_24 = 256'd0, INIT_RAM_25 = 256'd0, INIT_RAM_26 = 256'd0, INIT_RAM_27 = 256'd0,
      INIT_RAM_28 = 256'd0, INIT_RAM_29 = 256'd0, INIT_RAM_2A = 256'd0, INIT_RAM_2B = 256'd0,
      INIT_RAM_2C = 256'd0, INIT_RAM_2D = 256'd0, INIT_RAM_2E = 256'd0, INIT_RAM_2F = 256'd0,
      INIT_RAM_30 = 256'd0, INIT_RAM_31 = 256'd0, INIT_RAM_32 = 256'd0, INIT_RAM_33 = 256'd0,
      INIT_RAM_34 = 256'd0, INIT_RAM_35 = 256'd0, INIT_RAM_36 = 256'd0, INIT_RAM_37 = 256'd0,
      INIT_RAM_38 = 256'd0, INIT_RAM_39 = 256'd0, INIT_RAM_3A = 256'd0, INIT_RAM_3B = 256'd0,
      INIT_RAM_3C = 256'd0, INIT_RAM_3D = 256'd0, INIT_RAM_3E = 256'd0, INIT_RAM_3F = 256'd0;

  wire [31:0] found_a, found_b;
  assign DOA = found_a[15:0];
  assign DOB = found_b[15:0];
  gowin_block_ram #(
      .UNIT(32'd8), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .MODE_A(WRITE_MODE0), .MODE_B(WRITE_MODE1),
      .KNOWN(READ_MODE0 == 1'b0 && READ_MODE1 == 1'b0), .LATE_RESET(RESET_MODE == "SYNC"),
      .INIT({
          INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
          INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
          INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
          INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
          INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
          INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
          INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
          INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
      })
  ) u_ram (
      .clk_a(CLKA), .enable_a(CEA && BLKSELA == BLK_SEL_0), .write_a(WREA), .reset_a(RESETA), .address_a(ADA),
      .data_a({16'd0, DIA}), .found_a(found_a),
      .clk_b(CLKB), .enable_b(CEB && BLKSELB == BLK_SEL_1), .write_b(WREB), .reset_b(RESETB), .address_b(ADB),
      .data_b({16'd0, DIB}), .found_b(found_b)
  );
  wire unused = &{1'b0, OCEA, OCEB};
endmodule

module DPX9B (
    input  wire CLKA, CEA, OCEA, RESETA, WREA, CLKB, CEB, OCEB, RESETB, WREB,
    input  wire [13:0] ADA, ADB,
    input  wire [17:0] DIA, DIB,
    input  wire [2:0] BLKSELA, BLKSELB,
    output wire [17:0] DOA, DOB
);
  parameter [0:0] READ_MODE0 = 1'b0, READ_MODE1 = 1'b0;
  parameter [31:0] WRITE_MODE0 = 32'd0, WRITE_MODE1 = 32'd0;
  parameter [31:0] BIT_WIDTH_0 = 32'd18, BIT_WIDTH_1 = 32'd18;
  parameter [2:0] BLK_SEL_0 = 3'd0, BLK_SEL_1 = 3'd0;
  parameter RESET_MODE = "SYNC";
  parameter [287:0]
      INIT_RAM_00 = 288'd0, INIT_RAM_01 = 288'd0, INIT_RAM_02 = 288'd0, INIT_RAM_03 = 288'd0,
      INIT_RAM_04 = 288'd0, INIT_RAM_05 = 288'd0, INIT_RAM_06 = 288'd0, INIT_RAM_07 = 288'd0,
      INIT_RAM_08 = 288'd0, INIT_RAM_09 = 288'd0, INIT_RAM_0A = 288'd0, INIT_RAM_0B = 288'd0,
      INIT_RAM_0C = 288'd0, INIT_RAM_0D = 288'd0, INIT_RAM_0E = 288'd0, INIT_RAM_0F = 288'd0,
      INIT_RAM_10 = 288'd0, INIT_RAM_11 = 288'd0, INIT_RAM_12 = 288'd0, INIT_RAM_13 = 288'd0,
      INIT_RAM_14 = 288'd0, INIT_RAM_15 = 288'd0, INIT_RAM_16 = 288'd0, INIT_RAM_17 = 288'd0,
      INIT_RAM_18 = 288'd0, INIT_RAM_19 = 288'd0, INIT_RAM_1A = 288'd0, INIT_RAM_1B = 288'd0,
      INIT_RAM_1C = 288'd0, INIT_RAM_1D = 288'd0, INIT_RAM_1E = 288'd0, INIT_RAM_1F = 288'd0,
      INIT_RAM_20 = 288'd0, INIT_RAM_21 = 288'd0, INIT_RAM_22 = 288'd0, INIT_RAM_23 = 288'd0,
      INIT_RAM_24 = 288'd0, INIT_RAM_25 = 288'd0, INIT_RAM_26 = 288'd0, INIT_RAM_27 = 288'd0,
      INIT_RAM_28 = 288'd0, INIT_RAM_29 = 288'd0, INIT_RAM_2A = 288'd0, INIT_RAM_2B = 288'd0,
      INIT_RAM_2C = 288'd0, INIT_RAM_2D = 288'd0, INIT_RAM_2E = 288'd0, INIT_RAM_2F = 288'd0,
      INIT_RAM_30 = 288'd0, INIT_RAM_31 = 288'd0, INIT_RAM_32 = 288'd0, INIT_RAM_33 = 288'd0,
      INIT_RAM_34 = 288'd0, INIT_RAM_35 = 288'd0, INIT_RAM_36 = 288'd0, INIT_RAM_37 = 288'd0,
      INIT_RAM_38 = 288'd0, INIT_RAM_39 = 288'd0, INIT_RAM_3A = 288'd0, INIT_RAM_3B = 288'd0,
      INIT_RAM_3C = 288'd0, INIT_RAM_3D = 288'd0, INIT_RAM_3E = 288'd0, INIT_RAM_3F = 288'd0;

  wire [35:0] found_a, found_b;
  assign DOA = found_a[17:0];
  assign DOB = found_b[17:0];
  gowin_block_ram #(
      .UNIT(32'd9), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .MODE_A(WRITE_MODE0), .MODE_B(WRITE_MODE1),
      .KNOWN(READ_MODE0 == 1'b0 && READ_MODE1 == 1'b0), .LATE_RESET(RESET_MODE == "SYNC"),
      .INIT({
          INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
          INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
          INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
          INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
          INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
          INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
          INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
          INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
      })
  ) u_ram (
      .clk_a(CLKA), .enable_a(CEA && BLKSELA == BLK_SEL_0), .write_a(WREA), .reset_a(RESETA), .address_a(ADA),
      .data_a({18'd0, DIA}), .found_a(found_a),
      .clk_b(CLKB), .enable_b(CEB && BLKSELB == BLK_SEL_1), .write_b(WREB), .reset_b(RESETB), .address_b(ADB),
      .data_b({18'd0, DIB}), .found_b(found_b)
  );
  wire unused = &{1'b0, OCEA, OCEB};
endmodule

module SDPX9B (
    input  wire CLKA, CEA, RESETA, CLKB, CEB, OCE, RESETB,
    input  wire [13:0] ADA, ADB,
    input  wire [35:0] DI,
    input  wire [2:0] BLKSELA, BLKSELB,
    output wire [35:0] DO
);
  parameter [0:0] READ_MODE = 1'b0;
  parameter [31:0] BIT_WIDTH_0 = 32'd36, BIT_WIDTH_1 = 32'd36;
  parameter [2:0] BLK_SEL_0 = 3'd0, BLK_SEL_1 = 3'd0;
  parameter RESET_MODE = "SYNC";
  parameter [287:0]
      INIT_RAM_00 = 288'd0, INIT_RAM_01 = 288'd0, INIT_RAM_02 = 288'd0, INIT_RAM_03 = 288'd0,
      INIT_RAM_04 = 288'd0, INIT_RAM_05 = 288'd0, INIT_RAM_06 = 288'd0, INIT_RAM_07 = 288'd0,
      INIT_RAM_08 = 288'd0, INIT_RAM_09 = 288'd0, INIT_RAM_0A = 288'd0, INIT_RAM_0B = 288'd0,
      INIT_RAM_0C = 288'd0, INIT_RAM_0D = 288'd0, INIT_RAM_0E = 288'd0, INIT_RAM_0F = 288'd0,
      INIT_RAM_10 = 288'd0, INIT_RAM_11 = 288'd0, INIT_RAM_12 = 288'd0, INIT_RAM_13 = 288'd0,
      INIT_RAM_14 = 288'd0, INIT_RAM_15 = 288'd0, INIT_RAM_16 = 288'd0, INIT_RAM_17 = 288'd0,
      INIT_RAM_18 = 288'd0, INIT_RAM_19 = 288'd0, INIT_RAM_1A = 288'd0, INIT_RAM_1B = 288'd0,
      INIT_RAM_1C = 288'd0, INIT_RAM_1D = 288'd0, INIT_RAM_1E = 288'd0, INIT_RAM_1F = 288'd0,
      INIT_RAM_20 = 288'd0, INIT_RAM_21 = 288'd0, INIT_RAM_22 = 288'd0, INIT_RAM_23 = 288'd0,
      INIT_RAM_24 = 288'd0, INIT_RAM_25 = 288'd0, INIT_RAM_26 = 288'd0, INIT_RAM_27 = 288'd0,
      INIT_RAM_28 = 288'd0, INIT_RAM_29 = 288'd0, INIT_RAM_2A = 288'd0, INIT_RAM_2B = 288'd0,
      INIT_RAM_2C = 288'd0, INIT_RAM_2D = 288'd0, INIT_RAM_2E = 288'd0, INIT_RAM_2F = 288'd0,
      INIT_RAM_30 = 288'd0, INIT_RAM_31 = 288'd0, INIT_RAM_32 = 288'd0, INIT_RAM_33 = 288'd0,
      INIT_RAM_34 = 288'd0, INIT_RAM_35 = 288'd0, INIT_RAM_36 = 288'd0, INIT_RAM_37 = 288'd0,
      INIT_RAM_38 = 288'd0, INIT_RAM_39 = 288'd0, INIT_RAM_3A = 288'd0, INIT_RAM_3B = 288'd0,
      INIT_RAM_3C = 288'd0, INIT_RAM_3D = 288'd0, INIT_RAM_3E = 288'd0, INIT_RAM_3F = 288'd0;

  wire [35:0] found_a;
  gowin_block_ram #(
      .UNIT(32'd9), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .MODE_A(32'd0), .MODE_B(32'd0),
      .KNOWN(READ_MODE == 1'b0), .LATE_RESET(RESET_MODE == "SYNC"),
      .INIT({
          INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
          INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
          INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
          INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
          INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
          INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
          INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
          INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
      })
  ) u_ram (
      .clk_a(CLKA), .enable_a(CEA && BLKSELA == BLK_SEL_0), .write_a(1'b1), .reset_a(1'b0), .address_a(ADA),
      .data_a(DI), .found_a(found_a),
      .clk_b(CLKB), .enable_b(CEB && BLKSELB == BLK_SEL_1), .write_b(1'b0), .reset_b(RESETB), .address_b(ADB),
      .data_b(36'd0), .found_b(DO)
  );
  wire unused = &{1'b0, OCE, RESETA, found_a};
endmodule

`default_nettype wire
