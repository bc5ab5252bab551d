"""Plans: every number of an accelerator, decided before a line of Verilog is written."""
