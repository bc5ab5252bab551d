"""Sets of matrices that a weight matrix can be held to, each in one file; see `structure`."""
