"""The Theta method and its relatives, for many series at once.

Assimakopoulos and Nikolopoulos (International Journal of Forecasting 16(4), 2000), in
the form of Hyndman and Billah (International Journal of Forecasting 19(2), 2003):
simple exponential smoothing with half the slope of the straight line through the data.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pmo_analytics.forecasting.models.series import (
    Series,
    ahead,
    has_season,
    seasonal_indices,
)
from pmo_analytics.forecasting.models.smoothing import Shape, smooth


def theta(series: Series, horizon: int, season: int) -> np.ndarray:
    """Return forecasts, shape (S, horizon).

    Series that repeat themselves are freed of their season first, by ratios where all
    values are above 0 and by differences elsewhere.
    """
    seasonal = has_season(series, season)
    return _freed(series, horizon, season, seasonal, _plain_theta)


def positive_series(series: Series) -> np.ndarray:
    """Return which series have only values above 0."""
    inside = np.arange(series.y.shape[1]) >= series.first[:, None]
    return np.where(inside, series.y, np.inf).min(axis=1) > 0


def _freed(
    series: Series,
    horizon: int,
    season: int,
    seasonal: np.ndarray,
    forecast: Callable[[Series, int], np.ndarray],
) -> np.ndarray:
    """Forecast without the season, and put that on again."""
    if not seasonal.any():
        return forecast(series, horizon)
    positive = positive_series(series)
    inside = np.arange(series.y.shape[1]) >= series.first[:, None]
    at = np.arange(series.y.shape[1]) % season
    to_come = ahead(series, season, horizon)
    ratios = seasonal_indices(series, season, ratio=True)
    ratios[~(seasonal & positive)] = 1.0
    steps = seasonal_indices(series, season, ratio=False)
    steps[~seasonal | positive] = 0.0
    plain = np.where(inside, series.y / ratios[:, at] - steps[:, at], 0.0)
    result = forecast(Series(plain, series.first, series.order), horizon)
    return np.asarray((result + steps[:, to_come]) * ratios[:, to_come])


def _line(series: Series) -> tuple[np.ndarray, np.ndarray]:
    """Return slope and middle column of the straight line through each series."""
    columns = np.arange(series.y.shape[1])
    weight = (columns >= series.first[:, None]).astype(float)
    number = np.maximum(weight.sum(axis=1), 1.0)
    middle = (weight * columns).sum(axis=1) / number
    away = weight * (columns - middle[:, None])
    slope = (away * series.y).sum(axis=1) / np.maximum((away**2).sum(axis=1), 1e-12)
    return slope, middle


def _plain_theta(series: Series, horizon: int) -> np.ndarray:
    level = smooth(series, Shape("", ""), horizon, 1).forecast
    slope, _ = _line(series)
    return np.asarray(level + 0.5 * slope[:, None] * np.arange(1, horizon + 1))
