"""How generated Verilog is laid out."""

from ernn.hdl.templates import aligned

RAGGED = """\
    input  wire clk_i,
    input  wire [ 1:0] issued_i,
    // a comment belongs to the table
    output reg  [{w}:0]  data_o,   // two spaces stay
    output reg           done_o

  localparam integer A = 1;
  localparam integer LONGER  = 2;  // why
    first     <= 1'b0;
    b <= first ? 2'd1 : 2'd2;
    if (x) c <= 1;
      .clk_i(clk_i), .rst_i(rst_i),
      .a_i(a),
      .longer_o (b[1:0])
"""
TABLE = """\
    input  wire        clk_i,
    input  wire [1:0]  issued_i,
    // a comment belongs to the table
    output reg  [15:0] data_o,   // two spaces stay
    output reg         done_o

  localparam integer A      = 1;
  localparam integer LONGER = 2;  // why
    first <= 1'b0;
    b     <= first ? 2'd1 : 2'd2;
    if (x) c <= 1;
      .clk_i(clk_i), .rst_i(rst_i),
      .a_i     (a),
      .longer_o(b[1:0])
"""


def test_lines_of_a_kind_make_a_table():
    assert aligned(RAGGED.replace("{w}", "15")) == TABLE


def test_a_table_stays_as_it_is():
    assert aligned(TABLE) == TABLE
