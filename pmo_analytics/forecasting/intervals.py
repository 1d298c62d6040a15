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
# Origins lie in this last part of the history, or in the last two horizons.
_LATE = 0.3
# A series may have grown by this factor since; more is taken for a break.
_MOST_GROWN = 3.0
# Share of errors that intervals are widened for at each horizon, and the number of
# series that make a horizon's own errors count as much as those of all.
_NOMINAL, _FEW = 0.8, 30.0
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
    at = _origins(periods, horizon, season, origins)
    if at:
        told, actual = rolling_origin(y, at, horizon, season, model)
        errors = (actual - told) / _levels(y, at, season)[:, :, None]
        errors[_too_early(y, at, horizon, season)] = np.nan
    else:
        errors = np.full((count, 1, horizon), np.nan)
    base = _base(y, season)
    relative = errors / base[:, None, None]
    growth = _growth(relative, horizon)
    standard = relative / growth
    known = np.isfinite(standard)
    number = known.sum(axis=(1, 2))
    own = np.where(known, np.abs(standard), 0.0).sum(axis=(1, 2)) / np.maximum(
        number, 1
    )
    # Errors of one origin go together: each origin counts as one and a bit.
    count_as = np.sqrt(number * known.any(axis=2).sum(axis=1))
    factor = (_OWN + count_as * own) / (_OWN + count_as)
    pool = standard / factor[:, None, None]
    wider = _by_horizon(pool)
    growth = growth * wider
    pool = (pool / wider)[known]
    if len(pool) < 2:
        pool = np.linspace(-2.5, 2.5, 51)
    scale = base[:, None] * growth * factor[:, None]
    return Spread(scale, np.sort(pool), _memory(standard), number == 0)


def _origins(periods: int, horizon: int, season: int, most: int) -> list[int]:
    """Return the columns to forecast from again: late ones, for they are most alike.

    After two seasons and a value, or half of a short history; of a long one from the
    last part that two horizons fit in.
    """
    first = min(2 * season + 1, periods - min(horizon, periods // 2))
    first = max(first, periods - max(2 * horizon, round(_LATE * periods)))
    first, last = max(first, _LEAST_BEFORE), periods - 1
    if first > last:
        return []
    return sorted({int(o) for o in np.linspace(first, last, most)})


def _too_early(y: np.ndarray, at: list[int], horizon: int, season: int) -> np.ndarray:
    """Return origins (S, origins) before which a series has too few values."""
    known = np.isfinite(y)
    length = known.sum(axis=1)
    before = np.array([known[:, :o].sum(axis=1) for o in at]).T
    half = length - np.minimum(horizon, length // 2)
    least = np.minimum(2 * season + 1, np.maximum(half, _LEAST_BEFORE))
    return before < np.minimum(least, y.shape[1])[:, None]


def _levels(y: np.ndarray, at: list[int], season: int) -> np.ndarray:
    """Return how large each series was at each origin beside now, its root.

    What has grown fourfold errs more than it did, but seldom four times as much.
    """
    wide = max(season, _LEAST_BEFORE)
    size = np.where(np.isfinite(y), np.abs(y), 0.0)
    total = np.cumsum(np.pad(size, ((0, 0), (1, 0))), axis=1)
    number = np.cumsum(np.pad(np.isfinite(y), ((0, 0), (1, 0))), axis=1)
    ends = np.array([*at, y.shape[1]])
    begins = np.maximum(ends - wide, 0)
    mean = (total[:, ends] - total[:, begins]) / np.maximum(
        number[:, ends] - number[:, begins], 1
    )
    now = mean[:, -1:]
    share = np.where(now > 0, mean[:, :-1] / np.where(now > 0, now, 1.0), 1.0)
    share = np.where(share > 0, share, 1.0)
    return np.asarray(np.sqrt(np.clip(share, 1.0 / _MOST_GROWN, _MOST_GROWN)))


def _by_horizon(pool: np.ndarray) -> np.ndarray:
    """Return by how much the errors of each horizon lie wider than all of them.

    By the bounds that 80 % of the errors keep; near 1 where few series tell.
    """
    known = np.isfinite(pool)
    result = np.ones(pool.shape[2])
    if known.sum() < 2:
        return result
    whole = np.quantile(np.abs(pool[known]), _NOMINAL)
    for h in range(pool.shape[2]):
        here = np.abs(pool[:, :, h][known[:, :, h]])
        series = int(known[:, :, h].any(axis=1).sum())
        if series > 2 and whole > 0:
            share = max(float(np.quantile(here, _NOMINAL) / whole), 1e-3)
            result[h] = share ** (series / (series + _FEW))
    return result


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
