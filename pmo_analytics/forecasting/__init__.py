"""Capacity, demand and headroom as distributions, and how wrong they have been."""
