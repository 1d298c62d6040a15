"""Whether machine code of the search is there already; nothing here loads numba."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

from pmo_analytics.processes import code_kept, note_code, writable_folder

_HERE = Path(__file__).parent
_LOG = logging.getLogger(__name__)


def in_cache() -> bool:
    """Return whether all kernels can be had without being compiled."""
    return code_kept(_HERE)


def say_if_cold() -> bool:
    """Return whether kernels are not there yet, and say so, once in a process."""
    if in_cache():
        return False
    _say()
    return True


@cache
def _say() -> None:
    kept = writable_folder(_HERE)
    again = "once" if kept else "in each run: its cache cannot be written"
    _LOG.warning(
        "Preparing the search for this machine (%s, 10 to 40 s); until then plans get "
        "better more slowly.",
        again,
    )


def note_ready() -> None:
    """Take note that all kernels are in the cache; remove what nobody needs now."""
    note_code(_HERE)
