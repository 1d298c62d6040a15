"""Files that others may read or have written: opened, replaced and cleared away."""
