"""Published instances as portfolios, in memory, for tests and benchmarks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.clock.periods import Settings, make_horizon
from pmo_analytics.portfolio import Portfolio

FIRST_YEAR = 2026


def knapsack_portfolio(
    value: np.ndarray, use: np.ndarray, limit: np.ndarray
) -> Portfolio:
    """Return a multidimensional knapsack as selection within one year.

    Items are projects `P000`, ..., constraints the roles `R00`, ...

    Parameters
    ----------
    value, use, limit
        Of each item; of each constraint and item; of each constraint.
    """
    rows, items = use.shape
    horizon = make_horizon(2027, 1, "Y")
    names = [f"P{i:03d}" for i in range(items)]
    roles = [f"R{r:02d}" for r in range(rows)]
    return Portfolio(
        f"{items} items, {rows} constraints",
        horizon=horizon,
        projects=pd.DataFrame({"project": names, "value": value, "duration": 1}),
        demand=pd.DataFrame(
            {
                "project": np.tile(names, rows),
                "role": np.repeat(roles, items),
                "offset": 0,
                "fte": use.ravel().astype(float),
            }
        ),
        capacity=pd.DataFrame([limit], index=horizon, columns=roles, dtype=float),
    )


def ppssp_portfolio(path: Path) -> Portfolio:
    """Return a PPSSP instance (selection and scheduling over years) as a portfolio.

    Project ids are `P0000`, ... in the order of the file; start year t of the file is
    the t-th period of the horizon, counted from 0.
    """
    data = json.loads(Path(path).read_text(encoding="utf-8"))
    years = data["budget_window"]
    horizon = make_horizon(FIRST_YEAR, years, "Y")
    last_start = horizon[data["planning_window"] - 1]
    names = {p["id"]: f"P{p['id']:04d}" for p in data["projects"]}
    projects: list[dict[str, Any]] = []
    spend: list[dict[str, Any]] = []
    benefits: list[dict[str, Any]] = []
    dependencies: list[dict[str, Any]] = []
    pairs: set[tuple[str, str]] = set()
    for p in data["projects"]:
        name = names[p["id"]]
        projects.append(
            {
                "project": name,
                "name": p["name"],
                "duration": p["duration"],
                "latest": last_start,
            }
        )
        spend += [
            {
                "project": name,
                "fund": f"stream_{p['stream']}",
                "category": "ongoing" if offset else "initiation",
                "offset": offset,
                "amount": amount,
            }
            for offset, amount in enumerate(p["cost"])
            if amount
        ]
        benefits += [
            {"project": name, "offset": offset, "amount": amount}
            for offset, amount in enumerate(p["value"])
            if amount
        ]
        dependencies += [
            {"project": name, "requires": names[i]} for i in p["prerequisites"]
        ]
        for other in p["exclusions"]:
            a, b = sorted((name, names[other]))
            pairs.add((a, b))
    groups = [
        {"group": f"{a} or {b}", "project": member, "at_most": 1}
        for a, b in sorted(pairs)
        for member in (a, b)
    ]
    return Portfolio(
        data["identifier"],
        horizon=horizon,
        settings=Settings(discount=data["discount_rate"], source="benefits"),
        projects=pd.DataFrame(projects),
        spend=pd.DataFrame(spend),
        benefits=pd.DataFrame(benefits),
        dependencies=pd.DataFrame(dependencies, columns=["project", "requires"]),
        groups=pd.DataFrame(groups, columns=["group", "project", "at_most"]),
        budget=pd.DataFrame(_ppssp_budget(data, horizon)),
    )


def _ppssp_budget(
    data: dict[str, Any], horizon: pd.PeriodIndex
) -> list[dict[str, Any]]:
    last_start = data["planning_window"] - 1

    def yearly(name: str, amounts: list[float], category: str | None) -> None:
        rows.extend(
            {
                "budget": f"{name} {horizon[t]}",
                "category": category,
                "start": horizon[t],
                "end": horizon[t],
                "amount": amount,
            }
            for t, amount in enumerate(amounts)
        )

    rows: list[dict[str, Any]] = []
    yearly("all", data["budget"], None)
    yearly("ongoing", data["ongoing_budget"], "ongoing")
    yearly("initiation", data["initiation_budget"][: last_start + 1], "initiation")
    rows += [
        {
            "budget": f"stream_{stream}",
            "fund": f"stream_{stream}",
            "start": horizon[0],
            "end": horizon[last_start],
            "amount": amount,
        }
        for stream, amount in enumerate(data["capability_stream_budgets"])
    ]
    return rows


def ppssp_schedules(
    path: Path, horizon: pd.PeriodIndex
) -> dict[str, tuple[pd.DataFrame, float]]:
    """Return published solutions: solver -> schedule (`project, start`), objective."""
    data = json.loads(Path(path).read_text(encoding="utf-8"))
    return {
        solver: (
            pd.DataFrame(
                [
                    {"project": f"P{n:04d}", "start": horizon[year]}
                    for n, year in enumerate(solution["start"])
                    if year is not None
                ]
            ),
            float(solution["value"]),
        )
        for solver, solution in data.items()
    }
