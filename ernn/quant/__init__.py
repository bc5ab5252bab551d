"""From trained floats to the integer model, the golden model of everything below."""
