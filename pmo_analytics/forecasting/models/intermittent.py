"""Demand with many empty periods, for many series at once."""

from __future__ import annotations

import numpy as np

from pmo_analytics.forecasting.models.series import Series

# A value below this share of the mean counts as nothing.
_NOTHING = 0.01
# Share of empty periods from which a series counts as intermittent: an interval of
# 1.32 periods (Syntetos, Boylan and Croston, Journal of the Operational Research
# Society 56(5), 2005).
_OFTEN_EMPTY = 1.0 - 1.0 / 1.32
# Smoothing that was best in the studies that compare the two.
_ALPHA = 0.1


def something(series: Series) -> np.ndarray:
    """Return where series are more than nothing, shape (S, T)."""
    inside = np.arange(series.y.shape[1]) >= series.first[:, None]
    size = np.where(inside, np.abs(series.y), 0.0)
    mean = size.sum(axis=1) / np.maximum(series.length, 1)
    return size > _NOTHING * mean[:, None]


def intermittent(series: Series) -> np.ndarray:
    """Return which series come and go, shape (S,): often empty, and in several pieces.

    One that only begins or ends with zeros has moved to another level instead.
    """
    hits = something(series)
    often = series.length - hits.sum(axis=1) > _OFTEN_EMPTY * series.length
    begins = hits & ~np.pad(hits, ((0, 0), (1, 0)))[:, :-1]
    return np.asarray(often & (begins.sum(axis=1) > 1))


def croston_sba(series: Series, horizon: int, _season: int) -> np.ndarray:
    """Return Croston's forecasts less their bias, shape (S, horizon).

    Size and interval of what is not zero are smoothed apart (Croston, Operational
    Research Quarterly 23(3), 1972); Syntetos and Boylan (International Journal of
    Forecasting 21(2), 2005) take half the smoothing off. A series of zeros stays 0.
    """
    count, periods = series.y.shape
    size, interval = np.zeros(count), np.ones(count)
    since = np.ones(count)
    seen = np.zeros(count, dtype=bool)
    hits = something(series)
    for t in range(periods):
        value = series.y[:, t]
        hit = hits[:, t]
        first = hit & ~seen
        size[first], interval[first] = value[first], since[first]
        later = hit & seen
        size[later] += _ALPHA * (value[later] - size[later])
        interval[later] += _ALPHA * (since[later] - interval[later])
        seen |= hit
        since = np.where(hit | (t < series.first), 1.0, since + 1.0)
    level = (1.0 - _ALPHA / 2.0) * size / interval
    return np.repeat(level[:, None], horizon, axis=1)


def tsb(series: Series, horizon: int, _season: int) -> np.ndarray:
    """Return forecasts of size times chance, shape (S, horizon).

    Teunter, Syntetos and Babai (European Journal of Operational Research 214(3),
    2011): the chance of demand is smoothed in every period, so that what is no longer
    asked for dies away.
    """
    periods = series.y.shape[1]
    hits = something(series)
    number = hits.sum(axis=1)
    chance = number / np.maximum(series.length, 1)
    size = series.y.sum(axis=1) / np.maximum(number, 1)
    for t in range(periods):
        live = t >= series.first
        hit = hits[:, t]
        size = np.where(hit, size + _ALPHA * (series.y[:, t] - size), size)
        chance = np.where(live, chance + _ALPHA * (hit - chance), chance)
    return np.repeat((chance * size)[:, None], horizon, axis=1)
