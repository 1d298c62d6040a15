"""Loaders: a portfolio from a folder of CSV files or a workbook, and back.

`read_portfolio`, `load_portfolio` and `write_portfolio` are in `files`,
`write_template` in `template`. Way of a table: `folder` or `workbook` (raw cells),
`tidying` (columns, rows, numbers, dates), `layouts` (long rows, FTE, offsets),
`assembly` (the Portfolio).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "load_portfolio": "files",
    "loaded_problems": "assembly",
    "planning_problems": "assembly",
    "read_portfolio": "files",
    "write_portfolio": "files",
    "write_template": "template",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(
            f"module 'pmo_analytics.loaders' has no attribute {name!r}"
        )
    module = import_module(f"pmo_analytics.loaders.{_PUBLIC[name]}")
    return getattr(module, name)
