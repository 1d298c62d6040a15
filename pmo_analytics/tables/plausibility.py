"""What can be read and is hardly meant: other units, people twice over, twins of names.

Every function takes conformed tables and returns rows of the problems table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import (
    OPEN,
    epoch_days,
    format_period,
    hours_per_fte,
    period_bounds,
)
from pmo_analytics.errors import folded, listing, problem
from pmo_analytics.tables.supply import employment
from pmo_analytics.tables.supply_checks import other_unit
from pmo_analytics.tables.windows import by_project, live_names, live_projects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pmo_analytics.clock import Settings

Problem = dict[str, Any]
Tables = dict[str, pd.DataFrame]

# From how many times too much on a number looks like one of another unit.
_OTHER_UNIT = 5.0
# How many times as much money as there is to spend, or to be spent, is no money.
_OTHER_MONEY = 1000.0
# Columns of a budget that say which spend it covers.
_FILTERS = ("fund", "category", "theme", "program")
# Projects named one by one for each role.
_NAMED = 10
# A booking that ends on the day on which the next begins is no booking too many.
_HANDOVER = 0.06


def check_chances(tables: Tables, settings: Settings) -> list[Problem]:
    """Return projects that count in full although worth counts times probability."""
    projects = tables["projects"]
    if not settings.weigh_by_probability:
        return []
    blank = projects[live_projects(projects) & projects["probability"].isna()]
    if blank.empty:
        return []
    return [
        problem(
            "warning",
            "projects",
            "no_probability",
            row=blank.index[0],
            column="probability",
            found=f"{len(blank)} projects",
            fix="Worth counts times probability, and a project without one counts in "
            f"full: {listing(blank['project'])}.",
        )
    ]


def check_value(tables: Tables, settings: Settings) -> list[Problem]:
    """Return an unclear or missing source of value."""
    projects = tables["projects"]
    has_value = bool(projects["value"].notna().any())
    has_benefits = not tables["benefits"].empty
    if settings.source == "" and has_value and has_benefits:
        return [
            problem(
                "error",
                "portfolio",
                "unclear_value_source",
                column="source",
                found="projects.value and benefits",
                fix="Both are filled. Say which one counts: [value] source = "
                "'value', 'benefits' or 'sum' in portfolio.toml.",
            )
        ]
    if not len(projects):
        return []
    by_value = settings.source in ("value", "sum") or (
        settings.source == "" and not has_benefits
    )
    if by_value and settings.source != "sum":
        unvalued = live_projects(projects) & projects["value"].isna()
        if unvalued.any():
            blank = projects[unvalued]
            return [
                problem(
                    "warning",
                    "projects",
                    "no_value",
                    row=blank.index[0],
                    column="value",
                    found=f"{len(blank)} projects",
                    fix="A project without a value counts 0 and is chosen only when "
                    f"it must be: {listing(blank['project'])}.",
                )
            ]
    if settings.source == "benefits" and not has_benefits:
        return [
            problem(
                "warning",
                "benefits",
                "no_value",
                fix="The objective counts benefits, and there are none.",
            )
        ]
    return []


# ------------------------------------------------------------------------- magnitude


def check_magnitude(
    tables: Tables, capacity: pd.DataFrame, horizon: pd.PeriodIndex, settings: Settings
) -> list[Problem]:
    """Return amounts that no role, budget or person can ever have meant."""
    hours = hours_per_fte(str(horizon.freqstr), settings.hours_per_week)
    return [
        *_too_much_demand(tables, capacity, hours, settings.hours_per_week / 5),
        *_too_much_capacity(tables, capacity, hours, settings.hours_per_week / 5),
        *_other_money(tables),
    ]


def _too_much_demand(
    tables: Tables, capacity: pd.DataFrame, hours: float, day: float
) -> list[Problem]:
    """Return projects that need more of a role than there ever is."""
    projects, demand, flex = (tables[t] for t in ("projects", "demand", "flex"))
    most = dict(zip(capacity.columns, capacity.max(axis=0).tolist(), strict=True))
    if len(flex):
        for role, fte in flex.groupby("role")["fte_max"].sum().items():
            most[role] = most.get(role, np.nan) + fte
    needed = demand["fte"].to_numpy(dtype=float)
    room = np.array([most.get(role, np.nan) for role in demand["role"].tolist()])
    over = needed > np.maximum(room, 0.0) * (1 + 1e-6) + 1e-6
    if not over.any():
        return []
    live = live_names(projects)
    rows = demand.assign(room=room)[over & demand["project"].isin(live).to_numpy()]
    found = []
    for role, theirs in rows.groupby("role", sort=False):
        there = float(theirs["room"].iloc[0])
        unit = _likely_unit(theirs["fte"], there, hours, day)
        worst = theirs.loc[theirs.groupby("project", sort=False)["fte"].idxmax()]
        for place, (label, row) in enumerate(worst.iterrows()):
            last = place == _NAMED - 1 and len(worst) > _NAMED
            more = f"; and {len(worst) - _NAMED} more projects" if last else ""
            if place >= _NAMED:
                break
            times = f", {row['fte'] / there:.3g} times that" if there > 0 else ""
            found.append(
                problem(
                    "warning",
                    "demand",
                    "more_than_there_is",
                    row=label,
                    column="fte",
                    found=f"'{row['project']}' needs {row['fte']:g} FTE of '{role}', "
                    f"and there are never more than {there:.4g}{times}{more}",
                    fix=(unit or "It can never be done in full: correct one of them.")
                    + " An FTE is one person, full time.",
                )
            )
    return found


def _likely_unit(
    amounts: pd.Series[Any],
    most: float,
    hours: float,
    day: float,
    room: float = 1.2,
) -> str:
    """Return in which unit amounts of FTE look as if they were, "" for none.

    Parameters
    ----------
    most
        FTE that there are.
    room
        How many times that they may be once they are converted.
    """
    greatest = float(amounts.max())
    if most <= 0 or greatest < _OTHER_UNIT * most or greatest < _OTHER_UNIT:
        return ""
    tidy = greatest <= 100 and bool((amounts % 5 == 0).all())
    units = {"person-days": hours / day, "hours": hours, "percent": 100.0}
    likely = [u for u, size in units.items() if greatest / size <= room * most]
    if tidy and "percent" in likely:
        likely.insert(0, likely.pop(likely.index("percent")))
    if not likely:
        return ""
    column = {"hours": "hours", "person-days": "person_days"}.get(likely[0])
    fix = f"call the column {column}" if column else "write 80% or 0.8 instead of 80"
    return f"These look like {' or '.join(likely)}: {fix}."


def _too_much_capacity(
    tables: Tables, capacity: pd.DataFrame, hours: float, day: float
) -> list[Problem]:
    """Return roles with many times more capacity than people or all of the demand."""
    demand, people = tables["demand"], tables["people"]
    heads, peaks = _heads(people), _peaks(demand)
    found = []
    for role, there in capacity.max(axis=0).items():
        known = heads.get(role, 0) or peaks.get(role, 0.0)
        if not known > 0 or not there > 4 * _OTHER_UNIT * known:
            continue
        unit = _likely_unit(capacity[role].dropna(), known, hours, day, room=5.0)
        if not unit:
            continue
        what = "people in it" if role in heads else "FTE that all projects need"
        found.append(
            problem(
                "warning",
                "capacity",
                "more_than_there_is",
                column="fte",
                found=f"'{role}' has {there:.4g} FTE of capacity, "
                f"{there / known:.3g} times the {known:.4g} {what}",
                fix=unit,
            )
        )
    return found


def _heads(people: pd.DataFrame) -> dict[Any, int]:
    """Return how many people each role has."""
    members: dict[Any, set[Any]] = {}
    for role, person in zip(people["role"], people["person"], strict=True):
        if isinstance(role, str):
            named = members.setdefault(role, set())
            if isinstance(person, str):
                named.add(person)
    return {role: len(names) for role, names in members.items()}


def _peaks(demand: pd.DataFrame) -> dict[Any, float]:
    """Return what all projects need of each role, each at its peak."""
    greatest: dict[tuple[Any, Any], float] = {}
    cells = (demand[column].tolist() for column in ("role", "project", "fte"))
    for role, project, fte in zip(*cells, strict=True):
        if not (isinstance(role, str) and isinstance(project, str)):
            continue
        if fte > greatest.get((role, project), -np.inf):
            greatest[role, project] = fte
    sums: dict[Any, float] = {}
    for (role, _), fte in greatest.items():
        sums[role] = sums.get(role, 0.0) + fte
    return sums


def _other_money(tables: Tables) -> list[Problem]:
    """Return budgets that no project, or all of them many times over, would fit."""
    projects, spend, budget = (tables[t] for t in ("projects", "spend", "budget"))
    if budget.empty:
        return []
    names = spend["project"].tolist()
    live = live_names(projects)
    paid = np.array([name in live for name in names], dtype=np.bool_)
    paid &= spend["amount"].to_numpy() > 0
    facts = {c: spend[c].to_numpy(dtype=object) for c in ("fund", "category")}
    for column in ("theme", "program"):
        of = by_project(projects, column)
        facts[column] = np.array([of.get(name) for name in names], dtype=object)
    owner = pd.factorize(spend["project"])[0]
    amounts = spend["amount"].to_numpy()
    found = []
    # What the projects spend under each set of filters: budgets share few.
    known: dict[tuple[str | None, ...], np.ndarray] = {}
    columns = (budget[c].tolist() for c in ("budget", "amount", *_FILTERS))
    for label, name, amount, *words in zip(budget.index, *columns, strict=True):
        if not amount > 0:
            continue
        filters = tuple(w if isinstance(w, str) else None for w in words)
        if filters not in known:
            covered = paid.copy()
            for column, word in zip(_FILTERS, filters, strict=True):
                if word is not None:
                    covered &= facts[column] == word
            known[filters] = _spent_by_project(owner[covered], amounts[covered])
        each = known[filters]
        if len(each) < 2:
            continue
        least, total = float(each.min()), float(each.sum())
        if least > _OTHER_MONEY / 10 * amount:
            said = (
                f"'{name}' has {amount:,.6g}, and the cheapest of "
                f"{len(each)} projects spends {least:,.6g}, {least / amount:,.4g} "
                "times as much"
            )
        elif amount >= _OTHER_MONEY * total:
            said = (
                f"'{name}' has {amount:,.6g}, {amount / total:,.4g} times "
                f"the {total:,.6g} that all {len(each)} projects spend"
            )
        else:
            continue
        found.append(
            problem(
                "warning",
                "budget",
                "money_of_other_units",
                row=label,
                column="amount",
                found=said,
                fix="One of them looks like thousands or millions of the other. Write "
                "both in the same unit.",
            )
        )
    return found


def _spent_by_project(owner: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """Return what each project spends that spends anything."""
    spent = np.bincount(owner, amounts)
    return spent[np.bincount(owner) > 0]


# -------------------------------------------------------------------------- bookings


def check_bookings(
    tables: Tables, horizon: pd.PeriodIndex, settings: Settings
) -> list[Problem]:
    """Return people who are booked for more than their contract, by period."""
    bookings = tables["bookings"]
    if bookings.empty:
        return []
    hours = hours_per_fte(str(horizon.freqstr), settings.hours_per_week)
    projects, people = tables["projects"], tables["people"]
    live = live_names(projects)
    bookings = bookings[bookings["project"].isin(live) & bookings["person"].notna()]
    if bookings.empty:
        return []
    bounds = period_bounds(horizon)
    names = pd.Index(bookings["person"].unique())
    booked = np.zeros((len(names), len(horizon)))
    share = (
        _covered(
            epoch_days(bookings["start"], OPEN),
            epoch_days(bookings["end"], -OPEN),
            bounds,
        )
        * bookings["fte"].fillna(0.0).to_numpy(dtype=float)[:, None]
    )
    np.add.at(booked, names.get_indexer(pd.Index(bookings["person"])), share)
    there = _contracts(people, names, bounds)
    over = booked > there * (1 + _HANDOVER) + 1e-6
    found = []
    for at in np.flatnonzero(over.any(axis=1)):
        theirs = bookings[(bookings["person"] == names[at]).to_numpy()]
        touched = share[(bookings["person"] == names[at]).to_numpy()][:, over[at]]
        busy = theirs["project"][(touched > 0).any(axis=1)]
        worst = int(np.argmax(np.where(over[at], booked[at] - there[at], -np.inf)))
        contract = there[at, worst]
        said = (
            f"{booked[at, worst] / contract:.0%} of a contract of {contract:.3g} FTE"
            if contract > 1e-6
            else f"{booked[at, worst]:.3g} FTE without a contract"
        )
        found.append(
            problem(
                "warning",
                "bookings",
                "person_overbooked",
                row=theirs.index[-1],
                column="fte",
                found=f"'{names[at]}' in {_spans(horizon[over[at]])}: up to {said} "
                f"({format_period(horizon[worst])}), for {listing(busy.unique())}",
                fix="Nobody works more than their contract: lower or move bookings, or "
                "book somebody else."
                + other_unit(booked[at, worst] / max(contract, 1.0), hours),
            )
        )
    return found


def _covered(start: np.ndarray, end: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Return the share of each period's weekdays from start to end, row x period."""
    days = np.arange(bounds[0], bounds[-1])
    before = np.concatenate(([0], np.cumsum((days + 3) % 7 < 5)))
    edges = before[bounds - bounds[0]]
    first = np.clip(start[:, None], bounds[:-1], bounds[1:]) - bounds[0]
    stop = np.clip(end[:, None] + 1, bounds[:-1], bounds[1:]) - bounds[0]
    inside = before[np.maximum(stop, first)] - before[first]
    return np.asarray(inside / np.maximum(np.diff(edges), 1))


