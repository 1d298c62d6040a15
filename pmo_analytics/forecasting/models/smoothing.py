"""Exponential smoothing of many series at once, fitted by likelihood.

The state equations are those of Hyndman, Koehler, Ord and Snyder, "Forecasting with
Exponential Smoothing" (Springer, 2008). A shape says which parts a model has; its
numbers are fitted to all series side by side (`forecasting.models.fitting`).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from pmo_analytics.forecasting.models.fitting import (
    FIRST_PLACE,
    LEVEL,
    MOST_PLACES,
    RISE,
    Past,
    fitted,
)
from pmo_analytics.forecasting.models.series import Series, ahead, seasonal_indices

# Numbers worked on at once: they stay in the cache of a core.
_AT_ONCE = 8_000
# Places of a season that count as numbers at most: those of weeks are not fitted, and
# drawn towards none (with all 52, seasons that are plain to see counted for little).
_COUNTED = 40
# Series from which machine code pays: it takes a second to load, and another once.
_COMPILED = 1_000
# Values that the first level and trend are read from.
_OPENING = 12


@dataclass(frozen=True)
class Shape:
    """Which parts a model has.

    Parameters
    ----------
    trend
        "" none, "a" additive, "d" damped, "c" additive and always the same, "h" half
        the slope of the straight line through all values, as Theta has it, "x" a
        complex level (`complex_ahead`), which has no season.
    season
        "" none, "a" added, "m" multiplied.
    relative
        Errors are relative to what was told (multiplicative ones), for series above 0.
    """

    trend: str
    season: str
    relative: bool = False

    def count(self, season: int) -> int:
        """Return how many numbers it is fitted with, the spread of errors included."""
        trend = {"": 0, "h": 0, "c": 1, "a": 2, "x": 2, "d": 3}[self.trend]
        return 3 + trend + (min(season, _COUNTED) if self.season else 0)


@dataclass(frozen=True)
class Fit:
    """What one shape of model says of each series.

    Attributes
    ----------
    forecast
        Shape (S, horizon).
    misfit
        Shape (S,): minus twice the log likelihood but for a constant that all shapes
        share; infinite where a shape does not fit.
    numbers
        Shape (S, N): what `smooth` may start from.
    """

    forecast: np.ndarray
    misfit: np.ndarray
    numbers: np.ndarray


def smooth(
    series: Series,
    shape: Shape,
    horizon: int,
    season: int,
    *,
    known: np.ndarray | None = None,
    near: np.ndarray | None = None,
) -> Fit:
    """Fit one shape of model to every series and forecast.

    Parameters
    ----------
    series
        With every value above 0 where the season is multiplied or errors are relative.
    season
        Periods of a season.
    known
        Numbers of an earlier fit, shape (S, N): they are used as they are.
    near
        Numbers of another shape with such a season, which the fit begins with; the
        season is taken from there.
    """
    count = len(series.y)
    places = season if shape.season else 1
    forecast, misfit = np.zeros((count, horizon)), np.zeros(count)
    numbers = np.zeros((count, FIRST_PLACE + places))
    size = max(_AT_ONCE // (shape.count(season) - 1), 1)

    def fit(begin: int) -> None:
        rows = slice(begin, begin + size)
        part = series.part(rows)
        given = known if near is None else near
        own = None if given is None else given[rows]
        past = Past(
            np.ascontiguousarray(part.y.T),
            part.first,
            shape.trend,
            shape.season,
            shape.relative,
            compiled=_pays(count),
        )
        found = _fit(part, past, shape, horizon, season, own, near is not None)
        forecast[rows], misfit[rows] = found.forecast, found.misfit
        numbers[rows] = found.numbers

    begins = range(0, count, size)
    if len(begins) == 1:
        fit(0)
    else:
        # Arithmetic of arrays lets other threads run: a core each, the same numbers.
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(fit, begins))
    return Fit(forecast, misfit, numbers)


def _pays(count: int) -> bool:
    """Return whether machine code is to be used: of many series, if numba makes any."""
    return count >= _COMPILED and os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")


def _fit(
    series: Series,
    past: Past,
    shape: Shape,
    horizon: int,
    season: int,
    given: np.ndarray | None,
    near: bool,
) -> Fit:
    """Fit series that lie side by side; places of the season by column, not by time."""
    places = season if shape.season else 1
    # What is known begins where the series does.
    turn = (np.arange(places) - series.first[:, None]) % places
    if given is None:
        numbers = fitted(past, _opening(past, series, shape, season))
    else:
        numbers = given.T.copy()
        numbers[FIRST_PLACE:] = np.take_along_axis(given[:, FIRST_PLACE:], turn, 1).T
        if near:
            numbers[3], numbers[RISE] = past.odds[3], numbers[RISE] * bool(shape.trend)
            numbers = fitted(past, numbers, places=False)
    misfit, last = past.misfit(numbers)
    forecast = _ahead(series, shape, season, horizon, last)
    fits = np.isfinite(forecast).all(axis=1) & np.isfinite(misfit)
    result = numbers.T.copy()
    back = (np.arange(places) + series.first[:, None]) % places
    result[:, FIRST_PLACE:] = np.take_along_axis(result[:, FIRST_PLACE:], back, 1)
    return Fit(forecast, np.where(fits, misfit, np.inf), result)


def _opening(past: Past, series: Series, shape: Shape, season: int) -> np.ndarray:
    """Return the numbers that a fit begins with, shape (N, S)."""
    count, periods = series.y.shape
    places = np.zeros((count, 1))
    plain = series.y
    if shape.season:
        ratio = shape.season == "m"
        # Of a long season each place is known of few years: what is unsure shrinks.
        unsure = season > MOST_PLACES
        places = seasonal_indices(series, season, ratio=ratio, shrink=unsure)
        at = np.arange(periods) % season
        plain = series.y / places[:, at] if ratio else series.y - places[:, at]
    result = np.zeros((FIRST_PLACE + places.shape[1], count))
    result[:LEVEL] = past.odds[:, None]
    result[FIRST_PLACE:] = places.T
    mean_t, mean_y, rise = _line(plain, series.first, _OPENING)
    result[LEVEL] = mean_y
    if shape.trend == "h":
        rise = 0.5 * _line(plain, series.first, periods)[2]
    if shape.trend == "x":
        result[LEVEL] -= 0.5 * rise * mean_t
        result[RISE] = result[LEVEL] / 1.5
    elif shape.trend:
        result[LEVEL] -= rise * (mean_t + 1.0)
        result[RISE] = rise
    return result


def _line(
    y: np.ndarray, first: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the straight line through the first values: mean time and value, slope."""
    periods = y.shape[1]
    steps = np.arange(min(most, periods))
    take = np.minimum(first[:, None] + steps, periods - 1)
    values = np.take_along_axis(y, take, axis=1)
    weight = (steps < periods - first[:, None]).astype(float)
    number = weight.sum(axis=1)
    mean_t = (weight * steps).sum(axis=1) / number
    mean_y = (weight * values).sum(axis=1) / number
    away = weight * (steps - mean_t[:, None])
    power = np.maximum((away * (steps - mean_t[:, None])).sum(axis=1), 1e-12)
    return mean_t, mean_y, (away * values).sum(axis=1) / power


