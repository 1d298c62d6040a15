"""A comparison of scenarios as tables, one folder for each plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pmo_analytics.reporting.folder import capacity_rows, folder_names

if TYPE_CHECKING:
    import pandas as pd

    from pmo_analytics.scenarios import Comparison


def comparison_tables(comparison: Comparison) -> dict[str, pd.DataFrame]:
    """Return the tables of a comparison by file name.

    `comparison.csv` (one row per scenario, the base first; `folder` is its own),
    `changes.csv`, `core.csv`, `budgets.csv`, and `schedule.csv` and `load.csv` in a
    folder for each scenario that has a plan.
    """
    folders = folder_names(comparison.portfolios)
    table = comparison.table
    own = {name: folders[name] for name in comparison.plans}
    tables = {
        "comparison.csv": table.assign(folder=table["scenario"].map(own).fillna("")),
        "changes.csv": comparison.changes,
        "core.csv": comparison.core,
        "budgets.csv": comparison.budget,
    }
    for name, plan in comparison.plans.items():
        tables[f"{folders[name]}/schedule.csv"] = plan.schedule
        tables[f"{folders[name]}/load.csv"] = capacity_rows(plan)
    return tables
