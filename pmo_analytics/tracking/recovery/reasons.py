"""Why a project needs help: it ends late, or its work does not fit any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from pmo_analytics.clock import format_period
from pmo_analytics.errors import ConfigError, closest
from pmo_analytics.plan import Plan

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


@dataclass(frozen=True)
class Trouble:
    """Where a project stands against its promise and the plan of record.

    `promise` is the last period it should work in, None where nobody said; `late` the
    periods beyond it; `left` the periods it has left inside the horizon or after;
    `deadline` the last period that its deadline allows, None where it has none;
    `broken` how many rules of it the plan of record breaks now.
    """

    project: str
    start: int
    finish: int
    left: int
    promise: int | None
    promised_by: str
    late: int
    deadline: int | None
    broken: int
    reasons: tuple[str, ...]


def live_row(portfolio: Portfolio, project: str) -> pd.Series:
    """Return the row of a project that can still be recovered.

    Raises
    ------
    ConfigError
        If there is no such project, or it has ended.
    """
    rows = portfolio.projects.set_index("project")
    if project not in rows.index:
        raise ConfigError(
            f"There is no project '{project}'{closest(project, rows.index)}."
        )
    row = rows.loc[project]
    if row["status"] in ("done", "cancelled") or row["force"] == "out":
        how = "forced out" if row["force"] == "out" else str(row["status"])
        raise ConfigError(f"'{project}' is {how}: there is nothing to recover.")
    return row


def find_trouble(
    portfolio: Portfolio, project: str, starts: Mapping[str, int]
) -> Trouble:
    """Return what is wrong with a project in the plan of record.

    Parameters
    ----------
    portfolio
        A checked snapshot, as it stands today.
    starts
        Plan of record: project -> periods after the first of the horizon.

    Raises
    ------
    ConfigError
        If there is no such project, it has ended, or it is not in the plan.
    """
    row = live_row(portfolio, project)
    if project not in starts:
        raise ConfigError(
            f"'{project}' is not in the plan of record, so it cannot be off it. "
            "`pmo optimize` chooses projects."
        )
    start = starts[project]
    finish = start + int(row["duration"]) - 1
    if finish < 0:
        raise ConfigError(
            f"'{project}' ended before the first period of the horizon: give the"
            " duration that is in force, or set its status to done."
        )
    promise, promised_by = promise_of(portfolio, project)
    late = 0 if promise is None else max(finish - promise, 0)
    plan = Plan.from_starts(portfolio, starts)
    broken = _its_own(plan, project)
    text = []
    first = portfolio.horizon[0]
    if late and promise is not None:
        text.append(
            f"It ends in {format_period(first + finish)}, {late} period"
            f"{'s' if late > 1 else ''} after {format_period(first + promise)} as"
            f" {promised_by} has it."
        )
    if len(broken):
        text.append(
            f"The plan of record breaks {len(broken)} rule"
            f"{'s' if len(broken) > 1 else ''} of it now: {broken['message'].iloc[0]}"
        )
    return Trouble(
        project,
        start,
        finish,
        finish - max(start, 0) + 1,
        promise,
        promised_by,
        late,
        None
        if pd.isna(row["deadline"])
        else (row["deadline"] - portfolio.horizon[0]).n,
        len(broken),
        tuple(text),
    )


def _its_own(plan: Plan, project: str) -> pd.DataFrame:
    """Return the broken rules that a project has a part in.

    Its roles in the periods that it works in, and what names it.
    """
    broken = plan.violations
    demand = plan.portfolio.demand
    own = demand[(demand["project"] == project) & (demand["fte"] > 0)]
    first = plan.portfolio.horizon[0] + plan.starts[project]
    places = {
        (role, format_period(first + int(offset)))
        for role, offset in zip(own["role"], own["offset"], strict=True)
    }
    mine = [
        (row.subject, str(row.period)) in places or f"'{project}'" in row.message
        for row in broken.itertuples()
    ]
    return broken[mine]


def promise_of(portfolio: Portfolio, project: str) -> tuple[int | None, str]:
    """Return the last period that was promised, and by what: the earlier one.

    That of the newest baseline, or the deadline; None where there is neither.
    """
    first = portfolio.horizon[0].ordinal
    found: list[tuple[int, str]] = []
    own = portfolio.baselines[portfolio.baselines["project"] == project]
    own = own.dropna(subset=["start", "duration"])
    if len(own):
        last = own.sort_values("set_on", kind="stable", na_position="first").iloc[-1]
        finish = last["start"].ordinal + int(last["duration"]) - 1
        found.append((finish - first, f"baseline '{last['baseline']}'"))
    row = portfolio.projects.set_index("project").loc[project]
    if not pd.isna(row["deadline"]):
        found.append((row["deadline"].ordinal - first, "its deadline"))
    return min(found) if found else (None, "")
