"""The combination: what is forecast where nothing else is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pmo_analytics.forecasting.models.intermittent import croston_sba, intermittent, tsb
from pmo_analytics.forecasting.models.members import (
    LEAST_SEASONS,
    LEAST_TREND,
    MEMBERS,
    Member,
    Memory,
    told_by_members,
)
from pmo_analytics.forecasting.models.naive import seasonal_naive
from pmo_analytics.forecasting.models.series import Series

# Series of one to two years of more periods than this do not look at last year: how
# that turns out was measured for months and quarters.
LONGEST_SEASON = 12
# How much closer to a straight line than to their mean values have to lie to go on.
_FAR_CLOSER = 20.0


@dataclass(frozen=True)
class Liking:
    """How much more a member counts than one of values without trend and season.

    Log odds, learnt by `tests/benchmarks/learn_weights.py` on the M1 and M3
    competitions, and checked by learning on the one and forecasting the other.

    Attributes
    ----------
    constant, damped, complex, half, moving
        Trends of these kinds.
    logs, constant_logs
        Logarithms, and a constant trend in these.
    multiplied, none
        A multiplied season, and none, beside an added one.
    patience
        How many points of the information criterion count as one: Akaike weights
        (Kolassa, International Journal of Forecasting 27(2), 2011) have 1.
    """

    constant: float
    damped: float
    complex: float = 0.0
    half: float = 0.0
    moving: float = 0.0
    logs: float = 0.0
    constant_logs: float = 0.0
    multiplied: float = 0.0
    none: float = 0.0
    patience: float = 1.0

    def of(self, member: Member) -> float:
        """Return the log odds of a member."""
        trend, season = member.shape.trend, member.shape.season
        odds = {"": 0.0, "c": self.constant, "d": self.damped}
        odds |= {"h": self.half, "a": self.moving, "x": self.complex}
        logs = self.logs + self.constant_logs * (trend == "c")
        seasons = {"": self.none, "a": 0.0, "m": self.multiplied}
        return odds[trend] + logs * member.logs + seasons[season]


# Of series long enough for a season, of ones too short for theirs, and of years.
_LONG = Liking(
    constant=0.29,
    damped=-0.24,
    logs=-0.32,
    constant_logs=-0.31,
    multiplied=0.29,
    none=-0.51,
    patience=6.8,
)
_SHORT = Liking(
    constant=0.40, damped=-0.26, half=-1.49, moving=1.26, logs=-0.59, patience=1.4
)
_YEARS = Liking(
    constant=-0.41,
    damped=-0.44,
    complex=1.73,
    half=-1.21,
    moving=0.80,
    logs=-0.08,
    patience=2.2,
)


def weighted_smoothing(
    series: Series, horizon: int, season: int, memory: Memory | None = None
) -> np.ndarray:
    """Return the weighted mean of all members, shape (S, horizon)."""
    told, criterion = told_by_members(series, horizon, season, memory)
    weight = _weights(criterion, series.length, season)
    return np.asarray((told * weight[:, :, None]).sum(axis=0))


def _weights(criterion: np.ndarray, length: np.ndarray, season: int) -> np.ndarray:
    """Return how much each member counts, shape (members, S)."""
    long = (length >= LEAST_SEASONS * season + 1) & (season > 1)
    short = _SHORT if season > 1 else _YEARS
    odds = [np.array([like.of(each) for each in MEMBERS]) for like in (_LONG, short)]
    liked = np.where(long, odds[0][:, None], odds[1][:, None])
    patience = np.where(long, _LONG.patience, short.patience)
    apart = np.minimum(criterion - criterion.min(axis=0), 1e4) / (2.0 * patience)
    weight = np.exp(liked - apart)
    return np.asarray(weight / weight.sum(axis=0))


def combination(
    series: Series, horizon: int, season: int, memory: Memory | None = None
) -> np.ndarray:
    """Average all shapes of smoothing, of the values and of their logarithms.

    Weighted by how well each fits and by what was learnt of such shapes on public
    series (`_weights`). Intermittent series get the mean of
    Croston's method without bias and of TSB; ones of fewer than six values simple
    smoothing with half the weight on the last one: so few tell of no trend. Ones of
    one to two years are averaged with what last year was at the same time; ones of less
    than a year of months go on with a trend only where they are nearly straight.
    """
    result = np.zeros((len(series.y), horizon))
    often = intermittent(series)
    few = ~often & (series.length < LEAST_TREND)
    if often.any():
        part = series.rows(often)
        two = croston_sba(part, horizon, season), tsb(part, horizon, season)
        result[often] = (two[0] + two[1]) / 2.0
    if few.any():
        result[few] = _of_few(series.rows(few), horizon)
    rest = ~often & ~few
    if rest.any():
        part = series.rows(rest)
        told = weighted_smoothing(part, horizon, season, memory)
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
    short = (series.length >= season) & (series.length < LEAST_SEASONS * season + 1)
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
