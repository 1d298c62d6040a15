"""Breaks: level shifts, ended trends and outliers, and series as if without them.

What stands out is found by the tests of `forecasting.standing_out`. A series whose
level moves more often than once in twelve values has the habit of it: nothing is taken
out there. The same holds for outliers, once in two years. What the last value alone
tells is between the two, and is believed the less the larger it is beside the level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pmo_analytics.forecasting.models.intermittent import intermittent
from pmo_analytics.forecasting.models.series import (
    Series,
    has_season,
    read_series,
    seasonal_indices,
)
from pmo_analytics.forecasting.models.theta import positive_series
from pmo_analytics.forecasting.standing_out import ended_trends, scan

# How many standard errors a break has to be away from none, to be one and to be kept
# away from the season. Chen and Liu take 3 for series as short as these; with 5, what
# is taken out made the forecasts of all kinds of series of the M3 competition better,
# and on average those of M1, which nothing was chosen by. Trends end less often than it
# seems: of those found with 5 the forecasts of neither got better.
_CRITICAL, _DOUBTFUL, _CRITICAL_TREND = 5.0, 3.0, 8.0
# Values from which breaks are looked for, for each shift, and for each outlier.
_LEAST_VALUES, _VALUES_EACH, _VALUES_OUTLIER = 8, 12, 24
# What is smaller than this share of the largest of its series is not counted.
_BESIDE_LARGEST = 0.25
# Values at the end that a shift has to be borne out by.
_LAST = 3
# What stays of a step that only the last value tells of: this, less so much for each
# time that it is as large as the level was. Of such steps in the M1 and M3 competitions
# all of it stayed up to a fifth, half of it up to the level itself, and hardly anything
# of larger ones; both sets agree.
_STAYS, _LESS = 1.1, 0.8
# Values on either side that the size of what an analyst names is read from: of a
# shift, and of an outlier.
_NEAR, _NEXT = 12, 3
# What an analyst may say of a value.
EVENTS = ("shift", "outlier", "usual")
# An analyst's shift stands for one found so near to it.
_SAME = 2


@dataclass(frozen=True)
class Break:
    """Something that the past is forecast without.

    Attributes
    ----------
    row, column
        Which series, and where: the first value on the new level, the last one of a
        trend, the outlier.
    size
        By how much it moves; of a trend, the change of its slope.
    kind
        `shift`, `trend` (one that has ended), `outlier`, or `last`: the last value
        alone stands out, and may be either.
    stays
        The share of it that is forecast to last: 1 of a shift, 0 of an outlier.
    """

    row: int
    column: int
    size: float
    kind: str
    stays: float = 1.0


@dataclass(frozen=True)
class Steady:
    """Series as if they had always been as they are now.

    Attributes
    ----------
    y
        Shape (S, T); gaps stay gaps.
    since
        Shape (S,): column from which each series is on its level; 0 without a shift.
    breaks
        What was taken out, by series and time.
    reach
        Shape (S,): how far from its forecast a series may well be, whatever its errors
        say: as far as a step goes that only the last value tells of, or once its level.
    """

    y: np.ndarray
    since: np.ndarray
    breaks: tuple[Break, ...]
    reach: np.ndarray

    def rows(self, which: np.ndarray) -> Steady:
        """Return some of the series, by their numbers; of their breaks no list."""
        return Steady(self.y[which], self.since[which], (), self.reach[which])


def steady(
    y: np.ndarray,
    season: int,
    *,
    said: Sequence[tuple[int, int, str]] = (),
    find: bool = True,
) -> Steady:
    """Take the breaks out of many series.

    Values before a rise are raised by it; those before a fall are made smaller in
    proportion where they are not negative. So the past is neither wilder than it was
    nor below 0. Intermittent series stay as they are.

    Parameters
    ----------
    y
        Shape (S, T), NaN where nothing is known.
    season
        Periods of a season.
    said
        Row, column and event (of `EVENTS`) of what somebody knows better: it holds
        whatever the tests say.
    find
        False: nothing counts but what is said.
    """
    y = np.array(y, dtype=float, ndmin=2)
    series = read_series(y)
    long = (series.length >= _LEAST_VALUES) & ~intermittent(series)
    rows = np.flatnonzero(long)
    found = []
    if find and len(rows) and np.isfinite(y).any():
        found = [
            replace(each, row=int(series.order[rows[each.row]]))
            for each in _found(series.rows(long), season)
        ]
    known = [_known(y, *each) for each in said if each[2] != "usual"]
    found = [each for each in found if not any(_answers(each, *one) for one in said)]
    return _without(y, [*found, *(each for each in known if each is not None)])


def _answers(found: Break, row: int, column: int, event: str) -> bool:
    """Return whether what somebody says of a value stands for what was found."""
    if found.row != row:
        return False
    near = _SAME if event == found.kind == "shift" else 0
    return abs(found.column - column) <= near


def _known(y: np.ndarray, row: int, column: int, event: str) -> Break | None:
    """Return a break that somebody knows of, its size from the values around it."""
    own = y[row]
    before = own[:column][np.isfinite(own[:column])]
    after = own[column:][np.isfinite(own[column:])]
    if event == "shift":
        count = min(len(before), len(after), _NEAR)
        if not count:
            return None
        size = np.median(after[:count]) - np.median(before[-count:])
        return Break(row, column, float(size), event)
    # As many on either side, but at an end.
    count = min(len(before), len(after) - 1, _NEXT) or _NEXT
    around = [*before[-count:], *after[1 : count + 1]]
    if not around or not np.isfinite(own[column]):
        return None
    return Break(row, column, float(own[column] - np.median(around)), event, 0.0)


def _without(y: np.ndarray, found: Sequence[Break]) -> Steady:
    """Return series without breaks; outliers first: levels are read without them."""
    y = y.copy()
    since, reach = np.zeros(len(y), dtype=np.int64), np.zeros(len(y))
    positive = np.where(np.isfinite(y), y, np.inf).min(axis=1) >= 0.0
    order = sorted(found, key=lambda each: (each.kind != "outlier", each.column))
    for each in order:
        own, least = y[each.row], 0.0 if positive[each.row] else -np.inf
        before = own[: each.column]
        if each.kind == "outlier":
            own[each.column] = max(own[each.column] - each.size, least)
        elif each.kind == "trend":
            before += each.size * (np.arange(each.column) - each.column)
            np.maximum(before, least, out=before)
        else:
            later = [s.column for s in order if s.row == each.row and s.kind == "shift"]
            end = min((c for c in later if c > each.column), default=y.shape[1])
            after = np.nanmean(own[each.column : end])
            moved = each.stays * each.size
            if moved < 0.0 and positive[each.row]:
                level = max(after - each.size, 1e-12)
                before *= max(level + moved, 0.0) / level
            else:
                before += moved
            own[each.column :] -= each.size - moved
        if each.kind in ("shift", "trend"):
            since[each.row] = max(since[each.row], each.column)
        if each.kind == "last":
            apart = max(each.stays, 1.0 - each.stays) * abs(each.size)
            reach[each.row] = min(apart, abs(own[-1]))
    order.sort(key=lambda each: (each.row, each.column))
    return Steady(y, since, tuple(order), reach)


def _found(series: Series, season: int) -> list[Break]:
    """Return every break.

    Where all values are above 0 their logarithms have to tell of it too: what grows
    swings more and more, and that alone is no break.
    """
    found = _found_in(series, season)
    positive = positive_series(series)
    doubtful = np.unique([each.row for each in found if positive[each.row]])
    if not len(doubtful):
        return found
    which = np.isin(np.arange(len(series.y)), doubtful)
    part = series.rows(which)
    inside = np.arange(part.y.shape[1]) >= part.first[:, None]
    logs = np.log(np.where(inside, part.y, 1.0))
    told = {
        (int(doubtful[each.row]), each.column + away, each.kind)
        for each in _found_in(Series(logs, part.first, part.order), season)
        for away in ((-1, 0, 1) if each.kind == "shift" else (0,))
    }
    return [
        each
        for each in found
        if not positive[each.row]
        or each.kind == "trend"
        or (each.row, each.column, each.kind) in told
    ]


def _found_in(series: Series, season: int) -> list[Break]:
    """Return what the series itself tells of breaks.

    Its season is taken off first, as it is without whatever may be a shift: a step
    hides a season.
    """
    calm = scan(series.y, series.first, _DOUBTFUL).calm
    calm = np.where(has_season(series, season)[:, None], series.y, calm)
    freed = Series(calm, series.first, series.order)
    plain = series.y.copy()
    seasonal = has_season(freed, season)
    if seasonal.any():
        pattern = seasonal_indices(freed, season, ratio=False, shrink=True)
        pattern[~seasonal] = 0.0
        plain -= pattern[:, np.arange(plain.shape[1]) % season]
    # An ended trend looks like steps in a row: it comes first.
    ended = ended_trends(plain, series.first, _CRITICAL_TREND)
    for row, column, size in ended:
        plain[row, :column] += size * (np.arange(column) - column)
    found = scan(plain, series.first, _CRITICAL)
    shifts = _borne_out(found.shifts, found.calm, plain, series.length, season)
    return [
        *(Break(*each, "trend") for each in ended),
        *(Break(*each, "shift") for each in shifts),
        *_outliers(found.singles, plain, series),
    ]


def _borne_out(
    shifts: list[tuple[int, int, float]],
    calm: np.ndarray,
    plain: np.ndarray,
    length: np.ndarray,
    season: int,
) -> list[tuple[int, int, float]]:
    """Return the shifts of series that do not have the habit of them."""
    result = _large(shifts)
    rows = [row for row, *_ in result]
    most = 1 + length // _VALUES_EACH
    number = np.bincount(rows, minlength=len(plain))
    # The last value has to bear it out: what has gone back is no shift.
    sizes = [size for *_, size in result]
    total = np.bincount(rows, weights=sizes, minlength=len(plain))
    usual = np.median(calm[:, -_LAST:], axis=1)
    apart = plain[:, -1] - usual
    borne = np.abs(apart) <= np.abs(apart + total)
    good = (number <= most) & borne & ~_repeated(result, season, len(plain))
    return [shift for shift in result if good[shift[0]]]


def _large(found: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Return what is not small beside the largest of its series."""
    largest: dict[int, float] = {}
    for row, _, size in found:
        largest[row] = max(largest.get(row, 0.0), abs(size))
    return [
        each for each in found if abs(each[2]) >= _BESIDE_LARGEST * largest[each[0]]
    ]


def _outliers(
    singles: list[tuple[int, int, float]], plain: np.ndarray, series: Series
) -> list[Break]:
    """Return the outliers of series that do not have the habit of them.

    At the end one may be a shift as well.
    """
    singles = _large(singles)
    number = np.bincount([row for row, *_ in singles], minlength=len(plain))
    most = np.maximum(series.length // _VALUES_OUTLIER, 1)
    result = []
    for row, column, size in singles:
        if number[row] > most[row]:
            continue
        if column < plain.shape[1] - 1:
            result.append(Break(row, column, size, "outlier", 0.0))
            continue
        level = abs(series.y[row, -1] - size)
        stays = float(np.clip(_STAYS - _LESS * abs(size) / max(level, 1e-12), 0, 1))
        result.append(Break(row, column, size, "last", stays))
    return result


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
