"""Level shifts: where a series has moved for good, and the series without them.

The tests of Chen and Liu (Journal of the American Statistical Association 88(421),
1993) with exponential smoothing, ARIMA(0,1,1), as the noise: the errors of smoothing
are held against the trace that a shift, or a single outlier, would leave in them. What
stands out most is taken out, and the rest is looked at again. The typical error is
taken without the largest ones, as they propose. A series whose level moves more often
than once in twelve values has the habit of it: nothing is taken out there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pmo_analytics.forecasting.intermittent import intermittent
from pmo_analytics.forecasting.series import (
    Series,
    has_season,
    read_series,
    seasonal_indices,
)
from pmo_analytics.forecasting.theta import positive_series

# How many standard errors a shift has to be away from none, to be one and to be kept
# away from the season, and how many typical errors large. Chen and Liu take 3 for
# series as short as these; with 5, what is taken out made the forecasts of all kinds
# of series of the M3 competition better.
_CRITICAL, _DOUBTFUL, _LARGE = 5.0, 3.0, 2.5
# Values that have to lie on either side of a shift.
_LEAST_BESIDE = 3
# Values from which shifts are looked for, and values for each shift.
_LEAST_VALUES, _VALUES_EACH = 8, 12
# Shifts smaller than this share of the largest one of their series are not counted.
_BESIDE_LARGEST = 0.25
# Rounds of looking again; single outliers take some of them.
_ROUNDS = 8
_ALPHAS = (0.1, 0.25, 0.5, 0.75, 1.0)
# Share of the largest errors that the typical one is taken without, and what makes up
# for them where errors are normal.
_TRIMMED, _MAKES_UP = 0.1, 1.27


@dataclass(frozen=True)
class Shift:
    """A series that has moved for good.

    Attributes
    ----------
    row, column
        Which series, and the first value on the new level.
    size
        By how much.
    """

    row: int
    column: int
    size: float


@dataclass(frozen=True)
class Steady:
    """Series as if they had always been on the level they are on now.

    Attributes
    ----------
    y
        Shape (S, T); gaps stay gaps.
    since
        Shape (S,): column from which each series is on its level; 0 without a shift.
    shifts
        What was taken out, by series and time.
    """

    y: np.ndarray
    since: np.ndarray
    shifts: tuple[Shift, ...]


def steady(y: np.ndarray, season: int) -> Steady:
    """Take the level shifts out of many series.

    Values before a rise are raised by it; those before a fall are made smaller in
    proportion where they are not negative. So the past is neither wilder than it was
    nor below 0. Intermittent series stay as they are.

    Parameters
    ----------
    y
        Shape (S, T), NaN where nothing is known.
    season
        Periods of a season.
    """
    y = np.array(y, dtype=float, ndmin=2)
    known = np.isfinite(y)
    since = np.zeros(len(y), dtype=np.int64)
    if not y.size or not known.any():
        return Steady(y, since, ())
    series = read_series(y)
    long = (series.length >= _LEAST_VALUES) & ~intermittent(series)
    rows = np.flatnonzero(long)
    if not len(rows):
        return Steady(y, since, ())
    part = series.rows(long)
    found = [
        Shift(int(series.order[rows[k]]), column, size)
        for k, column, size in _found(part, season)
    ]
    found.sort(key=lambda shift: (shift.row, shift.column))
    positive = np.where(known, y, np.inf).min(axis=1) >= 0.0
    for shift in found:
        before = y[shift.row, : shift.column]
        end = [
            s.column for s in found if s.row == shift.row and s.column > shift.column
        ]
        after = np.nanmean(y[shift.row, shift.column : min(end, default=y.shape[1])])
        if shift.size < 0.0 and positive[shift.row]:
            before *= max(after, 0.0) / max(after - shift.size, 1e-12)
        else:
            before += shift.size
        since[shift.row] = shift.column
    return Steady(y, since, tuple(found))


def _found(series: Series, season: int) -> list[tuple[int, int, float]]:
    """Return (row, column, size) of every shift.

    Where all values are above 0 their logarithms have to tell of it too: what grows
    swings more and more, and that alone is no shift.
    """
    found = _shifts_of(series, season, _CRITICAL)
    positive = positive_series(series)
    doubtful = np.unique([row for row, *_ in found if positive[row]]).astype(np.int64)
    if not len(doubtful):
        return found
    which = np.isin(np.arange(len(series.y)), doubtful)
    part = series.rows(which)
    inside = np.arange(part.y.shape[1]) >= part.first[:, None]
    logs = np.log(np.where(inside, part.y, 1.0))
    in_logs = Series(logs, part.first, part.order)
    told = {
        (int(doubtful[row]), column + away)
        for row, column, _ in _shifts_of(in_logs, season, _CRITICAL)
        for away in (-1, 0, 1)
    }
    return [s for s in found if not positive[s[0]] or (s[0], s[1]) in told]


def _shifts_of(
    series: Series, season: int, critical: float
) -> list[tuple[int, int, float]]:
    """Return (row, column, size) of what the series itself tells of shifts.

    Its season is taken off first, as it is without whatever may be a shift: a step
    hides a season.
    """
    _, calm = _scan(series.y, series.first, _DOUBTFUL)
    calm = np.where(has_season(series, season)[:, None], series.y, calm)
    freed = Series(calm, series.first, series.order)
    plain = series.y.copy()
    seasonal = has_season(freed, season)
    if seasonal.any():
        pattern = seasonal_indices(freed, season, ratio=False, shrink=True)
        pattern[~seasonal] = 0.0
        plain -= pattern[:, np.arange(plain.shape[1]) % season]
    result, calm = _scan(plain, series.first, critical)
    largest = np.zeros(len(plain))
    for row, _, size in result:
        largest[row] = max(largest[row], abs(size))
    result = [s for s in result if abs(s[2]) >= _BESIDE_LARGEST * largest[s[0]]]
    rows = [row for row, *_ in result]
    most = 1 + series.length // _VALUES_EACH
    number = np.bincount(rows, minlength=len(plain))
    # The last value has to bear it out: what has gone back is no shift.
    sizes = [size for *_, size in result]
    total = np.bincount(rows, weights=sizes, minlength=len(plain))
    usual = np.median(calm[:, -_LEAST_BESIDE:], axis=1)
    apart = plain[:, -1] - usual
    borne = np.abs(apart) <= np.abs(apart + total)
    good = (number <= most) & borne & ~_repeated(result, season, len(plain))
    return [shift for shift in result if good[shift[0]]]


def _scan(
    y: np.ndarray, first: np.ndarray, critical: float
) -> tuple[list[tuple[int, int, float]], np.ndarray]:
    """Return the shifts of series, one after the other, and the series without them.

    Both as on the level of now.
    """
    rest, calm = y.copy(), y.copy()
    result: list[tuple[int, int, float]] = []
    live = np.arange(len(y))
    least = 1e-6 * np.maximum(np.abs(y).max(axis=1), 1e-12)
    columns = np.arange(y.shape[1])
    for _ in range(_ROUNDS):
        if not len(live):
            break
        at, size, lasting, clear = _standing_out(
            rest[live], first[live], least[live], critical
        )
        live, at, size, lasting = live[clear], at[clear], size[clear], lasting[clear]
        trace = np.where(
            lasting[:, None], columns >= at[:, None], columns == at[:, None]
        )
        rest[live] -= np.where(trace, size[:, None], 0.0)
        before = lasting[:, None] & (columns < at[:, None])
        calm[live] += np.where(before, size[:, None], 0.0)
        result += [
            (int(row), int(column), float(much))
            for row, column, much, lasts in zip(live, at, size, lasting, strict=True)
            if lasts
        ]
    return result, calm


def _repeated(
    shifts: list[tuple[int, int, float]], season: int, count: int
) -> np.ndarray:
    """Return which series move back and then alike a season later: that is no shift."""
    result = np.zeros(count, dtype=bool)
    by_row: dict[int, list[tuple[int, float]]] = {}
    for row, column, size in shifts:
        by_row.setdefault(row, []).append((column, size))
    for row, own in by_row.items():
        result[row] = season > 1 and any(
            abs(later - earlier - season) <= 1
            and more * less > 0.0
            and any(
                earlier < between < later and back * more < 0.0 for between, back in own
            )
            for earlier, less in own
            for later, more in own
        )
    return result


def _standing_out(
    y: np.ndarray, first: np.ndarray, smallest: np.ndarray, critical: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return what stands out most of each series.

    Every weight of smoothing is tried; the one that leaves the smallest errors when
    what stands out is taken out tells.

    Returns
    -------
    tuple
        Column, size, whether it lasts (else a single outlier), and whether it is clear
        enough to be one; each of shape (S,).
    """
    alphas = np.array(_ALPHAS)
    errors = _errors(y, first, alphas)
    found = _largest(errors, first, alphas)
    typical = np.maximum(_typical(errors - found.trace, first), smallest)
    best = typical.argmin(axis=0), np.arange(len(y))
    at, size, lasts = found.at[best], found.size[best], found.lasts[best]
    sure = found.strength[best] / typical[best] > critical
    large = ~lasts | (np.abs(size) > _LARGE * typical[best])
    return at, size, lasts, sure & large


