"""A sound portfolio of two projects to break one rule at a time."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pmo_analytics.clock.periods import Settings, make_horizon
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tables.checks import check_rules

HORIZON = make_horizon("2027-01", 6, "M")


def rows(columns: str, *records: tuple, first: int = 50) -> pd.DataFrame:
    """Return a table whose row labels begin at 50, so that they are no positions."""
    index = range(first, first + len(records))
    return pd.DataFrame(list(records), columns=columns.split(), index=index)


def projects(**columns: list) -> pd.DataFrame:
    """Return A and B, rows 10 and 11; lists replace or add columns."""
    base = {
        "project": ["A", "B"],
        "value": [2.0, 1.0],
        "duration": [2, 3],
        "theme": ["Red", "Blue"],
        "program": ["North", None],
    }
    return pd.DataFrame({**base, **columns}, index=[10, 11])


def capacity() -> pd.DataFrame:
    return pd.DataFrame({"Dev": 2.0}, index=HORIZON)


def portfolio(**parts: Any) -> Portfolio:
    """Return the sound portfolio with some tables, `capacity` or `source` replaced."""
    sound = {
        "projects": projects(),
        "demand": rows(
            "project role offset fte", ("A", "Dev", 0, 1), ("B", "Dev", 0, 1), first=20
        ),
        "capacity": capacity(),
    }
    settings = Settings(source=parts.pop("source", ""))
    return Portfolio("case", horizon=HORIZON, settings=settings, **{**sound, **parts})


def problems_of(**parts: Any) -> list[dict[str, Any]]:
    """Return the rows of broken rules between the tables of `portfolio(**parts)`."""
    case = portfolio(**parts)
    return check_rules(case.tables, case.capacity, case.horizon, case.settings)


def found(**parts: Any) -> list[tuple]:
    """Return (severity, table, rule, row, column) of every broken rule."""
    columns = ("severity", "table", "rule", "row", "column")
    return [tuple(p[c] for c in columns) for p in problems_of(**parts)]
