"""Static timing analysis of a synthesized netlist, before anything is placed."""
