"""Results as files: written whole or not at all, escaped, without decisions."""
