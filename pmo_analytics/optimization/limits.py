"""When a search stops, and what it tells of itself meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pmo_analytics.errors import ConfigError


@dataclass(frozen=True)
class SolveLimits:
    """When to stop looking for a better plan.

    Parameters
    ----------
    seconds
        Wall clock of the whole search.
    gap
        Stop at this relative distance to the bound, 0.01 = 1 %.
    work
        Nodes of the solver's tree; with it, and time enough, the same seed gives
        the same plan.
    threads
        Processes at work at once: the solver and the searches around the best plan;
        1 = the solver, then a search where its bound stands still; None = one per
        core, never fewer than two.
    memory_gb
        Memory limit of the solver's process, where the system enforces one.
    """

    seconds: float = 60.0
    gap: float = 0.0
    work: int | None = None
    threads: int | None = None
    memory_gb: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.seconds < 1e7:
            raise ConfigError(f"seconds must be positive, not {self.seconds!r}.")
        if not 0 <= self.gap < 10:
            raise ConfigError(f"gap must be 0 or more, such as 0.01; not {self.gap!r}.")
        if self.work is not None and self.work < 1:
            raise ConfigError(f"work must be at least 1, not {self.work!r}.")


@dataclass(frozen=True)
class Progress:
    """Where a search stands; handed to a `progress` callable.

    Attributes
    ----------
    stage
        What is going on, a few words.
    objective, bound
        Best plan and bound so far, None where there is none yet.
    seconds
        Wall clock since the search began.
    """

    stage: str
    objective: float | None
    bound: float | None
    seconds: float


ProgressFunction = Callable[[Progress], None]
