"""Load to come: projects at uncertain dates, the pipeline, run-the-business work."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.forecasting.forecast import Forecast, widened
from pmo_analytics.forecasting.guarded import history_draws
from pmo_analytics.forecasting.models.registry import DEFAULT, Model
from pmo_analytics.forecasting.models.siblings import Kin, kin_of
from pmo_analytics.forecasting.past import (
    events_of,
    load_past,
    past_of,
    periods_ahead,
    reaching,
    too_late,
)
from pmo_analytics.forecasting.pipeline import in_scope
from pmo_analytics.forecasting.reasons.load import LoadStory
from pmo_analytics.forecasting.reasons.projects import drawn_projects
from pmo_analytics.forecasting.reasons.seen import Seen
from pmo_analytics.rules import all_roles
from pmo_analytics.uncertainty import add_load, read_overruns

if TYPE_CHECKING:
    from pmo_analytics.plan import Plan
    from pmo_analytics.portfolio import Portfolio


def forecast_demand(
    portfolio: Portfolio,
    *,
    periods: int | None = None,
    draws: int = 1000,
    seed: int = 0,
    model: str | Model = DEFAULT,
    breaks: pd.DataFrame | bool = True,
    overruns: bool = True,
    scope: str = "pipeline",
    plan: Plan | None = None,
    accuracy: pd.DataFrame | None = None,
) -> Forecast:
    """Draw the load of every role and period.

    Running and approved projects start when planned (or as early as they may) and take
    as much longer, and as much more effort, as finished projects of their theme did
    against their first baseline; of running ones only what is left is stretched. A
    stretched project spreads its effort. Candidates come with their `probability`
    (blank: idea 0.2, proposed 0.5, paused 0.5), within groups, dependencies and
    budgets, which hold in every future (`forecasting.pipeline` says how): at their
    planned start and as much later as finished projects began, or, without one, at any
    start they may have, one as likely as the other. What budgets ask for at least and
    rules of one's own choose nothing here, and dependencies move no dates. Roles
    without any demand of projects get the load of their history as a time series;
    run-the-business work of history is added for roles that have no `operations` rows,
    which lower the capacity already.

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
        Of time series: a name of `forecasting.models.MODELS`, or a function.
    breaks
        Level shifts and outliers of time series. True: those that are found, and what
        the column `event` of history says of a value: `shift` (a new level begins),
        `outlier` (it does not count), `usual` (it is neither). A frame
        `period, role, event` counts before that column; False takes nothing out.
    overruns
        False takes projects as planned.
    scope
        Whose load: `pipeline` (all, as above), `committed` (running, approved and
        forced projects alone) or `plan`: those and the candidates of `plan`, which come
        for sure, at the starts of the plan.
    plan
        Of `optimize`, for scope `plan`.
    accuracy
        Columns `role, lead, quantity, factor`, from past forecasts.

    Returns
    -------
    Forecast
        Of `load`. `notes` say what was assumed.

    Raises
    ------
    DataError
        If the portfolio has errors.
    ConfigError
        If the model, the scope or an event of breaks is unknown, a number is below 1,
        or scope and plan do not belong together.
    """
    snapshot = portfolio.validate()
    ahead = periods_ahead(snapshot, periods)
    question, notes = reaching(snapshot, ahead)
    notes += too_late(snapshot)
    question, said = in_scope(question, scope, plan)
    notes += said
    seen: list[Seen] = []
    streams = np.random.default_rng(seed).spawn(4)
    past = load_past(snapshot)
    roles = list(dict.fromkeys([*all_roles(question), *past.columns]))
    load = np.zeros((draws, len(question.horizon), len(roles)), dtype=np.float32)
    classes = read_overruns(snapshot) if overruns else None
    if len(question.demand):
        as_planned = "Durations and effort are as planned: overruns are left out."
        notes.append(as_planned if classes is None else classes.note)
    projects, said = drawn_projects(question, roles, draws, classes, streams[0])
    notes += said
    by_role = load.transpose(2, 1, 0)
    for one in projects:
        add_load(by_role, one.profile, one.used, one.begin, one.long, one.amount)
    asked = set(question.demand["role"].dropna())
    events = events_of(snapshot, breaks)
    kin = kin_of(snapshot, past)
    own = past[[role for role in past.columns if role not in asked]]
    _add_series(load, own, roles, model, streams[1], notes, events, seen, kin)
    kept = set(question.operations["role"].dropna()) | set(own.columns)
    run = past_of(snapshot, "load_fte", ("operations",))
    run = run[[role for role in run.columns if role not in kept]]
    kin = replace(kin, histories=run)
    _add_series(load, run, roles, model, streams[2], notes, events, seen, kin)
    load = load[:, : len(ahead)]
    result = load
    if accuracy is not None and len(accuracy):
        floor = np.minimum(load.min(axis=0), 0.0)
        wide = widened(load.astype(float), tuple(roles), "load", accuracy)
        result = np.maximum(wide, floor)
    return Forecast(
        "load",
        ahead,
        tuple(roles),
        result,
        seed,
        past,
        tuple(notes),
        scope=scope,
        story=LoadStory(question, tuple(roles), scope, classes, tuple(seen)),
    )


def _add_series(
    load: np.ndarray,
    past: pd.DataFrame,
    roles: list[str],
    model: str | Model,
    rng: np.random.Generator,
    notes: list[str],
    breaks: pd.DataFrame | bool,
    seen: list[Seen],
    kin: Kin,
) -> None:
    """Add the future of a time series to each role that has one."""
    if not past.shape[1] or not len(past):
        return
    future, said = history_draws(
        past,
        load.shape[1],
        len(load),
        rng,
        model,
        breaks=breaks,
        seen=seen,
        kin=kin,
    )
    notes += said
    at = [roles.index(role) for role in past.columns]
    load[:, :, at] += np.nan_to_num(future, copy=False)
