"""What a frontier varies: the levels, and the question that each of them asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import parse_period
from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.plan import Plan
from pmo_analytics.rules import fixed_starts
from pmo_analytics.tables import start_windows

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio

type Level = float | int | pd.Period


def question_at(
    portfolio: Portfolio, over: str, of: str
) -> Callable[[Level], Portfolio]:
    """Return what makes the question of a level."""
    kinds = {
        "budget": _with_budget,
        "capacity": _with_capacity,
        "spend": _with_spend,
        "projects": _with_projects,
        "finish": _with_finish,
    }
    _check_over(over)
    known = {
        "budget": portfolio.budget["budget"].tolist(),
        "capacity": portfolio.capacity.columns.tolist(),
    }.get(over, [])
    if of and of not in known:
        noun = {"budget": "budget", "capacity": "role"}.get(over)
        if noun is None:
            raise ConfigError(f"'{over}' is of the whole portfolio: leave out '{of}'.")
        raise ConfigError(f"There is no {noun} '{of}'{closest(of, known)}.")
    if over == "budget" and not known:
        raise ConfigError("The portfolio has no budgets; use over='spend' instead.")
    return lambda level: kinds[over](portfolio, of, level)


def read_levels(over: str, text: str) -> list[str]:
    """Return levels as they are written, `0.8,0.9,1`.

    Raises
    ------
    ConfigError
        If a frontier cannot be over that, or a level is no number.
    """
    _check_over(over)
    given = [part.strip() for part in text.split(",") if part.strip()]
    for part in given if over != "finish" else []:
        try:
            float(part)
        except ValueError as error:
            raise ConfigError(f"Not a level of '{over}': {error}.") from error
    return given


def _check_over(over: str) -> None:
    if over not in _OVER:
        raise ConfigError(
            f"A frontier over '{over}' cannot be drawn{closest(over, _OVER)}; use one "
            f"of {', '.join(_OVER)}."
        )


# What can be varied.
_OVER = ("budget", "capacity", "spend", "projects", "finish")


def _with_budget(portfolio: Portfolio, of: str, level: Any) -> Portfolio:
    budget = portfolio.budget.copy()
    rows = budget["budget"].eq(of) if of else budget["budget"].notna()
    budget.loc[rows, "amount"] = budget.loc[rows, "amount"] * float(level)
    return portfolio.replace(budget=budget)


def _with_capacity(portfolio: Portfolio, of: str, level: Any) -> Portfolio:
    capacity = portfolio.capacity.copy()
    columns = [of] if of else capacity.columns
    capacity[columns] = (capacity[columns] * float(level)).round(6)
    return portfolio.replace(capacity=capacity)


def _with_spend(portfolio: Portfolio, _of: str, level: Any) -> Portfolio:
    row = pd.DataFrame([{"budget": _unused(portfolio, "budget", "spend at most")}])
    row["amount"] = float(level)
    budget = portfolio.budget
    return portfolio.replace(
        budget=pd.concat([budget, row.reindex(columns=budget.columns)]).reset_index(
            drop=True
        )
    )


def _with_projects(portfolio: Portfolio, _of: str, level: Any) -> Portfolio:
    windows = start_windows(portfolio.projects, portfolio.horizon)
    live = windows.index[windows["state"] == "live"].tolist()
    name = _unused(portfolio, "groups", "projects at most")
    rows = pd.DataFrame({"group": name, "project": live, "rule": "limit"})
    rows["at_most"] = int(level)
    groups = portfolio.groups
    return portfolio.replace(
        groups=pd.concat([groups, rows.reindex(columns=groups.columns)]).reset_index(
            drop=True
        )
    )


def _with_finish(portfolio: Portfolio, _of: str, level: Any) -> Portfolio:
    projects = portfolio.projects.copy()
    windows = start_windows(projects, portfolio.horizon)
    bound = (windows["state"].eq("live") & ~windows["running"]).to_numpy()
    limit = pd.Series(
        pd.array([level] * len(projects), dtype=pd.PeriodDtype(portfolio.freq)),
        index=projects.index,
    )
    later = projects["deadline"].isna() | (projects["deadline"] > limit)
    # A candidate that cannot end by then is out; who must be in leaves no plan.
    soonest = windows["first"] + windows["duration"] - 1 + portfolio.horizon[0].ordinal
    late = bound & ~windows["must"].to_numpy() & (soonest > level.ordinal).to_numpy()
    projects.loc[late, ["force", "force_reason"]] = ["out", "ends too late"]
    projects.loc[bound & later & ~late, "deadline"] = limit[bound & later & ~late]
    return portfolio.replace(projects=projects)


def _unused(portfolio: Portfolio, table: str, name: str) -> str:
    column = {"budget": "budget", "groups": "group"}[table]
    taken = set(portfolio.tables[table][column].dropna())
    taken |= set(portfolio.projects["project"])
    while name in taken:
        name += "'"
    return name


def levels_of(
    portfolio: Portfolio,
    over: str,
    points: int | Sequence[Any],
    best: Plan | None,
) -> list[Any]:
    """Return the levels in increasing order."""
    if isinstance(points, int):
        if points < 2:
            raise ConfigError(f"A frontier needs at least 2 points, not {points}.")
        if over in ("budget", "capacity"):
            return [round(x, 4) for x in np.linspace(0.6, 1.4, points).tolist()]
        assert best is not None
        high = _measure(best, over)
        levels = np.linspace(min(_floor(best, over, high), high), high, points)
        if over == "spend":
            return sorted({round(float(x), 2) for x in levels})
        whole = sorted({int(np.ceil(x)) for x in levels})
        if over == "projects":
            return whole
        return [portfolio.horizon[0] + t for t in whole]
    given = list(points)
    if not given:
        raise ConfigError("A frontier needs at least one level.")
    try:
        if over == "finish":
            return sorted({parse_period(x, portfolio.freq) for x in given})
        levels_ = sorted({float(x) for x in given})
    except (TypeError, ValueError) as error:
        raise ConfigError(f"Not a level of '{over}': {error}.") from error
    if levels_[0] < 0:
        raise ConfigError(f"A level of '{over}' cannot be negative: {levels_[0]:g}.")
    return [int(x) for x in levels_] if over == "projects" else levels_


def _floor(best: Plan, over: str, high: float) -> float:
    """Return a level below which nothing of interest is left."""
    portfolio = best.portfolio
    if over == "finish":
        windows = start_windows(portfolio.projects, portfolio.horizon)
        must = windows[windows["must"] & ~windows["running"]]
        return float((must["first"] + must["duration"] - 1).max()) if len(must) else 0.0
    fixed = Plan.from_starts(portfolio, fixed_starts(portfolio), strict=best.strict)
    return max(_measure(fixed, over), 0.5 * high)


def _measure(plan: Plan, over: str) -> float:
    """Return how much of a second objective a plan takes."""
    if over == "spend":
        return float(plan.spend["amount"].sum())
    if over == "projects":
        return float(len(plan.starts))
    windows = start_windows(plan.portfolio.projects, plan.portfolio.horizon)
    mine = [
        start + int(windows.at[name, "duration"]) - 1
        for name, start in plan.starts.items()
        if not windows.at[name, "running"]
    ]
    return float(max(mine, default=0))
