"""By how much a limit may be exceeded without being broken.

A module of its own, which imports nothing: the solver's process needs the number, and
no table.
"""

from __future__ import annotations

TOLERANCE = 1e-6
