"""TOML files that people write: read, or said to be none."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pmo_analytics.errors import ConfigError
from pmo_analytics.files.text_file import read_text

# The reader needs about half a second a megabyte.
_MOST = 10 * 2**20


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises
    ------
    ConfigError
        If it cannot be opened, is too large, or is not TOML in UTF-8.
    """
    try:
        return tomllib.loads(read_text(path, _MOST))
    except RecursionError as error:
        raise ConfigError(f"{path} is not TOML: it is nested too deeply.") from error
    except ValueError as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
