"""The face of a room: the names that others use, each loaded when it is asked for.

A room (a sub-package) says in its `__init__` what is public, as imports for type
checking. Readers, editors and type checkers see imports; at run time nothing is loaded
before somebody asks for it, so that a solver's process does not load the charts.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from importlib import import_module
from inspect import getsource
from typing import Any


def face(
    room: str,
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of a room.

    Parameters
    ----------
    room
        Its `__name__`.
    """
    homes = _homes(getsource(sys.modules[room]))
    names = sorted(homes)

    def look(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return look, lambda: list(names), names


def _homes(source: str) -> dict[str, str]:
    """Return the module of every name that is imported for type checking."""
    return {
        alias.name: str(node.module)
        for block in ast.parse(source).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
