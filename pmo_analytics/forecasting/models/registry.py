"""The models by name: plain functions of many series at once.

A model takes values, shape (S, T) with NaN where nothing is known, how many periods to
forecast, and the periods of a season; it returns an array of shape (S, horizon).
Whatever it is given it answers: one value is repeated, a constant stays, gaps are
filled on a straight line, a series without any value is forecast as NaN, and values
that were never below 0 are not forecast below 0.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module
from inspect import signature
from typing import Any

import numpy as np

from pmo_analytics.errors import ConfigError, PmoWarning, closest
from pmo_analytics.forecasting.models.intermittent import croston_sba, intermittent, tsb
from pmo_analytics.forecasting.models.series import Series, read_series
from pmo_analytics.forecasting.models.smoothing import Shape, smooth
from pmo_analytics.forecasting.models.theta import positive_series, theta, trend_shares

Model = Callable[[np.ndarray, int, int], np.ndarray]
DEFAULT = "combination"
NAIVE = ("naive", "seasonal_naive")
# Values from which a model with a trend is tried, and seasons for one with a season.
_LEAST_TREND = 6
_LEAST_SEASONS = 2
# Series of one to two years of more periods than this do not look at last year: how
# that turns out was measured for months and quarters.
LONGEST_SEASON = 12
# Shapes that are weighted: a trend that goes on for ever is seldom right.
_WEIGHTED = tuple(Shape(t, s) for t in ("", "d") for s in ("", "a", "m"))
# How much closer to a straight line values have to lie than their logarithms for these
# to count less, and what is taken for exact, in squares of the values.
_FAR_CLOSER, _EXACT = 20.0, 1e-9
# Logarithms may leave the range of the past by its width, by a factor of 2 at least.
_LEAST_SPAN = 0.7


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


def smoothing(series: Series, horizon: int, season: int, *, shape: Shape) -> np.ndarray:
    """Exponential smoothing of one shape; a plainer one where it cannot be fitted."""
    return _by_rows(series, horizon, season, shape, _fits(series, season, shape))


def _fits(series: Series, season: int, shape: Shape) -> np.ndarray:
    """Return which series are long enough for a shape, and above 0 if it needs that."""
    fits = np.ones(len(series.y), dtype=bool)
    if shape.trend:
        fits &= series.length >= _LEAST_TREND
    if shape.season:
        fits &= (series.length >= _LEAST_SEASONS * season + 1) & (season > 1)
    if shape.season == "m":
        fits &= positive_series(series)
    return fits


def _by_rows(
    series: Series, horizon: int, season: int, shape: Shape, fits: np.ndarray
) -> np.ndarray:
    result = np.zeros((len(series.y), horizon))
    for rows, used in ((fits, shape), (~fits, Shape("", ""))):
        if rows.any():
            part = series.rows(rows)
            result[rows] = smooth(part, used, horizon, season).forecast
    return result


def weighted_smoothing(series: Series, horizon: int, season: int) -> np.ndarray:
    """Every shape of smoothing that fits, without plain trends, by Akaike weights.

    Weights after Kolassa (International Journal of Forecasting 27(2), 2011), from the
    information criterion corrected for short series.
    """
    count = len(series.y)
    forecasts, criteria = [], []
    for shape in _WEIGHTED:
        fits = _fits(series, season, shape)
        forecast, criterion = np.zeros((count, horizon)), np.full(count, np.inf)
        if fits.any():
            part = series.rows(fits)
            fit = smooth(part, shape, horizon, season)
            many = shape.states + season * bool(shape.season)
            free = np.maximum(part.length - many - 1, 0.5)
            error = np.maximum(fit.error, 1e-12)
            forecast[fits] = fit.forecast
            criterion[fits] = part.length * (np.log(error) + 2.0 * many / free)
        forecasts.append(forecast)
        criteria.append(criterion)
    apart = np.array(criteria) - np.min(criteria, axis=0)
    weight = np.exp(-0.5 * np.minimum(apart, 200.0))
    weight /= weight.sum(axis=0)
    return np.asarray((np.array(forecasts) * weight[:, :, None]).sum(axis=0))


def combination(series: Series, horizon: int, season: int) -> np.ndarray:
    """Average Theta, shares of the trend and weighted smoothing, each twice.

    Of the values, and of their logarithms where all values are above 0, unless those
    are far from straight beside the values. Intermittent series get the mean of
    Croston's method without bias and of TSB; ones of fewer than six values simple
    smoothing with half the weight on the last one: so few tell of no trend. Ones of
    one to two years are averaged with what last year was at the same time; ones of less
    than a year of months go on with a trend only where they are nearly straight.
    """
    result = np.zeros((len(series.y), horizon))
    often = intermittent(series)
    few = ~often & (series.length < _LEAST_TREND)
    if often.any():
        part = series.rows(often)
        two = croston_sba(part, horizon, season), tsb(part, horizon, season)
        result[often] = (two[0] + two[1]) / 2.0
    if few.any():
        result[few] = _of_few(series.rows(few), horizon)
    rest = ~often & ~few
    if rest.any():
        part = series.rows(rest)
        told = _both_scales(part, horizon, season)
        doubt = _doubtful(part, season)[:, None]
        if doubt.any():
            told = (1.0 - doubt) * told + doubt * _of_few(part, horizon)
        share = _last_year(part, season)[:, None]
        before = seasonal_naive(part, horizon, season)
        result[rest] = np.where(
            share > 0.0, (1.0 - share) * told + share * before, told
        )
    return result


def _doubtful(series: Series, season: int) -> np.ndarray:
    """Return how little the trend of a series can be believed, shape (S,), 0-1.

    Of less than a year of months: what rises within it may be the season. Only what
    lies near to a straight line is believed to go on.
    """
    inside = np.arange(series.y.shape[1]) >= series.first[:, None]
    mean = series.y.sum(axis=1) / series.length
    apart = np.where(inside, series.y - mean[:, None], 0.0)
    spread = (apart**2).sum(axis=1) / series.length
    share = _FAR_CLOSER * _misfit(series.y, inside) / np.maximum(spread, 1e-300)
    few = series.length < min(season, LONGEST_SEASON)
    return np.where(few, np.minimum(share, 1.0), 0.0)


def _last_year(series: Series, season: int) -> np.ndarray:
    """Return the share of last year's values in a forecast, shape (S,).

    For series of one to two years, too short for a pattern of their own: half, times
    how far they lie from a straight line beside how far they spread. So a wave is half
    repeated and a ramp is not. Where values of the second year are known, less so as
    they correlate with those of the year before; a whole year is taken for granted.
    """
    share = np.zeros(len(series.y))
    short = (series.length >= season) & (series.length < _LEAST_SEASONS * season + 1)
    if not short.any() or not 1 < season <= LONGEST_SEASON:
        return share
    part = series.rows(short)
    inside = np.arange(part.y.shape[1]) >= part.first[:, None]
    mean = part.y.sum(axis=1) / part.length
    spread = (np.where(inside, part.y - mean[:, None], 0.0) ** 2).sum(axis=1)
    apart = np.where(inside, _from_line(part.y, inside), 0.0)
    far = np.sqrt((apart**2).sum(axis=1) / np.maximum(spread, 1e-300))
    now, then = apart[:, season:], apart[:, :-season]
    now = np.where(inside[:, :-season], now, 0.0)
    power = (now**2).sum(axis=1) * (then**2 * (now != 0.0)).sum(axis=1)
    alike = (now * then).sum(axis=1) / np.sqrt(np.maximum(power, 1e-300))
    pairs = inside[:, :-season].sum(axis=1)
    borne_out = np.clip((season + pairs * alike) / (season + pairs), 0.0, 1.0)
    share[short] = 0.5 * np.minimum(far, 1.0) * borne_out
    return share


def _of_few(series: Series, horizon: int) -> np.ndarray:
    """Smooth from the first value on, each new one counting half."""
    level = series.y[np.arange(len(series.y)), series.first]
    for t in range(series.y.shape[1]):
        level = np.where(t > series.first, (level + series.y[:, t]) / 2.0, level)
    return np.repeat(level[:, None], horizon, axis=1)


def _both_scales(series: Series, horizon: int, season: int) -> np.ndarray:
    plain = _mean_of_three(series, horizon, season)
    positive = positive_series(series)
    if positive.any():
        part = series.rows(positive)
        inside = np.arange(part.y.shape[1]) >= part.first[:, None]
        logs = np.log(np.where(inside, part.y, 1.0))
        low = np.where(inside, logs, np.inf).min(axis=1)
        high = np.where(inside, logs, -np.inf).max(axis=1)
        span = np.maximum(high - low, _LEAST_SPAN)
        told = _mean_of_three(Series(logs, part.first, part.order), horizon, season)
        # A trend in logarithms may not run away.
        told = np.clip(told, (low - span)[:, None], (high + span)[:, None])
        share = _bent(part.y, logs, inside)[:, None]
        plain[positive] = (1.0 - share) * plain[positive] + share * np.exp(told)
    return plain


def _bent(y: np.ndarray, logs: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the share of the forecast of logarithms, shape (S,): half, or less.

    Less where the values lie far closer to a straight line than their logarithms do:
    a ramp goes on as it did, and not faster and faster. In the ratio of likelihoods,
    with the Jacobian of the logarithm (Box and Cox, Journal of the Royal Statistical
    Society B 26(2), 1964).
    """
    number = inside.sum(axis=1)
    size = np.exp(2.0 * np.where(inside, logs, 0.0).sum(axis=1) / number)
    plain = _misfit(y, inside) + _EXACT * size
    bent = _misfit(logs, inside) * size + _EXACT * size
    return np.asarray(0.5 * np.minimum(1.0, _FAR_CLOSER * plain / bent))


