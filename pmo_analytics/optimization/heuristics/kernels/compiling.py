"""How kernels are compiled.

Machine code is kept in a folder (`cache`). Where that cannot be written everything is
compiled anew by each process. With NUMBA_DISABLE_JIT=1 the kernels are plain Python,
slower.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba

from pmo_analytics.optimization.heuristics.kernels.cache import writable_folder

# Kernels make no arrays: without counting who holds them they are twice as fast, and
# compiled in half the time.
_OPTIONS = {"_nrt": False, "no_cfunc_wrapper": True}
_njit: Any = numba.njit
_settings: Any = numba.config


def compiled[F: Callable[..., object]](function: F) -> F:
    """Return a kernel as machine code, compiled when it is first called.

    Other threads go on meanwhile: a parent would wait for who does not listen.
    """
    kernel: F = _njit(cache=_cached(), nogil=True, **_OPTIONS)(function)
    return kernel


def inner[F: Callable[..., object]](function: F) -> F:
    """Return a kernel that only kernels call: nothing is compiled to call it by."""
    kernel: F = _njit(cache=_cached(), no_cpython_wrapper=True, **_OPTIONS)(function)
    return kernel


@cache
def _cached() -> bool:
    """Return whether machine code can be kept; tell numba where."""
    if _settings.DISABLE_JIT:
        return False
    folder = writable_folder()
    if folder is None:
        return False
    _settings.CACHE_DIR = str(folder)
    return True