@dataclass(frozen=True)
class _Largest:
    """What stands out most with each weight of smoothing, shape (weights, S).

    Column, size, whether it lasts, and its trace in the errors, with T at the end.
    `strength` divided by the typical error is the test of Chen and Liu.
    """

    at: np.ndarray
    size: np.ndarray
    lasts: np.ndarray
    strength: np.ndarray
    trace: np.ndarray


def _largest(errors: np.ndarray, first: np.ndarray, alphas: np.ndarray) -> _Largest:
    """Find it in errors (weights, S, T).

    A shift leaves 1, keep, keep^2, ... in the errors, a single outlier 1, -alpha,
    -alpha keep, ...: sums over what follows each column, from the end backwards.
    """
    periods = errors.shape[2]
    alpha, keep = alphas[:, None], 1.0 - alphas[:, None]
    sums = np.zeros((periods + 1, *errors.shape[:2]))
    along = np.ascontiguousarray(errors.transpose(2, 0, 1))
    for t in range(periods - 1, -1, -1):
        np.multiply(keep, sums[t + 1], out=sums[t])
        np.add(sums[t], along[t], out=sums[t])
    after = np.ascontiguousarray(sums.transpose(1, 2, 0))
    steps = np.arange(periods)
    powers = keep**steps
    weight = np.pad(np.cumsum(powers**2, axis=1)[:, ::-1], ((0, 0), (0, 1)))
    begun = first[:, None]
    room = (steps >= begun + _LEAST_BESIDE) & (steps <= periods - _LEAST_BESIDE)
    parts = []
    for told, power, allowed in (
        (after[:, :, :-1], weight[:, None, :-1], room),
        (
            errors - alpha[:, :, None] * after[:, :, 1:],
            1.0 + (alpha**2 * weight[:, 1:])[:, None],
            steps >= begun,
        ),
    ):
        strength = np.where(allowed, np.abs(told) / np.sqrt(power), -1.0)
        at = strength.argmax(axis=2)[:, :, None]
        parts.append(
            (at, *(np.take_along_axis(x, at, 2) for x in (told / power, strength)))
        )
    lasts = parts[0][2] >= parts[1][2]
    at, size, strength = (np.where(lasts, parts[0][k], parts[1][k]) for k in range(3))
    # Traces by how far a column lies behind what stands out; nothing before it.
    nothing = np.zeros((len(alphas), periods))
    single = np.hstack([nothing, np.ones_like(alpha), -alpha * powers[:, :-1]])
    tables = np.array([single, np.hstack([nothing, powers])])
    of = np.arange(len(alphas))[:, None, None]
    trace = size * tables[lasts.astype(np.int64), of, steps - at + periods]
    return _Largest(at[..., 0], size[..., 0], lasts[..., 0], strength[..., 0], trace)


