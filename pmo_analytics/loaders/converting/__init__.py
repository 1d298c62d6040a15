"""Columns as people keep them become those of the contract: rows, FTE, offsets."""
