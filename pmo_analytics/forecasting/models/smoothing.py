"""Exponential smoothing of many series at once.

The state equations are those of Hyndman, Koehler, Ord and Snyder, "Forecasting with
Exponential Smoothing" (Springer, 2008), with additive errors. Parameters are found by
trying the same set of candidates for every series side by side, and then by trying
others near the best one: no loop over series and no solver.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product

import numpy as np

from pmo_analytics.forecasting.models.series import Series, ahead, seasonal_indices

# Candidates: level, share of the level's for the trend, share of what the level leaves
# for the season, damping. A finer grid finds no better forecasts, only later.
_ALPHAS = (0.05, 0.25, 0.7)
_BETAS = (0.1,)
_GAMMAS = (0.1,)
_PHIS = (0.92,)
# Rounds of trying near the best, and how far each time, in log odds.
_STEPS = (1.5, 1.2, 1.0, 0.8, 0.5, 0.3)
# Numbers worked on at once: they stay in the cache of a core.
_AT_ONCE = 30_000
# Values that the first level and trend are read from.
_OPENING = 12


@dataclass(frozen=True)
class Shape:
    """Which parts a model has.

    Parameters
    ----------
    trend
        "" none, "a" additive, "d" damped.
    season
        "" none, "a" added, "m" multiplied.
    """

    trend: str
    season: str

    @property
    def states(self) -> int:
        """Return how many smoothing parameters and opening trends it has."""
        return 2 + 2 * bool(self.trend) + (self.trend == "d")


@dataclass(frozen=True)
class Fit:
    """What one shape of model says of each series.

    Attributes
    ----------
    forecast
        Shape (S, horizon).
    error
        Shape (S,): mean squared error one period ahead.
    """

    forecast: np.ndarray
    error: np.ndarray


def smooth(series: Series, shape: Shape, horizon: int, season: int) -> Fit:
    """Fit one shape of model to every series and forecast.

    Parameters
    ----------
    series
        With every value above 0 where the season is multiplied.
    season
        Periods of a season.
    """
    count = len(series.y)
    forecast, error = np.zeros((count, horizon)), np.zeros(count)
    grid = _candidates(shape)
    size = max(_AT_ONCE // (2 * int(_used(shape).sum())), 1)

    def fit(begin: int) -> None:
        rows = slice(begin, begin + size)
        found = _fit(series.part(rows), shape, horizon, season, grid)
        forecast[rows], error[rows] = found.forecast, found.error

    begins = range(0, count, size)
    if len(begins) == 1:
        fit(0)
    else:
        # Arithmetic of arrays lets other threads run: a core each, the same numbers.
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(fit, begins))
    return Fit(forecast, error)


def _candidates(shape: Shape) -> np.ndarray:
    """Return parameter sets, shape (P, 4), as shares between 0 and 1."""
    return np.array(
        list(
            product(
                _ALPHAS,
                _BETAS if shape.trend else (0.0,),
                _GAMMAS if shape.season else (0.0,),
                _PHIS if shape.trend == "d" else (1.0,),
            )
        )
    )


def _fit(
    series: Series, shape: Shape, horizon: int, season: int, grid: np.ndarray
) -> Fit:
    opening = _opening(series, shape, season)
    count = len(series.y)
    tried = np.broadcast_to(grid, (count, *grid.shape))
    best, error = _best(series, shape, opening, tried)
    for step in _STEPS:
        near = _near(best, shape, step)
        found, lower = _best(series, shape, opening, near)
        better = lower < error
        best[better], error[better] = found[better], lower[better]
    _, level, trend, places = _run(series, shape, opening, best[:, None, :])
    forecast = _ahead(series, shape, season, horizon, best, level, trend, places)
    return Fit(forecast, error)


def _near(best: np.ndarray, shape: Shape, step: float) -> np.ndarray:
    """Return parameter sets around those of each series, shape (S, P, 4).

    Each parameter a little less and a little more, the others as they are.
    """
    used = _used(shape)
    one = np.eye(4)[used]
    grid = np.concatenate([one, -one])
    # In log odds, where a step means the same near 0 and near 1: they are multiplied.
    inner = np.clip(best, 1e-4, 0.9999)
    odds = (inner / (1.0 - inner))[:, None, :] * np.exp(step * grid)
    moved = odds / (1.0 + odds)
    moved[..., 3] = np.clip(moved[..., 3], 0.8, 0.98)
    return np.where(used, moved, best[:, None, :])


def _used(shape: Shape) -> np.ndarray:
    """Return which of the four parameters a shape has."""
    return np.array([True, bool(shape.trend), bool(shape.season), shape.trend == "d"])


def _best(
    series: Series,
    shape: Shape,
    opening: tuple[np.ndarray, ...],
    tried: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the parameters of the smallest error of each series, and that error."""
    errors, *_ = _run(series, shape, opening, tried)
    errors = np.where(np.isfinite(errors), errors, np.inf)
    at = errors.argmin(axis=1)
    rows = np.arange(len(at))
    return tried[rows, at].copy(), errors[rows, at] / np.maximum(series.length, 1)


