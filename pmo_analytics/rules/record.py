"""The plan of record: what departing from it costs, and what of it is frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pmo_analytics.tables.windows import start_windows

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


@dataclass(frozen=True)
class Record:
    """The plan in force, and the prices of changing it.

    A project is changed where it is moved, dropped or brought in. What the tables
    decide (work that is running or keeps its start, done, cancelled or forced out) is
    no change that a plan makes, and costs nothing.

    Attributes
    ----------
    schedule
        Columns `project, start` (Period).
    change_price
        Of each changed project, in the unit of worth.
    move_price
        Of each period that a project is moved, either way, on top of that.
    """

    schedule: pd.DataFrame
    change_price: float = 0.0
    move_price: float = 0.0

    def starts(self, portfolio: Portfolio) -> dict[str, int]:
        """Return project -> start, whole periods after the first of the horizon."""
        first = portfolio.horizon[0].ordinal
        known = set(portfolio.projects["project"])
        return {
            project: int(start.ordinal - first)
            for project, start in zip(
                self.schedule["project"], self.schedule["start"], strict=True
            )
            if project in known
        }


def priced_projects(portfolio: Portfolio) -> list[str]:
    """Return the projects whose changes have a price."""
    windows = start_windows(portfolio.projects, portfolio.horizon)
    free = (windows["state"] == "live") & ~windows["kept"]
    return [str(name) for name in windows.index[free]]


def change_cost(
    portfolio: Portfolio, record: Record, starts: Mapping[str, int]
) -> float:
    """Return the price of all changes of a plan.

    Parameters
    ----------
    starts
        Project -> start, whole periods after the first of the horizon.
    """
    before = record.starts(portfolio)
    total = 0.0
    for project in priced_projects(portfolio):
        old, new = before.get(project), starts.get(project)
        if old == new:
            continue
        total += record.change_price
        if old is not None and new is not None:
            total += record.move_price * abs(new - old)
    return total


def record_gains(
    portfolio: Portfolio,
    record: Record,
    names: list[str],
    project: np.ndarray,
    start: np.ndarray,
) -> tuple[np.ndarray, float]:
    """Return what each option adds to the objective, and what no option does.

    Dropping a project has its price even if nothing else is chosen: it is taken off
    once, and given back by every option of the project.

    Parameters
    ----------
    names
        Project of each number.
    project, start
        Project number and start of each option.
    """
    before = record.starts(portfolio)
    priced = set(priced_projects(portfolio))
    gains = np.zeros(len(project))
    dropped = 0.0
    for p, name in enumerate(names):
        if name not in priced:
            continue
        own = np.flatnonzero(project == p)
        if name not in before:
            gains[own] = -record.change_price
            continue
        moved = np.abs(start[own] - before[name])
        price = record.move_price * moved + record.change_price * (moved > 0)
        gains[own] = record.change_price - price
        dropped += record.change_price
    return gains, -dropped


def freeze_record(portfolio: Portfolio, record: Record, freeze: int) -> Portfolio:
    """Return the portfolio in which the first periods are as the plan of record says.

    What it starts in them is selected and keeps that start; nothing else starts in
    them. Work that the tables decide stays as it is.

    Parameters
    ----------
    portfolio
        A valid portfolio.
    freeze
        How many periods, from the first of the horizon.
    """
    if freeze <= 0:
        return portfolio
    windows = start_windows(portfolio.projects, portfolio.horizon)
    before = record.starts(portfolio)
    projects = portfolio.projects.copy()
    first = portfolio.horizon[0]
    for label, name in projects["project"].items():
        window = windows.loc[name]
        if window["state"] != "live" or window["kept"]:
            continue
        start = before.get(name)
        if start is not None and 0 <= start < freeze:
            projects.loc[label, ["earliest", "latest"]] = first + start
            if not window["must"]:
                projects.loc[label, "force"] = "in"
                projects.loc[label, "force_reason"] = "frozen plan of record"
        elif window["last"] < freeze and not window["must"]:
            projects.loc[label, "force"] = "out"
            projects.loc[label, "force_reason"] = "no start is left after the freeze"
        elif window["first"] < freeze:
            projects.loc[label, "earliest"] = first + freeze
    return portfolio.replace(projects=projects)
