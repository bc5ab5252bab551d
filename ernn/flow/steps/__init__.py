"""The steps of the chain, a module each: what a step depends on is what its module imports."""
