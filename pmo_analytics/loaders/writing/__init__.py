"""Files that others open: what is harmless there, and what explains the tables."""
