"""Example portfolios: an invented company, and portfolios of any size from a seed."""
