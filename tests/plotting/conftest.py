from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from pmo_analytics.clock.periods import Settings, make_horizon
from pmo_analytics.plan import Plan
from pmo_analytics.portfolio import Portfolio

STATUSES = ("running", "approved", "proposed", "idea", "paused")


@pytest.fixture(autouse=True)
def _closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def hand_worked() -> Plan:
    """Developer: load 2, 3.5, 1.5, 0 against 3, 3, 2, 2. Tester: 1, 1, 0, 0."""
    horizon = make_horizon("2027-01", 4, "M")
    projects = pd.DataFrame(
        {
            "project": ["A", "B", "C"],
            "name": ["Alpha", "Beta", "Gamma"],
            "status": ["running", "proposed", "proposed"],
            "value": [10.0, 20.0, 30.0],
            "duration": [3, 2, 1],
            "start": ["2026-12", "2027-01", None],
            "theme": ["Growth", "Law", "Growth"],
        }
    )
    demand = pd.DataFrame(
        [
            *(("A", "Developer", k, 2.0) for k in range(3)),
            *(("A", "Tester", k, 1.0) for k in range(3)),
            *(("B", "Developer", k, 1.5) for k in range(2)),
            ("C", "Developer", 0, 9.0),
        ],
        columns=["project", "role", "offset", "fte"],
    )
    spend = pd.DataFrame(
        [("A", "Capex", 1, 500.0), ("A", "Opex", 2, 100.0), ("B", "Opex", 0, 300.0)],
        columns=["project", "fund", "offset", "amount"],
    )
    budget = pd.DataFrame(
        {
            "budget": ["Capex", "Opex", "Least"],
            "fund": ["Capex", "Opex", None],
            "amount": [400.0, 1000.0, None],
            "at_least": [None, None, 950.0],
        }
    )
    capacity = pd.DataFrame(
        {"Developer": [3.0, 3.0, 2.0, 2.0], "Tester": [1.0] * 4}, index=horizon
    )
    portfolio = Portfolio(
        "Group IT",
        horizon=horizon,
        settings=Settings(currency="EUR"),
        projects=projects,
        demand=demand,
        spend=spend,
        budget=budget,
        capacity=capacity,
    )
    return Plan(portfolio, {"A": "2026-12", "B": "2027-02"})


def random_plan(
    seed: int = 1,
    *,
    projects: int = 8,
    roles: int = 3,
    periods: int = 12,
    freq: str = "M",
    start: str = "2027-01",
    themes: int = 4,
    budgets: int = 3,
    names: Callable[[int], str] | None = None,
    settings: Settings | None = None,
) -> Plan:
    rng = np.random.default_rng(seed)
    horizon = make_horizon(start, periods, freq)
    role_names = [f"Role {i + 1}" for i in range(roles)]
    rows: list[dict[str, Any]] = []
    demand, spend, starts = [], [], {}
    for i in range(projects):
        status = str(rng.choice(STATUSES))
        duration = int(rng.integers(1, max(2, periods)))
        s = int(rng.integers(0, periods - duration + 1))
        if status == "running":
            s -= int(rng.integers(0, duration + 1))
        project = f"P{i + 1}"
        rows.append(
            {
                "project": project,
                "name": names(i) if names else f"Project {i + 1}",
                "status": status,
                "value": float(rng.integers(1, 100)),
                "duration": duration,
                "start": horizon[0] + s,
                "theme": f"Theme {i % themes + 1}" if themes else None,
                "sponsor": f"Sponsor {i % 20}",
            }
        )
        if status in ("running", "approved") or rng.random() < 0.8:
            starts[project] = s
        for role in rng.choice(role_names, min(2, roles), replace=False):
            demand += [
                (project, role, k, float(rng.integers(1, 5)) / 2)
                for k in range(duration)
            ]
        spend += [
            (project, str(rng.choice(["Capex", "Opex"])), 0, float(rng.integers(9e5)))
        ]
    portfolio = Portfolio(
        "Portfolio",
        horizon=horizon,
        settings=settings,
        projects=pd.DataFrame(rows) if rows else None,
        demand=pd.DataFrame(demand, columns=["project", "role", "offset", "fte"]),
        spend=pd.DataFrame(spend, columns=["project", "fund", "offset", "amount"]),
        budget=pd.DataFrame(
            [
                {"budget": f"Budget {b + 1}", "amount": float(rng.integers(1, 9e6))}
                for b in range(budgets)
            ]
        )
        if budgets
        else None,
        capacity=pd.DataFrame(
            rng.integers(0, 9, (periods, roles)).astype(float),
            index=horizon,
            columns=role_names,
        )
        if roles
        else None,
    )
    return Plan.from_starts(portfolio.snapshot(), starts)


@pytest.fixture
def plan() -> Plan:
    return hand_worked()


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    return random_plan


@pytest.fixture
def legend_texts() -> Callable[[Any], list[str]]:
    return lambda ax: [text.get_text() for text in ax.get_legend().get_texts()]
