"""A folder put in the place of another one at once, as whoever reads it sees it.

Linux can swap two names in one step. Elsewhere, and where the folder is more than a
result (links in it, a file system mounted on it, a process that works in it), the
caller moves file by file.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import stat
import sys
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
# A folder with more in it than this is more than a result.
_MOST = 5000


def can_be_replaced(folder: Path) -> bool:
    """Return whether another folder could take the place of this one unnoticed.

    Parameters
    ----------
    folder
        May be missing; its parent is there.
    """
    if folder.is_symlink() or not os.access(folder.parent, os.W_OK | os.X_OK):
        return False
    if not folder.exists():
        return True
    if sys.platform != "linux" or folder.is_mount() or _somebody_is_in(folder):
        return False
    own = folder.stat()
    if own.st_uid != os.geteuid() or own.st_dev != folder.parent.stat().st_dev:
        return False
    for count, path in enumerate(folder.rglob("*"), start=1):
        kind = path.lstat().st_mode
        if count > _MOST or not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            return False
    return True


def _somebody_is_in(folder: Path) -> bool:
    """Return whether a process works in a folder: it would be left in the old one."""
    inside = f"{folder}{os.sep}"
    for process in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # of somebody else, or just ended
            place = os.readlink(f"/proc/{process}/cwd")
            if f"{place}{os.sep}".startswith(inside):
                return True
    return False


def replace_folder(new: Path, folder: Path) -> bool:
    """Put a folder in the place of another one; return whether that could be done.

    Files that only the former one has are in both before that. Afterwards `new` is the
    former one.

    Parameters
    ----------
    new
        On the file system of the other one.
    folder
        Fit to be replaced, see `can_be_replaced`; may be missing.
    """
    if not folder.exists():
        os.rename(new, folder)
        return True
    try:
        _take_along(folder, new)
        done = _swap(new, folder)
    except OSError:
        return False
    if done:
        # What somebody else has put there in the meantime.
        with contextlib.suppress(OSError):
            _take_along(new, folder)
    return done


def _take_along(folder: Path, new: Path) -> None:
    """Let a new folder have what only the former one has: the files themselves."""
    for path in sorted(folder.rglob("*")):
        target = new / path.relative_to(folder)
        if path.is_dir():
            if not target.is_dir():
                target.mkdir()
                shutil.copystat(path, target)
        elif not target.exists():
            os.link(path, target)
    shutil.copymode(folder, new)


def _swap(one: Path, other: Path) -> bool:
    """Let two paths change places in one step, where the system can."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    paths = os.fsencode(one), os.fsencode(other)
    call.argtypes = (*(ctypes.c_int, ctypes.c_char_p) * 2, ctypes.c_uint)
    done = call(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE)
    return bool(done == 0)
