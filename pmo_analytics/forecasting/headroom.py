"""Headroom to come, the chance of overload, and whom to hire when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.forecasting.capacity import forecast_capacity
from pmo_analytics.forecasting.demand import forecast_demand
from pmo_analytics.forecasting.forecast import TOLERANCE, Forecast
from pmo_analytics.forecasting.models.registry import DEFAULT, Model
from pmo_analytics.forecasting.past import some
from pmo_analytics.forecasting.reasons.headroom import headroom_story

if TYPE_CHECKING:
    from pmo_analytics.plan import Plan
    from pmo_analytics.portfolio import Portfolio

# Hires are asked for in tenths of an FTE.
_STEP = 0.1
# Periods until somebody hired begins, for a role of which no other is known.
_LEAD = 3


def forecast_headroom(
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
    overruns: bool = True,
    scope: str = "pipeline",
    plan: Plan | None = None,
    accuracy: pd.DataFrame | None = None,
) -> Forecast:
    """Draw capacity minus load of every role and period.

    Parameters
    ----------
    portfolio
        The question; a checked snapshot is taken.
    periods, draws, seed, model, breaks, attrition, backfill, leave, hires, lead, ramp
        As in `forecast_capacity`.
    overruns, scope, plan, accuracy
        As in `forecast_demand`.

    Returns
    -------
    Forecast
        Of `headroom`, for the roles of which both capacity and load are known; `parts`
        are the forecasts of capacity and load it is the difference of.

    Raises
    ------
    DataError
        If the portfolio has errors.
    ConfigError
        If the model is unknown or a number is out of range.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> headroom = pmo.forecast_headroom(pmo.example_portfolio(), periods=6, draws=200)
    >>> headroom.grid("p20").shape
    (6, 10)
    """
    capacity = forecast_capacity(
        portfolio,
        periods=periods,
        draws=draws,
        seed=seed,
        model=model,
        breaks=breaks,
        attrition=attrition,
        backfill=backfill,
        leave=leave,
        hires=hires,
        lead=lead,
        ramp=ramp,
        accuracy=accuracy,
    )
    load = forecast_demand(
        portfolio,
        periods=periods,
        draws=draws,
        seed=seed,
        model=model,
        breaks=breaks,
        overruns=overruns,
        scope=scope,
        plan=plan,
        accuracy=accuracy,
    )
    return headroom_of(capacity, load)


def headroom_of(capacity: Forecast, load: Forecast) -> Forecast:
    """Return what a capacity leaves of a load, draw by draw.

    Parameters
    ----------
    capacity, load
        Of the same portfolio, periods, draws and seed.
    """
    roles = tuple(role for role in capacity.roles if role in load.roles)
    notes = list(dict.fromkeys([*capacity.notes, *load.notes]))
    alone = [r for r in (*capacity.roles, *load.roles) if r not in roles]
    if alone:
        notes.append(
            f"No headroom for {some(alone)}: either capacity or load is unknown."
        )
    left = [capacity.roles.index(role) for role in roles]
    right = [load.roles.index(role) for role in roles]
    known = [r for r in roles if r in capacity.history and r in load.history]
    return Forecast(
        "headroom",
        capacity.periods,
        roles,
        _difference(capacity.draws, load.draws, left, right),
        capacity.seed,
        capacity.history[known] - load.history[known],
        tuple(notes),
        (capacity, load),
        load.scope,
        headroom_story,
    )


def _difference(
    capacity: np.ndarray, load: np.ndarray, left: list[int], right: list[int]
) -> np.ndarray:
    """Return what is left of capacity, a draw at a time for want of memory."""
    result = np.empty((*capacity.shape[:2], len(left)))
    for k, (has, needs) in enumerate(zip(capacity, load, strict=True)):
        np.subtract(has[:, left], needs[:, right], out=result[k], dtype=float)
    return result


def hire_list(
    headroom: Forecast,
    *,
    chance: float = 0.2,
    lead: int | Mapping[str, int] = 3,
    ramp: int = 0,
) -> pd.DataFrame:
    """Return how many FTE of which role are needed when, and when to begin hiring.

    Enough that no period is overloaded with more than a given chance, if they stay.

    Parameters
    ----------
    headroom
        Of `forecast_headroom`.
    chance
        Chance of overload that is accepted in a period, between 0 and 1.
    lead
        Periods from the decision until a new colleague begins; one number, or by
        role (3 for those it does not name).
    ramp
        Periods from then until a new colleague works in full.

    Returns
    -------
    DataFrame
        One row each time more are needed: `role, period, fte` (more than before),
        `total` (with those before), `decide_by` (period), `late` (that lies before the
        first period), `p_overload` (without anybody hired). Worst roles first.

    Raises
    ------
    ConfigError
        If the chance is not between 0 and 1, or this is no headroom.
    """
    if headroom.quantity != "headroom":
        raise ConfigError("A hire list comes from forecast_headroom.")
    leads = dict(lead) if isinstance(lead, Mapping) else {}
    other = _LEAD if isinstance(lead, Mapping) else lead
    before = {r: leads.get(r, other) + ramp for r in headroom.roles}
    if not 0.0 < chance < 1.0 or min(before.values(), default=0) < 0 or ramp < 0:
        raise ConfigError("chance lies between 0 and 1, lead and ramp are 0 or more.")
    # A period at a time: all together would be a copy of all draws.
    least = np.array(
        [
            np.quantile(np.ascontiguousarray(now.T), chance, axis=1, method="lower")
            for now in headroom.draws.swapaxes(0, 1)
        ]
    ).reshape(len(headroom.periods), len(headroom.roles))
    missing = np.where(least < -TOLERANCE, np.ceil(-least / _STEP - 1e-9) * _STEP, 0.0)
    risk = headroom.p_overload.to_numpy()
    total = np.maximum.accumulate(missing, axis=0)
    more = np.diff(total, axis=0, prepend=0.0)
    role, at = np.nonzero((more > _STEP / 2).T)
    periods = headroom.periods
    earlier = np.array([before[name] for name in headroom.roles], dtype=np.int64)
    decide = periods.asi8[at] - earlier[role]
    columns = ["role", "period", "fte", "total", "decide_by", "late", "p_overload"]
    if not len(role):
        return pd.DataFrame(columns=columns)
    table = pd.DataFrame(
        {
            "role": np.array(headroom.roles, dtype=object)[role],
            "period": periods[at],
            "fte": more[at, role].round(1),
            "total": total[at, role].round(1),
            "decide_by": pd.PeriodIndex.from_ordinals(decide, freq=periods.freq),
            "late": decide < periods[0].ordinal,
            "p_overload": risk[at, role],
        }
    )
    most = table.groupby("role")["total"].transform("max")
    order = table.assign(most=-most).sort_values(["most", "role", "period"])
    return order[columns].reset_index(drop=True)
