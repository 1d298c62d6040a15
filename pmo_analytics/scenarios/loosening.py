"""Whether one portfolio allows whatever another one does, for having more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pmo_analytics.tables import TABLES, frame_content

if TYPE_CHECKING:
    import pandas as pd

    from pmo_analytics.portfolio import Portfolio

# What only makes capacity, and what says nothing about what may be planned.
_BEHIND_CAPACITY = {"people", "absences", "operations", "bookings", "capacity"}
_SAYS_NOTHING = {"history", "actuals", "baselines"}


def only_more(tight: Portfolio, loose: Portfolio) -> bool:
    """Return whether two portfolios differ only by more people or money in one.

    Then every plan of the tighter one is a plan of the looser one and is worth the
    same in it.

    Parameters
    ----------
    tight
        The portfolio with less.
    loose
        The portfolio with as much or more everywhere.
    """
    if not tight.horizon.equals(loose.horizon) or tight.settings != loose.settings:
        return False
    apart = _BEHIND_CAPACITY | _SAYS_NOTHING | {"budget"}
    for name in set(TABLES) - apart:
        if not _same(getattr(tight, name), getattr(loose, name)):
            return False
    return _more_capacity(tight, loose) and _more_budget(tight, loose)


def _same(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    return a is b or frame_content(a) == frame_content(b)


def _more_capacity(tight: Portfolio, loose: Portfolio) -> bool:
    less, more = tight.capacity, loose.capacity
    roles = less.columns.union(more.columns)
    less, more = (
        grid.reindex(index=tight.horizon, columns=roles).fillna(0.0)
        for grid in (less, more)
    )
    return bool((more.to_numpy() >= less.to_numpy()).all())


def _more_budget(tight: Portfolio, loose: Portfolio) -> bool:
    less, more = tight.budget, loose.budget
    if len(less) != len(more):
        return False
    if not _same(less.drop(columns="amount"), more.drop(columns="amount")):
        return False
    low, high = (table["amount"].to_numpy(dtype=float) for table in (less, more))
    # Blank: no upper limit.
    low, high = (np.where(np.isnan(a), np.inf, a) for a in (low, high))
    return bool((high >= low).all())
