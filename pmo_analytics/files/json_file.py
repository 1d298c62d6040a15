"""JSON files beside results: read, or said to be none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pmo_analytics.errors import ConfigError
from pmo_analytics.files.text_file import read_text

# Certificates of the largest portfolios have a tenth of this.
_MOST = 100 * 2**20


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file that holds an object.

    Raises
    ------
    ConfigError
        If it cannot be opened, is too large, or holds anything else.
    """
    try:
        content = json.loads(read_text(path, _MOST))
    except RecursionError as error:
        raise ConfigError(f"{path} is not JSON: it is nested too deeply.") from error
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} does not hold what is written there: no object.")
    return content