def _errors(y: np.ndarray, first: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Return the errors of smoothing less their median, shape (weights, S, T)."""
    count, periods = y.shape
    inside = np.arange(periods) > first[:, None]
    begin = y[np.arange(count), first]
    # Before it begins a series lies on its first value: no error.
    values = np.ascontiguousarray(np.where(inside, y, begin[:, None]).T)
    alpha = alphas[:, None]
    level = np.repeat(begin[None], len(alphas), axis=0)
    errors = np.zeros((periods, len(alphas), count))
    step = np.empty_like(level)
    for t in range(1, periods):
        np.subtract(values[t], level, out=errors[t])
        np.multiply(alpha, errors[t], out=step)
        np.add(level, step, out=level)
    by_series = np.ascontiguousarray(errors.transpose(1, 2, 0))
    # The median of what lies inside: what lies outside is sorted to the end.
    order = np.sort(np.where(inside, by_series, np.inf), axis=2)
    number = np.maximum(periods - 1 - first, 1)
    rows = np.arange(count)
    middle = order[:, rows, (number - 1) // 2] + order[:, rows, number // 2]
    return np.where(inside, by_series - middle[:, :, None] / 2.0, 0.0)


def _typical(errors: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the typical error of each series, without the largest ones."""
    count, periods = errors.shape[1:]
    number = periods - 1 - first
    size = np.sort(np.abs(errors), axis=2)
    drop = np.maximum(np.ceil(_TRIMMED * number), 1.0).astype(np.int64)
    squares = np.cumsum(size**2, axis=2)[:, np.arange(count), periods - 1 - drop]
    return np.asarray(_MAKES_UP * np.sqrt(squares / np.maximum(number - drop, 1)))
