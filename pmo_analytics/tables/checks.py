"""Rules that need more than one table, or more than one cell.

Every function takes conformed tables and returns rows of the problems table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import format_period, offsets_from
from pmo_analytics.errors import closest, listing, problem, suggester
from pmo_analytics.tables.checking.tracking import check_tracking
from pmo_analytics.tables.date_checks import check_dates
from pmo_analytics.tables.link_checks import (
    check_dependencies,
    check_groups,
    check_own_rules,
)
from pmo_analytics.tables.plausibility import (
    check_bookings,
    check_chances,
    check_magnitude,
    check_twins,
    check_value,
)
from pmo_analytics.tables.windows import (
    CANDIDATES,
    by_project,
    live_names,
    live_projects,
)

if TYPE_CHECKING:
    from pmo_analytics.clock import Settings

Problem = dict[str, Any]
Tables = dict[str, pd.DataFrame]


def check_rules(
    tables: Tables,
    capacity: pd.DataFrame,
    horizon: pd.PeriodIndex,
    settings: Settings,
) -> list[Problem]:
    """Return every broken rule between tables.

    Parameters
    ----------
    tables
        Conformed tables by name.
    capacity
        Effective capacity, period x role, FTE.
    """
    problems: list[Problem] = []
    problems += check_not_empty(tables, capacity)
    problems += check_references(tables)
    problems += check_durations(tables)
    problems += check_dates(tables, horizon)
    problems += check_dependencies(tables)
    problems += check_groups(tables)
    problems += check_own_rules(tables)
    problems += check_budget(tables, horizon)
    problems += check_capacity(tables, capacity, horizon)
    problems += check_flex(tables, capacity)
    problems += check_value(tables, settings)
    problems += check_chances(tables, settings)
    problems += check_magnitude(tables, capacity, horizon, settings)
    problems += check_bookings(tables, horizon, settings)
    problems += check_twins(tables, capacity)
    problems += check_tracking(tables, horizon)
    problems += check_use(tables)
    return problems


def check_not_empty(tables: Tables, capacity: pd.DataFrame) -> list[Problem]:
    """Return an error when there is nothing to plan and nothing to forecast."""
    if len(tables["projects"]) or len(tables["people"]) or len(tables["history"]):
        return []
    if capacity.notna().to_numpy().any():
        return []
    return [
        problem(
            "error",
            "projects",
            "empty_table",
            fix="The portfolio has no projects, no people and no history. Fill in "
            "the table 'projects' first (project, value, duration), then 'demand' "
            "(project, role, fte) or 'spend', and 'people' or 'capacity'; all other "
            "tables may stay empty.",
        )
    ]


def check_references(tables: Tables) -> list[Problem]:
    """Return rows that name a project, theme or fund nobody knows."""
    problems = []
    projects = tables["projects"]
    known = _words(projects, "project")
    for name in (
        "demand",
        "groups",
        "rules",
        "blackouts",
        "spend",
        "benefits",
        "bookings",
    ):
        problems += _unknown(tables[name], name, "project", known, "error")
    problems += _unknown(
        tables["dependencies"], "dependencies", "project", known, "error"
    )
    for name in ("actuals", "baselines"):
        problems += _unknown(tables[name], name, "project", known, "warning")
    groups = _words(tables["groups"], "group")
    requires = tables["dependencies"]["requires"]
    nearest = suggester(known | groups)
    for label, value in _strange(requires, known | groups).items():
        problems.append(
            problem(
                "error",
                "dependencies",
                "unknown_project",
                row=label,
                column="requires",
                found=value,
                fix=f"No project and no group is called '{value}'{nearest(value)}.",
            )
        )
    if len(tables["people"]):
        people = _words(tables["people"], "person")
        problems += _unknown(
            tables["bookings"], "bookings", "person", people, "error", "person"
        )
    for table, column in (
        ("blackouts", "theme"),
        ("budget", "theme"),
        ("budget", "program"),
    ):
        words = _words(projects, column)
        problems += _unknown(tables[table], table, column, words, "warning", column)
    for column in ("fund", "category"):
        words = _words(tables["spend"], column)
        problems += _unknown(
            tables["budget"], "budget", column, words, "warning", column
        )
    return problems


def _words(frame: pd.DataFrame, column: str) -> set[str]:
    """Return the distinct words of a column, blanks left out."""
    return {word for word in set(frame[column].tolist()) if isinstance(word, str)}


def _strange(values: pd.Series[Any], known: set[str]) -> pd.Series[Any]:
    """Return the cells that hold a word which is not known."""
    words = {word for word in set(values.tolist()) - known if isinstance(word, str)}
    return values[values.isin(words)] if words else values.iloc[:0]


def _unknown(
    frame: pd.DataFrame,
    table: str,
    column: str,
    known: set[str],
    severity: str,
    noun: str = "project",
) -> list[Problem]:
    if frame.empty:
        return []
    strange = _strange(frame[column], known)
    nearest = suggester(known)
    return [
        problem(
            severity,
            table,
            f"unknown_{noun}",
            row=label,
            column=column,
            found=value,
            fix=f"No {noun} is called '{value}'{nearest(value)}. Correct the "
            f"name{'' if severity == 'warning' else ' or add it'}.",
        )
        for label, value in strange.items()
    ]


def check_durations(tables: Tables) -> list[Problem]:
    """Return live projects without a duration, and demand after their end."""
    projects = tables["projects"]
    problems = []
    live = live_projects(projects)
    missing = live & projects["duration"].isna()
    if live.sum() > 2 and missing[live].all():
        problems.append(
            problem(
                "error",
                "projects",
                "missing_column",
                column="duration",
                found=f"{live.sum():,} projects",
                fix="No project has a duration. Head the column that holds whole "
                "periods 'duration', or the columns of first and last day 'start' and "
                "'finish': the duration is counted from them.",
            )
        )
        missing[:] = False
    for label, name in (
        projects.loc[missing, "project"].items() if missing.any() else ()
    ):
        problems.append(
            problem(
                "error",
                "projects",
                "missing_value",
                row=label,
                column="duration",
                fix=f"Give project '{name}' a duration in whole periods.",
            )
        )
    demand = tables["demand"]
    if demand.empty:
        return problems
    durations = by_project(projects, "duration")
    length = [durations.get(name, np.nan) for name in demand["project"].tolist()]
    beyond = demand["offset"].to_numpy(dtype=float, na_value=np.nan) >= length
    at = np.flatnonzero(beyond)
    names, offsets = (demand[c].iloc[at].tolist() for c in ("project", "offset"))
    for label, name, offset in zip(demand.index[at], names, offsets, strict=True):
        problems.append(
            problem(
                "error",
                "demand",
                "demand_beyond_duration",
                row=label,
                column="offset",
                found=offset,
                fix=f"Project '{name}' lasts {durations[name]} periods, so offsets "
                f"end at {durations[name] - 1}. Lengthen it or move the demand.",
            )
        )
    return problems


def check_budget(tables: Tables, horizon: pd.PeriodIndex) -> list[Problem]:
    """Return budget rows that limit nothing, and spend that nothing limits."""
    budget = tables["budget"]
    if budget.empty:
        return _check_covered(tables)
    amounts, floors = (budget[c].to_numpy(float) for c in ("amount", "at_least"))
    starts, ends = (offsets_from(budget[c], horizon) for c in ("start", "end"))
    unlimited = np.isnan(amounts) & np.isnan(floors)
    strange = unlimited | (floors > amounts) | (ends < starts)
    strange |= (starts < 0) | (ends >= len(horizon))
    at = np.flatnonzero(strange)
    problems: list[Problem] = []
    columns = (budget[c].iloc[at].tolist() for c in ("budget", "start", "end"))
    for i, label, name, *span in zip(at, budget.index[at], *columns, strict=True):
        if unlimited[i]:
            problems.append(
                problem(
                    "error",
                    "budget",
                    "missing_value",
                    row=label,
                    column="amount",
                    found=name,
                    fix=f"Budget '{name}' needs an amount or an at_least.",
                )
            )
        if floors[i] > amounts[i]:
            problems.append(
                problem(
                    "error",
                    "budget",
                    "budget_contradiction",
                    row=label,
                    column="at_least",
                    found=f"at_least {floors[i]:g} > amount {amounts[i]:g}",
                    fix=f"Correct the limits of budget '{name}'.",
                )
            )
        outside = bool(starts[i] < 0 or ends[i] >= len(horizon))
        if ends[i] < starts[i] or outside:
            start, end = map(format_period, span)
            backwards = bool(ends[i] < starts[i])
            problems.append(_wrong_span(label, name, start, end, backwards=backwards))
    return problems + _check_covered(tables)


def _wrong_span(
    label: object, name: object, start: str, end: str, *, backwards: bool
) -> Problem:
    """Return the problem of a budget that ends before it starts, or reaches out."""
    if backwards:
        return problem(
            "error",
            "budget",
            "end_before_start",
            row=label,
            column="end",
            found=end,
            fix=f"Budget '{name}' ends before it starts.",
        )
    return problem(
        "warning",
        "budget",
        "outside_horizon",
        row=label,
        column="start, end",
        found=f"{start} .. {end}",
        fix=f"Budget '{name}' reaches outside the horizon; its amount is taken as what "
        "is left for the periods inside.",
    )


def _check_covered(tables: Tables) -> list[Problem]:
    """Warn of spend that no budget row covers at any time."""
    spend, budget, projects = tables["spend"], tables["budget"], tables["projects"]
    if spend.empty:
        return []
    live = live_names(projects)
    owners = spend["project"].tolist()
    paid = np.array([project in live for project in owners], dtype=bool)
    paid &= spend["amount"].to_numpy() > 0
    if not paid.any():
        return []
    facts = {
        column: spend[column].to_numpy(dtype=object)[paid]
        for column in ("fund", "category")
    }
    names = np.array(owners, dtype=object)[paid].tolist()
    for column in ("theme", "program"):
        known = by_project(projects, column)
        facts[column] = np.array([known.get(name) for name in names], dtype=object)
    covered = np.zeros(len(names), dtype=bool)
    for row in budget.to_dict("records"):
        if pd.isna(row["amount"]):
            continue
        hit = np.ones(len(names), dtype=bool)
        for column in ("fund", "category", "theme", "program"):
            if not pd.isna(row[column]):
                hit &= facts[column] == row[column]
        covered |= hit
    if covered.all():
        return []
    open_ones = np.flatnonzero(~covered).tolist()
    return [
        problem(
            "warning",
            "spend",
            "spend_without_budget",
            row=spend.index[np.flatnonzero(paid)[open_ones[0]]],
            column="amount",
            found=f"{len(open_ones)} rows",
            fix="No budget row covers this spend, so nothing limits it: "
            f"{listing(dict.fromkeys(names[k] for k in open_ones))}.",
        )
    ]


def check_capacity(
    tables: Tables, capacity: pd.DataFrame, horizon: pd.PeriodIndex
) -> list[Problem]:
    """Return demanded roles without capacity, in all or in some periods."""
    demand = tables["demand"]
    live = live_names(tables["projects"])
    cells = (demand[column].tolist() for column in ("project", "role", "fte"))
    needed: dict[str, list[Any]] = {}  # role -> row labels
    for label, project, role, fte in zip(demand.index, *cells, strict=True):
        if fte > 0 and project in live and isinstance(role, str):
            needed.setdefault(role, []).append(label)
    blank = capacity.isna()
    problems = []
    for role, labels in needed.items():
        if role not in capacity.columns:
            problems.append(
                problem(
                    "error",
                    "demand",
                    "unknown_role",
                    row=labels[0],
                    column="role",
                    found=role,
                    fix=f"{len(labels)} demand rows name the role '{role}', which has "
                    f"neither capacity nor people{closest(role, capacity.columns)}. "
                    "Correct the name or add its capacity.",
                )
            )
            continue
        missing = blank[role].to_numpy()
        if missing.any():
            problems.append(
                problem(
                    "error",
                    "capacity",
                    "capacity_missing",
                    column="fte",
                    found=role,
                    fix=f"Role '{role}' is demanded but has no capacity in "
                    f"{listing(map(format_period, horizon[missing]), 3)}. Add rows; "
                    "write 0 if nobody is there.",
                )
            )
    negative = capacity.columns[(capacity < 0).any(axis=0)]
    for role in negative:
        problems.append(
            problem(
                "error",
                "capacity",
                "below_minimum",
                column="fte",
                found=role,
                fix=f"Role '{role}' has negative capacity; it must be at least 0.",
            )
        )
    return problems


def check_flex(tables: Tables, capacity: pd.DataFrame) -> list[Problem]:
    """Return offers of capacity that cannot be used."""
    flex, roles = tables["flex"], tables["roles"]
    if flex.empty:
        return []
    known = {r for r in capacity.columns if isinstance(r, str)}
    known |= _words(tables["demand"], "role") | _words(roles, "role")
    problems = _unknown(flex, "flex", "role", known, "error", "role")
    priced = set(roles.loc[roles["rate"].notna(), "role"])
    no_rate = flex["rate"].isna() & ~flex["role"].isin(priced)
    for column, missing, fix in (
        ("kind", flex["kind"].isna(), "Write overtime, contractor or hire."),
        ("fte_max", flex["fte_max"].isna(), "Write how many FTE can be bought."),
        ("rate", no_rate, "Give the offer a rate per hour, or its role in roles."),
    ):
        problems += [
            problem("error", "flex", "missing_value", row=label, column=column, fix=fix)
            for label in flex.index[missing]
        ]
    return problems


def check_use(tables: Tables) -> list[Problem]:
    """Return candidates that would cost neither people nor money."""
    projects = tables["projects"]
    demand, spend = tables["demand"], tables["spend"]
    using = {
        project
        for rows, column in ((demand, "fte"), (spend, "amount"))
        for project, amount in zip(
            rows["project"].tolist(), rows[column].tolist(), strict=True
        )
        if amount > 0
    }
    candidates = live_projects(projects) & projects["status"].isin(CANDIDATES)
    idle = {
        label: name
        for label, name in zip(
            projects.index[candidates], projects.loc[candidates, "project"], strict=True
        )
        if isinstance(name, str) and name not in using
    }
    return [
        problem(
            "warning",
            "projects",
            "no_demand_no_spend",
            row=label,
            column="project",
            found=name,
            fix=f"'{name}' needs neither people nor money, so it looks free. Add its "
            "demand or spend.",
        )
        for label, name in idle.items()
    ]
