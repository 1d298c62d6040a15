"""Reading what is not clean: rows that cannot be used are left out, and named.

Nothing becomes lighter for it in silence. A project of which a row of demand, spend or
benefits is lost would look cheaper, or worth another amount, than any reading of the
file says, so the whole project is left out with everything that names it. What else
is lost when a row goes (a limit, an absence) is said with the row.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import pandas as pd

from pmo_analytics.errors import DataError, folded, has_errors, listing, problems_table
from pmo_analytics.loaders.findings import Place, Problem
from pmo_analytics.loaders.problems import loaded_problems
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables import TABLES

# Findings on one row alone: without the row they are gone. All others (ambiguous
# numbers, unknown units, a role nobody has) are about a column or a file.
_ROW_RULES = frozenset(
    {
        "above_maximum",
        "below_minimum",
        "budget_contradiction",
        "benefits_before_start",
        "demand_before_start",
        "demand_beyond_duration",
        "depends_on_itself",
        "duplicate_key",
        "end_before_start",
        "error_cell",
        "finish_before_start",
        "impossible_force",
        "lag_contradiction",
        "missing_value",
        "not_a_choice",
        "not_a_end_day",
        "not_a_number",
        "not_a_period",
        "not_a_start_day",
        "not_a_text",
        "not_a_whole",
        "running_without_start",
        "spend_before_start",
        "too_many_fields",
        "unknown_person",
        "unknown_project",
        "unknown_word",
        "window_contradiction",
        "window_too_short",
    }
)
# Tables of which a project needs every row, or it is another project.
_WHOLE = ("demand", "spend", "benefits")
# What no longer holds when a row of a table goes.
_LOST = {
    "absences": "Its person counts as present.",
    "operations": "Nothing is taken off capacity for it.",
    "dependencies": "Its project no longer waits for another one.",
    "groups": "Its project no longer counts in the group.",
    "rules": "Its project no longer counts in the rule.",
    "blackouts": "Nothing is blocked by it.",
    "budget": "Its limit no longer holds.",
}


def without_bad_rows(portfolio: Portfolio) -> Portfolio:
    """Return a portfolio without the rows that have errors; each is named.

    A project that loses a row of its demand, spend or benefits is left out as a
    whole. Rows that then lack what they refer to, such as the demand of a project
    that was left out, go too, until what is left can be used.

    Returns
    -------
    Portfolio
        Its `problems` list every row left out as a warning `row_left_out`, also
        those of whole projects, and the warnings of reading.

    Raises
    ------
    DataError
        If an error is about more than one row, such as numbers that can be read in
        two ways, or about capacity.
    """
    reading = portfolio.problems
    names = {str(p) for p in portfolio.projects["project"].dropna()}
    left_out: list[Problem] = []
    while has_errors(problems := loaded_problems(portfolio)):
        errors = problems[problems["severity"] == "error"]
        if not errors["rule"].isin(_ROW_RULES).all():
            raise DataError(problems_table([*errors.to_dict("records"), *left_out]))
        bad: dict[str, set[Any]] = {}
        for table, source in portfolio.sources.items():
            here = errors[(errors["table"] == table) & errors["row"].notna()]
            rows = set(here["row"])
            if table in TABLES and rows:
                bad[table] = set(source.index[source["row"].isin(rows)])
                bad[table] &= set(portfolio.tables[table].index)
        if not any(bad.values()):
            raise DataError(problems_table([*errors.to_dict("records"), *left_out]))
        gone = errors[errors["table"].isin(bad)].to_dict("records")
        left_out += [
            {**p, "severity": "warning", "rule": "row_left_out", "fix": _left_out(p)}
            for p in gone
        ]
        left_out += _projects_to_leave_out(portfolio, bad, names)
        kept = {
            name: frame.drop(index=list(bad.get(name, ())), errors="ignore")
            for name, frame in portfolio.tables.items()
        }
        unread = portfolio.problems
        portfolio = Portfolio(
            portfolio.name,
            horizon=portfolio.horizon,
            settings=portfolio.settings,
            capacity=portfolio.given_capacity,
            sources=portfolio.sources,
            problems=unread[~((unread["severity"] == "error") & unread["row"].notna())],
            **kept,
        )
    said = reading[reading["severity"] != "error"].to_dict("records")
    # A finished portfolio is frozen for users; this one is not handed out yet.
    object.__setattr__(portfolio, "problems", problems_table([*left_out, *said]))
    return portfolio


def _left_out(p: dict[Any, Any]) -> str:
    lost = _LOST.get(p["table"], "")
    if p["table"] in _WHOLE and (p["rule"], p["column"]) == (
        "missing_value",
        "project",
    ):
        lost = "Some project is lighter than the file says: nobody can tell which."
    return f"The row was left out [{p['rule']}]: {p['fix']}{lost and ' '}{lost}"


def _projects_to_leave_out(
    portfolio: Portfolio, bad: dict[str, set[Any]], names: set[str]
) -> list[Problem]:
    """Add the projects that lose a row to the bad rows; return a warning for each.

    Parameters
    ----------
    names
        All projects of the file: a name that is none of them but much like one may
        mean it.
    """
    projects = portfolio.projects
    owners: dict[str, list[tuple[str, Any]]] = {}
    for table in _WHOLE:
        frame = portfolio.tables[table]
        for label in sorted(bad.get(table, ())):
            owner = frame.at[label, "project"]
            if pd.isna(owner):
                continue
            meant = [str(owner)]
            if str(owner) not in names:
                meant = [n for n in names if folded(n) == folded(owner)]
                meant = meant or get_close_matches(str(owner), list(names), 3, 0.75)
            row = portfolio.sources[table].at[label, "row"]
            for name in meant:
                owners.setdefault(name, []).append((table, row))
    found = []
    going = bad.setdefault("projects", set())
    source = portfolio.sources.get("projects")
    for label, name in projects["project"].items():
        if name not in owners or label in going:
            continue
        going.add(label)
        rows = listing((f"{table} row {row}" for table, row in owners[name]), 3)
        place = Place("projects", "")
        row = None
        if source is not None and label in source.index:
            at = source.loc[label]
            place, row = Place("projects", at["source"], at["sheet"]), at["row"]
        found.append(
            place.warning(
                "row_left_out",
                row=row,
                column="project",
                found=name,
                fix=f"The project '{name}' was left out with everything that names it: "
                f"without {rows.replace(chr(39), '')} it would look lighter than the "
                "file says. Correct the row to have it back.",
            )
        )
    return found
