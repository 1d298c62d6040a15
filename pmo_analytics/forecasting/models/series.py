"""Time series as arrays: where each begins, gaps, and its seasonal pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pmo_analytics.clock import base_freq

SEASONS = {"W": 52, "M": 12, "Q": 4, "Y": 1}
# 10 % level, one-sided, of the test whether a series has a season.
_SIGNIFICANT = 1.645


def season_of(freq: str) -> int:
    """Return how many periods make a year."""
    return SEASONS[base_freq(freq)]


@dataclass(frozen=True)
class Series:
    """Many series on one clock, the ones that begin first on top.

    Attributes
    ----------
    y
        Shape (S, T), without gaps: row i holds values from column `first[i]` on, and 0
        before.
    first
        Shape (S,), ascending: where each series begins.
    order
        Row of the given array that each row comes from.
    """

    y: np.ndarray
    first: np.ndarray
    order: np.ndarray

    @property
    def length(self) -> np.ndarray:
        """Return how many values each series has."""
        return self.y.shape[1] - self.first

    def back(self, values: np.ndarray) -> np.ndarray:
        """Return rows in the order in which the series were given."""
        result = np.empty_like(values)
        result[self.order] = values
        return result

    def rows(self, which: np.ndarray) -> Series:
        """Return the series of a mask."""
        return Series(self.y[which], self.first[which], self.order[which])

    def part(self, rows: slice) -> Series:
        """Return some of the series, without the time before the first of them."""
        first = self.first[rows]
        cut = int(first.min(initial=self.y.shape[1]))
        return Series(self.y[rows, cut:], first - cut, np.arange(len(first)))


def read_series(y: np.ndarray) -> Series:
    """Return series with their gaps filled.

    A series begins at its first known value; gaps inside are filled on a straight
    line; after the last known value it stays as it is. A series without a value is all
    zeros.

    Parameters
    ----------
    y
        Shape (S, T), NaN where nothing is known.
    """
    y = np.array(y, dtype=float, ndmin=2)
    known = np.isfinite(y)
    columns = np.arange(y.shape[1])
    first = np.where(known.any(axis=1), known.argmax(axis=1), 0)
    for i in np.flatnonzero((~known & (columns > first[:, None])).any(axis=1)):
        at = np.flatnonzero(known[i])
        y[i] = np.interp(columns, at, y[i, at]) if len(at) else 0.0
    y[~known.any(axis=1)] = 0.0
    y[columns < first[:, None]] = 0.0
    order = np.argsort(first, kind="stable")
    return Series(y[order], first[order], order)


def seasonal_indices(
    series: Series, season: int, *, ratio: bool, shrink: bool = False
) -> np.ndarray:
    """Return the classical seasonal pattern of each series.

    Ratios (or differences) to the centred moving average over one season, averaged by
    place in the season and scaled to a mean of 1 (or 0).

    Parameters
    ----------
    season
        Periods of a season; column t has place `t % season`.
    ratio
        Ratios instead of differences; then every value has to be above 0.
    shrink
        Draw the pattern towards none, the more the less sure it is: the estimator of
        James and Stein, after Miller and Williams (International Journal of Forecasting
        19(4), 2003).

    Returns
    -------
    ndarray
        Shape (S, season).
    """
    y, first = series.y, series.first
    count, periods = y.shape
    half = season // 2
    window = np.ones(season + 1 - season % 2) / season
    if season % 2 == 0:
        window[[0, -1]] /= 2.0
    neutral = 1.0 if ratio else 0.0
    result = np.full((count, season), neutral)
    if periods <= 2 * half:
        return result
    total = np.lib.stride_tricks.sliding_window_view(y, len(window), axis=1) @ window
    columns = np.arange(half, half + total.shape[1])
    inside = columns >= first[:, None] + half
    middle = y[:, columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = middle / total if ratio else middle - total
    for place in range(season):
        at = columns % season == place
        weight = inside[:, at]
        number = weight.sum(axis=1)
        values = np.where(weight, apart[:, at], 0.0).sum(axis=1)
        known = number > 0
        result[known, place] = values[known] / number[known]
    mean = result.mean(axis=1, keepdims=True)
    if ratio:
        result = np.maximum(result / mean, 1e-3)
        result = result / result.mean(axis=1, keepdims=True)
    else:
        result = result - mean
    if not shrink or season < 4:
        return result
    away = np.where(inside, apart - result[:, columns % season], 0.0)
    number = inside.sum(axis=1)
    noise = (away**2).sum(axis=1) / np.maximum(number - season, 1)
    noise *= season / np.maximum(number, 1)
    power = np.maximum(((result - neutral) ** 2).sum(axis=1), 1e-300)
    unsure = np.clip((season - 3) * noise / power, 0.0, 1.0)
    return neutral + (1.0 - unsure[:, None]) * (result - neutral)


def has_season(series: Series, season: int) -> np.ndarray:
    """Return which series repeat themselves after a season.

    The test of Assimakopoulos and Nikolopoulos (International Journal of Forecasting
    16(4), 2000): autocorrelation at the lag of the season against the error that those
    at shorter lags leave. Needs two seasons.
    """
    count, _ = series.y.shape
    if season < 2:
        return np.zeros(count, dtype=bool)
    inside = np.arange(series.y.shape[1]) >= series.first[:, None]
    length = np.maximum(series.length, 1)
    mean = series.y.sum(axis=1) / length
    apart = np.where(inside, series.y - mean[:, None], 0.0)
    power = np.maximum((apart**2).sum(axis=1), 1e-300)
    lags = np.zeros((season + 1, count))
    for lag in range(1, min(season, apart.shape[1] - 1) + 1):
        lags[lag] = (apart[:, lag:] * apart[:, :-lag]).sum(axis=1) / power
    error = np.sqrt((1.0 + 2.0 * (lags[1:season] ** 2).sum(axis=0)) / length)
    enough = series.length >= 2 * season + 1
    return (np.abs(lags[season]) > _SIGNIFICANT * error) & enough & (power > 1e-12)


def ahead(series: Series, season: int, horizon: int) -> np.ndarray:
    """Return the place in the season of each period to come, shape (horizon,)."""
    return (series.y.shape[1] + np.arange(horizon)) % season
