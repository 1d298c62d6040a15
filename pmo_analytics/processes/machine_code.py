"""Kernels as machine code, made by numba.

It is kept (`code_cache`). Where that cannot be written everything is compiled anew by
each process. With NUMBA_DISABLE_JIT=1 kernels are plain Python, which is slower.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

from pmo_analytics.processes.code_cache import writable_folder

# Kernels make no arrays: without counting who holds them they are twice as fast, and
# compiled in half the time.
_OPTIONS = {"_nrt": False, "no_cfunc_wrapper": True}
_njit: Any = numba.njit
_settings: Any = numba.config


def compiled[F: Callable[..., object]](function: F) -> F:
    """Return a kernel as machine code, compiled when it is first called.

    Other threads go on meanwhile: a parent would wait for who does not listen.
    """
    kernel: F = _njit(cache=_kept(function), nogil=True, **_OPTIONS)(function)
    return kernel


def inner[F: Callable[..., object]](function: F) -> F:
    """Return a kernel that only kernels call: nothing is compiled to call it by."""
    kept = _kept(function)
    kernel: F = _njit(cache=kept, no_cpython_wrapper=True, **_OPTIONS)(function)
    return kernel


def _kept(function: Callable[..., object]) -> bool:
    """Return whether machine code of a kernel can be kept; tell numba where."""
    if _settings.DISABLE_JIT:
        return False
    folder = writable_folder(Path(function.__code__.co_filename).parent)
    if folder is None:
        return False
    _settings.CACHE_DIR = str(folder)
    return True
