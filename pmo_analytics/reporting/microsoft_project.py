"""A plan as a file that Microsoft Project opens: projects, dates, roles and hours."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.clock import hours_per_fte
from pmo_analytics.loaders import write_network
from pmo_analytics.networks import (
    PROJECT_FIELD,
    STATUS_FIELD,
    Network,
    WorkCalendar,
)
from pmo_analytics.plan import Plan

_KINDS = {"finish_start": "FS", "start_start": "SS"}
# Columns of `projects` that custom fields hold.
_CODES = ("theme", "program")
_SHIFTS = ((480, 720), (780, 1020))


def write_mspdi(plan: Plan, path: str | Path) -> Path:
    """Write a plan as Microsoft Project XML.

    Each selected project is a summary task with one task for each role that it needs;
    the hours of every period lie in the time-phased data of its assignment. Roles are
    resources, with units whose working hours are the capacity of each period.
    Dependencies on starts and finishes are links between the projects. Custom fields
    hold id, status, worth (as value), theme and program of each project: read again as
    a portfolio, the file is these projects with their hours and capacity. Work before
    the horizon counts as done.

    Parameters
    ----------
    plan
        What is written.
    path
        A name ending in .xml; what is there is replaced.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    ConfigError
        If the name does not end in .xml, or the system refuses to write.

    Notes
    -----
    A period begins and ends on its first and last working day of Monday to Friday, 8 to
    12 and 13 to 17. Hours are FTE times the hours of one FTE in a period, so a project
    keeps its effort, and so does a role: in a short month it has more units. Units are
    rounded up to 0.0001. Not in the file: windows, own rules, budgets, spend, benefits,
    names of people.
    """
    return write_network(plan_network(plan), path)


def plan_network(plan: Plan) -> Network:
    """Return a plan as one network; see `write_mspdi`."""
    portfolio = plan.portfolio
    made = _Tasks(plan)
    tasks, assignments, phases = made.rows()
    roles = list(dict.fromkeys(row["resource"] for row in assignments))
    horizon = portfolio.horizon
    units = pd.DataFrame(
        [
            {
                "resource": role,
                "start": period.start_time,
                "finish": (period + 1).start_time - pd.Timedelta("1min"),
                "units": made.units(period, float(plan.capacity.at[period, role])),
            }
            for role in roles
            if role in plan.capacity
            for period in horizon
        ],
        columns=["resource", "start", "finish", "units"],
    )
    most = units.groupby("resource")["units"].max()
    starts = [row["start"] for row in tasks]
    return Network(
        portfolio.name or "Plan",
        name=portfolio.name or "Plan",
        currency=portfolio.settings.currency,
        data_date=horizon[0].start_time,
        start=min(starts, default=horizon[0].start_time),
        tasks=pd.DataFrame(tasks) if tasks else None,
        links=_links(plan),
        assignments=pd.DataFrame(assignments) if assignments else None,
        resources=pd.DataFrame(
            {
                "resource": roles,
                "name": roles,
                "kind": "work",
                "max_units": [most.get(role, 0.0) for role in roles],
                "calendar": "1",
                "generic": True,
            }
        ),
        units=units,
        calendars={"calendar": ["1"], "name": ["Standard"], "default": [True]},
        shifts=_office(),
        timephased=pd.DataFrame(phases) if phases else None,
        codes=pd.DataFrame(made.codes) if made.codes else None,
    )


class _Tasks:
    """Rows of a plan's tasks, assignments and hours by period."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.clock = WorkCalendar.standard()
        self.hours: dict[Any, float] = {}
        self.begin = plan.portfolio.horizon[0]
        settings = plan.portfolio.settings
        self.full = hours_per_fte(plan.portfolio.freq, settings.hours_per_week)
        self.tasks: list[dict[str, Any]] = []
        self.assignments: list[dict[str, Any]] = []
        self.phases: list[dict[str, Any]] = []
        self.codes: list[dict[str, str]] = []

    def units(self, period: Any, fte: float) -> float:
        """Return the units that work the hours of so much FTE in a period."""
        if period not in self.hours:
            edges = [period.start_time, (period + 1).start_time]
            worked = self.clock.hours_between(*(np.array([e], "M8[s]") for e in edges))
            self.hours[period] = float(worked[0])
        return ceil(fte * self.full / self.hours[period] * 1e4 - 1e-6) / 1e4

    def rows(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Return rows of tasks, assignments and time-phased hours."""
        demand = self.plan.portfolio.demand
        by_project = dict(iter(demand.groupby("project", sort=False)))
        for row in self.plan.projects.to_dict("records"):
            if row["decision"] != "selected" or pd.isna(row["start"]):
                continue
            self._project(row, by_project.get(row["project"], demand.iloc[:0]))
        return self.tasks, self.assignments, self.phases

    def _project(self, row: dict[str, Any], demand: pd.DataFrame) -> None:
        name, first = row["project"], row["start"]
        self._task(name, "", str(row.get("name") or name), first, row["finish"], 0.0)
        self.tasks[-1] |= {
            "kind": "summary",
            "constraint": "start_no_earlier",
            "constraint_date": self.tasks[-1]["start"],
            "notes": f"Id: {name}",
        }
        self._fields(name, row)
        deadline = self._deadline(name)
        if deadline is not None:
            self.tasks[-1]["deadline"] = self._edge(deadline, end=True)
        work = 0.0
        for role, own in demand[demand["fte"] > 0].groupby("role", sort=False):
            periods = [first + int(k) for k in own["offset"]]
            hours = (own["fte"] * self.full).tolist()
            uid, whole = f"{name} / {role}", sum(hours)
            work += whole
            self._task(uid, name, str(role), min(periods), max(periods), whole)
            self._assign(str(role), periods, hours)
        self.tasks[[t["task"] for t in self.tasks].index(name)]["work_h"] = work

    def _fields(self, name: str, row: dict[str, Any]) -> None:
        cells = {PROJECT_FIELD: name, STATUS_FIELD: row.get("status")}
        cells |= {"Value": row.get("worth")}
        cells |= {word.capitalize(): row.get(word) for word in _CODES}
        self.codes += [
            {"of": "task", "id": name, "code": code, "value": _text(cell)}
            for code, cell in cells.items()
            if not pd.isna(cell) and cell != ""
        ]

    def _deadline(self, name: str) -> pd.Period | None:
        projects = self.plan.portfolio.projects
        cell = projects.loc[projects["project"] == name, "deadline"]
        return None if cell.empty or pd.isna(cell.iloc[0]) else cell.iloc[0]

    def _task(
        self, uid: str, parent: str, name: str, first: Any, last: Any, work: float
    ) -> None:
        start, finish = self._edge(first), self._edge(last, end=True)
        hours = self.clock.hours_between(
            np.array([start], "M8[s]"), np.array([finish], "M8[s]")
        )
        self.tasks.append(
            {
                "task": uid,
                "parent": parent,
                "name": name,
                "kind": "task",
                "start": start,
                "finish": finish,
                "duration_h": float(hours[0]),
                "work_h": work,
            }
        )

    def _assign(self, role: str, periods: list[Any], hours: list[float]) -> None:
        task = self.tasks[-1]
        row = len(self.assignments)
        past = [period < self.begin for period in periods]
        done = sum(h for h, before in zip(hours, past, strict=True) if before)
        if done:
            share = done / task["work_h"]
            task |= {"actual_start": task["start"], "percent_complete": 100 * share}
            if all(past):
                task["actual_finish"] = task["finish"]
        self.assignments.append(
            {
                "task": task["task"],
                "resource": role,
                "units": task["work_h"] / (task["duration_h"] or 1.0),
                "work_h": task["work_h"],
                "actual_h": done,
                "remaining_h": task["work_h"] - done,
                "start": task["start"],
                "finish": task["finish"],
                "contour": "contoured",
            }
        )
        for period, amount, before in zip(periods, hours, past, strict=True):
            self.phases.append(
                {
                    "row": row,
                    "kind": "actual" if before else "remaining",
                    "start": self._edge(period),
                    "finish": self._edge(period, end=True),
                    "hours": amount,
                }
            )

    def _edge(self, period: Any, *, end: bool = False) -> pd.Timestamp:
        """Return the first or last working moment of a period."""
        time = (period + 1).start_time if end else period.start_time
        seconds = int(np.datetime64(time, "s").astype("int64"))
        look = self.clock.previous_work if end else self.clock.next_work
        return pd.Timestamp(look(seconds), unit="s")


def _text(cell: Any) -> str:
    return f"{cell:.15g}" if isinstance(cell, float) else str(cell)


def _links(plan: Plan) -> pd.DataFrame | None:
    """Return dependencies of selected projects as links, lags in working hours."""
    chosen = set(plan.starts)
    table = plan.portfolio.dependencies
    week = 40.0
    hours = hours_per_fte(plan.portfolio.freq, week)
    rows = [
        {
            "task": row["project"],
            "requires": row["requires"],
            "kind": _KINDS[row["kind"]],
            "lag_h": float(row["lag"]) * hours,
            "lag_unit": "working",
        }
        for row in table.to_dict("records")
        if row["kind"] in _KINDS and {row["project"], row["requires"]} <= chosen
    ]
    return pd.DataFrame(rows) if rows else None


def _office() -> pd.DataFrame:
    rows: list[tuple[str, int, float, float]]
    rows = [("1", day, a, b) for day in range(1, 6) for a, b in _SHIFTS]
    rows += [("1", day, np.nan, np.nan) for day in (6, 7)]
    names = ["calendar", "weekday", "start_minute", "end_minute"]
    return pd.DataFrame(rows, columns=names)
