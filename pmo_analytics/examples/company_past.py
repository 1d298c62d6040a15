"""The past of the example company: baselines, hours that were booked, and history."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pmo_analytics.clock import hours_per_fte
from pmo_analytics.examples import company_text as company
from pmo_analytics.tables import people_capacity

type Row = dict[str, Any]
type Floats = npt.NDArray[np.float64]

FIRST = pd.Period("2027-01", "M")
PERIODS = 24
HISTORY = pd.period_range("2024-01", "2026-12", freq="M", name="period")
HOURS = hours_per_fte("M")
# Share of the working days that vacations and training take, January to December.
_AWAY = (0.06, 0.08, 0.07, 0.11, 0.1, 0.08, 0.15, 0.18, 0.08, 0.09, 0.06, 0.15)
# What month it is moves the load of operations: renewals in January, storms in autumn.
_SEASON = (1.18, 1.08, 1.0, 0.96, 0.95, 0.96, 0.93, 0.92, 0.98, 1.02, 1.06, 1.1)


def actuals_of(
    projects: pd.DataFrame,
    needs: pd.DataFrame,
    spend: pd.DataFrame,
    bookings: pd.DataFrame,
    roles: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return hours and cost per period, role and booked person, and bills paid.

    Returns
    -------
    DataFrame
        Columns `period, project, role, person, hours, amount` (hours x rate of the
        role); rows of bills have no role and no hours.
    """
    past = projects[projects["status"].isin(["done", "running"])]
    starts = past.set_index("project")["start"]
    rates = roles.set_index("role")["rate"]
    worked = needs[needs["project"].isin(past["project"])].copy()
    worked["period"] = [
        starts[project] + int(offset)
        for project, offset in zip(worked["project"], worked["offset"], strict=True)
    ]
    worked = worked[worked["period"] < FIRST]
    noise = np.exp(rng.normal(0.0, 0.1, len(worked)))
    worked["hours"] = np.round(worked["fte"] * HOURS * noise)
    # Booked people write the hours of their project and role, in proportion.
    booked = bookings[["project", "role", "person", "fte"]].rename(
        columns={"fte": "booked"}
    )
    total = booked.groupby(["project", "role"])["booked"].transform("sum")
    rows = worked.merge(
        booked.assign(part=booked["booked"] / total), "left", ["project", "role"]
    )
    rows["hours"] = (rows["hours"] * rows["part"].fillna(1.0)).round(1)
    rows["amount"] = (rows["hours"] * rows["role"].map(rates)).round()

    bills = spend[spend["project"].isin(past["project"])].copy()
    bills["period"] = [
        starts[project] + int(offset)
        for project, offset in zip(bills["project"], bills["offset"], strict=True)
    ]
    bills = bills[bills["period"] < FIRST]
    bills = bills.groupby(["period", "project"], as_index=False)["amount"].sum()
    joined = pd.concat([rows, bills], ignore_index=True)
    joined = joined.sort_values(["period", "project"], kind="stable", ignore_index=True)
    return joined[["period", "project", "role", "person", "hours", "amount"]]


def baselines_of(
    projects: pd.DataFrame,
    needs: pd.DataFrame,
    spend: pd.DataFrame,
    roles: pd.DataFrame,
) -> pd.DataFrame:
    """Return what was promised: `effort` in hours, `cost` in currency."""
    by_project = projects.set_index("project")
    rates = roles.set_index("role")["rate"]
    hours = needs["fte"] * HOURS
    effort = hours.groupby(needs["project"]).sum()
    labour = (hours * needs["role"].map(rates)).groupby(needs["project"]).sum()
    bills = spend.groupby("project")["amount"].sum()
    rows: list[Row] = []
    for row in company.table_of(company.BASELINES).to_dict("records"):
        name, factor = row["project"], float(row["effort"])
        start = by_project.at[name, "start"] - int(row["delay"])
        rows.append(
            {
                "project": name,
                "baseline": "approval",
                "set_on": (start - 2).start_time + pd.Timedelta(days=14),
                "start": start,
                "duration": int(row["duration"]),
                "effort": float(round(effort[name] / factor, -1)),
                "cost": float(round((labour[name] + bills[name]) / factor, -3)),
            }
        )
    replanned = {**next(r for r in rows if r["project"] == "CORE-MOT")}
    replanned |= {
        "baseline": "replanned",
        "set_on": pd.Timestamp("2026-10-01"),
        "start": by_project.at["CORE-MOT", "start"],
        "duration": 17,
        "effort": float(round(replanned["effort"] * 1.2, -1)),
        "cost": float(round(replanned["cost"] * 1.2, -3)),
    }
    return pd.DataFrame([*rows, replanned])


def history_of(
    people: pd.DataFrame,
    roles: pd.DataFrame,
    actuals: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return three years of capacity and load by role.

    `total`: all people and all work; `operations`: running the business; `project`:
    what operations left, and the work of projects, never less than `actuals` say.

    Returns
    -------
    DataFrame
        Columns `period, role, kind, capacity_fte, load_fte`.
    """
    none = pd.DataFrame(columns=["person", "start", "end", "kind", "share"])
    gross = people_capacity(people, none, HISTORY)
    hours = actuals.dropna(subset=["role"])
    logged = hours.pivot_table(
        index="period", columns="role", values="hours", aggfunc="sum", fill_value=0.0
    ).reindex(index=HISTORY, columns=gross.columns, fill_value=0.0)
    month = HISTORY.month.to_numpy() - 1
    age = np.arange(len(HISTORY)) / 12  # years since the first period
    run = roles.set_index("role")["run27"]
    parts = []
    for role in gross.columns:
        capacity = gross[role].to_numpy() * (1 - np.array(_AWAY)[month])
        capacity = capacity * np.exp(rng.normal(0.0, 0.02, len(HISTORY)))
        # Automation takes a little off run-the-business work every year.
        level = float(run[role]) * (1.15 - 0.05 * age)
        season = np.array(_SEASON)[month]
        operations = gross[role].to_numpy() * level * season
        operations = operations * np.exp(drift(rng, len(HISTORY), 0.05))
        operations = np.minimum(np.round(operations, 2), np.round(capacity, 2))
        rest = np.round(np.round(capacity, 2) - operations, 2)
        busy = 0.82 + 0.03 * age + drift(rng, len(HISTORY), 0.05)
        busy = busy + 0.06 * np.cos(2 * np.pi * (month - 9) / 12)  # autumn releases
        load = np.maximum(rest * busy, 1.05 * logged[role].to_numpy() / HOURS)
        load = np.round(load, 2)
        for kind, fte, used in (
            ("project", rest, load),
            ("operations", operations, operations),
            ("total", rest + operations, load + operations),
        ):
            parts.append(
                pd.DataFrame(
                    {
                        "period": HISTORY,
                        "role": role,
                        "kind": kind,
                        "capacity_fte": np.round(fte, 2),
                        "load_fte": np.round(used, 2),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def drift(rng: np.random.Generator, count: int, spread: float) -> Floats:
    """Return noise in which a month resembles the one before."""
    noise = rng.normal(0.0, spread, count)
    for k in range(1, count):
        noise[k] = 0.6 * noise[k - 1] + 0.8 * noise[k]
    return noise
