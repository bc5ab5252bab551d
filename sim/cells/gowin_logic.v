// SPDX-License-Identifier: Apache-2.0
// Cells of a Gowin GW2A netlist by Yosys, for any simulator: look-up tables, carry chains, registers, small memories.
//
// Written from the cells' ports and parameters as Yosys documents them; no timing. Only what synth_gowin makes of a
// generated project is modelled; any other configuration stops the simulation.
// Golden model: none (the netlist is compared with the integer model; tests/rtl/test_cells.py)
`default_nettype none

module LUT1 (
    input  wire I0,
    output wire F
);
  parameter [1:0] INIT = 2'd0;
  assign F = I0 ? INIT[1] : INIT[0];
endmodule

module LUT2 (
    input  wire I0, I1,
    output wire F
);
  parameter [3:0] INIT = 4'd0;
  wire [1:0] of_1 = I1 ? INIT[3:2] : INIT[1:0];
  assign F = I0 ? of_1[1] : of_1[0];
endmodule

module LUT3 (
    input  wire I0, I1, I2,
    output wire F
);
  parameter [7:0] INIT = 8'd0;
  wire [3:0] of_2 = I2 ? INIT[7:4] : INIT[3:0];
  wire [1:0] of_1 = I1 ? of_2[3:2] : of_2[1:0];
  assign F = I0 ? of_1[1] : of_1[0];
endmodule

module LUT4 (
    input  wire I0, I1, I2, I3,
    output wire F
);
  parameter [15:0] INIT = 16'd0;
  // One input at a time: an unknown one, where it makes no difference, is none.
  wire [7:0] of_3 = I3 ? INIT[15:8] : INIT[7:0];
  wire [3:0] of_2 = I2 ? of_3[7:4] : of_3[3:0];
  wire [1:0] of_1 = I1 ? of_2[3:2] : of_2[1:0];
  assign F = I0 ? of_1[1] : of_1[0];
endmodule

module MUX2_LUT5 (
    input  wire I0, I1, S0,
    output wire O
);
  assign O = S0 ? I1 : I0;
endmodule

module MUX2_LUT6 (
    input  wire I0, I1, S0,
    output wire O
);
  assign O = S0 ? I1 : I0;
endmodule

module MUX2_LUT7 (
    input  wire I0, I1, S0,
    output wire O
);
  assign O = S0 ? I1 : I0;
endmodule

module MUX2_LUT8 (
    input  wire I0, I1, S0,
    output wire O
);
  assign O = S0 ? I1 : I0;
endmodule

// A bit of a sum; yosys knows one mode alone: add where I3 is 1, else subtract.
module ALU (
    input  wire I0, I1, I3, CIN,
    output wire SUM, COUT
);
  parameter [31:0] ALU_MODE = 32'd0;
  wire pass = I3 ? I0 ^ I1 : I0 ^ !I1;
  assign SUM  = pass ^ CIN;
  assign COUT = pass ? CIN : I0;
  generate
    if (ALU_MODE != 32'd2) begin : gen_unknown
      initial begin
        $display("%m: an ALU with a mode that is not modelled");
        $finish;
      end
    end
  endgenerate
endmodule

module DFF (
    input  wire CLK, D,
    output reg  Q
);
  initial Q = 1'b0;
  always @(posedge CLK) Q <= D;
endmodule

module DFFE (
    input  wire CLK, CE, D,
    output reg  Q
);
  initial Q = 1'b0;
  always @(posedge CLK) if (CE) Q <= D;
endmodule

module DFFR (
    input  wire CLK, RESET, D,
    output reg  Q
);
  initial Q = 1'b0;
  always @(posedge CLK) if (RESET) Q <= 1'b0; else Q <= D;
endmodule

module DFFRE (
    input  wire CLK, RESET, CE, D,
    output reg  Q
);
  initial Q = 1'b0;
  always @(posedge CLK) if (RESET) Q <= 1'b0; else if (CE) Q <= D;
endmodule

module DFFS (
    input  wire CLK, SET, D,
    output reg  Q
);
  initial Q = 1'b1;
  always @(posedge CLK) if (SET) Q <= 1'b1; else Q <= D;
endmodule

module DFFSE (
    input  wire CLK, SET, CE, D,
    output reg  Q
);
  initial Q = 1'b1;
  always @(posedge CLK) if (SET) Q <= 1'b1; else if (CE) Q <= D;
endmodule

module RAM16SDP1 (
    input  wire [3:0] WAD, RAD,
    input  wire DI,
    input  wire WRE, CLK,
    output wire DO
);
  parameter [15:0] INIT_0 = 16'd0;
  reg [0:0] words[0:15];
  integer place;
  initial
    for (place = 0; place < 16; place = place + 1)  // what is not known begins as 0
      words[place] = {INIT_0[place] === 1'b1};
  always @(posedge CLK) if (WRE) words[WAD] <= DI;
  assign DO = words[RAD];
endmodule

module RAM16SDP2 (
    input  wire [3:0] WAD, RAD,
    input  wire [1:0] DI,
    input  wire WRE, CLK,
    output wire [1:0] DO
);
  parameter [15:0] INIT_0 = 16'd0, INIT_1 = 16'd0;
  reg [1:0] words[0:15];
  integer place;
  initial
    for (place = 0; place < 16; place = place + 1)  // what is not known begins as 0
      words[place] = {INIT_1[place] === 1'b1, INIT_0[place] === 1'b1};
  always @(posedge CLK) if (WRE) words[WAD] <= DI;
  assign DO = words[RAD];
endmodule

module RAM16SDP4 (
    input  wire [3:0] WAD, RAD,
    input  wire [3:0] DI,
    input  wire WRE, CLK,
    output wire [3:0] DO
);
  parameter [15:0] INIT_0 = 16'd0, INIT_1 = 16'd0, INIT_2 = 16'd0, INIT_3 = 16'd0;
  reg [3:0] words[0:15];
  integer place;
  initial
    for (place = 0; place < 16; place = place + 1)  // what is not known begins as 0
      words[place] = {INIT_3[place] === 1'b1, INIT_2[place] === 1'b1, INIT_1[place] === 1'b1, INIT_0[place] === 1'b1};
  always @(posedge CLK) if (WRE) words[WAD] <= DI;
  assign DO = words[RAD];
endmodule

module INV (
    input  wire I,
    output wire O
);
  assign O = !I;
endmodule

module GND (
    output wire G
);
  assign G = 1'b0;
endmodule

module VCC (
    output wire V
);
  assign V = 1'b1;
endmodule

`default_nettype wire
