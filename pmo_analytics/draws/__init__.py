"""Futures of a plan: what is drawn, its factors, and the dates they lead to."""