def _opening(
    series: Series, shape: Shape, season: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the level before the first value, the trend and the season of each."""
    count, periods = series.y.shape
    ratio = shape.season == "m"
    if shape.season:
        places = seasonal_indices(series, season, ratio=ratio)
    else:
        places = np.full((count, season), 1.0 if ratio else 0.0)
    at = np.arange(periods) % season
    plain = series.y / places[:, at] if ratio else series.y - places[:, at]
    steps = np.arange(_OPENING)
    take = np.minimum(series.first[:, None] + steps, periods - 1)
    values = np.take_along_axis(plain, take, axis=1)
    weight = (steps < series.length[:, None]).astype(float)
    number = weight.sum(axis=1)
    mean_t = (weight * steps).sum(axis=1) / number
    mean_y = (weight * values).sum(axis=1) / number
    away = weight * (steps - mean_t[:, None])
    power = np.maximum((away * (steps - mean_t[:, None])).sum(axis=1), 1e-12)
    trend = (away * values).sum(axis=1) / power
    if not shape.trend:
        return mean_y, np.zeros(count), places
    return mean_y - trend * (mean_t + 1.0), trend, places


def _run(
    series: Series,
    shape: Shape,
    opening: tuple[np.ndarray, ...],
    share: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Smooth with parameters (S, P, 4); return squared errors and the last states.

    Series lie side by side in memory: so all of them take a step together, those that
    begin first on top.
    """
    many = share.shape[1]
    alpha, rise, turn, phi = np.ascontiguousarray(share.transpose(2, 1, 0))
    level = np.repeat(opening[0][None], many, axis=0)
    trend = np.repeat(opening[1][None], many, axis=0)
    places = np.repeat(opening[2].T[:, None], many, axis=1)
    squares = np.zeros_like(level)
    parts = (alpha, alpha * rise, (1.0 - alpha) * turn, phi, level, trend, squares)
    values = np.ascontiguousarray(series.y.T)
    began = np.searchsorted(series.first, np.arange(len(values)), side="right")
    with np.errstate(all="ignore"):
        for k in np.unique(began[began > 0]).tolist():
            begin, end = np.searchsorted(began, [k, k + 1]).tolist()
            live = tuple(part[:, :k] for part in parts)
            _go(shape, values[begin:end, :k], live, places[:, :, :k], begin)
    return squares.T, level.T, trend.T, places.transpose(0, 2, 1)


def _go(
    shape: Shape,
    values: np.ndarray,
    parts: tuple[np.ndarray, ...],
    places: np.ndarray,
    begin: int,
) -> None:
    """Take states (P, S) through values (T, S) from column `begin` on, in place.

    Nothing in the loop asks for memory: that takes as long as the sums.
    """
    alpha, beta, gamma, phi, level, trend, squares = parts
    error, step = np.empty(level.shape), np.empty(level.shape)
    for t, value in enumerate(values, begin):
        if shape.trend:
            np.multiply(phi, trend, out=trend)
            np.add(level, trend, out=level)
        told = level
        if shape.season:
            place = places[t % len(places)]
            put_on = np.multiply if shape.season == "m" else np.add
            told = put_on(level, place, out=step)
        np.subtract(value, told, out=error)
        np.multiply(error, error, out=step)
        np.add(squares, step, out=squares)
        if shape.season:
            np.multiply(gamma, error, out=step)
            if shape.season == "m":
                np.divide(step, level, out=step)
                np.divide(error, place, out=error)
            np.add(place, step, out=place)
        np.multiply(alpha, error, out=step)
        np.add(level, step, out=level)
        if shape.trend:
            np.multiply(beta, error, out=step)
            np.add(trend, step, out=trend)


def _ahead(
    series: Series,
    shape: Shape,
    season: int,
    horizon: int,
    best: np.ndarray,
    level: np.ndarray,
    trend: np.ndarray,
    places: np.ndarray,
) -> np.ndarray:
    steps = np.arange(1, horizon + 1)
    grown = np.cumsum(best[:, 3:] ** steps, axis=1)
    result = level + trend * grown
    place = places[ahead(series, season, horizon), :, 0].T
    return result * place if shape.season == "m" else result + place
