"""Networks that others trained, taken out of their packages; see benchmarks/real_networks.py."""
