"""A raw table becomes named, cleaned columns, and every step taken is said."""
