"""How wrong forecasts are: residuals of a rolling origin, and draws made of them.

Split-conformal with absolute errors (Vovk, Gammerman and Shafer, 2005; Lei and others,
Journal of the American Statistical Association 113(523), 2018): the spread of a
forecast is that of the errors which the same model made on the same series when it knew
less, to either side alike, so that the middle of the draws is the model's forecast.
Errors are made comparable by the typical error of their series and horizon and then
pooled, for one series has too few of its own; where all of them are few they lean on
the shape of normal errors.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from pmo_analytics.forecasting.breaks import Steady
from pmo_analytics.forecasting.models.intermittent import intermittent
from pmo_analytics.forecasting.models.registry import DEFAULT, Model, find_model
from pmo_analytics.forecasting.models.rolling import Remembered, walked_on
from pmo_analytics.forecasting.models.series import read_series

# Origins that residuals come from, and the fewest values before the first of them.
ORIGINS = 7
_LEAST_BEFORE = 4
# Origins lie in this last part of the history, or in the last two horizons.
_LATE = 0.3
# A series may have grown by this factor since; more is taken for a break.
_MOST_GROWN = 1.5
# Share of errors that intervals are widened for at each horizon, and the number of
# series that make a horizon's own errors count as much as those of all.
_NOMINAL, _FEW = 0.8, 30.0
# A series' own typical error counts as so many errors against that of all series.
_OWN = 8.0
# Typical change of a series of which one value is known, as a share of that; of one of
# fewer than so many values, and how many of its own moves that counts as.
_UNKNOWN = 0.2
_SHORT, _SHORT_UNKNOWN, _SHORT_MOVES = 12, 0.1, 3.0
# How much wider intervals have to be than the errors of the past, for histories of so
# many seasons: far ahead, short ones tell little of it, so theirs widen more from
# period to period too; in long ones what was fitted at the first origin has grown old.
# Learnt on the last 30 and 60 and on all values of the monthly series of the M1 and M3
# competitions.
_SEASONS, _WIDER, _WIDENING = (2.5, 5.0, 9.5), (1.07, 1.0, 0.97), (0.15, 0.05, 0.0)
# Few values of a calm series tell too little of how wrong forecasts get, those of a
# restless one too much: intervals are wider by this power of how much calmer it is than
# usual, as values lie apart in shares of their mean; less so from the first number of
# seasons on, no more from the second.
_CALMER, _USUAL_APART, _APART = 0.145, 0.09, (0.02, 0.5)
_CALM_SEASONS = 2.5, 4.0
# Errors of normal shape that count beside those of the past.
_NORMAL = 20
# Typical errors that draws may lie outside of all values and of the forecast.
_REACH = 3.0
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
        Sorted absolute errors of all series, each divided by its scale.
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
        """Return errors, in scales, that this share of errors is below; 0 at 0.5."""
        # As conformal prediction asks for: a little further out than the sample says.
        away = 2.0 * np.asarray(share, dtype=float) - 1.0
        # On a line between neighbours. They lie evenly: no search for them is needed.
        place = np.abs(away) * (len(self.shape) + 1)
        before = np.minimum(place.astype(np.int64), len(self.shape))
        known = np.concatenate([[0.0], self.shape, self.shape[-1:]])
        size = known[before] + (place - before) * (known[before + 1] - known[before])
        return np.asarray(np.copysign(size, away))


def past_errors(
    y: np.ndarray,
    horizon: int,
    season: int,
    model: Model,
    origins: int = ORIGINS,
    *,
    since: np.ndarray | None = None,
    remembered: Remembered | None = None,
) -> np.ndarray:
    """Return how wrong a model was when it knew less, shape (S, origins, horizon).

    Actual values minus forecasts; NaN where nothing is known, before a series has
    enough values, and at values from before `since` (see `spread_of`).
    """
    count, periods = y.shape
    at = _origins(periods, horizon, season, origins)
    if not at:
        return np.full((count, 1, horizon), np.nan)
    told, actual = walked_on(y, at, horizon, season, model, remembered)
    errors = actual - told
    errors[_too_early(y, at, horizon, season)] = np.nan
    if since is not None:
        column = np.array(at)[:, None] + np.arange(horizon)
        errors[column < since[:, None, None]] = np.nan
    return errors


def spread_of(
    y: np.ndarray,
    horizon: int,
    season: int,
    model: Model,
    origins: int = ORIGINS,
    *,
    since: np.ndarray | None = None,
    errors: np.ndarray | None = None,
    remembered: Remembered | None = None,
) -> Spread:
    """Return the errors to expect of a model, from its errors in the past.

    Parameters
    ----------
    since
        Shape (S,): column from which each series is on its level; errors at values
        before do not count.
    errors
        Of `past_errors`, where they are known already.
    """
    if errors is None:
        errors = past_errors(
            y, horizon, season, model, origins, since=since, remembered=remembered
        )
    at = _origins(y.shape[1], horizon, season, origins)
    if at:
        errors = errors / _levels(y, at, season)[:, :, None]
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
    scale = base[:, None] * growth * factor[:, None] * _more(y, horizon, season)
    shape = np.sort(np.append(np.abs(pool / wider)[known], _NORMAL_SHAPE))
    return Spread(scale, shape, _memory(standard), number == 0)


def _more(y: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """Return how much wider than past errors intervals have to be, shape (S, H)."""
    long = np.log(np.maximum(np.isfinite(y).sum(axis=1) / season, 1e-9))
    wider, widening = (
        np.interp(long, np.log(_SEASONS), numbers) for numbers in (_WIDER, _WIDENING)
    )
    calmer = np.interp(long, np.log(_CALM_SEASONS), (_CALMER, 0.0))
    root = np.sqrt(np.arange(1, horizon + 1))
    wider = wider * (_USUAL_APART / np.clip(_apart(y), *_APART)) ** calmer
    return np.asarray(wider[:, None] * (root / root.mean()) ** widening[:, None])


def _apart(y: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each series as a share of its mean, (S,)."""
    known = np.isfinite(y)
    number = known.sum(axis=1).clip(1)
    mean = np.where(known, y, 0.0).sum(axis=1) / number
    squares = np.where(known, y - mean[:, None], 0.0) ** 2
    size = np.maximum(np.abs(mean), 1e-300)
    return np.asarray(np.sqrt(squares.sum(axis=1) / number) / size)


