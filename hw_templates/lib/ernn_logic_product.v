// SPDX-License-Identifier: Apache-2.0
// ernn_logic_product: a signed product built from adders, for multipliers that get no DSP block.
//
// Pairs of bits of b become digits of -2 to 2 (Booth); multiples of a are added two by two in the first
// cycle, and these sums in the second.  It contains no multiplication operator, so that no synthesizer
// turns it into a DSP block.
// Latency: 2.
// Golden model: none (a product)
`default_nettype none

module ernn_logic_product #(
    parameter integer A_W = 16,
    parameter integer B_W = 13
) (
    input  wire                      clk_i,
    input  wire signed [    A_W-1:0] a_i,
    input  wire signed [    B_W-1:0] b_i,
    output wire signed [A_W+B_W-1:0] product_o
);

  localparam integer DIGITS = (B_W + 1) / 2;
  localparam integer PAIRS = (DIGITS - 1) / 2;  // the highest digit, or two, stand alone
  localparam integer SUMS = DIGITS - PAIRS;
  localparam integer SUM_W = A_W + 4;
  localparam integer P_W = A_W + B_W;

  wire [2*DIGITS:0] b = {{(2 * DIGITS - B_W) {b_i[B_W-1]}}, b_i, 1'b0};
  wire [     A_W:0] a1 = {a_i[A_W-1], a_i};
  wire [     A_W:0] a2 = {a_i, 1'b0};

  // A negative multiple is an inverted one and a carry: that of a pair's low digit fits below its high
  // digit, and that of the high digit, in the next cycle, below the next sum.
  wire [SUM_W-1:0] sum[0:SUMS-1];
  wire [  SUMS-1:0] carry;
  wire unused_carry = &{1'b0, carry};  // the highest digit has none

  genvar d;
  generate
    for (d = 0; d < DIGITS; d = d + 1) begin : gen_digit
      wire             negative = b[2*d+2];
      wire             one = b[2*d+1] ^ b[2*d];
      wire             two = b[2*d+2] ? ~|b[2*d+:2] : &b[2*d+:2];
      wire [    A_W:0] multiple = ((one ? a1 : {(A_W + 1) {1'b0}}) | (two ? a2 : {(A_W + 1) {1'b0}}))
                                ^ {(A_W + 1) {negative}};
      wire [SUM_W-1:0] wide = {{3{multiple[A_W]}}, multiple};
      wire unused = &{1'b0, wide};  // copies of the sign
    end
    for (d = 0; d < SUMS; d = d + 1) begin : gen_sum
      reg [SUM_W-1:0] sum_q;
      if (d < PAIRS) begin : gen_pair
        reg carry_q;
        always @(posedge clk_i) begin
          sum_q <= gen_digit[2*d].wide
                 + {gen_digit[2*d+1].wide[SUM_W-3:0], 1'b0, gen_digit[2*d].negative};
          carry_q <= gen_digit[2*d+1].negative;
        end
        assign carry[d] = carry_q;
      end else begin : gen_single
        always @(posedge clk_i)
          sum_q <= gen_digit[PAIRS+d].wide
                 + {{(SUM_W - 1) {1'b0}}, gen_digit[PAIRS+d].negative};
        assign carry[d] = 1'b0;
      end
      assign sum[d] = sum_q;
    end
  endgenerate

  // Second cycle: sums two by two, then these from the lowest up.
  localparam integer TERMS = (SUMS + 1) / 2;
  localparam integer TERM_W = SUM_W + 4;
  wire [P_W-1:0] total[0:TERMS-1];

  generate
    for (d = 0; d < TERMS; d = d + 1) begin : gen_term
      localparam integer PLACE = 2 * d <= PAIRS ? 8 * d : 2 * PAIRS + 4 * d;
      localparam integer STEP = 2 * d + 1 <= PAIRS ? 4 : 2;  // from a sum to the next
      wire [TERM_W-1:0] low = {{4{sum[2*d][SUM_W-1]}}, sum[2*d]};
      wire [TERM_W-1:0] term;
      if (2 * d + 1 < SUMS) begin : gen_two
        wire [TERM_W-1:0] high = {{4{sum[2*d+1][SUM_W-1]}}, sum[2*d+1]};
        assign term = low + ((high << STEP) | {{(TERM_W - 3) {1'b0}}, carry[2*d], 2'b00});
      end else begin : gen_one
        assign term = low;
      end
      wire [P_W+TERM_W-1:0] wide = {{P_W{term[TERM_W-1]}}, term};
      wire unused_wide = &{1'b0, wide};  // copies of the sign
      if (d == 0) begin : gen_first
        assign total[d] = wide[P_W-1:0];
      end else begin : gen_next
        wire [P_W-1:0] below = {{(P_W - 1) {1'b0}}, carry[2*d-1]};
        assign total[d] = total[d-1] + ((wide[P_W-1:0] << PLACE) | (below << (PLACE - 2)));
      end
    end
  endgenerate

  reg signed [P_W-1:0] product_q;
  always @(posedge clk_i) product_q <= total[TERMS-1];
  assign product_o = product_q;

endmodule

`default_nettype wire
