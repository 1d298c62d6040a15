"""Measures of the field: functions of frames and series, no rules of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
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


def mase(table: pd.DataFrame, history: pd.DataFrame, season: int) -> float:
    """Return the mean absolute scaled error of a backtest.

    Hyndman and Koehler (International Journal of Forecasting 22(4), 2006): errors of
    each role divided by the mean change over one season in the history up to each
    cutoff. Below 1 the forecasts are better than the naive one was inside the history.

    Parameters
    ----------
    table
        Of `backtest`.
    history
        Period x role, what the backtest was made of.
    season
        Periods of a season; 1 = changes from one period to the next.

    Returns
    -------
    float
        NaN where no role has a change over a season.

    Examples
    --------
    >>> months = pd.period_range("2027-01", periods=4, freq="M")
    >>> history = pd.DataFrame({"Dev": [1.0, 2.0, 4.0, 7.0]}, index=months)
    >>> row = {"role": "Dev", "cutoff": months[2], "forecast": 4.0, "actual": 7.0}
    >>> mase(pd.DataFrame([row]), history, season=1)
    2.0
    """
    scale = _typical_moves(table, history, season, power=1)
    apart = (table["forecast"] - table["actual"]).abs()
    return float((apart[scale > 0] / scale[scale > 0]).mean())


def rmsse(table: pd.DataFrame, history: pd.DataFrame, season: int) -> float:
    """Return the root mean squared scaled error of a backtest.

    As in the M5 competition (Makridakis, Spiliotis and Assimakopoulos, International
    Journal of Forecasting 38(4), 2022): for each role and cutoff the root of the mean
    squared error over the mean squared change over one season, and the mean of those.

    Parameters
    ----------
    table, history, season
        As in `mase`.

    Returns
    -------
    float
        NaN where no role has a change over a season.
    """
    scale = _typical_moves(table, history, season, power=2)
    squares = (table["forecast"] - table["actual"]) ** 2
    scaled = (squares[scale > 0] / scale[scale > 0]).groupby(
        [table["role"], table["cutoff"]]
    )
    return float((scaled.mean() ** 0.5).mean())


def _typical_moves(
    table: pd.DataFrame, history: pd.DataFrame, season: int, *, power: int
) -> pd.Series[Any]:
    """Return the mean change over a season until the cutoff of each row's role.

    Absolute, to a power; NaN where nothing is known of it.
    """
    scale = pd.Series(np.nan, index=table.index)
    for cutoff, rows in table.groupby("cutoff"):
        past = history[history.index <= cutoff]
        moves = ((past - past.shift(season)).abs() ** power).mean()
        scale[rows.index] = moves[rows["role"]].to_numpy()
    return scale


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


def crps(draws: np.ndarray, actual: np.ndarray) -> float:
    """Return the continuous ranked probability score of draws, in their unit.

    Gneiting and Raftery (Journal of the American Statistical Association 102(477),
    2007): the mean distance of the draws from what came about, less half their mean
    distance from each other. For a single draw it is the absolute error.

    Parameters
    ----------
    draws
        Shape (draws, ...), such as `Forecast.draws`.
    actual
        Shape (...); NaN where nothing is known, which is left out.

    Returns
    -------
    float
        Mean over all that is known; NaN where nothing is.

    Examples
    --------
    >>> crps(np.array([[0.0], [2.0]]), np.array([1.0]))
    0.5
    """
    actual = np.asarray(actual, dtype=float)
    known = np.isfinite(actual)
    if not known.any():
        return float("nan")
    values = np.sort(np.asarray(draws, dtype=float)[:, known], axis=0)
    count = len(values)
    away = np.abs(values - actual[known]).mean(axis=0)
    # Sorted, the distances between all pairs are a weighted sum.
    weight = 2.0 * np.arange(1, count + 1) - count - 1.0
    spread = 2.0 * (weight @ values) / count**2
    return float((away - 0.5 * spread).mean())


def forecast_losses(
    table: pd.DataFrame, history: pd.DataFrame, *, season: int
) -> pd.DataFrame:
    """Return every loss of each model of a backtest, the smallest error first.

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
    DataFrame
        `model, count, mae` and `bias` (FTE), `mase, rmsse, smape` (percent, 0-200),
        `pinball_p10, pinball_p90` (FTE), `nominal` (0.8) and `coverage`: the share of
        actual values inside p10 .. p90 that is promised, and that there was.
    """
    rows = [
        {
            "model": model,
            "count": len(part),
            "mae": mean_absolute_error(part),
            "bias": bias(part),
            "mase": mase(part, history, season),
            "rmsse": rmsse(part, history, season),
            "smape": smape(part),
            "pinball_p10": pinball(part, "p10"),
            "pinball_p90": pinball(part, "p90"),
            "nominal": 0.8,
            "coverage": coverage(part),
        }
        for model, part in table.groupby("model")
    ]
    columns = ["model", "count", "mae", "bias", "mase", "rmsse", "smape"]
    columns += ["pinball_p10", "pinball_p90", "nominal", "coverage"]
    losses = pd.DataFrame(rows, columns=columns)
    return losses.sort_values(["mae", "model"], ignore_index=True)
