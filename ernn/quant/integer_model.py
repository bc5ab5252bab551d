"""IntegerModel: the golden model. Every RTL word must equal what this computes; see docs/numbers.md."""
