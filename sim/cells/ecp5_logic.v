// SPDX-License-Identifier: Apache-2.0
// Cells of an ECP5 netlist by Yosys, for any simulator: look-up tables, carry chains, registers, small memories.
//
// Written from the cells' ports and parameters as Yosys and Project Trellis document them; no timing. Only what
// synth_ecp5 makes of a generated project is modelled; any other configuration stops the simulation.
// Golden model: none (the netlist is compared with the integer model; tests/rtl/test_cells.py)
`default_nettype none

module LUT4 (
    input  wire A, B, C, D,
    output wire Z
);
  parameter [15:0] INIT = 16'h0000;
  // One input at a time: an unknown one, where it makes no difference, is none.
  wire [7:0] of_d = D ? INIT[15:8] : INIT[7:0];
  wire [3:0] of_c = C ? of_d[7:4] : of_d[3:0];
  wire [1:0] of_b = B ? of_c[3:2] : of_c[1:0];
  assign Z = A ? of_b[1] : of_b[0];
endmodule

module PFUMX (
    input  wire ALUT, BLUT, C0,
    output wire Z
);
  assign Z = C0 ? ALUT : BLUT;
endmodule

module L6MUX21 (
    input  wire D0, D1, SD,
    output wire Z
);
  assign Z = SD ? D1 : D0;
endmodule

// Two bits of a carry chain. A bit's table says whether it hands the carry on, else its lower quarter makes the carry.
module CCU2C (
    input  wire CIN, A0, B0, C0, D0, A1, B1, C1, D1,
    output wire S0, S1, COUT
);
  parameter [15:0] INIT0 = 16'h0000, INIT1 = 16'h0000;
  parameter INJECT1_0 = "YES", INJECT1_1 = "YES";

  wire pass0, pass1, low0, low1;
  LUT4 #(.INIT(INIT0)) u_pass0 (.A(A0), .B(B0), .C(C0), .D(D0), .Z(pass0));
  LUT4 #(.INIT(INIT1)) u_pass1 (.A(A1), .B(B1), .C(C1), .D(D1), .Z(pass1));
  LUT4 #(.INIT(INIT0)) u_low0 (.A(A0), .B(B0), .C(1'b0), .D(1'b0), .Z(low0));
  LUT4 #(.INIT(INIT1)) u_low1 (.A(A1), .B(B1), .C(1'b0), .D(1'b0), .Z(low1));
  wire make0 = INJECT1_0 != "YES" && low0;
  wire make1 = INJECT1_1 != "YES" && low1;
  wire carry = pass0 ? CIN : make0;
  assign S0   = INJECT1_0 == "YES" ? pass0 : pass0 ^ CIN;
  assign S1   = INJECT1_1 == "YES" ? pass1 : pass1 ^ carry;
  assign COUT = pass1 ? carry : make1;
endmodule

module TRELLIS_FF (
    input  wire CLK, LSR, CE, DI, M,
    output reg  Q
);
  parameter GSR = "ENABLED", CLKMUX = "CLK", CEMUX = "1", LSRMUX = "LSR";
  parameter SRMODE = "LSR_OVER_CE", REGSET = "RESET", LSRMODE = "LSR";

  localparam [0:0] SET = REGSET == "SET";
  wire reset = LSRMUX == "INV" ? !LSR : LSR;
  wire enable = CEMUX == "1" || (CEMUX == "INV" ? !CE : CE);
  generate
    if (CLKMUX != "CLK" || SRMODE != "LSR_OVER_CE" || LSRMODE != "LSR" || CEMUX == "0") begin : gen_unknown
      initial begin
        $display("%m: a register with a configuration that is not modelled");
        $finish;
      end
    end
  endgenerate

  initial Q = SET;
  always @(posedge CLK) if (reset) Q <= SET; else if (enable) Q <= DI;

  wire unused = &{1'b0, M};
endmodule

module TRELLIS_DPR16X4 (
    input  wire [3:0] DI, WAD, RAD,
    input  wire       WRE, WCK,
    output wire [3:0] DO
);
  parameter WCKMUX = "WCK", WREMUX = "WRE";
  parameter [63:0] INITVAL = 64'h0;

  reg [63:0] bits;
  integer place;
  initial for (place = 0; place < 64; place = place + 1) bits[place] = INITVAL[place] === 1'b1;  // not x
  wire write = WREMUX == "1" || (WREMUX == "INV" ? !WRE : WRE);
  generate
    if (WCKMUX != "WCK" || WREMUX == "0") begin : gen_unknown
      initial begin
        $display("%m: a memory with a configuration that is not modelled");
        $finish;
      end
    end
  endgenerate

  always @(posedge WCK) if (write) bits[4*WAD+:4] <= DI;
  assign DO = bits[4*RAD+:4];
endmodule

`default_nettype wire
