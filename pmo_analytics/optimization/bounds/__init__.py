"""Upper bounds and what proves them: prices, cuts, branches, certificates."""
