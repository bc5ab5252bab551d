// SPDX-License-Identifier: Apache-2.0
// ernn_power_product: a signed product with 0 or a power of two, chosen and shifted, not multiplied.
//
// A weight is a sign above an exponent e: 0 for e = 0, else 2 ** (e - 1).  With one bit of exponent that
// is -1, 0 and 1 in two's complement.  A negative multiple is an inverted one and a carry, which the sum
// behind takes in, so that a product needs no adder of its own.
// Latency: 2.
// Golden model: none (a product)
`default_nettype none

module ernn_power_product #(
    parameter integer A_W        = 16,
    parameter integer EXPONENT_W = 1
) (
    input  wire                             clk_i,
    input  wire signed [           A_W-1:0] a_i,
    input  wire        [    EXPONENT_W:0] b_i,
    output wire signed [A_W+EXPONENT_W:0] product_o,  // is to be added up with carry_o
    output wire                             carry_o
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (EXPONENT_W < 1 || EXPONENT_W > 2) begin : gen_fault
      ernn_power_product_needs_EXPONENT_W_of_1_or_2 u_fault ();
    end
  endgenerate

  localparam integer SHIFTS = EXPONENT_W == 1 ? 0 : 2;
  localparam integer M_W = A_W + SHIFTS;

  reg  signed [       A_W-1:0] a_q;
  reg         [  EXPONENT_W:0] b_q;
  reg  signed [       M_W-1:0] product_q;
  reg                          carry_q;
  wire                         negative = b_q[EXPONENT_W];
  wire signed [       M_W-1:0] a = {{SHIFTS{a_q[A_W-1]}}, a_q};
  wire        [       M_W-1:0] multiple;

  generate
    if (EXPONENT_W == 1) begin : gen_ternary
      assign multiple = b_q[0] ? a : {M_W{1'b0}};
    end else begin : gen_shifted
      assign multiple = b_q[1] ? (b_q[0] ? a <<< 2 : a <<< 1) : (b_q[0] ? a : {M_W{1'b0}});
    end
  endgenerate

  always @(posedge clk_i) begin
    a_q       <= a_i;
    b_q       <= b_i;
    product_q <= multiple ^ {M_W{negative}};
    carry_q   <= negative;
  end
  assign product_o = {{(A_W + EXPONENT_W + 1 - M_W) {product_q[M_W-1]}}, product_q};
  assign carry_o   = carry_q;

endmodule

`default_nettype wire
