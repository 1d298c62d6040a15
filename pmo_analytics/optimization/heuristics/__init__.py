"""Plans without proof: construction, local search, dives, annealing."""
