"""Bounds that multipliers, cuts and branches prove, walked through again exactly."""
