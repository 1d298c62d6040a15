"""Processes at work on one model: what runs in them, and who listens."""
