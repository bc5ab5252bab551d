"""Torch modules, exported programs and state dicts, followed operation by operation."""
