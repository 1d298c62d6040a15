"""For which discount rates the chosen projects stay the best choice."""
