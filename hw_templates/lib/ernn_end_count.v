// SPDX-License-Identifier: Apache-2.0
// ernn_end_count: how many values of a word lie at either end of their range, where they saturate.
//
// Latency: 1 + LEVELS, where LEVELS = ceil(log2(VALUES)).
// Golden model: ernn.quant.integer_model.Trace
// Requires:     COUNT_W holds VALUES and is at most LEVELS + 2
`default_nettype none

module ernn_end_count #(
    parameter integer VALUES  = 8,
    parameter integer WIDTH   = 12,
    parameter integer COUNT_W = 4
) (
    input  wire                    clk_i,
    input  wire                    rst_i,
    input  wire                    valid_i,
    input  wire [VALUES*WIDTH-1:0] values_i,
    output wire [     COUNT_W-1:0] count_o
);

  // Checked at elaboration: there is no module of such a name, so that every tool stops and says it.
  generate
    if ((1 << COUNT_W) <= VALUES) begin : gen_fault
      ernn_end_count_needs_COUNT_W_that_holds_VALUES u_fault ();
    end
  endgenerate

  localparam integer LEVELS = $clog2(VALUES);

  reg  [2*VALUES-1:0] ends_q;  // a positive number of two bits each
  wire [  LEVELS+1:0] sum;
  wire                valid;

  genvar v;
  generate
    for (v = 0; v < VALUES; v = v + 1) begin : gen_value
      wire [WIDTH-1:0] value = values_i[v*WIDTH+:WIDTH];
      // 100..0 or 011..1
      always @(posedge clk_i)
        ends_q[2*v+:2] <= {1'b0, &(value[WIDTH-2:0] ^ {(WIDTH - 1) {value[WIDTH-1]}})};
    end
  endgenerate

  ernn_adder_tree #(
      .TERMS (VALUES),
      .IN_W  (2),
      .LEVELS(LEVELS),
      .OUT_W (LEVELS + 2)
  ) u_tree (
      .clk_i  (clk_i),
      .terms_i(ends_q),
      .sum_o  (sum)
  );
  ernn_valid_delay #(
      .CYCLES(LEVELS + 1)
  ) u_valid (
      .clk_i(clk_i),
      .rst_i(rst_i),
      .in_i (valid_i),
      .out_o(valid)
  );

  wire [COUNT_W+LEVELS+1:0] wide = {{COUNT_W{1'b0}}, sum};
  wire unused = &{1'b0, wide};  // the sign
  assign count_o = valid ? wide[COUNT_W-1:0] : {COUNT_W{1'b0}};

endmodule

`default_nettype wire
