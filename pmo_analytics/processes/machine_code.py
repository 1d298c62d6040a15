"""Machine code made by numba, and where it is kept.

It lies in the cache folder of the user, in a folder of its own for each state of the
kernels that lie together: numba looks only at the file of a kernel for changes, not at
those of the kernels that it calls. Where the folder cannot be written everything is
compiled anew by each process. With NUMBA_DISABLE_JIT=1 kernels are plain Python, which
is slower.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

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


def disabled() -> bool:
    """Return whether numba is told to compile nothing."""
    return bool(_settings.DISABLE_JIT)


def _kept(function: Callable[..., object]) -> bool:
    """Return whether machine code of a kernel can be kept; tell numba where."""
    folder = kernel_folder(Path(function.__code__.co_filename).parent)
    if disabled() or not _writable(folder):
        return False
    _settings.CACHE_DIR = str(folder)
    return True


def kernel_folder(kernels: Path) -> Path:
    """Return where machine code of some kernels is kept: NUMBA_CACHE_DIR first."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    home = Path(given) if given else _users_cache() / "pmo_analytics"
    # Another installation, Python, numba or machine finds nothing that it can use.
    own = kernels, sys.version, numba.__version__, platform.machine()
    words = hashlib.sha256(repr(tuple(map(str, own))).encode())
    for path in sorted(kernels.glob("*.py")):
        words.update(path.read_bytes())
    return home / f"kernels-{words.hexdigest()[:12]}"


def _users_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


@cache
def _writable(folder: Path) -> bool:
    try:
        # Code is run from there: it is nobody else's.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except (OSError, RuntimeError):
        return False