def _misfit(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the mean squared distance of each series from a straight line."""
    weight = inside / inside.sum(axis=1, keepdims=True)
    return np.asarray((weight * _from_line(values, inside) ** 2).sum(axis=1))


def _from_line(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return how far values lie from the straight line through those inside."""
    weight = inside / inside.sum(axis=1, keepdims=True)
    t = np.arange(values.shape[1]) - (weight * np.arange(values.shape[1])).sum(
        axis=1, keepdims=True
    )
    away = values - (weight * values).sum(axis=1, keepdims=True)
    slope = (weight * t * away).sum(axis=1) / np.maximum(
        (weight * t**2).sum(axis=1), 1e-12
    )
    return np.asarray(away - slope[:, None] * t)


def _mean_of_three(series: Series, horizon: int, season: int) -> np.ndarray:
    smoothed = weighted_smoothing(series, horizon, season)
    shared = trend_shares(series, horizon, season)
    return (theta(series, horizon, season, shrink=True) + shared + smoothed) / 3.0


def _named(function: Callable[[Series, int, int], np.ndarray]) -> Model:
    """Return a model of plain arrays."""

    def model(y: np.ndarray, horizon: int, season: int) -> np.ndarray:
        y = np.array(y, dtype=float, ndmin=2)
        known = np.isfinite(y)
        if not y.size or not known.any():
            return np.full((len(y), horizon), np.nan)
        series = read_series(y)
        forecast = series.back(function(series, horizon, max(season, 1)))
        lowest = np.where(known, y, np.inf).min(axis=1)
        forecast = np.where((lowest >= 0.0)[:, None], np.maximum(forecast, 0), forecast)
        forecast[~known.any(axis=1)] = np.nan
        return forecast

    return model


MODELS: dict[str, Model] = {
    "naive": _named(naive),
    "seasonal_naive": _named(seasonal_naive),
    "drift": _named(drift),
    "ses": _named(partial(smoothing, shape=Shape("", ""))),
    "holt": _named(partial(smoothing, shape=Shape("a", ""))),
    "damped": _named(partial(smoothing, shape=Shape("d", ""))),
    "holt_winters": _named(partial(smoothing, shape=Shape("d", "m"))),
    "holt_winters_additive": _named(partial(smoothing, shape=Shape("d", "a"))),
    "theta": _named(theta),
    "croston_sba": _named(croston_sba),
    "tsb": _named(tsb),
    DEFAULT: _named(combination),
}


def find_model(model: str | Model) -> Model:
    """Return a model by name; one that is a function already stays as it is.

    Parameters
    ----------
    model
        A name of `MODELS`, a function like those, or `statsforecast:AutoETS`: any model
        of that library by its name (see `statsforecast_model`).

    Raises
    ------
    ConfigError
        If no model has that name, or statsforecast is not installed.
    """
    if callable(model):
        return model
    if model in MODELS:
        return MODELS[model]
    library, mark, name = model.partition(":")
    if mark and library == "statsforecast":
        return statsforecast_model(_from_library(name))
    raise ConfigError(
        f"There is no forecasting model {model!r}{closest(model, MODELS)}. There are: "
        f"{', '.join(MODELS)}; and statsforecast:NAME where that library is installed."
    )


def name_of(model: str | Model) -> str:
    """Return what a model is called in tables."""
    if isinstance(model, str):
        return model
    return str(getattr(model, "__name__", None) or type(model).__name__)


def statsforecast_model(made: Any) -> Model:
    """Return a model of statsforecast as one of ours (extra `forecast`).

    It is asked for one series after the other, from its first value on and with gaps
    filled. A series that it refuses (most need two seasons) gets the forecast of
    `combination`, with a warning.

    Parameters
    ----------
    made
        A model of statsforecast, such as `AutoETS(season_length=12)`, or a function of
        the periods of a season that makes one. Anything with a method
        `forecast(y=values, h=horizon)` that returns a mapping with `mean` will do.

    Examples
    --------
    >>> class Last:
    ...     def forecast(self, y, h):
    ...         return {"mean": np.repeat(y[-1], h)}
    >>> statsforecast_model(Last())(np.array([[1.0, 3.0]]), 2, 12).tolist()
    [[3.0, 3.0]]
    """
    told_by = type(made).__name__ if hasattr(made, "forecast") else made.__name__

    def plugged(series: Series, horizon: int, season: int) -> np.ndarray:
        result = np.full((len(series.y), horizon), np.nan)
        reason = ""
        for row, first in enumerate(series.first.tolist()):
            used = made if hasattr(made, "forecast") else made(season)
            try:
                told = used.forecast(y=series.y[row, first:].copy(), h=horizon)
                result[row] = np.asarray(told["mean"], dtype=float)
            except Exception as error:  # whatever a library raises on a short series
                reason = reason or f"{type(error).__name__}: {error}"
        missing = ~np.isfinite(result).all(axis=1)
        if missing.any():
            why = f" ({reason})" if reason else ""
            warnings.warn(
                f"{told_by} could not forecast {missing.sum()} of {len(missing)} "
                f"series{why}; {DEFAULT} is used for them.",
                PmoWarning,
                stacklevel=2,
            )
            result[missing] = combination(series.rows(missing), horizon, season)
        return result

    model = _named(plugged)
    model.__name__ = f"statsforecast:{told_by}"
    return model


def _from_library(name: str) -> Callable[[int], Any]:
    """Return what makes a model of statsforecast for the periods of a season."""
    try:
        library = import_module("statsforecast.models")
    except ImportError as error:
        raise ConfigError(
            "statsforecast is not installed: pip install 'pmo_analytics[forecast]'."
        ) from error
    kind: Any = getattr(library, name, None)
    if not hasattr(kind, "forecast"):
        known = [n for n in dir(library) if hasattr(getattr(library, n), "forecast")]
        raise ConfigError(f"statsforecast has no model {name!r}{closest(name, known)}.")

    def make(season: int) -> Any:
        with_season = "season_length" in signature(kind).parameters
        return kind(season_length=season) if with_season else kind()

    make.__name__ = name
    return make
