"""Capacity to come: contracts as known, people who leave, and what history says."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.forecasting.forecast import Forecast, widened
from pmo_analytics.forecasting.guarded import history_draws
from pmo_analytics.forecasting.models import DEFAULT, Model
from pmo_analytics.forecasting.past import (
    capacity_past,
    periods_ahead,
    reaching,
)
from pmo_analytics.supply import person_capacity

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

# What is believed of leaving before the people's own dates are seen: as if so many
# person-years had been watched and this share of them had ended.
_PRIOR_YEARS = 20.0
_PRIOR_RATE = 0.08
# Years of tenure at which the chance of leaving changes.
_TENURES = (0.0, 1.0, 3.0, 100.0)
# Years that leavers are counted over; before, those who left may have been deleted.
_WATCHED_YEARS = 5
_DAYS = 365.25


def forecast_capacity(
    portfolio: Portfolio,
    *,
    periods: int | None = None,
    draws: int = 1000,
    seed: int = 0,
    model: str | Model = DEFAULT,
    attrition: bool = True,
    backfill: int | None = None,
    accuracy: pd.DataFrame | None = None,
) -> Forecast:
    """Draw the capacity of every role and period.

    People work as their contracts, calendars and absences say until they leave. How
    likely that is comes from the people's own dates by tenure (under one year, one to
    three, more), with a prior of 8 % a year that weighs 20 person-years in each class;
    from the prior alone where nobody of the table has left, for then those who left
    are likely not in it.
    An `end` that is written down is certain. Capacity given in FTE is certain. Roles of
    which only `history` tells get a time series.

    Parameters
    ----------
    portfolio
        The question; a checked snapshot is taken.
    periods
        How many, from the first of the horizon; by default the whole horizon.
    draws
        How many futures.
    seed
        Of the draws.
    model
        Of time series.
    attrition
        False: nobody leaves who has no end date.
    backfill
        Periods after which somebody who left is replaced; None = never.
    accuracy
        Columns `role, lead, quantity, factor`, from past forecasts.

    Returns
    -------
    Forecast
        Of `capacity`, net of operations as `Portfolio.capacity` is.

    Raises
    ------
    DataError
        If the portfolio has errors.
    ConfigError
        If the model is unknown or a number is out of range.
    """
    if backfill is not None and backfill < 0:
        raise ConfigError(f"backfill is a number of periods from 0, not {backfill}.")
    snapshot = portfolio.validate()
    ahead = periods_ahead(snapshot, periods)
    question, notes = reaching(snapshot, ahead)
    streams = np.random.default_rng(seed).spawn(6)
    past = capacity_past(snapshot)
    grid = question.capacity
    only_past = [role for role in past.columns if role not in grid.columns]
    roles = [*grid.columns, *only_past]
    reach = len(question.horizon)
    capacity = np.zeros((draws, reach, len(roles)))
    capacity[:, :, : grid.shape[1]] = grid.to_numpy(dtype=float)
    if attrition and len(question.people):
        capacity[:, :, : grid.shape[1]] *= _staying(
            question, draws, backfill, streams[4], notes
        )
    if only_past:
        future, said = history_draws(past[only_past], reach, draws, streams[5], model)
        capacity[:, :, grid.shape[1] :] = np.nan_to_num(future)
        notes += said
    capacity = capacity[:, : len(ahead)]
    capacity = np.maximum(widened(capacity, tuple(roles), "capacity", accuracy), 0.0)
    return Forecast("capacity", ahead, tuple(roles), capacity, seed, past, tuple(notes))


def _staying(
    portfolio: Portfolio,
    draws: int,
    backfill: int | None,
    rng: np.random.Generator,
    notes: list[str],
) -> np.ndarray:
    """Return the share of each role's people who are there, (draws, periods, roles).

    Each person's own FTE comes from the same arithmetic as the capacity of roles.
    """
    horizon, people = portfolio.horizon, portfolio.people
    given = set(portfolio.given_capacity.columns)
    people = people[~people["role"].isin(given) & people["role"].notna()]
    roles = portfolio.capacity.columns
    shares = np.ones((draws, len(horizon), len(roles)))
    if not len(people):
        return shares
    each, persons = person_capacity(
        people,
        portfolio.absences,
        horizon,
        hours_per_week=portfolio.settings.hours_per_week,
        country=portfolio.settings.country,
    )
    names = list(dict.fromkeys(person for person, _ in persons))
    there = _presence(people, names, horizon, draws, backfill, rng, notes)
    fte = each.to_numpy(dtype=float)
    total = np.zeros((len(horizon), len(roles)))
    present = np.zeros_like(shares)
    for column, (person, role) in enumerate(persons):
        k = roles.get_loc(role)
        total[:, k] += fte[:, column]
        present[:, :, k] += there[:, :, names.index(person)] * fte[:, column]
    some = total > 0
    shares[:, some] = present[:, some] / total[some]
    return shares


def _presence(
    people: pd.DataFrame,
    names: list[str],
    horizon: pd.PeriodIndex,
    draws: int,
    backfill: int | None,
    rng: np.random.Generator,
    notes: list[str],
) -> np.ndarray:
    """Return whether each person is there, (draws, periods, persons)."""
    spans = people.groupby("person")[["start", "end"]].agg(
        {"start": "min", "end": lambda ends: ends.max(skipna=False)}
    )
    begin = horizon[0].start_time
    rates = _leaving(spans, begin, draws, rng, notes)
    years = len(horizon) * (horizon[0].end_time - begin).days / _DAYS
    length = years / len(horizon)
    entered = pd.to_datetime(spans["start"].reindex(names))
    tenure = ((begin - entered).dt.days / _DAYS).fillna(_TENURES[-2]).to_numpy(float)
    there = np.ones((draws, len(horizon), len(names)))
    live = np.ones((draws, len(names)), dtype=bool)
    away = np.full((draws, len(names)), -1, dtype=np.int64)
    for t in range(len(horizon)):
        age = tenure + t * length
        band = np.clip(np.searchsorted(_TENURES, age, side="right") - 1, 0, 2)
        stays = (1.0 - rates[:, band]) ** length
        # Who has not begun yet cannot leave.
        leaves = live & (age >= 0.0) & (rng.random(live.shape) > stays)
        away[leaves] = t
        live &= ~leaves
        if backfill is not None:
            live |= (away >= 0) & (t - away >= backfill)
        there[:, t] = live
    return there


def _leaving(
    spans: pd.DataFrame,
    now: pd.Timestamp,
    draws: int,
    rng: np.random.Generator,
    notes: list[str],
) -> np.ndarray:
    """Draw the chance to leave within a year, (draws, tenure classes).

    A Beta distribution: prior and the person-years and leavers of the years before
    the horizon.
    """
    since = now - pd.DateOffset(years=_WATCHED_YEARS)
    start = pd.to_datetime(spans["start"]).fillna(since)
    end = pd.to_datetime(spans["end"])
    left = end.notna() & (end < now) & (end >= since)
    rates = np.zeros((draws, len(_TENURES) - 1))
    gone = 0
    for k, (low, high) in enumerate(pairwise(_TENURES)):
        enters = (start + pd.to_timedelta(low * _DAYS, unit="D")).clip(lower=since)
        leaves = (start + pd.to_timedelta(high * _DAYS, unit="D")).clip(upper=now)
        leaves = leaves.where(end.isna() | (end > leaves), end)
        watched = ((leaves - enters).dt.days.clip(lower=0) / _DAYS).sum()
        age = (end - start).dt.days / _DAYS
        leavers = int((left & (age >= low) & (age < high)).sum())
        gone += leavers
        rates[:, k] = rng.beta(
            _PRIOR_RATE * _PRIOR_YEARS + leavers,
            (1.0 - _PRIOR_RATE) * _PRIOR_YEARS + max(watched - leavers, 0.0),
            draws,
        )
    believed = f"{_PRIOR_RATE:.0%} a year"
    if gone:
        notes.append(
            f"Leaving: {gone} people left in the {_WATCHED_YEARS} years before the "
            f"horizon; {believed} is believed beforehand and weighs "
            f"{_PRIOR_YEARS:.0f} person-years."
        )
        return rates
    notes.append(
        f"Leaving: the table holds nobody who has left, so {believed} is assumed. Keep "
        "the rows of those who left, with their end, to have it measured."
    )
    before = _PRIOR_RATE * _PRIOR_YEARS, (1.0 - _PRIOR_RATE) * _PRIOR_YEARS
    return np.asarray(rng.beta(*before, rates.shape))
