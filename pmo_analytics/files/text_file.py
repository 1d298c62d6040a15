"""Text files that others may have written: read under a size limit, or refused."""

from __future__ import annotations

import stat
from pathlib import Path

from pmo_analytics.errors import ConfigError


def read_text(path: Path, most: int) -> str:
    """Return the text of a file in UTF-8, with or without a mark of byte order.

    Parameters
    ----------
    path
        A file; what never ends or has to be waited for (a device, a pipe) is refused.
    most
        Bytes that are read at most.

    Raises
    ------
    ConfigError
        If it cannot be opened, is no file, is too large, or is not UTF-8.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a folder" if path.is_dir() else "no file but a device or a pipe"
            raise ConfigError(f"Cannot read {path}: it is {kind}. Name a file.")
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}.") from error
    except ValueError as error:  # a name that no file can have
        raise ConfigError(f"Cannot read {str(path)!r}: {error}.") from error
    if len(content) > most:
        raise ConfigError(
            f"Cannot read {path}: it has more than {most / 2**20:.0f} MB. Such a file "
            "is never so large; name the right one."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text in UTF-8: {error}.") from error
