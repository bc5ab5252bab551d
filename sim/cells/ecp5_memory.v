// SPDX-License-Identifier: Apache-2.0
// DP16KD: an ECP5's block RAM of 18 kbit as synth_ecp5 uses it; for any simulator.
//
// Two ports of 1, 2, 4, 9 or 18 bits; or one that writes and one that reads 36. A read takes one cycle, and no output
// register is modelled. What is read where the other port writes is the older word.
// Golden model: none (tests/rtl/test_cells.py compares it with ernn_ram)
`default_nettype none

module DP16KD (
    input wire
      DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1,
      DIA0, ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0, CEA, OCEA, CLKA,
      WEA, RSTA, CSA2, CSA1, CSA0, DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
      DIB4, DIB3, DIB2, DIB1, DIB0, ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1,
      ADB0, CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output wire
      DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1,
      DOA0, DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2,
      DOB1, DOB0
);
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
  parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC";
  parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
  parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
  parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
  parameter GSR = "ENABLED";
  parameter [319:0]
      INITVAL_00 = 320'd0, INITVAL_01 = 320'd0, INITVAL_02 = 320'd0, INITVAL_03 = 320'd0, INITVAL_04 = 320'd0,
      INITVAL_05 = 320'd0, INITVAL_06 = 320'd0, INITVAL_07 = 320'd0, INITVAL_08 = 320'd0, INITVAL_09 = 320'd0,
      INITVAL_0A = 320'd0, INITVAL_0B = 320'd0, INITVAL_0C = 320'd0, INITVAL_0D = 320'd0, INITVAL_0E = 320'd0,
      INITVAL_0F = 320'd0, INITVAL_10 = 320'd0, INITVAL_11 = 320'd0, INITVAL_12 = 320'd0, INITVAL_13 = 320'd0,
      INITVAL_14 = 320'd0, INITVAL_15 = 320'd0, INITVAL_16 = 320'd0, INITVAL_17 = 320'd0, INITVAL_18 = 320'd0,
      INITVAL_19 = 320'd0, INITVAL_1A = 320'd0, INITVAL_1B = 320'd0, INITVAL_1C = 320'd0, INITVAL_1D = 320'd0,
      INITVAL_1E = 320'd0, INITVAL_1F = 320'd0, INITVAL_20 = 320'd0, INITVAL_21 = 320'd0, INITVAL_22 = 320'd0,
      INITVAL_23 = 320'd0, INITVAL_24 = 320'd0, INITVAL_25 = 320'd0, INITVAL_26 = 320'd0, INITVAL_27 = 320'd0,
      INITVAL_28 = 320'd0, INITVAL_29 = 320'd0, INITVAL_2A = 320'd0, INITVAL_2B = 320'd0, INITVAL_2C = 320'd0,
      INITVAL_2D = 320'd0, INITVAL_2E = 320'd0, INITVAL_2F = 320'd0, INITVAL_30 = 320'd0, INITVAL_31 = 320'd0,
      INITVAL_32 = 320'd0, INITVAL_33 = 320'd0, INITVAL_34 = 320'd0, INITVAL_35 = 320'd0, INITVAL_36 = 320'd0,
      INITVAL_37 = 320'd0, INITVAL_38 = 320'd0, INITVAL_39 = 320'd0, INITVAL_3A = 320'd0, INITVAL_3B = 320'd0,
      INITVAL_3C = 320'd0, INITVAL_3D = 320'd0, INITVAL_3E = 320'd0, INITVAL_3F = 320'd0;

  // Units of 9 bits; narrower words use the low 8 of them. INITVAL: 16 words of 18 bits, 20 bits apart.
  localparam [64*320-1:0] CONTENT = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38, INITVAL_37,
    INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30, INITVAL_2F, INITVAL_2E,
    INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28, INITVAL_27, INITVAL_26, INITVAL_25,
    INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C,
    INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13,
    INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A,
    INITVAL_09, INITVAL_08, INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01,
    INITVAL_00
  };
  reg [8:0] units[0:2047];
  integer place;
  initial
    for (place = 0; place < 2048; place = place + 1)
      units[place] = CONTENT[20*(place/2)+9*(place%2)+:9];

  wire [13:0] ada = {
    ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0
  };
  wire [13:0] adb = {
    ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0
  };
  wire [17:0] dia = {
    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0
  };
  wire [17:0] dib = {
    DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0
  };
  wire chosen_a = CEA && !CSA2 && !CSA1 && !CSA0;
  wire chosen_b = CEB && !CSB2 && !CSB1 && !CSB0;
  wire write_a = chosen_a && WEA;
  wire write_b = chosen_b && WEB && DATA_WIDTH_B != 36;

  // Units that a port writes: which, and with what
  function [35:0] word;
    input integer width;
    input [35:0] old, data;
    input [13:0] address;
    integer unit;
    begin
      word = old;
      for (unit = 0; unit < 4; unit = unit + 1)
        if (9 * (unit + 1) <= width && (width < 18 || address[unit])) word[9*unit+:9] = data[9*unit+:9];
      if (width == 4) word[{29'd0, address[2], 2'd0}+:4] = data[3:0];
      if (width == 2) word[{29'd0, address[2:1], 1'd0}+:2] = data[1:0];
      if (width == 1) word[{29'd0, address[2:0]}] = data[0];
    end
  endfunction
  function [35:0] narrow;
    input integer width;
    input [35:0] data;
    input [13:0] address;
    begin
      narrow = data;
      if (width == 4) narrow = {32'd0, data[{29'd0, address[2], 2'd0}+:4]};
      if (width == 2) narrow = {34'd0, data[{29'd0, address[2:1], 1'd0}+:2]};
      if (width == 1) narrow = {35'd0, data[{29'd0, address[2:0]}]};
    end
  endfunction

  wire [10:0] base_a = DATA_WIDTH_A == 36 ? {ada[13:5], 2'b00} : DATA_WIDTH_A == 18 ? {ada[13:4], 1'b0} : ada[13:3];
  wire [10:0] base_b = DATA_WIDTH_B == 36 ? {adb[13:5], 2'b00} : DATA_WIDTH_B == 18 ? {adb[13:4], 1'b0} : adb[13:3];
  wire [35:0] old_a = {units[base_a|11'd3], units[base_a|11'd2], units[base_a|11'd1], units[base_a]};
  wire [35:0] old_b = {units[base_b|11'd3], units[base_b|11'd2], units[base_b|11'd1], units[base_b]};
  wire [35:0] new_a = word(DATA_WIDTH_A, old_a, {dib, dia}, ada);
  wire [35:0] new_b = word(DATA_WIDTH_B, old_b, {18'd0, dib}, adb);
  reg [35:0] out_a, out_b;

  always @(posedge CLKA) begin
    if (write_a) begin
      units[base_a] <= new_a[8:0];
      if (DATA_WIDTH_A >= 18) units[base_a|11'd1] <= new_a[17:9];
      if (DATA_WIDTH_A == 36) begin
        units[base_a|11'd2] <= new_a[26:18];
        units[base_a|11'd3] <= new_a[35:27];
      end
    end
    if (RSTA) out_a <= 36'd0;
    else if (chosen_a && !WEA) out_a <= narrow(DATA_WIDTH_A, old_a, ada);
  end

  always @(posedge CLKB) begin
    if (write_b) begin
      units[base_b] <= new_b[8:0];
      if (DATA_WIDTH_B == 18) units[base_b|11'd1] <= new_b[17:9];
    end
    if (RSTB) out_b <= 36'd0;
    else if (chosen_b && !WEB) out_b <= narrow(DATA_WIDTH_B, old_b, adb);
  end

  // A word of 36 bits is read at port B: its low half leaves at A.
  wire [17:0] doa = DATA_WIDTH_B == 36 ? out_b[17:0] : out_a[17:0];
  wire [17:0] dob = DATA_WIDTH_B == 36 ? out_b[35:18] : out_b[17:0];
  assign {
    DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0
  } = doa;
  assign {
    DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
  } = dob;

  generate
    if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG" || CSDECODE_A != "0b000" || CSDECODE_B != "0b000"
        || WRITEMODE_A != "NORMAL" || WRITEMODE_B != "NORMAL" || CLKAMUX != "CLKA" || CLKBMUX != "CLKB") begin : gen_unknown
      initial begin
        $display("%m: a block RAM with a configuration that is not modelled");
        $finish;
      end
    end
  endgenerate

  wire unused = &{1'b0, OCEA, OCEB};
endmodule

`default_nettype wire
