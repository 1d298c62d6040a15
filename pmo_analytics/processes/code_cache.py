"""Where machine code of kernels is kept, and whether it is there already.

It lies in the cache folder of the user, NUMBA_CACHE_DIR first, in a folder of its own
for each state of the kernels that lie together in one folder: numba looks only at the
file of a kernel for changes, not at those of the kernels that it calls. Nothing here
loads numba.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import sys
import tempfile
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path

# The file that is there once all kernels are; it says for whom they were compiled.
_READY = "ready"
# Days after which machine code that nobody has used is removed.
_UNUSED = 90
_OWN = re.compile(r"kernels-[0-9a-f]{12}")
# How all kernels are compiled.
_OPTIONS = Path(__file__).with_name("machine_code.py")


def code_folder(kernels: Path) -> Path:
    """Return where machine code of the kernels of a folder is kept."""
    # Another installation, Python, numba or machine finds nothing that it can use.
    own = kernels, sys.version, version("numba"), platform.machine()
    words = hashlib.sha256(repr(tuple(map(str, own))).encode())
    for path in (*sorted(kernels.glob("*.py")), _OPTIONS):
        words.update(path.read_bytes())
    return _home() / f"kernels-{words.hexdigest()[:12]}"


@cache
def writable_folder(kernels: Path) -> Path | None:
    """Return that folder if files can be written there; it is made where it is not."""
    # Without a home folder it is a RuntimeError.
    with contextlib.suppress(OSError, RuntimeError):
        folder = code_folder(kernels)
        # Code is run from there: it is nobody else's.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    return None


def code_kept(kernels: Path) -> bool:
    """Return whether all kernels of a folder can be had without being compiled."""
    with contextlib.suppress(OSError, RuntimeError):
        return _plain() or (code_folder(kernels) / _READY).exists()
    return False


def note_code(kernels: Path) -> None:
    """Take note that all kernels of a folder are kept; remove what nobody needs now."""
    folder = writable_folder(kernels)
    if folder is None or _plain():
        return
    ready, known = folder / _READY, _installation(kernels)
    with contextlib.suppress(OSError):
        if ready.exists():
            ready.touch()
            return
        ready.write_text(known, encoding="utf-8")
        for other in folder.parent.iterdir():
            if other != folder and _OWN.fullmatch(other.name):
                _remove_if_old(other, known)


def _plain() -> bool:
    """Return whether kernels are to be plain Python."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")


def _installation(kernels: Path) -> str:
    return f"{kernels}\n{sys.version}"


def _remove_if_old(folder: Path, known: str) -> None:
    """Remove machine code of this installation before, or that was long not used.

    Files that are not machine code stay, and so does a folder that has some.
    """
    if folder.is_symlink() or not folder.is_dir():
        return
    with contextlib.suppress(OSError):
        ready = folder / _READY
        told = ready.read_text(encoding="utf-8") if ready.exists() else ""
        used = (ready if ready.exists() else folder).stat().st_mtime
        if told != known and time.time() - used < _UNUSED * 86_400:
            return
        for part in (*folder.iterdir(), folder):
            if part.is_symlink() or not part.is_dir():
                continue
            for path in part.iterdir():
                if path.suffix in (".nbi", ".nbc") or path == ready:
                    path.unlink()
            with contextlib.suppress(OSError):
                part.rmdir()


def _home() -> Path:
    given = os.environ.get("NUMBA_CACHE_DIR")
    return Path(given) if given else _users_cache() / "pmo_analytics"


def _users_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
