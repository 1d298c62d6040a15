"""The members of the combination: shapes of smoothing on values and on logarithms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pmo_analytics.forecasting.models.series import Series
from pmo_analytics.forecasting.models.smoothing import Shape, smooth
from pmo_analytics.forecasting.models.theta import positive_series

# Seasons from which one is fitted, and values from which a trend is.
LEAST_SEASONS, LEAST_TREND = 2, 6
# Logarithms may leave the range of the past by its width, by a factor of 2 at least.
_LEAST_SPAN = 0.7
# Complex levels, which grow by a share, may leave it by so many times its width.
_WIDE = 2.0

# What is fitted, and of what: numbers of each series by the place it was given at.
Memory = dict[tuple[bool, Shape], np.ndarray]


@dataclass(frozen=True)
class Member:
    """One shape, fitted to the values or to their logarithms."""

    shape: Shape
    logs: bool = False


# With a constant trend first: the others take their season from there.
MEMBERS = tuple(
    Member(Shape(trend, season, season == "m"), logs)
    for season, logs in (
        *(("", False), ("", True)),
        *(("a", False), ("m", False), ("a", True)),
    )
    for trend in (
        *("c", "d", ""),
        *(() if season else ("h", "a")),
        *(() if season or logs else ("x",)),
    )
)


def _fits(member: Member, series: Series, season: int) -> np.ndarray:
    """Return which series a member is fitted to, shape (S,).

    One with a season to those of two seasons and a value. Ones without: to these with
    the trends that those have; to shorter ones with all trends, but logarithms with
    none or half the line: what grows on in them runs away. A complex level to years
    alone: of one year of months it takes the season for growth.
    """
    shape, logs = member.shape, member.logs
    long = (series.length >= LEAST_SEASONS * season + 1) & (season > 1)
    if shape.season:
        fits = long
    else:
        in_long = shape.trend in ("c", "d", "")
        in_short = not logs or shape.trend in ("", "h")
        in_short &= shape.trend != "x" or season == 1
        fits = np.where(long, in_long, in_short)
    if logs or shape.relative:
        fits = fits & positive_series(series)
    return np.asarray(fits)


def told_by_members(
    series: Series, horizon: int, season: int, memory: Memory | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return what each member says of series of `LEAST_TREND` values or more.

    Parameters
    ----------
    memory
        Numbers that are used instead of fitting again, where they are known; gets
        those that are fitted.

    Returns
    -------
    tuple of ndarray
        Forecasts, shape (members, S, horizon), and the corrected information criterion
        of Akaike, shape (members, S): infinite where a member does not fit a series.
    """
    count = len(series.y)
    told = np.zeros((len(MEMBERS), count, horizon))
    criterion = np.full((len(MEMBERS), count), np.inf)
    positive = positive_series(series)
    scales = {False: series, True: _logs(series, positive)}
    memory = {} if memory is None else memory
    for k, member in enumerate(MEMBERS):
        fits = _fits(member, series, season)
        if fits.any():
            part = scales[member.logs].rows(fits)
            forecast, misfit = _remembered(part, member, horizon, season, memory)
            if member.logs:
                forecast, added = _as_values(part, forecast)
                misfit = misfit + added
            elif member.shape.trend == "x":
                forecast = _within(part, forecast, 0.0, _WIDE)
            number = member.shape.count(season)
            free = np.maximum(part.length - number - 1, 0.5)
            told[k, fits] = forecast
            criterion[k, fits] = misfit + 2.0 * number * part.length / free
    return told, criterion


def _logs(series: Series, positive: np.ndarray) -> Series:
    inside = np.arange(series.y.shape[1]) >= series.first[:, None]
    logs = np.log(np.where(inside & positive[:, None], series.y, 1.0))
    return Series(logs, series.first, series.order)


def _as_values(logs: Series, forecast: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return forecasts of logarithms as values, and what that adds to the misfit.

    A trend in logarithms may not run away. The misfit gets the Jacobian of the
    logarithm (Box and Cox, Journal of the Royal Statistical Society B 26(2), 1964).
    """
    bounded = _within(logs, forecast, _LEAST_SPAN)
    return np.exp(bounded), 2.0 * logs.y.sum(axis=1)


def _within(
    series: Series, forecast: np.ndarray, least: float, widths: float = 1.0
) -> np.ndarray:
    """Return forecasts that leave the range of the past by its widths at most."""
    inside = np.arange(series.y.shape[1]) >= series.first[:, None]
    low = np.where(inside, series.y, np.inf).min(axis=1)
    high = np.where(inside, series.y, -np.inf).max(axis=1)
    span = widths * np.maximum(high - low, least)
    return np.clip(forecast, (low - span)[:, None], (high + span)[:, None])


def _remembered(
    series: Series, member: Member, horizon: int, season: int, memory: Memory
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a member to series, but for those whose numbers are known."""
    shape = member.shape
    known = memory.get((member.logs, shape))
    told, misfit = np.zeros((len(series.y), horizon)), np.zeros(len(series.y))
    old = np.zeros(len(series.y), dtype=bool)
    if known is not None:
        old = np.isfinite(known[series.order, 0])
        if old.any():
            part = series.rows(old)
            fit = smooth(part, shape, horizon, season, known=known[part.order])
            told[old], misfit[old] = fit.forecast, fit.misfit
    if not old.all():
        part, near = series.rows(~old), None
        if shape.season and shape.trend != "c":
            constant = Shape("c", shape.season, shape.relative)
            near = memory[(member.logs, constant)][part.order]
        fit = smooth(part, shape, horizon, season, near=near)
        told[~old], misfit[~old] = fit.forecast, fit.misfit
        if known is None:
            rows = int(part.order.max()) + 1
            known = np.full((rows, fit.numbers.shape[1]), np.nan)
            memory[(member.logs, shape)] = known
        known[part.order] = fit.numbers
    return np.where(np.isfinite(misfit)[:, None], told, 0.0), misfit
