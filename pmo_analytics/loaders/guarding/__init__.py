"""Whether a file is safe to open, and what its reader leaves out."""
