"""How many of its random cases a test tries: an eighth, or all in `make test-all`."""

from __future__ import annotations

import os

ALL = os.environ.get("PMO_TESTS") == "all"


def tried(number: int) -> int:
    """Return how many of so many cases are tried; those that are come first."""
    return number if ALL else -(-number // 8)
