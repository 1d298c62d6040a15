"""Histories that follow the working days of their periods, as hours do.

One FTE is the same number of hours in every period, so the hours that the same people
work in a month of 23 working days are more FTE than in one of 20. Whether a history
moves so it says itself: its moves are held against those of the working days, by
regression. FTE that were counted as heads do not, and stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pmo_analytics.clock import WEEKS_PER_YEAR, working_days
from pmo_analytics.forecasting.models.series import season_of

# How many standard errors the slope has to be above none, and how near to one: as many
# per cent more as there are more days.
_SURE, _NEAR = 4.5, 0.4
# Pairs of values that are compared, at least: a year apart, else of neighbours.
_LEAST_PAIRS = 11
# Moves count up to so many typical ones: what else happens tells nothing of days.
_FAR = 3.0
_OF_NORMAL = 1.4826
# A period without any working day counts as one of few.
_LEAST_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class Days:
    """What the working days do to histories.

    Attributes
    ----------
    first
        The period that column 0 of the histories is.
    country, workweek
        Whose working days.
    follows
        Shape (S,): which histories move with them.
    """

    first: pd.Period
    country: str
    workweek: str
    follows: np.ndarray

    def past(self, periods: int) -> np.ndarray:
        """Return the factors of the history, shape (S, periods)."""
        return self._factors(0, periods)

    def ahead(self, periods: int, horizon: int) -> np.ndarray:
        """Return the factors of what comes after so many periods, (S, horizon)."""
        return self._factors(periods, horizon)

    def _factors(self, begin: int, count: int) -> np.ndarray:
        result = np.ones((len(self.follows), count))
        if self.follows.any():
            share = share_of_days(
                self.first + begin, count, self.country, self.workweek
            )
            result[self.follows] = share
        return result


def share_of_days(
    first: pd.Period, count: int, country: str, workweek: str
) -> np.ndarray:
    """Return working days of periods beside those of the FTE's constant hours."""
    periods = pd.period_range(first, periods=count, freq=first.freq)
    days = working_days(periods, country, workweek).to_numpy(dtype=float)
    usual = 5.0 * WEEKS_PER_YEAR / season_of(first.freqstr)
    return np.asarray(np.maximum(days / usual, _LEAST_SHARE))


def days_of(past: pd.DataFrame, country: str = "", workweek: str = "") -> Days:
    """Return which histories follow the working days of a country.

    Parameters
    ----------
    past
        Period x role, FTE; contiguous, NaN where nothing is known.
    country, workweek
        As in `clock.working_days`.
    """
    periods = pd.PeriodIndex(past.index)
    season = season_of(periods.freqstr)
    first = periods[0]
    days = np.log(share_of_days(first, len(periods), country, workweek))
    values = past.to_numpy(dtype=float).T
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(values > 0.0, np.log(values), np.nan)
    return Days(first, country, workweek, _follow(logs, days, season))


def _follow(logs: np.ndarray, days: np.ndarray, season: int) -> np.ndarray:
    """Return which logarithms of histories (S, T) move with those of working days.

    A year apart their season tells nothing; neighbours tell it of a short history, and
    of one with a shift, which lies between two of them.
    """
    result = np.zeros(len(logs), dtype=bool)
    for lag in (season, 1) if season > 1 else ():
        moves, beside = logs[:, lag:] - logs[:, :-lag], days[lag:] - days[:-lag]
        known = np.isfinite(moves)
        # Those that are whole all at once.
        whole = known.all(axis=1) & (len(beside) >= _LEAST_PAIRS)
        result[whole] |= _slopes_are_one(moves[whole], beside)
        for k in np.flatnonzero(~whole & (known.sum(axis=1) >= _LEAST_PAIRS)):
            here = known[k]
            result[k] |= _slopes_are_one(moves[k : k + 1, here], beside[here])[0]
    return result


def _slopes_are_one(moves: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Return of which moves (S, n) the slope beside those of days (n,) is one."""
    away = beside - beside.mean() if len(beside) else beside
    power = float((away**2).sum())
    if power <= 1e-9 or not len(moves):
        return np.zeros(len(moves), dtype=bool)
    # What is far larger than the days could tell is cut, whatever it is.
    rest = moves - beside
    rest -= np.median(rest, axis=1, keepdims=True)
    most = _FAR * _OF_NORMAL * np.median(np.abs(rest), axis=1, keepdims=True)
    most = np.maximum(most, 2.0 * np.abs(away).max())
    rest = np.clip(rest, -most, most)
    apart = (rest * away).sum(axis=1) / power
    left = rest - rest.mean(axis=1, keepdims=True) - apart[:, None] * away
    error = np.sqrt((left**2).sum(axis=1) / max(len(away) - 2, 1) / power)
    return np.asarray((np.abs(apart) < _NEAR) & (1.0 + apart > _SURE * error))


def said_of_days(past: pd.DataFrame, days: Days) -> list[str]:
    """Return a sentence on the roles that follow the working days, if any do."""
    names = [str(name) for name in past.columns[days.follows]]
    if not names:
        return []
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    place = f" of {days.country}" if days.country else " (Monday to Friday)"
    who = ", ".join(names[:3]) + more
    return [
        f"{who}: the history follows the working days{place}, as hours do, so it "
        "is forecast per working day and follows those to come."
    ]
