"""Networks that were trained elsewhere: read, understood as a stack of layers, and checked."""
