"""Every project in every future, and what each of them adds to the load of a role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.forecasting.past import some
from pmo_analytics.forecasting.pipeline import draw_pipeline
from pmo_analytics.rules import stretched_length
from pmo_analytics.tables import CANDIDATES, start_windows
from pmo_analytics.uncertainty import Overruns, profile_of

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


@dataclass(frozen=True, eq=False)
class Drawn:
    """One project in every future.

    Attributes
    ----------
    project
        Its id.
    candidate
        Whether it may not come.
    planned
        First period that it is planned in, after the first of the horizon.
    dated
        Whether that is its planned start, and not the earliest one it may have.
    length
        Periods that are planned.
    profile, used
        FTE left by offset and role, and the numbers of these roles.
    begin, long, amount
        First period, number of periods and factor on the FTE in each draw; 0 where it
        does not come.
    share
        Of the draws in which it comes.
    """

    project: str
    candidate: bool
    planned: int
    dated: bool
    length: int
    profile: np.ndarray
    used: list[int]
    begin: np.ndarray
    long: np.ndarray
    amount: np.ndarray
    share: float


def drawn_projects(
    portfolio: Portfolio,
    roles: Sequence[str],
    draws: int,
    classes: Overruns | None,
    rng: np.random.Generator,
) -> tuple[Iterator[Drawn], list[str]]:
    """Draw every live project that asks for somebody.

    Parameters
    ----------
    portfolio
        A checked snapshot, of the projects in scope.
    roles
        Names by the numbers of `Drawn.used`.
    classes
        Overruns; None = as planned.

    Returns
    -------
    tuple
        The projects, made one at a time; and sentences about what was assumed.
    """
    windows = start_windows(portfolio.projects, portfolio.horizon)
    facts = portfolio.projects.set_index("project")
    demand = portfolio.demand.dropna(subset=["project", "role"])
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
    starts: dict[str, np.ndarray] = {}
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
        starts[name] = start + slip
        if name in by_project:
            if not planned:
                undated[candidate].append(name)
            chosen.append((name, window, start, planned, slip, at))
    came, notes = draw_pipeline(portfolio, windows, luck, starts)
    number = {role: k for k, role in enumerate(roles)}
    projects = (
        _drawn(by_project[one[0]], one, came.get(one[0]), number, classes)
        for one in chosen
    )
    return projects, [*notes, *_without_dates(undated)]


def _drawn(
    demand: pd.DataFrame,
    chosen: tuple[Any, ...],
    came: np.ndarray | None,
    number: Mapping[str, int],
    classes: Overruns | None,
) -> Drawn:
    """Return one project; `came` is None of those that are no candidates."""
    name, window, start, planned, slip, at = chosen
    draws = len(slip)
    stretch, effort = np.ones(draws), np.ones(draws)
    if classes is not None and at is not None:
        stretch, effort = classes.duration[at], classes.effort[at]
    length = max(int(window["duration"]), 1)
    profile, used = profile_of(demand, length, number)
    gone = min(max(-start, 0), length) if window["running"] else 0
    return Drawn(
        name,
        came is not None,
        start,
        planned,
        length,
        profile[gone:],
        used,
        start + gone + slip,
        # What lies behind stays as it was; what is left is stretched.
        stretched_length(length - gone, stretch),
        effort * (1.0 if came is None else came),
        1.0 if came is None else float(came.mean()),
    )


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
