"""How kernels are compiled, and whether all of them are in the cache.

See `processes.machine_code`.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from pmo_analytics.processes import compiled, disabled, inner, kernel_folder

__all__ = ["compiled", "in_cache", "inner", "note_ready"]
_READY = "ready"


def _mark() -> Path:
    """Return the file that is there once all kernels are."""
    return kernel_folder(Path(__file__).parent) / _READY


def in_cache() -> bool:
    """Return whether all kernels can be had without being compiled."""
    return disabled() or _mark().exists()


def note_ready() -> None:
    """Take note that all kernels are in the cache."""
    with contextlib.suppress(OSError):
        if _mark().parent.exists():
            _mark().touch()
