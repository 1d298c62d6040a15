"""Overload of a plan in many futures: in the sample of a search, and out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pmo_analytics.rules import TOLERANCE
from pmo_analytics.uncertainty import (
    Dates,
    add_load,
    block_sizes,
    follow,
    load_of,
    model_of,
    sample_factors,
    worth_of,
)

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio
    from pmo_analytics.uncertainty import Uncertainty

# Small errors of adding and subtracting are thrown away after so many changes.
_AFRESH = 500


def tail_mean(total: np.ndarray, tail: float) -> float:
    """Return the mean of the largest share of some numbers (CVaR).

    Rockafellar and Uryasev (Journal of Risk 2(3), 2000), of equally likely futures.
    """
    count = tail * len(total)
    ranked = np.sort(total)[::-1]
    whole = int(count)
    mass = float(ranked[:whole].sum())
    if whole < len(ranked):
        mass += (count - whole) * float(ranked[whole])
    return mass / count


class Sample:
    """Futures in which plans are tried, the same ones for every plan.

    Parameters
    ----------
    portfolio
        A checked snapshot.
    names
        Projects that may be in a plan.
    uncertainty
        What is uncertain.
    draws, seed
        Of the futures.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        names: Sequence[str],
        uncertainty: Uncertainty,
        draws: int,
        seed: int,
    ) -> None:
        self.model = model_of(portfolio, names, uncertainty)
        blocks = list(enumerate(block_sizes(draws)))
        self.factors = sample_factors(self.model, seed, "lhs", blocks)
        self.draws = draws
        # (project, periods that lie behind) -> stretched profiles by length.
        self._laid: dict[tuple[int, int], dict[int, np.ndarray]] = {}
        self._lengths: dict[bytes, np.ndarray] = {}
        self._set({})

    def _set(self, starts: Mapping[str, int]) -> None:
        self.starts = dict(starts)
        self.dates = follow(self.model, starts, self.factors)
        self.load = load_of(self.model, self.dates, self.factors)
        self.changes = 0
        self._apart: np.ndarray | None = None

    def _add(self, load: np.ndarray, dates: Dates, project: int, sign: float) -> None:
        if not dates.won[project].any():
            return
        used = self.model.used[project]
        amount = self.factors.amount(project, used)
        begin = dates.start[project] + dates.gone[project]
        add_load(
            load,
            self.model.profiles[project][dates.gone[project] :],
            used,
            begin,
            dates.end[project] - begin,
            amount * (sign * dates.won[project]),
            keep=self.model.uncertainty.keep,
            laid=self._laid.setdefault((project, int(dates.gone[project])), {}),
        )

    def take(self, starts: Mapping[str, int]) -> np.ndarray:
        """Return the load of a plan, (roles, periods, draws), and remember it.

        Only projects that come out otherwise than in the plan before are worked on.
        """
        self.changes += 1
        if self.changes > _AFRESH:
            self._set(starts)
            return self.load
        dates = follow(self.model, starts, self.factors, lengths=self._lengths)
        old = self.dates
        other = (
            (dates.start != old.start) | (dates.end != old.end) | (dates.won != old.won)
        ) & (dates.won | old.won)
        load = self.load
        for project in np.flatnonzero(other.any(axis=1)).tolist():
            self._add(load, old, project, -1.0)
            self._add(load, dates, project, 1.0)
        self.starts, self.dates, self._apart = dict(starts), dates, None
        return load

    def kept(self) -> tuple[dict[str, int], Dates, np.ndarray]:
        """Return the state, for `back`."""
        return self.starts, self.dates, self.load.copy()

    def back(self, state: tuple[dict[str, int], Dates, np.ndarray]) -> None:
        """Return to a state."""
        self.starts, self.dates, self.load = state
        self._apart = None

    @property
    def apart(self) -> np.ndarray:
        """Load - capacity of the last plan, (roles, periods, draws), FTE."""
        if self._apart is None:
            self._apart = self.load - self.factors.capacity
        return self._apart

    @property
    def chance(self) -> np.ndarray:
        """Chance of overload of the last plan by role and period."""
        return np.asarray((self.apart > TOLERANCE).mean(axis=2))

    @property
    def overload(self) -> np.ndarray:
        """All overload of the last plan in each draw, FTE-periods."""
        return np.asarray(self.missing.sum(axis=(0, 1)))

    @property
    def missing(self) -> np.ndarray:
        """Overload of the last plan, (roles, periods, draws), FTE."""
        return np.where(self.apart > TOLERANCE, self.apart, 0.0)


@dataclass(frozen=True)
class Trial:
    """A plan in futures that no search has seen.

    Attributes
    ----------
    chance
        Of overload by role and period.
    total
        All overload of each draw, FTE-periods.
    value
        Worth of the plan in each draw.
    blocks
        Sizes of the blocks of draws that know nothing of each other.
    """

    chance: np.ndarray
    total: np.ndarray
    value: np.ndarray
    blocks: tuple[int, ...]

    def error(self, numbers: np.ndarray, tail: float | None = None) -> float:
        """Return the Monte Carlo error of a mean, or of the mean of a tail."""
        return _error(self._each(numbers, tail))

    def less(self, other: Trial, tail: float | None = None) -> tuple[float, float]:
        """Return how much less overload there is than in another plan, and the error.

        Both were tried in the same draws, so what they share cancels out.
        """
        gain = other._each(other.total, tail) - self._each(self.total, tail)
        return float(gain.mean()), _error(gain)

    def _each(self, numbers: np.ndarray, tail: float | None) -> np.ndarray:
        parts = np.split(numbers, np.cumsum(self.blocks)[:-1])
        return np.array(
            [
                float(part.mean()) if tail is None else tail_mean(part, tail)
                for part in parts
            ]
        )


def _error(each: np.ndarray) -> float:
    return float(np.std(each, ddof=1) / np.sqrt(len(each)))


def try_plan(
    portfolio: Portfolio,
    starts: Mapping[str, int],
    uncertainty: Uncertainty,
    draws: int,
    seed: int,
) -> Trial:
    """Return how a plan does in new draws, a few blocks of them at a time."""
    model = model_of(portfolio, list(starts), uncertainty)
    sizes = block_sizes(draws)
    over = np.zeros((len(model.roles), model.periods))
    totals, values = [], []
    for block in enumerate(sizes):
        factors = sample_factors(model, seed, "lhs", [block])
        dates = follow(model, starts, factors)
        apart = load_of(model, dates, factors) - factors.capacity
        missing = apart > TOLERANCE
        over += missing.sum(axis=2)
        totals.append(np.where(missing, apart, 0.0).sum(axis=(0, 1)))
        values.append(worth_of(model, starts, dates, factors))
    return Trial(
        over / draws, np.concatenate(totals), np.concatenate(values), tuple(sizes)
    )
