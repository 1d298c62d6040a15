"""Rules between tables, a subject a module."""
