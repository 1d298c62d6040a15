"""Load to come: projects at uncertain dates, the pipeline, run-the-business work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.forecasting.forecast import Forecast, widened
from pmo_analytics.forecasting.guarded import history_draws
from pmo_analytics.forecasting.models.registry import DEFAULT, Model
from pmo_analytics.forecasting.past import (
    events_of,
    load_past,
    past_of,
    periods_ahead,
    reaching,
    some,
    too_late,
)
from pmo_analytics.forecasting.pipeline import draw_pipeline, in_scope
from pmo_analytics.rules import all_roles, stretched_length
from pmo_analytics.tables import CANDIDATES, start_windows
from pmo_analytics.uncertainty import Overruns, add_load, profile_of, read_overruns

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
    (blank: idea 0.2, proposed 0.5, paused 0.5), within groups and dependencies, which
    hold in every future (`forecasting.pipeline` says how): at their planned start and
    as much later as finished projects began, or, without one, at any start they may
    have, one as likely as the other. Budgets and rules of one's own choose nothing
    here, and dependencies move no dates. Roles without any demand of projects get the
    load of their history as a time series; run-the-business work of history is added
    for roles that have no `operations` rows, which lower the capacity already.

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
    streams = np.random.default_rng(seed).spawn(4)
    past = load_past(snapshot)
    roles = list(dict.fromkeys([*all_roles(question), *past.columns]))
    load = np.zeros((draws, len(question.horizon), len(roles)), dtype=np.float32)
    classes = read_overruns(snapshot) if overruns else None
    if classes is not None and len(question.demand):
        notes.append(classes.note)
    notes += _add_projects(load, question, roles, classes, streams[0])
    asked = set(question.demand["role"].dropna())
    events = events_of(snapshot, breaks)
    own = past[[role for role in past.columns if role not in asked]]
    _add_series(load, own, roles, model, streams[1], notes, events)
    kept = set(question.operations["role"].dropna()) | set(own.columns)
    run = past_of(snapshot, "load_fte", ("operations",))
    run = run[[role for role in run.columns if role not in kept]]
    _add_series(load, run, roles, model, streams[2], notes, events)
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
    )


def _add_series(
    load: np.ndarray,
    past: pd.DataFrame,
    roles: list[str],
    model: str | Model,
    rng: np.random.Generator,
    notes: list[str],
    breaks: pd.DataFrame | bool,
) -> None:
    """Add the future of a time series to each role that has one."""
    if not past.shape[1] or not len(past):
        return
    future, said = history_draws(
        past, load.shape[1], len(load), rng, model, breaks=breaks
    )
    notes += said
    at = [roles.index(role) for role in past.columns]
    load[:, :, at] += np.nan_to_num(future, copy=False)


def _add_projects(
    load: np.ndarray,
    portfolio: Portfolio,
    roles: list[str],
    classes: Overruns | None,
    rng: np.random.Generator,
) -> list[str]:
    """Add the load of every live project in every draw; return what was assumed."""
    draws = len(load)
    by_role = load.transpose(2, 1, 0)
    windows = start_windows(portfolio.projects, portfolio.horizon)
    facts = portfolio.projects.set_index("project")
    demand = portfolio.demand.dropna(subset=["project", "role"])
    number = {role: k for k, role in enumerate(roles)}
    by_project = dict(tuple(demand.groupby("project", sort=False)))
    # One stream a project: what one draws does not depend on the others.
    own = dict(zip(windows.index, rng.spawn(len(windows)), strict=True))
    live = windows[(windows["state"] == "live") & (windows["first"] <= windows["last"])]
    candidates = {
        name
        for name, window in live.iterrows()
        if facts.at[name, "status"] in CANDIDATES and not window["must"]
    }
    chosen: list[tuple[Any, ...]] = []
    luck: dict[str, np.ndarray] = {}
    undated: dict[bool, list[str]] = {False: [], True: []}
    for name, window in live.iterrows():
        fact = facts.loc[name]
        start, planned = _planned_start(fact, window, portfolio)
        slip = np.zeros(draws, dtype=np.int64)
        at: np.ndarray | None = None
        candidate = name in candidates
        if classes is not None:
            at = classes.rows(fact["theme"], own[name].random(draws))
            if candidate and planned:
                slip = np.maximum(classes.slip[at], 0)
        if candidate:
            if not planned:
                slip = own[name].integers(0, int(window["last"]) - start + 1, draws)
            luck[name] = own[name].random(draws)
        if not planned and name in by_project:
            undated[candidate].append(name)
        chosen.append((name, window, start, slip, at))
    came, notes = draw_pipeline(portfolio, windows, luck)
    for name, window, start, slip, at in chosen:
        if name not in by_project:
            continue
        stretch, effort = np.ones(draws), np.ones(draws)
        if classes is not None and at is not None:
            stretch, effort = classes.duration[at], classes.effort[at]
        length = max(int(window["duration"]), 1)
        profile, used = profile_of(by_project[name], length, number)
        gone = min(max(-start, 0), length) if window["running"] else 0
        # What lies behind stays as it was; what is left is stretched.
        long = stretched_length(length - gone, stretch)
        begin = start + gone + slip
        amount = effort * came.get(name, 1.0)
        add_load(by_role, profile[gone:], used, begin, long, amount)
    return [*notes, *_without_dates(undated)]


def _without_dates(undated: Mapping[bool, list[str]]) -> list[str]:
    """Return which projects have no planned start, and what is assumed of it."""
    said = []
    if undated[True]:
        said.append(
            f"Dates: {len(undated[True])} candidates have no planned start; each start "
            f"they may have is as likely as the other: {some(undated[True])}."
        )
    if undated[False]:
        said.append(
            f"Dates: {len(undated[False])} projects that are sure to come have no "
            f"planned start; they begin as early as they may: {some(undated[False])}."
        )
    return said


def _planned_start(
    fact: pd.Series, window: pd.Series, portfolio: Portfolio
) -> tuple[int, bool]:
    """Return the planned start or else the earliest one, and whether it is planned."""
    first = int(window["first"])
    if pd.isna(fact["start"]):
        return first, False
    if window["kept"]:
        return first, True
    planned = (fact["start"] - portfolio.horizon[0]).n
    return int(min(max(planned, first), window["last"])), True
