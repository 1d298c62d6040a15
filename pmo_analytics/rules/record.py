"""The plan of record: what departing from it costs, and what of it is frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from pmo_analytics.errors import ConfigError
from pmo_analytics.tables import start_windows

if TYPE_CHECKING:
    from pmo_analytics.portfolio import Portfolio


class Dated(Protocol):
    """Whatever has a schedule: a plan."""

    @property
    def schedule(self) -> pd.DataFrame:
        """Columns `project, start`."""


@dataclass(frozen=True)
class Record:
    """The plan in force, the prices of changing it, and how much of it is frozen.

    A project is changed where it is moved, dropped or brought in. What the tables
    decide (work that is running or keeps its start, done, cancelled or forced out) is
    no change that a plan makes, and costs nothing.

    Parameters
    ----------
    plan
        A plan, a schedule (`project, start`), or a mapping project -> start.
    freeze
        Periods, from the first of the horizon, in which the plan holds: what starts in
        them stays, and nothing else starts in them.
    change_price
        Of each project moved, dropped or brought in, in the unit of worth.
    move_price
        Of each period that a project is moved, either way, on top of that.

    Raises
    ------
    ConfigError
        If a price is no price, or the freeze no number of periods.

    Examples
    --------
    >>> import pmo_analytics as pmo
    >>> plan = pmo.baseline(pmo.example_portfolio())
    >>> pmo.Record(plan, freeze=3, change_price=10_000).freeze
    3
    """

    plan: Dated | pd.DataFrame | Mapping[str, object]
    _: KW_ONLY
    freeze: int = 0
    change_price: float = 0.0
    move_price: float = 0.0

    def __post_init__(self) -> None:
        for name in ("change_price", "move_price"):
            price = getattr(self, name)
            if not 0 <= price < np.inf:
                raise ConfigError(f"{name} must be 0 or more, not {price!r}.")
        if not self.freeze >= 0:
            raise ConfigError(f"freeze is {self.freeze!r}: write a number of periods.")

    @property
    def schedule(self) -> pd.DataFrame:
        """Columns `project, start` of the plan."""
        if isinstance(self.plan, Mapping):
            rows = {"project": list(self.plan), "start": list(self.plan.values())}
            return pd.DataFrame(rows, dtype=object)
        return self.plan if isinstance(self.plan, pd.DataFrame) else self.plan.schedule

    @property
    def unfrozen(self) -> Record:
        """The same without its freeze, for a portfolio where that is written."""
        return replace(self, freeze=0)

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


def freeze_record(portfolio: Portfolio, record: Record) -> Portfolio:
    """Return the portfolio in which the first periods are as the plan of record says.

    What it starts in them is selected and keeps that start; nothing else starts in
    them. Work that the tables decide stays as it is.

    Parameters
    ----------
    portfolio
        A valid portfolio.
    """
    freeze = record.freeze
    if not freeze:
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