# Absolute values of normal errors whose mean is 1.
_NORMAL_SHAPE = ndtri(0.5 + (np.arange(_NORMAL) + 0.5) / _NORMAL / 2.0) * np.sqrt(
    np.pi / 2
)


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
    number = known.sum(axis=1)
    if not moves:
        return np.maximum(_UNKNOWN * mean, 1e-9)
    base = np.mean(moves, axis=0)
    # A few values tell too little of how a series moves.
    weight = _SHORT_MOVES * np.maximum(1.0 - number / _SHORT, 0.0)
    base = (number * base + weight * _SHORT_UNKNOWN * mean) / (number + weight).clip(1)
    return np.maximum(np.where(number < 2, _UNKNOWN * mean, base), 1e-9)


def _growth(relative: np.ndarray, horizon: int) -> np.ndarray:
    """Return the typical error of each horizon: a line in the root of the horizon.

    Errors grow at most as the horizon does: a line through few of them may say more.
    """
    root = np.sqrt(np.arange(1, horizon + 1))
    known = np.isfinite(relative)
    number = known.sum(axis=(0, 1)).astype(float)
    if not number.any():
        return root
    mean = np.where(known, np.abs(relative), 0.0).sum(axis=(0, 1)) / np.maximum(
        number, 1
    )
    if (number > 0).sum() < 2:
        one = max(float(mean[number > 0].mean()), 1e-6)
        return np.asarray(one * root / root[number > 0].mean())
    centre = np.average(root, weights=number)
    slope = np.average(
        (root - centre) * (mean - np.average(mean, weights=number)), weights=number
    )
    slope = max(slope / np.average((root - centre) ** 2, weights=number), 0.0)
    level = np.average(mean, weights=number) - slope * centre
    line = np.maximum(level + slope * root, 1e-6)
    return np.maximum(line, line[-1] * root**2 / horizon)


def _memory(standard: np.ndarray) -> float:
    now, then = standard[..., 1:], standard[..., :-1]
    both = np.isfinite(now) & np.isfinite(then)
    if both.sum() < 10:
        return 0.5
    power = (now[both] ** 2).sum() * (then[both] ** 2).sum()
    if power <= 0.0:
        return 0.5
    return float(np.clip((now[both] * then[both]).sum() / np.sqrt(power), 0.0, 0.98))


