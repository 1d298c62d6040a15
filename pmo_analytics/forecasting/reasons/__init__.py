"""Where a forecast comes from: what was seen, and what is said of it."""
