"""Tasks: what a model is for. Each has data, targets, and a score of a model's outputs."""
