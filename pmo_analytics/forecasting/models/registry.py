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
from pmo_analytics.forecasting.models.combination import combination
from pmo_analytics.forecasting.models.intermittent import croston_sba, tsb
from pmo_analytics.forecasting.models.members import (
    LEAST_SEASONS,
    LEAST_TREND,
    MEMBERS,
    Memory,
    told_by_members,
)
from pmo_analytics.forecasting.models.naive import drift, naive, seasonal_naive
from pmo_analytics.forecasting.models.series import Series, read_series
from pmo_analytics.forecasting.models.smoothing import Shape, smooth
from pmo_analytics.forecasting.models.theta import positive_series, theta

Model = Callable[[np.ndarray, int, int], np.ndarray]
DEFAULT = "combination"
NAIVE = ("naive", "seasonal_naive")


def smoothing(series: Series, horizon: int, season: int, *, shape: Shape) -> np.ndarray:
    """Exponential smoothing of one shape; a plainer one where it cannot be fitted."""
    return _by_rows(series, horizon, season, shape, _fits(series, season, shape))


def _fits(series: Series, season: int, shape: Shape) -> np.ndarray:
    """Return which series are long enough for a shape, and above 0 if it needs that."""
    fits = np.ones(len(series.y), dtype=bool)
    if shape.trend:
        fits &= series.length >= LEAST_TREND
    if shape.season:
        fits &= (series.length >= LEAST_SEASONS * season + 1) & (season > 1)
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


def ets(series: Series, horizon: int, season: int) -> np.ndarray:
    """Exponential smoothing of the shape with the best information criterion.

    Akaike's, corrected for short series, among added and multiplied errors, trends and
    seasons. Ones of a few values get simple smoothing.
    """
    result = smoothing(series, horizon, season, shape=Shape("", ""))
    long = series.length >= LEAST_TREND
    if long.any():
        told, criterion = told_by_members(series.rows(long), horizon, season)
        choice = [
            k
            for k, each in enumerate(MEMBERS)
            if not each.logs and each.shape.trend != "x"
        ]
        best = criterion[choice].argmin(axis=0)
        result[long] = told[choice][best, np.arange(len(best))]
    return result


def _named(function: Callable[[Series, int, int], np.ndarray]) -> Model:
    """Return a model of plain arrays."""

    def model(y: np.ndarray, horizon: int, season: int) -> np.ndarray:
        return _told(function, y, horizon, season)

    return model


def _told(
    function: Callable[[Series, int, int], np.ndarray],
    y: np.ndarray,
    horizon: int,
    season: int,
) -> np.ndarray:
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


def remembering(
    model: Model,
) -> Callable[[np.ndarray, int, int, Memory], np.ndarray] | None:
    """Return the model with a fourth parameter: numbers that it need not fit again.

    None of a model that has none: whatever it knows it learns anew.
    """
    if model is not MODELS[DEFAULT]:
        return None

    def told(y: np.ndarray, horizon: int, season: int, memory: Memory) -> np.ndarray:
        return _told(partial(combination, memory=memory), y, horizon, season)

    return told


MODELS: dict[str, Model] = {
    "naive": _named(naive),
    "seasonal_naive": _named(seasonal_naive),
    "drift": _named(drift),
    "ses": _named(partial(smoothing, shape=Shape("", ""))),
    "holt": _named(partial(smoothing, shape=Shape("a", ""))),
    "damped": _named(partial(smoothing, shape=Shape("d", ""))),
    "holt_winters": _named(partial(smoothing, shape=Shape("d", "m"))),
    "holt_winters_additive": _named(partial(smoothing, shape=Shape("d", "a"))),
    "ets": _named(ets),
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
