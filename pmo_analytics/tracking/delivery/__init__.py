"""Whether a sprint delivers what was committed, and how much."""