def _ahead(
    series: Series, shape: Shape, season: int, horizon: int, last: np.ndarray
) -> np.ndarray:
    """Forecast from the last states (N, S), in place of odds what they stand for."""
    if shape.trend == "x":
        return complex_ahead(last, horizon)
    steps = np.arange(1, horizon + 1)
    grown = np.cumsum(last[3][:, None] ** steps, axis=1)
    result = last[LEVEL][:, None] + last[RISE][:, None] * grown
    if not shape.season:
        return np.asarray(result)
    place = last[FIRST_PLACE:][ahead(series, season, horizon)].T
    return np.asarray(result * place if shape.season == "m" else result + place)


def complex_ahead(last: np.ndarray, horizon: int) -> np.ndarray:
    """Forecast complex levels from the last states (N, S).

    Complex exponential smoothing (Svetunkov, Kourentzes and Ord, Naval Research
    Logistics 69(8), 2022). Of its smoothing number 1 + a + (1 + g) i here a and g are
    fitted: as a level is smoothed, and how much it grows, which comes to a share of
    g / (1 + a) a period. With no growth it is simple smoothing.
    """
    alpha, growth, level, unseen = last[[0, 1, LEVEL, RISE]]
    told = np.empty((len(level), horizon))
    for h in range(horizon):
        told[:, h] = level
        level, unseen = level + growth * unseen, level - alpha * unseen
    return told
