"""Monte Carlo of a plan: dates, load and value with their chances."""
