"""From a plan to Verilog text."""
