"""Processes and cores: work side by side, stopped together."""
