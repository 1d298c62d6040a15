"""Choosing projects and their starts, with proof."""
