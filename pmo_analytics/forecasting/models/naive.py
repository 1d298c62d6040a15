"""Forecasts without a model: the last value, the last season, a line between two."""

from __future__ import annotations

import numpy as np

from pmo_analytics.forecasting.models.series import Series


def naive(series: Series, horizon: int, _season: int) -> np.ndarray:
    """Repeat the last value."""
    return np.repeat(series.y[:, -1:], horizon, axis=1)


def seasonal_naive(series: Series, horizon: int, season: int) -> np.ndarray:
    """Repeat the last season; the last value where there is no whole season."""
    back = season - np.arange(horizon) % season
    short = series.length < season
    columns = np.maximum(series.y.shape[1] - back, 0)
    return np.where(short[:, None], series.y[:, -1:], series.y[:, columns])


def drift(series: Series, horizon: int, _season: int) -> np.ndarray:
    """Go on along the line from the first to the last value."""
    rows = np.arange(len(series.y))
    rise = series.y[:, -1] - series.y[rows, series.first]
    slope = rise / np.maximum(series.length - 1, 1)
    return np.asarray(series.y[:, -1:] + slope[:, None] * np.arange(1, horizon + 1))
