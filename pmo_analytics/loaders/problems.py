"""Findings of reading and of checking as one table, none of them twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.errors import (
    has_errors,
    joined_problems,
    problem,
    problem_records,
    problems_table,
)
from pmo_analytics.loaders.findings import Problem
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables import TABLES, table_spec

# Findings after which (some) rows of a table are missing.
FILE_RULES = frozenset(
    {
        "binary_file",
        "broken_quotes",
        "corrupt_file",
        "duplicate_table",
        "empty_file",
        "field_too_long",
        "file_too_large",
        "misspelled_table",
        "missing_file",
        "missing_header",
        "too_many_columns",
        "too_many_fields",
        "unknown_encoding",
        "unread_table",
        "unreadable_file",
        "wrong_encoding",
    }
)


# Findings after which the names in a column of a table may be missing.
_COLUMN_FAULTS = {"missing_column", "misspelled_column", "duplicate_column"}


# Finding -> tables whose missing rows cause it; then it merely follows from that.
_CONSEQUENCES = {
    "capacity_missing": {"capacity", "people"},
    "empty_table": {"projects", "people", "history", "capacity"},
    "no_demand_no_spend": {"demand", "spend"},
    "no_value": {"projects", "benefits"},
    "spend_without_budget": {"budget"},
    "unknown_category": {"spend"},
    "unknown_fund": {"spend"},
    "unknown_person": {"people"},
    "unknown_program": {"projects"},
    "unknown_project": {"projects", "groups"},
    "unknown_role": {"capacity", "people"},
    "unknown_theme": {"projects"},
}


# Findings on one row that stand for all of its column.
_COLUMN_RULES = ("ambiguous_number", "ambiguous_date", "percent_or_share")


def loaded_problems(portfolio: Portfolio) -> pd.DataFrame:
    """Return findings of reading and of checking as one problems table.

    Of two findings about one cell the first, from reading, is kept. Where a whole
    table could not be read, findings that merely follow from it are left out.
    """
    reading, checking = portfolio.problems, portfolio.check()
    errors = problem_records(reading[reading["severity"] == "error"])
    kept = np.ones(len(checking), dtype=bool)
    rules = checking["rule"].to_numpy()
    if damaged := _damaged_tables(errors, checking):
        follows = [rule for rule, of in _CONSEQUENCES.items() if of & damaged]
        kept &= ~np.isin(rules, follows)
    if errors:
        kept &= ~_said_already(checking, errors)
    return joined_problems([reading, checking[kept]])


def _said_already(checking: pd.DataFrame, errors: list[Problem]) -> np.ndarray:
    """Return which findings are about cells of which reading has said an error."""
    said = [_cell(p) for p in errors]
    cells = set(said)
    rows = {
        cell[:4] for cell, p in zip(said, errors, strict=True) if p["row"] is not None
    }
    whole_columns = {
        (p["table"], column.strip())
        for p in errors
        if p["row"] is None or p["rule"] in _COLUMN_RULES
        for column in str(p["column"]).split(",")
    }
    found = []
    for p in problem_records(checking):
        cell = _cell(p)
        blank = p["rule"] == "missing_value"
        unread = blank or str(p["rule"]).startswith("not_a_")
        found.append(
            cell in cells
            or (unread and (p["table"], p["column"]) in whole_columns)
            # It could not be converted, which has been said.
            or (blank and p["column"] in ("offset", "fte") and cell[:4] in rows)
        )
    return np.array(found, dtype=bool)


def planning_problems(portfolio: Portfolio, *, networks: bool = False) -> pd.DataFrame:
    """Return `loaded_problems`, and what is missing for a plan: projects, or people.

    A portfolio without them can be read all the same: a history is forecast, and people
    are capacity.

    Parameters
    ----------
    networks
        The portfolio is made of planning files: they are whole without people.
    """
    problems = loaded_problems(portfolio)
    missing = [] if has_errors(problems) else _nobody_or_nothing(portfolio)
    if networks and missing and missing[0]["table"] == "people":
        fix = (
            "Nobody is assigned in the planning files, and they spend no money: there "
        )
        fix += "is no capacity, no load, and no plan by people. Assign people in the "
        fix += "planning tool. What the tasks alone say: pmo check with --schedule."
        missing = [problem("warning", "people", "empty_table", fix=fix)]
    return joined_problems([problems_table(missing), problems])


def _nobody_or_nothing(portfolio: Portfolio) -> list[Problem]:
    tables = portfolio.tables
    if len(tables["history"]):
        return []
    staffed = bool(portfolio.capacity.notna().to_numpy().any())
    if tables["projects"].empty and (staffed or len(tables["people"])):
        missing, fix = "projects", "There are people, and no projects to plan."
    elif (
        len(tables["projects"])
        and not staffed
        and all(tables[name].empty for name in ("people", "demand", "spend", "budget"))
    ):
        missing, fix = "people", "There are projects, and nobody to do them: neither "
        fix += "people nor capacity, and no money that they spend either."
    else:
        return []
    fix += f" Fill in the table '{missing}'."
    return [problem("error", missing, "empty_table", fix=fix)]


def _damaged_tables(errors: list[Problem], checking: pd.DataFrame) -> set[str]:
    """Return the tables of which rows, or all names in them, are missing."""
    telling = checking["rule"].isin(FILE_RULES | _COLUMN_FAULTS)
    damaged = set()
    for p in [*errors, *problem_records(checking[telling])]:
        table, rule = p["table"], p["rule"]
        if rule in FILE_RULES and table == "portfolio":
            return {*TABLES, "capacity"}  # nobody knows which one it was
        if rule in FILE_RULES:
            damaged.add(table)
        elif rule in _COLUMN_FAULTS:
            spec = table_spec(table).columns.get(p["column"])
            if rule == "misspelled_column" or (spec is not None and spec.required):
                damaged.add(table)
    return damaged


def _cell(p: dict[str, Any]) -> tuple[str, ...]:
    # Every finding of a bad table passes here.
    place = p["table"], p["source"], p["sheet"], p["row"], p["column"]
    return tuple(map(str, place))
