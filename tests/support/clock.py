"""A clock that counts looks at it: a search takes as many steps on any machine."""

from __future__ import annotations

from types import ModuleType

import pytest

# Seconds for what comes to its own end, on however busy a machine.
AMPLE = 600.0


class Clock:
    """Stand in for the module `time`; every look costs the same number of seconds.

    Parameters
    ----------
    step
        Seconds that a look costs.
    """

    def __init__(self, step: float) -> None:
        self.step = step
        self.now = 0.0

    def monotonic(self) -> float:
        """Return the moment, one step after the one before."""
        self.now += self.step
        return self.now

    def in_place_of(self, patch: pytest.MonkeyPatch, *modules: ModuleType) -> Clock:
        """Let modules that import `time` look at this clock."""
        for module in modules:
            patch.setattr(module, "time", self)
        return self