def _bounds(
    y: np.ndarray, middle: np.ndarray, scale: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the most that a history can support, shape (S, H).

    Beyond the forecast and beyond all values by as much as the values lie apart, or by
    three typical errors one period ahead; an intermittent series does not leave its
    values. What was never below 0 stays there.
    """
    known = np.isfinite(y)
    low = np.where(known, y, np.inf).min(axis=1)
    high = np.where(known, y, -np.inf).max(axis=1)
    reach = np.maximum(high - low, _REACH * scale[:, 0])
    reach = np.where(intermittent(read_series(y)), 0.0, reach)[:, None]
    least = np.minimum(middle, low[:, None]) - reach
    least = np.where((low >= 0.0)[:, None], np.maximum(least, 0.0), least)
    return least, np.maximum(middle, high[:, None]) + reach


def interval(
    past: Steady,
    told: np.ndarray,
    horizon: int,
    season: int,
    model: Model,
    remembered: Remembered | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return p10 and p90 of forecasts, as `series_draws` would have them."""
    spread = spread_of(
        past.y, horizon, season, model, since=past.since, remembered=remembered
    )
    scale, least, most = _room(past, told, spread)
    low, high = (
        np.clip(told + scale * float(spread.quantile(share)), least, most)
        for share in (0.1, 0.9)
    )
    return low, high


def _room(
    past: Steady, told: np.ndarray, spread: Spread
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scale, least and most of forecasts, shape (S, H), with their `reach`."""
    reach = past.reach[:, None]
    # A model that was never wrong has errors of 0.
    outer = max(float(spread.quantile(0.9)), 1e-9)
    scale = np.maximum(spread.scale, reach / outer)
    least, most = _bounds(past.y, told, spread.scale)
    lowest = np.where(least >= 0.0, np.maximum(told - reach, 0.0), told - reach)
    return scale, np.minimum(least, lowest), np.maximum(most, told + reach)


def _noise(
    y: np.ndarray, half: int, horizon: int, memory: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw standard normal errors, shape (half, horizon, S).

    With memory from one period to the next, and as series moved together in the past,
    drawn halfway to not at all.
    """
    moves = np.diff(y, axis=1)
    rows = moves[:, np.isfinite(moves).all(axis=0)]
    live = rows.std(axis=1) > 1e-12 if rows.shape[1] >= 8 else np.zeros(len(y), bool)
    result = rng.standard_normal((half, horizon, len(y)), dtype=np.float32)
    if live.sum() > 1:
        # What correlates as the moves do: the moves themselves, each times a number.
        apart = rows[live] - rows[live].mean(axis=1, keepdims=True)
        apart /= np.sqrt((apart**2).sum(axis=1, keepdims=True))
        shared = rng.standard_normal((half * horizon, apart.shape[1]), dtype=np.float32)
        common = (shared @ apart.T.astype(np.float32)).reshape(half, horizon, -1)
        own = np.sqrt(1.0 - _SHRUNK)
        result[:, :, live] = own * result[:, :, live] + np.sqrt(_SHRUNK) * common
    for h in range(1, horizon):
        keep = np.sqrt(1.0 - memory**2)
        result[:, h] = memory * result[:, h - 1] + keep * result[:, h]
    return result


def series_draws(
    past: Steady,
    horizon: int,
    season: int,
    draws: int,
    rng: np.random.Generator,
    *,
    model: str | Model = DEFAULT,
    errors: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the future of many series.

    Parameters
    ----------
    past
        Of `breaks.steady`.
    horizon
        Periods to draw.
    season
        Periods of a season.
    draws
        How many futures.
    rng
        Source of the draws.
    model
        Name or function; its forecast is the median of the draws.
    errors
        Of `past_errors`, where they are known already.

    Returns
    -------
    tuple of ndarray
        Futures, shape (draws, horizon, S), and which series had no backtest (S,).
        They stay within what the history can support (`_bounds`): series that were
        never below 0 at 0 or above, intermittent ones within their values. One without
        any value is NaN.
    """
    y, used = past.y, find_model(model)
    middle = used(y, horizon, season)
    spread = spread_of(y, horizon, season, used, since=past.since, errors=errors)
    scale, least, most = _room(past, middle, spread)
    half = draws // 2
    noise = _noise(y, half, horizon, spread.memory, rng)
    result = np.empty((draws, horizon, len(y)), dtype=np.float32)

    def draw(h: int) -> None:
        # Each draw has one that errs as much to the other side (Hammersley and Morton,
        # 1956), an odd one out errs by 0: the middle of the draws is the forecast.
        away = scale[:, h] * spread.quantile(ndtr(noise[:, h].astype(float)))
        for rows, apart in (
            (slice(half), away),
            (slice(half, draws - half), 0.0),
            (slice(draws - half, None), -away[::-1]),
        ):
            told = middle[:, h] + apart
            result[rows, h] = np.clip(told, least[:, h], most[:, h])

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(draw, range(horizon)))
    return result, spread.short
