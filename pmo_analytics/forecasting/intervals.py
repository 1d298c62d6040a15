"""How wrong forecasts are: residuals of a rolling origin, and draws made of them.

Split-conformal in spirit (Vovk, Gammerman and Shafer, 2005): the spread of a forecast
is that of the errors which the same model made on the same series when it knew less.
Errors are made comparable by the typical error of their series and horizon and then
pooled, for one series has too few of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from pmo_analytics.forecasting.models import DEFAULT, Model, find_model

# Origins that residuals come from, and the fewest values before the first of them.
ORIGINS = 6
_LEAST_BEFORE = 4
# A series' own typical error counts as so many errors against that of all series.
_OWN = 6.0
# Errors of a series that has no backtest, as a share of its mean.
_UNKNOWN = 0.2
# Cross-correlation of roles, read from few values, is drawn halfway to none.
_SHRUNK = 0.5


@dataclass(frozen=True)
class Spread:
    """What errors to expect.

    Attributes
    ----------
    scale
        Shape (S, H): typical absolute error of each series and horizon.
    shape
        Sorted errors of all series, each divided by its scale.
    memory
        Correlation of the errors of one forecast from one period to the next.
    short
        Shape (S,): series without any backtest.
    """

    scale: np.ndarray
    shape: np.ndarray
    memory: float
    short: np.ndarray

    def quantile(self, share: np.ndarray | float) -> np.ndarray:
        """Return errors, in scales, that this share of errors is below."""
        count = len(self.shape)
        places = (np.arange(count) + 0.5) / count
        # As conformal prediction asks for: a little further out than the sample says.
        away = np.asarray(share, dtype=float)
        away = 0.5 + (away - 0.5) * (1.0 + 1.0 / count)
        return np.interp(away, places, self.shape)


def rolling_origin(
    y: np.ndarray, origins: list[int], horizon: int, season: int, model: Model
) -> tuple[np.ndarray, np.ndarray]:
    """Forecast from several origins at once.

    Parameters
    ----------
    y
        Shape (S, T), NaN where nothing is known.
    origins
        Columns at which the future begins, above 0.

    Returns
    -------
    tuple of ndarray
        Forecasts and actual values, shape (S, origins, horizon); actual values that are
        not known are NaN.
    """
    count, periods = y.shape
    past = np.full((len(origins), count, periods), np.nan)
    actual = np.full((count, len(origins), horizon), np.nan)
    for k, origin in enumerate(origins):
        past[k, :, periods - origin :] = y[:, :origin]
        known = y[:, origin : origin + horizon]
        actual[:, k, : known.shape[1]] = known
    told = model(past.reshape(-1, periods), horizon, season)
    return told.reshape(len(origins), count, horizon).transpose(1, 0, 2), actual


def spread_of(
    y: np.ndarray, horizon: int, season: int, model: Model, origins: int = ORIGINS
) -> Spread:
    """Return the errors to expect of a model, from its errors in the past."""
    count, periods = y.shape
    first = max(min(2 * season + 1, periods - 1), _LEAST_BEFORE)
    last = periods - 1
    at = sorted({int(o) for o in np.linspace(first, last, origins)} - {0})
    at = [o for o in at if _LEAST_BEFORE <= o <= last]
    if at:
        told, actual = rolling_origin(y, at, horizon, season, model)
        errors = actual - told
        before = np.array([np.isfinite(y[:, :o]).sum(axis=1) for o in at]).T
        errors[before < min(_LEAST_BEFORE, periods)] = np.nan
    else:
        errors = np.full((count, 1, horizon), np.nan)
    base = _base(y, season)
    relative = errors / base[:, None, None]
    growth = _growth(relative, horizon)
    with np.errstate(invalid="ignore"):
        standard = relative / growth
    known = np.isfinite(standard)
    number = known.sum(axis=(1, 2))
    own = np.where(known, np.abs(standard), 0.0).sum(axis=(1, 2)) / np.maximum(
        number, 1
    )
    # Errors of one origin go together: each origin counts as one and a bit.
    count_as = np.sqrt(np.maximum(number, 0) * np.maximum(known.any(axis=2).sum(1), 0))
    factor = (_OWN + count_as * own) / (_OWN + count_as)
    scale = base[:, None] * growth * factor[:, None]
    pool = (standard / factor[:, None, None])[known]
    if len(pool) < 2:
        pool = np.linspace(-2.5, 2.5, 51)
    return Spread(scale, np.sort(pool), _memory(standard), number == 0)


def _base(y: np.ndarray, season: int) -> np.ndarray:
    """Return the typical change of each series, from one period and one season ago."""
    moves = []
    for lag in {1, season}:
        if y.shape[1] > lag:
            apart = np.abs(y[:, lag:] - y[:, :-lag])
            known = np.isfinite(apart)
            total = np.where(known, apart, 0.0).sum(axis=1)
            moves.append(
                np.where(known.any(axis=1), total / known.sum(axis=1).clip(1), 0)
            )
    known = np.isfinite(y)
    mean = np.abs(np.where(known, y, 0.0)).sum(axis=1) / known.sum(axis=1).clip(1)
    if not moves:
        return np.maximum(_UNKNOWN * mean, 1e-9)
    base = np.mean(moves, axis=0)
    alone = known.sum(axis=1) < 2
    return np.maximum(np.where(alone, _UNKNOWN * mean, base), 1e-9)


def _growth(relative: np.ndarray, horizon: int) -> np.ndarray:
    """Return the typical error of each horizon: a line in the root of the horizon."""
    root = np.sqrt(np.arange(1, horizon + 1))
    known = np.isfinite(relative)
    number = known.sum(axis=(0, 1)).astype(float)
    if not number.any():
        return root
    mean = np.where(known, np.abs(relative), 0.0).sum(axis=(0, 1)) / np.maximum(
        number, 1
    )
    if (number > 0).sum() < 2:
        return np.asarray(mean[number > 0].mean() * root / root[number > 0].mean())
    centre = np.average(root, weights=number)
    slope = np.average(
        (root - centre) * (mean - np.average(mean, weights=number)), weights=number
    )
    slope = max(slope / np.average((root - centre) ** 2, weights=number), 0.0)
    level = np.average(mean, weights=number) - slope * centre
    return np.maximum(level + slope * root, 1e-6)


def _memory(standard: np.ndarray) -> float:
    now, then = standard[..., 1:], standard[..., :-1]
    both = np.isfinite(now) & np.isfinite(then)
    if both.sum() < 10:
        return 0.5
    power = (now[both] ** 2).sum() * (then[both] ** 2).sum()
    if power <= 0.0:
        return 0.5
    return float(np.clip((now[both] * then[both]).sum() / np.sqrt(power), 0.0, 0.98))


def _together(y: np.ndarray) -> np.ndarray:
    """Return how series move together, shape (S, S), drawn halfway to not at all."""
    count = len(y)
    moves = np.diff(y, axis=1)
    rows = moves[:, np.isfinite(moves).all(axis=0)]
    result = np.eye(count)
    if rows.shape[1] < 8:
        return result
    live = rows.std(axis=1) > 1e-12
    if live.sum() > 1:
        at = np.ix_(live, live)
        result[at] += _SHRUNK * (np.corrcoef(rows[live]) - np.eye(int(live.sum())))
    return result


def series_draws(
    y: np.ndarray,
    horizon: int,
    season: int,
    draws: int,
    rng: np.random.Generator,
    *,
    model: str | Model = DEFAULT,
    widen: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the future of many series.

    Parameters
    ----------
    y
        Shape (S, T), NaN where nothing is known.
    horizon
        Periods to draw.
    season
        Periods of a season.
    draws
        How many futures.
    rng
        Source of the draws.
    model
        Name or function; its forecast is the middle of the draws.
    widen
        Shape (S, horizon): errors times this; 1 = as the past says.

    Returns
    -------
    tuple of ndarray
        Futures, shape (draws, horizon, S), and which series had no backtest (S,).
        Series that were never below 0 stay at 0 or above; one without any value is NaN.
    """
    y = np.array(y, dtype=float, ndmin=2)
    used = find_model(model)
    middle = used(y, horizon, season)
    spread = spread_of(y, horizon, season, used)
    scale = spread.scale if widen is None else spread.scale * widen
    noise = rng.standard_normal((draws, horizon, len(y)))
    for h in range(1, horizon):
        keep = np.sqrt(1.0 - spread.memory**2)
        noise[:, h] = spread.memory * noise[:, h - 1] + keep * noise[:, h]
    values, vectors = np.linalg.eigh(_together(y))
    noise = noise @ (vectors * np.sqrt(np.maximum(values, 0.0))).T @ vectors.T
    result = middle.T + scale.T * spread.quantile(ndtr(noise))
    known = np.isfinite(y)
    positive = np.where(known, y, np.inf).min(axis=1) >= 0.0
    result = np.where(positive, np.maximum(result, 0.0), result)
    return result, spread.short
