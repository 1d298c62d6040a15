"""Modules by the names they had before they moved: still found, with a warning.

Whoever imports `pmo_analytics.calendars` gets `pmo_analytics.clock.calendars` and a
`DeprecationWarning` that names it.
"""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType

# Old name -> name today, both within the package. A module whose name is that of a
# public function today (`scenarios.compare`) would hide it, and is not found any more.
MOVED = {
    "calendars": "clock.calendars",
    "capacity_grid": "tables.capacity_grid",
    "cells": "formats",
    "checks": "tables.checks",
    "config": "batch.config",
    "distributions": "uncertainty.distributions",
    "example_company": "examples.company_text",
    "futures": "uncertainty.futures",
    "generator": "examples.generated",
    "limiting": "rules.limiting",
    "parallel": "processes.parallel",
    "periods": "clock.periods",
    "purchases": "rules.purchases",
    "record": "rules.record",
    "remembered": "tables.cache",
    "replanning": "differences",
    "schemas": "tables.schemas",
    "store": "batch.store",
    "supply": "tables.supply",
    "terminal": "cli.terminal",
    "violations": "rules.violations",
    "windows": "tables.windows",
    "workload": "rules.workload",
    "optimization.certify": "optimization.checker.check",
    "optimization.compiling": "optimization.model.compiling",
    "optimization.formulate": "optimization.model.pulp_sink",
    "optimization.greedy": "optimization.heuristics.greedy",
    "optimization.infeasible": "optimization.explaining.infeasible",
    "optimization.matrix": "optimization.model.array_sink",
    "optimization.options": "optimization.model.instance",
    "optimization.prices": "optimization.explaining.role_value",
    "optimization.search": "optimization.optimizing",
    "optimization.solving": "optimization.workers.running",
}


def find(name: str) -> ModuleSpec | None:
    """Return how a module that is not there any more is loaded; None = it never was."""
    new = MOVED.get(name.removeprefix("pmo_analytics."))
    if new is None:
        return None
    return ModuleSpec(name, _Alias(f"pmo_analytics.{new}"))


class _Alias(Loader):
    """Loads the module of the new name in the place of the old one."""

    def __init__(self, new: str) -> None:
        self.new = new

    def exec_module(self, module: ModuleType) -> None:
        """Warn, and put the module of today under the old name."""
        warnings.warn(
            f"{module.__name__} has moved to {self.new}; the old name goes with 1.0.",
            DeprecationWarning,
            stacklevel=2,
        )
        sys.modules[module.__name__] = import_module(self.new)
