"""The families of rules as the checker knows them, each in one module."""
