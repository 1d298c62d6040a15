"""The nightly run, its configuration and its memory."""
