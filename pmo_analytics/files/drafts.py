"""Folders of work in progress: they go with their process, however that ends.

Each is locked for as long as its process lives. The system lets the lock go with the
process, so that whoever comes next can tell what nobody works on any more.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl

# Begins the names of folders in which jobs are handed to solvers, among temporary ones.
JOB = "pmo-job-"
# Where folders cannot be locked, older ones than this are nobody's, seconds.
_OLD = 24 * 3600.0
_TRIES = 20


@contextlib.contextmanager
def draft_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a new folder that is gone when the block is left.

    What dead processes have left beside it under the same prefix is removed first.

    Parameters
    ----------
    parent
        Folder to make it in.
    prefix
        Of its name, a dot or the program's name first.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    clear_drafts(parent, prefix)
    folder, lock = _made(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _made(parent: Path, prefix: str) -> tuple[Path, int | None]:
    """Return a new folder and the handle of its lock, None where there are none."""
    for _ in range(_TRIES):
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        if sys.platform == "win32":
            return folder, None
        # Between the two lines above and below another process may clear it away.
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            except OSError:  # this file system has no locks
                os.close(lock)
                return folder, None
            if folder.is_dir():
                return folder, lock
            os.close(lock)
    raise OSError(f"No folder {prefix}... could be kept in {parent}")


def clear_drafts(parent: Path, prefix: str) -> None:
    """Remove the folders of dead processes; those at work, and of others, stay."""
    with contextlib.suppress(OSError):
        for name in os.listdir(parent):
            if name.startswith(prefix):
                _clear(os.path.join(parent, name))


def _clear(path: str) -> None:
    with contextlib.suppress(OSError):
        found = os.stat(path, follow_symlinks=False)
        if not stat.S_ISDIR(found.st_mode):
            return
        if sys.platform == "win32":
            if found.st_mtime < time.time() - _OLD:
                shutil.rmtree(path, ignore_errors=True)
            return
        if found.st_uid != os.geteuid():
            return
        lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(lock)
