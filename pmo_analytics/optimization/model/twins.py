"""Which projects are the same in everything, so that solver and proof order them.

The checker, whose bound rests on the same order, finds them for itself
(`checker.proofs.twins`).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pandas as pd

from pmo_analytics.rules import chances, counts_value
from pmo_analytics.tables import allowed_starts, start_windows
from pmo_analytics.tolerance import written

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


def find_twins(portfolio: Portfolio) -> list[tuple[str, str]]:
    """Return projects that are the same as another one, each with the one before.

    Candidates with the same starts, worth, demand and spend, which no dependency, group
    or rule names.
    """
    projects = portfolio.projects
    windows = start_windows(projects, portfolio.horizon)
    starts = allowed_starts(projects, portfolio.blackouts, portfolio.horizon, windows)
    named = {
        *portfolio.dependencies["project"],
        *portfolio.dependencies["requires"],
        *portfolio.groups["project"],
        *portfolio.rules["project"],
    }
    free = (windows["state"] == "live") & ~windows["must"] & ~windows["kept"]
    facts = _facts(portfolio)
    last: dict[object, str] = {}
    pairs = []
    lengths = zip(windows.index[free], windows.loc[free, "duration"], strict=True)
    for name, length in lengths:
        if name in named or not len(starts[name]):
            continue
        sameness = (length, tuple(starts[name].tolist()), *facts[name])
        if sameness in last:
            pairs.append((name, last[sameness]))
        last[sameness] = name
    return pairs


def _facts(portfolio: Portfolio) -> dict[str, tuple[object, ...]]:
    """Return demand, spend and worth of each project, to be compared."""
    demand = _rows(portfolio.demand, ["role", "offset", "fte"])
    spend = _rows(portfolio.spend, ["fund", "category", "offset", "amount"])
    worth = _worth_by_offset(portfolio)
    facts: dict[str, tuple[object, ...]] = {}
    projects = portfolio.projects
    columns = (projects[c].tolist() for c in ("project", "theme", "program"))
    for name, *words in zip(*columns, strict=True):
        filters = tuple(word if isinstance(word, str) else None for word in words)
        paid = spend.get(name, frozenset())
        facts[name] = (
            demand.get(name, frozenset()),
            (paid, tuple(filters) if paid else ()),
            frozenset(worth.get(name, {}).items()),
        )
    return facts


def _rows(table: pd.DataFrame, columns: list[str]) -> dict[str, frozenset[Any]]:
    """Return the rows of each project."""
    found: dict[str, set[Any]] = {}
    given = (table[c].tolist() for c in ("project", *columns))
    for name, *cells in zip(*given, strict=True) if len(table) else ():
        row = tuple(None if pd.isna(cell) else cell for cell in cells)
        found.setdefault(name, set()).add(row)
    return {name: frozenset(rows) for name, rows in found.items()}


def _worth_by_offset(portfolio: Portfolio) -> dict[str, dict[int, Fraction]]:
    """Return what each project is worth at each offset, exactly."""
    projects = portfolio.projects
    value, benefits = counts_value(portfolio)
    tables = [(portfolio.benefits, 1)] if benefits else []
    tables += [(portfolio.spend, -1)] if portfolio.settings.net_of_spend else []
    if value:
        given = projects[projects["value"].notna()]
        worth = given[["project"]].assign(offset=0, amount=given["value"])
        tables.append((worth, 1))
    chance = dict(zip(projects["project"], chances(portfolio), strict=True))
    found: dict[str, dict[int, Fraction]] = {}
    for table, sign in tables:
        rows = zip(table["project"], table["offset"], table["amount"], strict=True)
        for name, offset, amount in rows:
            amounts = found.setdefault(name, {})
            own = sign * written(float(amount)) * written(float(chance[name]))
            amounts[int(offset)] = amounts.get(int(offset), Fraction(0)) + own
    return found
