"""How much overload of a plan is accepted."""

from __future__ import annotations

from dataclasses import dataclass

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.uncertainty import Uncertainty

MEASURES = ("chance", "cvar")


@dataclass(frozen=True)
class Risk:
    """How much overload is accepted.

    Parameters
    ----------
    measure
        `chance`: the most valuable plan in which no role is overloaded in any period
        with more than a chance. `cvar` (conditional value at risk): among plans worth
        nearly as much as the best one, that with the least overload in its worst
        futures.
    chance
        Of `chance`: accepted for a role in a period. Where what has to be in the plan
        exceeds it by itself, at the best dates that were found for it, its chance is
        the limit.
    tail
        Of `cvar`: share of the futures that counts as the worst.
    keep
        Of `cvar`: share of the objective of the plan without regard to risk that has
        to stay; 1 = all of it.
    uncertainty
        What is uncertain; default as of `simulate`.
    draws
        Futures of the search.
    test_draws
        New futures in which the plan is tried afterwards, at least 100.
    seed
        Of the futures; those of the test have another one.

    Raises
    ------
    ConfigError
        If a value cannot be used.
    """

    measure: str = "chance"
    chance: float = 0.2
    tail: float = 0.1
    keep: float = 0.99
    uncertainty: Uncertainty | None = None
    draws: int = 500
    test_draws: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise ConfigError(
                f"measure is one of {', '.join(MEASURES)}, not {self.measure!r}"
                f"{closest(self.measure, MEASURES)}."
            )
        for name in ("chance", "tail"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"{name} lies between 0 and 1.")
        if not 0 <= self.keep <= 1:
            raise ConfigError("keep is a share from 0 to 1.")
        for name in ("draws", "test_draws"):
            if getattr(self, name) < 100:
                raise ConfigError(f"{name} is at least 100.")
