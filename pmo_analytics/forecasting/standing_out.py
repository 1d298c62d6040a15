"""What stands out of series, and where it lies: tests of many series at once.

The tests of Chen and Liu (Journal of the American Statistical Association 88(421),
1993) with exponential smoothing, ARIMA(0,1,1), as the noise: the errors of smoothing
are held against the trace that a shift, or a single outlier, would leave in them. What
stands out most is taken out, and the rest is looked at again. The typical error is
taken without the largest ones, as they propose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# How many typical errors large a shift has to be.
_LARGE = 2.5
# Values that have to lie before a shift, and from it on.
_LEAST_BEFORE, _LEAST_AFTER = 3, 2
# Values that have to lie on either side of a bend.
_LEAST_BESIDE = 3
# A trend that has ended is at most this share of what it was.
_ENDED = 0.25
# Rounds of looking again; single outliers take some of them.
_ROUNDS = 8
_ALPHAS = (0.1, 0.25, 0.5, 0.75, 1.0)
# Share of the largest errors that the typical one is taken without, and what makes up
# for them where errors are normal.
_TRIMMED, _MAKES_UP = 0.1, 1.27


@dataclass(frozen=True)
class Found:
    """What stands out of series.

    Attributes
    ----------
    shifts, singles
        (row, column, size) of each.
    calm
        Shape (S, T): the series without shifts, as on the level of now.
    """

    shifts: list[tuple[int, int, float]]
    singles: list[tuple[int, int, float]]
    calm: np.ndarray


def scan(y: np.ndarray, first: np.ndarray, critical: float) -> Found:
    """Find what stands out by so many standard errors, one thing after the other.

    Parameters
    ----------
    y, first
        As in `series.Series`.
    """
    rest, calm = y.copy(), y.copy()
    shifts: list[tuple[int, int, float]] = []
    singles: list[tuple[int, int, float]] = []
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
        for row, column, much, lasts in zip(live, at, size, lasting, strict=True):
            kind = shifts if lasts else singles
            kind.append((int(row), int(column), float(much)))
    return Found(shifts, singles, calm)


def ended_trends(
    y: np.ndarray, first: np.ndarray, critical: float
) -> list[tuple[int, int, float]]:
    """Return (row, column, size) of trends that have ended.

    A change of the slope leaves the sums of the trace of a shift in the errors of
    smoothing, a slope from the beginning on leaves a constant: both are fitted
    together, for every column. A trend counts that was there before, by so many
    standard errors, and of which hardly anything is left.

    Returns
    -------
    list of tuple
        Column of the last value of the trend; size: the change of the slope.
    """
    alphas = np.array(_ALPHAS)
    errors = _raw_errors(y, first, alphas)
    periods = y.shape[1]
    alpha, keep = alphas[:, None], 1.0 - alphas[:, None]
    number = np.maximum(periods - 1 - first, 1)
    # The trace of a bend at c is (1 - keep^(t - c)) / alpha from c + 1 on.
    lags = np.arange(periods)
    trace = (1.0 - keep**lags) / alpha
    total, power = (
        np.cumsum(part, axis=1)[:, ::-1][:, None] for part in (trace, trace**2)
    )
    ends = np.cumsum(errors[:, :, ::-1], axis=2)[:, :, ::-1]
    both = (ends - _discounted(errors, keep)) / alpha[:, :, None]
    mean = errors.sum(axis=2, keepdims=True) / number[:, None]
    free = power - total**2 / number[:, None]
    steps = np.arange(periods)
    inside = (steps >= first[:, None] + _LEAST_BESIDE) & (
        steps < periods - _LEAST_BESIDE
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        size = (both - mean * total) / free
        around = (errors**2).sum(axis=2, keepdims=True) - number[:, None] * mean**2
        left = np.maximum(around - size**2 * free, 0.0)
        typical = np.sqrt(left / np.maximum(number - 3, 1)[:, None])
        typical = np.maximum(typical, 1e-6 * np.abs(y).max(axis=1)[:, None])
        before = alpha[:, :, None] * (mean - size * total / number[:, None])
        strength = np.abs(size) * np.sqrt(free) / typical
        # The slope before, of as many errors as there are up to the bend.
        sure = np.abs(before) * np.sqrt(np.maximum(steps - first[:, None], 0))
        sure = sure / (alpha[:, :, None] * typical)
        gone = np.abs(before + size) < _ENDED * np.abs(before)
    good = inside & gone & (strength > critical) & (sure > critical)
    # Of all weights the one that errs least, and of its columns the best.
    wrong = np.where(inside, left, np.inf)
    at = wrong.argmin(axis=2)
    weight = np.take_along_axis(wrong, at[..., None], 2)[..., 0].argmin(axis=0)
    rows = np.arange(len(y))
    column = at[weight, rows]
    return [
        (row, int(column[row]), float(size[weight[row], row, column[row]]))
        for row in np.flatnonzero(good[weight, rows, column]).tolist()
    ]


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
    after = _discounted(errors, keep)
    behind = np.pad(after[:, :, 1:], ((0, 0), (0, 0), (0, 1)))
    steps = np.arange(periods)
    powers = keep**steps
    weight = np.pad(np.cumsum(powers**2, axis=1)[:, ::-1], ((0, 0), (0, 1)))
    begun = first[:, None]
    room = (steps >= begun + _LEAST_BEFORE) & (steps <= periods - _LEAST_AFTER)
    parts = []
    for told, power, allowed in (
        (after, weight[:, None, :-1], room),
        (
            errors - alpha[:, :, None] * behind,
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


def _discounted(errors: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Return for each column the sum from it on, later ones weighed 1, keep, ..."""
    along = np.ascontiguousarray(errors.transpose(2, 0, 1))
    for t in range(len(along) - 2, -1, -1):
        along[t] += keep * along[t + 1]
    return np.ascontiguousarray(along.transpose(1, 2, 0))


def _raw_errors(y: np.ndarray, first: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Return the errors of smoothing, shape (weights, S, T)."""
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
    return np.ascontiguousarray(errors.transpose(1, 2, 0))


def _errors(y: np.ndarray, first: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Return the errors of smoothing less their median, shape (weights, S, T)."""
    count, periods = y.shape
    by_series = _raw_errors(y, first, alphas)
    inside = np.arange(periods) > first[:, None]
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
