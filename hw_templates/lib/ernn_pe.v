// SPDX-License-Identifier: Apache-2.0
// ernn_pe: the multiply-accumulates of one output word against one column of input words.
//
// Every MAC registers operand and weight, then the product, then the sum: one DSP block each, but for
// the first LOGIC of them, whose products are built from adders, or, with POWERS, for all of them, whose
// products are choices.  The sums are copied to a shadow, which is drained while the next pass runs; what
// is drained first needs none.  Weights come a cycle before their operands, into a register that a memory
// or a DSP block has for them.
// Latency: 3 from operand to sum.
// Golden model: ernn.quant.integer_model
// Requires:     ACC_W >= OP_W + WEIGHT_W + ODD holds the largest sum (proved by ernn.hw.widths)
`default_nettype none

module ernn_pe #(
    parameter integer MACS     = 11,
    parameter integer LOGIC    = 0,   // MACs without a DSP block
    parameter integer OP_W     = 16,  // bits of an operand
    parameter integer WEIGHT_W = 13,  // bits of a stored weight
    parameter integer ODD      = 0,   // 1: without its lowest bit, which is 1
    parameter integer POWERS   = 0,   // 1: a sign above an exponent; see ernn_power_product
    parameter integer ACC_W    = 40,  // bits of a sum
    parameter integer SHADOW   = 1    // 0: the sums themselves are drained, in the cycle in which they are whole
) (
    input  wire                     clk_i,
    input  wire                     rst_i,
    input  wire [    MACS*OP_W-1:0] operands_i,
    input  wire [MACS*WEIGHT_W-1:0] weights_i,   // a cycle before the others
    input  wire                     valid_i,     // the operands count
    input  wire                     first_i,     // they start a new sum
    input  wire                     last_i,      // they end it
    output wire                     last_o,      // the sums are whole in the next cycle
    output wire [   MACS*ACC_W-1:0] drain_o
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if (ACC_W < OP_W + WEIGHT_W + ODD) begin : gen_fault
      ernn_pe_needs_ACC_W_that_holds_a_product u_fault ();
    end
  endgenerate

  localparam integer FACTOR_W = WEIGHT_W + ODD;
  localparam integer PRODUCT_W = OP_W + FACTOR_W;

  // Control beside the operand, the product and the sum
  reg [MACS*WEIGHT_W-1:0] words_q;  // weights as they leave the memory
  reg [    MACS*OP_W-1:0] operands_q;
  reg [MACS*WEIGHT_W-1:0] weights_q;
  reg                     valid_q, valid_q2, first_q, first_q2, last_q, last_q2;
  wire [  MACS*ACC_W-1:0] sums;

  always @(posedge clk_i) begin
    words_q    <= weights_i;
    operands_q <= operands_i;
    weights_q  <= words_q;
    valid_q    <= valid_i;
    valid_q2   <= valid_q;
    first_q    <= first_i;
    first_q2   <= first_q;
    last_q     <= last_i && !rst_i;  // a reset forgets: no drain begins behind it
    last_q2    <= last_q && !rst_i;
  end
  assign last_o = last_q2;
  wire unused = &{1'b0, operands_q, weights_q};  // those of products without a DSP block

  genvar m;
  generate
    if (SHADOW != 0) begin : gen_shadow
      reg last_q3;
      reg [MACS*ACC_W-1:0] shadow_q;
      always @(posedge clk_i) begin
        last_q3 <= last_q2;
        if (last_q3) shadow_q <= sums;
      end
      assign drain_o = shadow_q;
    end else begin : gen_sums
      assign drain_o = sums;
    end
    for (m = 0; m < MACS; m = m + 1) begin : gen_mac
      wire signed [PRODUCT_W-1:0] product;
      reg  signed [    ACC_W-1:0] sum_q;
      wire signed [    ACC_W-1:0] addend = first_q2 ? {ACC_W{1'b0}} : sum_q;
      wire signed [    ACC_W-1:0] extended = {{(ACC_W - PRODUCT_W) {product[PRODUCT_W-1]}}, product};
      wire signed [    ACC_W-1:0] total;

      if (POWERS != 0) begin : gen_power
        wire carry;
        ernn_power_product #(
            .A_W       (OP_W),
            .EXPONENT_W(FACTOR_W - 1)
        ) u_product (
            .clk_i    (clk_i),
            .a_i      (operands_i[m*OP_W+:OP_W]),
            .b_i      ({words_q[m*WEIGHT_W+:WEIGHT_W], {ODD{1'b1}}}),
            .product_o(product),
            .carry_o  (carry)
        );
        wire [ACC_W:0] with_carry = {addend, carry} + {extended, carry};  // one chain of carries
        assign total = with_carry[ACC_W:1];
        wire unused_carry = &{1'b0, with_carry[0]};
      end else if (m < LOGIC) begin : gen_logic
        ernn_logic_product #(
            .A_W(OP_W),
            .B_W(FACTOR_W)
        ) u_product (
            .clk_i    (clk_i),
            .a_i      (operands_i[m*OP_W+:OP_W]),
            .b_i      ({words_q[m*WEIGHT_W+:WEIGHT_W], {ODD{1'b1}}}),
            .product_o(product)
        );
        assign total = addend + extended;
      end else begin : gen_dsp
        wire signed [    OP_W-1:0] operand = $signed(operands_q[m*OP_W+:OP_W]);
        wire signed [FACTOR_W-1:0] weight = $signed({weights_q[m*WEIGHT_W+:WEIGHT_W], {ODD{1'b1}}});
        reg signed [PRODUCT_W-1:0] product_q;
        always @(posedge clk_i) product_q <= operand * weight;
        assign product = product_q;
        assign total = addend + extended;
      end

      always @(posedge clk_i) if (valid_q2) sum_q <= total;
      assign sums[m*ACC_W+:ACC_W] = sum_q;
    end
  endgenerate

endmodule

`default_nettype wire
