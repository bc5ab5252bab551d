"""ESE (Han et al., FPGA 2017) as far as it can be run: its encoding, and its machine by cycles."""
