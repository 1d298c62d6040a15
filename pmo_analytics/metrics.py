"""Measures of the field: functions of frames and series, no rules of their own."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pmo_analytics.errors import ConfigError


def split_in_proportion(
    amount: float, free: pd.Series[Any], *, digits: int | None = None
) -> pd.Series[Any]:
    """Return an amount of work split over people in proportion to what is free.

    Parameters
    ----------
    amount
        Work to place, hours or FTE.
    free
        Free capacity by person or role, in the same unit; below 0 counts as 0.
    digits
        Round to so many digits; the last share takes the rest, so the sum is exact.

    Returns
    -------
    Series
        Shares with the index of `free`: `amount * free / sum(free)`. They may exceed
        `free` when there is not enough of it.

    Raises
    ------
    ConfigError
        If nothing is free and there is something to place.

    Examples
    --------
    >>> split_in_proportion(40, pd.Series({"Ann": 24.0, "Ben": 40.0})).to_list()
    [15.0, 25.0]
    """
    room = free.clip(lower=0.0).astype(float)
    if amount and not room.sum() > 0:
        raise ConfigError(f"{amount:g} cannot be split: nobody has free capacity.")
    shares = amount * room / room.sum() if amount else room * 0.0
    if digits is not None and len(shares):
        shares = shares.round(digits)
        shares.iloc[-1] = amount - shares.iloc[:-1].sum()
    return shares


def role_rates(people: pd.DataFrame, roles: pd.DataFrame | None = None) -> Any:
    """Return what one more person of each role would cost per hour.

    The mean rate of the people of the role, each counted once with the last rate
    given; where nobody has one, the rate of the `roles` table.

    Parameters
    ----------
    people
        `people` table.
    roles
        `roles` table, optional.

    Returns
    -------
    Series
        Rate by role, currency per hour.
    """
    known = people.dropna(subset=["rate"]).sort_values("start", na_position="first")
    last = known.drop_duplicates(["person", "role"], keep="last")
    rates = last.groupby("role")["rate"].mean()
    if roles is not None and len(roles):
        listed = roles.dropna(subset=["rate"]).set_index("role")["rate"]
        rates = rates.combine_first(listed)
    return rates.rename("rate")