def _contracts(
    people: pd.DataFrame, names: pd.Index[Any], bounds: np.ndarray
) -> np.ndarray:
    """Return the FTE of each person's contract, at most 1; 1 for who has none."""
    rows = employment(people)
    who = names.get_indexer(pd.Index(people["person"]))[rows.position]
    share = _covered(rows.spans.start, rows.spans.stop - 1, bounds)
    there = np.zeros((len(names), len(bounds) - 1))
    known = who >= 0
    np.add.at(there, who[known], (share * rows.spans.share[:, None])[known])
    there[~names.isin(people["person"])] = 1.0
    return np.minimum(there, 1.0)


def _spans(periods: pd.PeriodIndex) -> str:
    """Return periods as text, neighbours as one span."""
    spans: list[list[Any]] = []
    for period in periods:
        if spans and period == spans[-1][1] + 1:
            spans[-1][1] = period
        else:
            spans.append([period, period])
    texts = [
        format_period(a) if a == b else f"{format_period(a)} .. {format_period(b)}"
        for a, b in spans
    ]
    more = f" and {len(texts) - 4} more spans" if len(texts) > 4 else ""
    return ", ".join(texts[:4]) + more


# ----------------------------------------------------------------------- twin names


def check_twins(tables: Tables, capacity: pd.DataFrame) -> list[Problem]:
    """Return names that differ only in case, width, accents, spaces or zeros."""
    found = []
    roles = {"capacity": capacity.columns}
    roles |= {t: tables[t]["role"] for t in ("people", "demand", "roles", "operations")}
    for table, column, columns in (
        ("projects", "project", {"projects": tables["projects"]["project"]}),
        ("people", "person", {"people": tables["people"]["person"]}),
        ("roles", "role", roles),
        ("groups", "group", {"groups": tables["groups"]["group"]}),
    ):
        if pairs := _twins(columns.values()):
            texts = [" and ".join(f"'{name}'" for name in names) for names in pairs]
            more = f" and {len(texts) - 5} more" if len(texts) > 5 else ""
            found.append(
                problem(
                    "warning",
                    table,
                    "names_alike",
                    column=column,
                    found="; ".join(texts[:5]) + more,
                    fix="They differ only in case, width, accents, spaces or leading "
                    f"zeros, and count as different {column}s. Write each the same "
                    "everywhere if one is meant.",
                )
            )
    return found


def _twins(columns: Iterable[Iterable[Any]]) -> list[list[str]]:
    names: dict[str, dict[str, None]] = {}
    for column in columns:
        for name in dict.fromkeys(column):
            if isinstance(name, str):
                names.setdefault(folded(name), {})[name] = None
    return [list(alike) for alike in names.values() if len(alike) > 1]
