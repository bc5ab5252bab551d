"""Suites of networks that others publish latencies of: their sizes and those latencies, as data."""
