"""Modules that are loaded when they are used, so that the solver's process starts fast.

PuLP loads parsers of other solvers' logs, and scipy the tests and the Fortran compiler
of numpy: a third of the time until a solver is at work, for nothing it needs.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


def load_later(*names: str) -> None:
    """Let modules be loaded by the first look at one of their names.

    What is loaded already stays. A module that is not there is missed by whoever looks
    into it.
    """
    for name in names:
        if name not in sys.modules:
            stub = _stub(name)
            sys.modules[name] = stub
            parent, _, leaf = name.rpartition(".")
            if parent:
                setattr(import_module(parent), leaf, stub)


def _stub(name: str) -> ModuleType:
    stub = ModuleType(name)

    def look(wanted: str) -> Any:
        if sys.modules.get(name) is stub:
            del sys.modules[name]
        return getattr(import_module(name), wanted)

    # A module that has this asks it for what it does not have itself.
    stub.__dict__["__getattr__"] = look
    return stub
