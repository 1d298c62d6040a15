"""Capacity to come: contracts as known, people who leave, and what history says."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.forecasting.forecast import Forecast, widened
from pmo_analytics.forecasting.guarded import history_draws
from pmo_analytics.forecasting.leave import share_at_work
from pmo_analytics.forecasting.models.registry import DEFAULT, Model
from pmo_analytics.forecasting.models.siblings import kin_of
from pmo_analytics.forecasting.past import (
    capacity_past,
    events_of,
    periods_ahead,
    reaching,
    too_late,
)
from pmo_analytics.forecasting.reasons.capacity import AWAY, LEAVING, CapacityStory
from pmo_analytics.forecasting.reasons.seen import Seen
from pmo_analytics.tables import person_capacity

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
    breaks: pd.DataFrame | bool = True,
    attrition: bool = True,
    backfill: int | None = None,
    leave: bool = True,
    hires: pd.DataFrame | None = None,
    lead: int = 0,
    ramp: int = 0,
    accuracy: pd.DataFrame | None = None,
) -> Forecast:
    """Draw the capacity of every role and period.

    People work as their contracts, calendars and absences say until they leave. Leave
    that is not booked yet comes as it did by time of the year in `history` (kind
    `total`, beside the contracts of the same periods). How
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
    breaks
        Level shifts and outliers of time series. True: those that are found, and what
        the column `event` of history says of a value: `shift` (a new level begins),
        `outlier` (it does not count), `usual` (it is neither). A frame
        `period, role, event` counts before that column; False takes nothing out.
    attrition
        False: nobody leaves who has no end date.
    backfill
        Periods after which somebody who left is replaced; None = never.
    leave
        False: nobody is away but for the absences that are written down.
    hires
        People to be hired: `role, fte, decide_by` (period of the decision; one that is
        over counts as the first period), such as a hire list. They too may leave.
    lead
        Periods from that decision until a new colleague begins.
    ramp
        Periods in which a new colleague does not work in full yet: the share grows
        evenly. For hires, replacements, and people who begin inside the horizon.
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
        If the model, or an event of breaks, is unknown or a number is out of range.
    """
    for name, number in (("backfill", backfill or 0), ("lead", lead), ("ramp", ramp)):
        if number < 0:
            raise ConfigError(f"{name} is a number of periods from 0, not {number}.")
    snapshot = portfolio.validate()
    ahead = periods_ahead(snapshot, periods)
    question, notes = reaching(snapshot, ahead)
    notes += too_late(snapshot)
    streams = np.random.default_rng(seed).spawn(8)
    past = capacity_past(snapshot)
    grid = question.capacity
    only_past = [role for role in past.columns if role not in grid.columns]
    roles = [*grid.columns, *only_past]
    reach = len(question.horizon)
    seen: list[Seen] = []
    steps: dict[str, np.ndarray] = {}
    capacity = np.zeros((draws, reach, len(roles)))
    capacity[:, :, : grid.shape[1]] = grid.to_numpy(dtype=float)
    if len(question.people):
        if attrition or ramp:
            capacity[:, :, : grid.shape[1]] *= _staying(
                question, draws, backfill, ramp, streams[4], notes, attrition=attrition
            )
            steps[LEAVING] = capacity.mean(axis=0)
        away = leave and share_at_work(
            question, list(grid.columns), draws, streams[6], notes
        )
        if isinstance(away, np.ndarray):
            capacity[:, :, : grid.shape[1]] *= away
            steps[AWAY] = capacity.mean(axis=0)
    if only_past:
        future, said = history_draws(
            past[only_past],
            reach,
            draws,
            streams[5],
            model,
            breaks=events_of(snapshot, breaks),
            seen=seen,
            kin=kin_of(snapshot, past),
        )
        capacity[:, :, grid.shape[1] :] = np.nan_to_num(future, copy=False)
        notes += said
    if hires is not None and len(hires):
        capacity += _hired(
            question.horizon,
            roles,
            hires,
            lead,
            ramp,
            draws,
            streams[7],
            attrition=attrition,
        )
        steps["hires"] = capacity.mean(axis=0)
    capacity = capacity[:, : len(ahead)]
    capacity = widened(capacity, tuple(roles), "capacity", accuracy)
    np.maximum(capacity, 0.0, out=capacity)
    story = CapacityStory(question, grid, steps, tuple(notes), tuple(seen))
    return Forecast(
        "capacity",
        ahead,
        tuple(roles),
        capacity,
        seed,
        past,
        tuple(notes),
        story=story,
    )


def _staying(
    portfolio: Portfolio,
    draws: int,
    backfill: int | None,
    ramp: int,
    rng: np.random.Generator,
    notes: list[str],
    *,
    attrition: bool,
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
        **portfolio.settings.calendar,
    )
    names = list(dict.fromkeys(person for person, _ in persons))
    spans = people.groupby("person")[["start", "end"]].agg(
        {"start": "min", "end": lambda ends: ends.max(skipna=False)}
    )
    there = np.ones((draws, len(horizon), len(names)))
    if attrition:
        there = _presence(spans, names, horizon, draws, backfill, ramp, rng, notes)
    if ramp:
        there = there * _ramped(spans, names, horizon, ramp)
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


def _ramped(
    spans: pd.DataFrame, names: list[str], horizon: pd.PeriodIndex, ramp: int
) -> np.ndarray:
    """Return how much of a colleague who begins now each one is, (periods, persons)."""
    begun = pd.PeriodIndex(pd.to_datetime(spans["start"].reindex(names)), freq="D")
    begun = begun.asfreq(horizon.freq)
    pace = np.ones((len(horizon), len(names)))
    for k, period in enumerate(begun):
        if not pd.isna(period):
            since = horizon.asi8 - period.ordinal
            share = np.clip((since + 1.0) / (ramp + 1.0), 0.0, 1.0)
            pace[:, k] = np.where(since >= 0, share, 1.0)
    return pace


def _hired(
    horizon: pd.PeriodIndex,
    roles: list[str],
    hires: pd.DataFrame,
    lead: int,
    ramp: int,
    draws: int,
    rng: np.random.Generator,
    *,
    attrition: bool,
) -> np.ndarray:
    """Return what new colleagues give until they leave, (draws, periods, roles)."""
    missing = {"role", "fte", "decide_by"} - set(hires.columns)
    if missing:
        raise ConfigError(f"Hires lack the columns {sorted(missing)}.")
    length = (horizon[0].end_time - horizon[0].start_time).days / _DAYS
    before = _PRIOR_RATE * _PRIOR_YEARS, (1.0 - _PRIOR_RATE) * _PRIOR_YEARS
    result = np.zeros((draws, len(horizon), len(roles)))
    for hire in hires.itertuples():
        if hire.role not in roles:
            raise ConfigError(
                f"No capacity is known of the role {hire.role!r} of a hire"
                f"{closest(str(hire.role), roles)}."
            )
        if not isinstance(hire.decide_by, pd.Period):
            raise ConfigError("decide_by of a hire is a pandas Period.")
        begin = max(hire.decide_by.ordinal - horizon[0].ordinal, 0) + lead
        since = np.arange(len(horizon)) - begin
        pace = np.clip((since + 1.0) / (ramp + 1.0), 0.0, 1.0)
        there = np.ones((draws, len(horizon)), dtype=bool)
        if attrition:
            stays = rng.beta(before[1], before[0], draws)[:, None]
            stays = stays ** (length * np.maximum(since, 0))
            there = rng.random(draws)[:, None] < stays
        result[:, :, roles.index(hire.role)] += float(hire.fte) * pace * there
    return result


def _presence(
    spans: pd.DataFrame,
    names: list[str],
    horizon: pd.PeriodIndex,
    draws: int,
    backfill: int | None,
    ramp: int,
    rng: np.random.Generator,
    notes: list[str],
) -> np.ndarray:
    """Return how much of each person is there, (draws, periods, persons)."""
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
        there[:, t] = live
        if backfill is not None:
            begun = t - away - backfill
            new = (away >= 0) & (begun >= 0)
            live |= new
            pace = np.clip((begun + 1.0) / (ramp + 1.0), 0.0, 1.0)
            there[:, t] = live * np.where(new, pace, 1.0)
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
