// SPDX-License-Identifier: Apache-2.0
// ernn_pe: the multiply-accumulates of one output word against one column of input words.
//
// Every MAC registers operand and weight, then the product, then the sum: one DSP block each, but for
// the first LOGIC of them, whose products are built from adders.  The sums are copied to a shadow that
// shifts towards the drain while the next pass runs.
// Latency: 3 from operand to sum; first_i and add_i come with the product, two cycles after the operand.
// Golden model: ernn.quant.integer_model
// Requires:     ACC_W >= OP_W + WEIGHT_W holds the largest sum (proved by ernn.hw.widths)
`default_nettype none

module ernn_pe #(
    parameter integer MACS     = 11,
    parameter integer LOGIC    = 0,   // MACs without a DSP block
    parameter integer OP_W     = 16,  // bits of an operand
    parameter integer WEIGHT_W = 13,  // bits of a weight
    parameter integer ACC_W    = 40   // bits of a sum
) (
    input  wire                     clk_i,
    input  wire [    MACS*OP_W-1:0] operands_i,
    input  wire [MACS*WEIGHT_W-1:0] weights_i,
    input  wire                     add_i,       // the product counts
    input  wire                     first_i,     // it starts a new sum
    input  wire                     capture_i,   // copy the sums to the shadow
    input  wire [   MACS*ACC_W-1:0] chain_i,     // shadow of the PE behind
    output wire [   MACS*ACC_W-1:0] chain_o
);
  /* verilator no_inline_module */  // one compiled copy for hundreds of instances

  localparam integer PRODUCT_W = OP_W + WEIGHT_W;

  genvar m;
  generate
    for (m = 0; m < MACS; m = m + 1) begin : gen_mac
      wire signed [     OP_W-1:0] operand = $signed(operands_i[m*OP_W+:OP_W]);
      wire signed [ WEIGHT_W-1:0] weight = $signed(weights_i[m*WEIGHT_W+:WEIGHT_W]);
      wire signed [PRODUCT_W-1:0] product;
      reg  signed [    ACC_W-1:0] sum_q;
      reg         [    ACC_W-1:0] shadow_q;
      wire signed [    ACC_W-1:0] addend = first_i ? {ACC_W{1'b0}} : sum_q;

      if (m < LOGIC) begin : gen_logic
        ernn_logic_product #(
            .A_W(OP_W),
            .B_W(WEIGHT_W)
        ) u_product (
            .clk_i    (clk_i),
            .a_i      (operand),
            .b_i      (weight),
            .product_o(product)
        );
      end else begin : gen_dsp
        reg signed [     OP_W-1:0] operand_q;
        reg signed [ WEIGHT_W-1:0] weight_q;
        reg signed [PRODUCT_W-1:0] product_q;
        always @(posedge clk_i) begin
          operand_q <= operand;
          weight_q  <= weight;
          product_q <= operand_q * weight_q;
        end
        assign product = product_q;
      end

      always @(posedge clk_i) begin
        if (add_i) sum_q <= addend + {{(ACC_W - PRODUCT_W) {product[PRODUCT_W-1]}}, product};
        shadow_q <= capture_i ? sum_q : chain_i[m*ACC_W+:ACC_W];
      end

      assign chain_o[m*ACC_W+:ACC_W] = shadow_q;
    end
  endgenerate

endmodule

`default_nettype wire
