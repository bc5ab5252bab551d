// SPDX-License-Identifier: Apache-2.0
// DP16KD: an ECP5's block RAM of 18 kbit as ernn uses it; for any simulator.
//
// Two ports of 1, 2, 4, 9 or 18 bits; or one that writes and one that reads 36. A read takes one cycle, two through the
// output register, whose enable is OCE alone. What is read where the other port writes is the older word.
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
  reg [8:0] units[0:2047];
  task fill;
    input integer row;
    input [319:0] content;
    integer place;
    for (place = 0; place < 32; place = place + 1) units[32*row+place] = content[20*(place/2)+9*(place%2)+:9];
  endtask
  initial begin
    fill(0, INITVAL_00); fill(1, INITVAL_01); fill(2, INITVAL_02); fill(3, INITVAL_03); fill(4, INITVAL_04);
    fill(5, INITVAL_05); fill(6, INITVAL_06); fill(7, INITVAL_07); fill(8, INITVAL_08); fill(9, INITVAL_09);
    fill(10, INITVAL_0A); fill(11, INITVAL_0B); fill(12, INITVAL_0C); fill(13, INITVAL_0D); fill(14, INITVAL_0E);
    fill(15, INITVAL_0F); fill(16, INITVAL_10); fill(17, INITVAL_11); fill(18, INITVAL_12); fill(19, INITVAL_13);
    fill(20, INITVAL_14); fill(21, INITVAL_15); fill(22, INITVAL_16); fill(23, INITVAL_17); fill(24, INITVAL_18);
    fill(25, INITVAL_19); fill(26, INITVAL_1A); fill(27, INITVAL_1B); fill(28, INITVAL_1C); fill(29, INITVAL_1D);
    fill(30, INITVAL_1E); fill(31, INITVAL_1F); fill(32, INITVAL_20); fill(33, INITVAL_21); fill(34, INITVAL_22);
    fill(35, INITVAL_23); fill(36, INITVAL_24); fill(37, INITVAL_25); fill(38, INITVAL_26); fill(39, INITVAL_27);
    fill(40, INITVAL_28); fill(41, INITVAL_29); fill(42, INITVAL_2A); fill(43, INITVAL_2B); fill(44, INITVAL_2C);
    fill(45, INITVAL_2D); fill(46, INITVAL_2E); fill(47, INITVAL_2F); fill(48, INITVAL_30); fill(49, INITVAL_31);
    fill(50, INITVAL_32); fill(51, INITVAL_33); fill(52, INITVAL_34); fill(53, INITVAL_35); fill(54, INITVAL_36);
    fill(55, INITVAL_37); fill(56, INITVAL_38); fill(57, INITVAL_39); fill(58, INITVAL_3A); fill(59, INITVAL_3B);
    fill(60, INITVAL_3C); fill(61, INITVAL_3D); fill(62, INITVAL_3E); fill(63, INITVAL_3F);
  end

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
    else if (chosen_a && (!WEA || WRITEMODE_A == "READBEFOREWRITE")) out_a <= narrow(DATA_WIDTH_A, old_a, ada);
  end

  always @(posedge CLKB) begin
    if (write_b) begin
      units[base_b] <= new_b[8:0];
      if (DATA_WIDTH_B == 18) units[base_b|11'd1] <= new_b[17:9];
    end
    if (RSTB) out_b <= 36'd0;
    else if (chosen_b && (!WEB || WRITEMODE_B == "READBEFOREWRITE")) out_b <= narrow(DATA_WIDTH_B, old_b, adb);
  end

  // A word of 36 bits is read at port B: its low half leaves at A.
  wire [17:0] read_a = DATA_WIDTH_B == 36 ? out_b[17:0] : out_a[17:0];
  wire [17:0] read_b = DATA_WIDTH_B == 36 ? out_b[35:18] : out_b[17:0];
  reg [17:0] read_a_q, read_b_q;
  initial {read_a_q, read_b_q} = 36'd0;
  always @(posedge CLKA) if (OCEA) read_a_q <= read_a;
  always @(posedge CLKB) if (OCEB) read_b_q <= read_b;
  wire [17:0] doa = REGMODE_A == "OUTREG" ? read_a_q : read_a;
  wire [17:0] dob = REGMODE_B == "OUTREG" ? read_b_q : read_b;
  assign {
    DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0
  } = doa;
  assign {
    DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
  } = dob;

  generate
    if ((REGMODE_A != "NOREG" && REGMODE_A != "OUTREG") || (REGMODE_B != "NOREG" && REGMODE_B != "OUTREG")
        || CSDECODE_A != "0b000" || CSDECODE_B != "0b000" || WRITEMODE_A == "WRITETHROUGH" || WRITEMODE_B == "WRITETHROUGH" || CLKAMUX != "CLKA" || CLKBMUX != "CLKB") begin : gen_unknown
      initial begin
        $display("%m: a block RAM with a configuration that is not modelled");
        $finish;
      end
    end
  endgenerate

endmodule

`default_nettype wire
