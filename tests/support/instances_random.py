"""Tiny random portfolios that use every rule and every status, for property tests."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from pmo_analytics.clock.periods import Settings, make_horizon
from pmo_analytics.errors import has_errors
from pmo_analytics.portfolio import Portfolio
from tests.support.brute_force import combinations

CLOCKS = (
    ("2027-03", "M"),
    ("2027-01", "M"),
    ("2026-W51", "W"),
    ("2027Q2", "Q"),
    ("2027Q1", "Q-MAR"),
    ("2027", "Y"),
    ("2027", "Y-MAR"),
)
STATUSES = {
    "idea": 0.13,
    "proposed": 0.42,
    "paused": 0.1,
    "approved": 0.12,
    "running": 0.11,
    "done": 0.07,
    "cancelled": 0.05,
}
# More than this takes brute force more than a moment.
MOST_COMBINATIONS = 200_000


@cache
def drawn(seed: int) -> Portfolio:
    """Return the random portfolio of a seed; many tests read the same ones.

    To draw one takes longer than most of what is asked about it.
    """
    return random_portfolio(np.random.default_rng(seed))


def random_portfolio(
    rng: np.random.Generator, *, max_projects: int = 6, max_periods: int = 8
) -> Portfolio:
    """Return a small portfolio without errors; feasible in about four of five cases.

    Parameters
    ----------
    rng
        Where all randomness comes from.
    max_projects, max_periods
        Largest number of projects and of periods.
    """
    while True:
        portfolio = _Draw(rng, max_projects, max_periods).portfolio()
        if has_errors(portfolio.check()):
            continue
        if combinations(portfolio) <= MOST_COMBINATIONS:
            return portfolio


class _Draw:
    """One draw: which features are on, then table after table."""

    def __init__(
        self, rng: np.random.Generator, max_projects: int, max_periods: int
    ) -> None:
        self.rng = rng
        start, freq = CLOCKS[rng.integers(len(CLOCKS))]
        self.periods = max(self.whole(min(3, max_periods), max_periods) for _ in "ab")
        self.horizon = make_horizon(start, self.periods, freq)
        size = max(self.whole(min(2, max_projects), max_projects) for _ in "ab")
        self.names = [f"P{k}" for k in range(size)]
        self.roles = ["Dev", "Test", "Ops"][: self.whole(1, 3)]
        # Fractions that floats cannot hold exactly, or whole numbers.
        self.step = float(rng.choice([1.0, 0.5, 0.25, 0.1, 0.05]))

    # ------------------------------------------------------------------ small draws

    def whole(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def one(self, *options: Any) -> Any:
        return options[self.rng.integers(len(options))]

    def some(self, names: list[str], least: int, most: int) -> list[str]:
        size = min(self.whole(least, most), len(names))
        return [str(n) for n in self.rng.choice(names, size, replace=False)]

    def period(self, offset: int) -> pd.Period:
        return self.horizon[0] + offset

    def fte(self, low: float, high: float) -> float:
        steps = self.whole(round(low / self.step), max(round(high / self.step), 1))
        return round(steps * self.step, 4)

    def money(self, low: float, high: float) -> float:
        amount = float(self.rng.uniform(low, high))
        return round(amount, 2) if self.cents else float(round(amount))

    # ----------------------------------------------------------------------- tables

    def portfolio(self) -> Portfolio:
        self.cents = self.chance(0.3)
        source = self.one("", "", "value", "benefits", "sum")
        settings = Settings(
            discount=self.one(0.0, 0.0, 0.01, 0.006, 0.1),
            source=source,
            net_of_spend=self.chance(0.3),
        )
        # A blank source needs exactly one of the two filled.
        by_benefits = self.chance(0.4) if source == "" else source != "value"
        by_value = not by_benefits if source == "" else source != "benefits"
        windows_on = self.chance(0.6)
        force_on = self.chance(0.5)
        projects = [
            self.project(name, by_value, windows_on, force_on) for name in self.names
        ]
        self.durations = {row["project"]: row["duration"] for row in projects}
        self.sure = {
            row["project"]
            for row in projects
            if row["force"] != "out"
            and (row["status"] in ("approved", "running") or row["force"] == "in")
        }
        self.safe = self.sure | {
            r["project"] for r in projects if r["status"] == "done" and not r["force"]
        }
        tables: dict[str, list[dict[str, Any]]] = {
            "projects": projects,
            "demand": [row for name in self.names for row in self.demand(name)],
        }
        if by_benefits:
            tables["benefits"] = [r for n in self.names for r in self.benefits(n)]
        if self.chance(0.6) or settings.net_of_spend:
            tables["spend"] = [r for n in self.names for r in self.spend(n)]
            if self.chance(0.85):
                tables["budget"] = self.budget(tables["spend"])
        if self.chance(0.45) and len(self.names) > 1:
            tables["groups"] = self.groups()
        if self.chance(0.6) and len(self.names) > 1:
            members = {r["group"] for r in tables.get("groups", [])}
            tables["dependencies"] = self.dependencies(sorted(members))
        if self.chance(0.3):
            tables["blackouts"] = [self.blackout() for _ in range(self.whole(1, 3))]
        capacity = None
        if self.chance(0.75):
            capacity = self.capacity()
        else:
            tables |= self.people()
            if self.chance(0.3):
                capacity = self.capacity()[self.roles[:1]]
        return Portfolio(
            "random",
            horizon=self.horizon,
            settings=settings,
            capacity=capacity,
            **{name: pd.DataFrame(rows) for name, rows in tables.items() if rows},
        )

    def project(
        self, name: str, by_value: bool, windows_on: bool, force_on: bool
    ) -> dict[str, Any]:
        status = str(self.rng.choice(list(STATUSES), p=list(STATUSES.values())))
        last = self.periods - 1
        duration = self.whole(1, min(4, self.periods))
        if self.chance(0.04):
            duration = self.periods + 1  # can never be chosen, or ends afterwards
        row: dict[str, Any] = {
            "project": name,
            "status": status,
            "value": self.money(-4, 40) if by_value and self.chance(0.95) else None,
            "duration": duration,
            "start": None,
            "earliest": None,
            "latest": None,
            "deadline": None,
            "force": None,
            "probability": self.one(None, 0.5, 1.0),
            "theme": self.one(None, "Red", "Blue"),
            "program": self.one(None, "North", "South"),
        }
        if by_value and name == self.names[0]:
            row["value"] = self.money(5, 40)
        if status == "running":
            row["start"] = self.period(self.one(-3, -2, -1, -1, 0, 0, 0, 1))
            row["duration"] = self.whole(1, self.periods + 3)
        elif status in ("approved", "done") or self.chance(0.1):
            row["start"] = self.period(self.whole(-1, last))
        if status == "approved" and self.chance(0.3):
            row["duration"] = self.whole(1, self.periods)
        first = 0
        if windows_on and self.chance(0.5):
            first = self.whole(-1, max(last - row["duration"] + 1, 0))
            row["earliest"] = self.period(first) if self.chance(0.8) else None
            if self.chance(0.6):
                row["latest"] = self.period(first + self.whole(0, 3))
        if windows_on and self.chance(0.3):
            base = max(first, 0)
            if row["start"] is not None and row["earliest"] is None:
                base = row["start"].ordinal - self.horizon[0].ordinal
            row["deadline"] = self.period(base + row["duration"] - 1 + self.whole(0, 3))
        if force_on and self.chance(0.25):
            row["force"] = "in" if status == "cancelled" else self.one("in", "out")
            row["force_reason"] = "because"
        return row

    def demand(self, name: str) -> list[dict[str, Any]]:
        rows = []
        for role in self.roles:
            if not self.chance(0.65):
                continue
            high = float(self.rng.choice([0.75, 1.25, 2.0]))
            flat = self.fte(0.2, high) if self.chance(0.4) else None
            rows += [
                {
                    "project": name,
                    "role": role,
                    "offset": offset,
                    "fte": self.fte(0, high) if flat is None else flat,
                }
                for offset in range(self.durations[name])
                if self.chance(0.9)
            ]
        return rows

    def benefits(self, name: str) -> list[dict[str, Any]]:
        begin = self.whole(0, self.durations[name])
        return [
            {"project": name, "offset": offset, "amount": self.money(-1, 9)}
            for offset in range(begin, begin + self.whole(0, 5))
        ]

    def spend(self, name: str) -> list[dict[str, Any]]:
        keys = {
            (fund, category, offset): None
            for fund in ("Run", None, "Change")
            for category in (None, "capex", "opex")
            for offset in range(self.durations[name] + 2)
            if self.chance(0.12)
        }
        return [
            {
                "project": name,
                "fund": fund,
                "category": category,
                "offset": offset,
                "amount": self.money(0, 9),
            }
            for fund, category, offset in keys
        ]

    def budget(self, spend: list[dict[str, Any]]) -> list[dict[str, Any]]:
        total = sum(row["amount"] for row in spend) + 1
        rows = []
        for k in range(self.whole(1, 3)):
            begin = self.whole(-1, self.periods - 1)
            row: dict[str, Any] = {
                "budget": f"B{k}",
                "fund": self.one(None, None, "Run", "Change"),
                "category": self.one(None, None, None, "capex", "opex"),
                "theme": self.one(None, None, None, "Red", "Blue"),
                "program": self.one(None, None, None, "North", "South"),
                "start": self.period(begin) if self.chance(0.5) else None,
                "end": None,
                "amount": None,
                "at_least": None,
            }
            if self.chance(0.5):
                row["end"] = self.period(max(begin, 0) + self.whole(0, 4))
            narrow = sum(
                row[column] is not None
                for column in ("fund", "category", "theme", "program", "start")
            )
            share = float(self.rng.uniform(0.4, 0.9)) * 0.6**narrow
            row["amount"] = self.money(0.8, 1.2) * round(total * share)
            row["amount"] = round(row["amount"], 2)
            if self.chance(0.15):
                row["at_least"] = self.money(0, row["amount"] / 5)
                row["amount"] = None if self.chance(0.4) else row["amount"]
            rows.append(row)
        return rows

    def dependencies(self, groups: list[str]) -> list[dict[str, Any]]:
        rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        for _ in range(self.whole(1, 4)):
            i, j = sorted(self.rng.choice(len(self.names), 2, replace=False).tolist())
            if self.chance(0.1):
                i, j = j, i
            project, requires = self.names[j], self.names[i]
            if project in self.sure and self.chance(
                0.5 if requires in self.safe else 0.85
            ):
                continue  # most of these leave no plan
            if groups and self.chance(0.5):
                requires = self.one(*groups)
            kind = self.one("finish_start", "finish_start", "start_start", "selected")
            lag = self.one(0, 0, 0, 1, 2, -1, -2)
            lag_max = lag + self.whole(0, 3) if self.chance(0.35) else None
            rows[project, requires, kind] = {
                "project": project,
                "requires": requires,
                "kind": kind,
                "lag": lag,
                "lag_max": lag_max,
            }
        if self.chance(0.2):  # two that only make sense together
            i, j = sorted(self.some(self.names, 2, 2))
            pairs = ((i, j), (j, i)) if self.sure.isdisjoint((i, j)) else ()
            for a, b in pairs:
                rows[a, b, "selected"] = {
                    "project": a,
                    "requires": b,
                    "kind": "selected",
                }
        return list(rows.values())

    def groups(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for k in range(self.whole(1, 2)):
            # Rarely a group is called like a project: the project is meant.
            name = "P1" if k == 1 and self.chance(0.1) else f"G{k}"
            members = self.some(self.names, 2, 4)
            limits: dict[str, Any] = {"rule": "limit"}
            # All of a group that holds a mandatory project is often too much.
            mandatory = bool(self.safe & set(members))
            if self.chance(0.15 if mandatory else 0.4):
                limits = {"rule": "all_or_none"}
            else:
                least = self.whole(0, self.one(1, 2)) if self.chance(0.25) else None
                if least is None or self.chance(0.6):
                    floor = max(least or 0, 1)
                    if self.chance(0.8):
                        floor = max(floor, len(self.safe & set(members)))
                    limits["at_most"] = self.whole(floor, max(floor, 2))
                limits["at_least"] = least
            rows += [{"group": name, "project": member, **limits} for member in members]
        return rows

    def blackout(self) -> dict[str, Any]:
        begin = self.whole(0, self.periods - 1)
        span = {
            "start": self.period(begin),
            "end": self.period(begin + self.whole(0, 1)),
        }
        if self.chance(0.3):
            span[self.one("start", "end")] = None
        about = self.one("project", "project", "theme", "all")
        return {
            "project": self.one(*self.names) if about == "project" else None,
            "theme": self.one("Red", "Blue") if about == "theme" else None,
            **span,
            "applies_to": self.one("start", "finish", "work"),
        }

    def capacity(self) -> pd.DataFrame:
        grid = {}
        for role in self.roles:
            level = float(self.rng.uniform(0.9, 3.2))
            grid[role] = [self.fte(0.75 * level, 1.25 * level) for _ in self.horizon]
            if self.chance(0.08):
                grid[role][self.whole(0, self.periods - 1)] = 0.0
        return pd.DataFrame(grid, index=self.horizon)

    def people(self) -> dict[str, list[dict[str, Any]]]:
        first = self.horizon[0].start_time
        days = (self.horizon[-1].end_time - first).days
        people: list[dict[str, Any]] = []
        absences: list[dict[str, Any]] = []
        for role in self.roles:
            for k in range(self.whole(1, 3)):
                person = f"{role}-{k}"
                row: dict[str, Any] = {
                    "person": person,
                    "role": role,
                    "start": None,
                    "end": None,
                    "fte": self.one(0.5, 0.8, 1.0, 1.0),
                    "country": self.one(None, "DE", "GB"),
                }
                if self.chance(0.25):
                    row["start"] = first + pd.Timedelta(days=self.whole(0, days // 2))
                if self.chance(0.15):
                    row["end"] = first + pd.Timedelta(days=self.whole(days // 2, days))
                people.append(row)
                if self.chance(0.4):
                    begin = first + pd.Timedelta(days=self.whole(days // 2, days))
                    absences.append(
                        {
                            "person": person,
                            "start": begin,
                            "end": begin + pd.Timedelta(days=self.whole(0, 20)),
                            "kind": "vacation",
                            "share": self.one(1.0, 0.5),
                        }
                    )
        operations = [
            {
                "role": role,
                "start": None,
                "end": self.one(None, first + pd.Timedelta(days=days // 2)),
                "fte": 0.1 if fixed else None,
                "share": None if fixed else 0.2,
            }
            for role in self.roles
            if self.chance(0.4)
            for fixed in [self.chance(0.4)]
        ]
        return {"people": people, "absences": absences, "operations": operations}


def with_random_rules(rng: np.random.Generator, portfolio: Portfolio) -> Portfolio:
    """Return the portfolio with one to three rules of random weights and limits.

    About half of them have weights of both signs.
    """
    names = portfolio.projects["project"].tolist()
    rows: list[dict[str, Any]] = []
    for k in range(int(rng.integers(1, 4))):
        members = rng.choice(names, int(rng.integers(1, len(names) + 1)), replace=False)
        low = -2 if rng.random() < 0.5 else 0
        step = float(rng.choice([1.0, 0.5, 0.1]))
        weights = (rng.integers(low, 4, len(members)) * step).round(2)
        total = float(weights.sum())
        limits: dict[str, float | None] = {"at_least": None, "at_most": None}
        if rng.random() < 0.75:
            limits["at_most"] = round(float(rng.uniform(0.1, 0.8)) * total, 1)
        if rng.random() < 0.35 or limits["at_most"] is None:
            least = round(float(rng.uniform(-0.4, 0.3)) * abs(total), 1)
            most = limits["at_most"]
            limits["at_least"] = least if most is None else min(least, most)
        applies_to = str(rng.choice(["selected", "work"]))
        rows += [
            {
                "rule": f"R{k}",
                "project": str(member),
                "weight": float(weight),
                "applies_to": applies_to,
                **limits,
            }
            for member, weight in zip(members, weights, strict=True)
        ]
    return portfolio.replace(rules=pd.DataFrame(rows))
