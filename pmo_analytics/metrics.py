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


# ------------------------------------------------------------------ forecast losses


def mean_absolute_error(table: pd.DataFrame) -> float:
    """Return the mean of |forecast - actual| over the rows of a backtest."""
    return float((table["forecast"] - table["actual"]).abs().mean())


def bias(table: pd.DataFrame) -> float:
    """Return the mean of forecast - actual: above 0 the forecasts were too high."""
    return float((table["forecast"] - table["actual"]).mean())


def smape(table: pd.DataFrame) -> float:
    """Return the symmetric mean absolute percentage error, 0-200.

    As in the M3 competition (Makridakis and Hibon, International Journal of Forecasting
    16(4), 2000): `200 |f - a| / (|f| + |a|)`, 0 where both are 0.
    """
    apart = (table["forecast"] - table["actual"]).abs()
    size = table["forecast"].abs() + table["actual"].abs()
    return float((200.0 * apart / size.where(size > 0, 1.0)).mean())


def scaled_error(table: pd.DataFrame, history: pd.DataFrame, season: int) -> float:
    """Return the mean absolute scaled error (MASE) of a backtest.

    Hyndman and Koehler (International Journal of Forecasting 22(4), 2006): errors of
    each role divided by the mean change over one season in the history up to each
    cutoff.

    Parameters
    ----------
    table
        Of `backtest`.
    history
        Period x role, what the backtest was made of.
    season
        Periods of a season.

    Returns
    -------
    float
        NaN where no role has a change over a season.
    """
    scaled = []
    for (role, cutoff), rows in table.groupby(["role", "cutoff"]):
        past = history[role][history.index <= cutoff]
        scale = (past - past.shift(season)).abs().mean()
        if scale > 0:
            scaled.append((rows["forecast"] - rows["actual"]).abs() / scale)
    return float(pd.concat(scaled).mean()) if scaled else float("nan")


def coverage(table: pd.DataFrame) -> float:
    """Return the share of rows whose actual value lies in p10 .. p90; 0.8 is asked."""
    inside = (table["actual"] >= table["p10"]) & (table["actual"] <= table["p90"])
    return float(inside.mean())


def pinball(table: pd.DataFrame, column: str) -> float:
    """Return the pinball loss of a quantile column such as `p10`.

    Koenker and Bassett (Econometrica 46(1), 1978): being above the actual value costs
    1 - share, being below it share.
    """
    share = int(column[1:]) / 100.0
    apart = table["actual"] - table[column]
    return float((apart * share).where(apart >= 0, apart * (share - 1.0)).mean())
