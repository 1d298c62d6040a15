"""The model of a portfolio: its options, and the rows that solvers are given."""
