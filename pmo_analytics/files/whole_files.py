"""Files take their place when they are whole: nobody ever meets half of one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

# Tells the drafts of threads of one process apart.
_NUMBER = count()


@contextlib.contextmanager
def written_whole(*paths: Path) -> Iterator[list[Path]]:
    """Give a name to write each file under; after the block they take their places.

    Their folders are made. Where the block fails, what was there before stays.

    Raises
    ------
    OSError
        If the system refuses.
    """
    mark = f"{os.getpid()}-{next(_NUMBER)}"
    drafts = [path.with_name(f".{path.name}.{mark}.part") for path in paths]
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
        yield drafts
        for draft, path in zip(drafts, paths, strict=True):
            os.replace(draft, path)
    finally:
        for draft in drafts:
            with contextlib.suppress(OSError):
                draft.unlink()
