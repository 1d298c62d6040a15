"""Hand-made portfolios, plans and certificates for the tests of the checker."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pandas as pd

from pmo_analytics.clock.periods import Settings, make_horizon
from pmo_analytics.optimization.checker.check import PlanCheck, check_plan
from pmo_analytics.portfolio import Portfolio

MICRO = Fraction(1, 10**6)
# Granted on money and rules, as a share of the limit: what keeps it adds up to no more.
NEAR = Fraction(1, 2**52) / (1 - Fraction(1, 2**52))
JAN = pd.Period("2027-01", freq="M")


def month(offset: int | None) -> pd.Period | None:
    """Return the month `offset` periods after January 2027."""
    return None if offset is None else JAN + offset


def make(
    projects: list[dict[str, Any]],
    *,
    periods: int = 6,
    capacity: dict[str, Any] | None = None,
    settings: Settings | None = None,
    **tables: list[dict[str, Any]],
) -> Portfolio:
    """Return a monthly portfolio from 2027-01; dates are offsets from there."""

    def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
        dates = ("start", "earliest", "latest", "deadline", "end")
        return pd.DataFrame(
            [{k: month(v) if k in dates else v for k, v in row.items()} for row in rows]
        )

    horizon = make_horizon("2027-01", periods, "M")
    return Portfolio(
        "hand-worked",
        horizon=horizon,
        settings=settings,
        capacity=None if capacity is None else pd.DataFrame(capacity, index=horizon),
        projects=frame([{"duration": 2, "value": 10.0, **row} for row in projects]),
        **{name: frame(rows) for name, rows in tables.items()},
    )


def plan(starts: dict[str, int]) -> pd.DataFrame:
    """Return the schedule of projects at offsets from January 2027."""
    return pd.DataFrame(
        {"project": list(starts), "start": [JAN + s for s in starts.values()]},
        columns=["project", "start"],
    )


def check(portfolio: Portfolio, strict: bool = False, **starts: int) -> PlanCheck:
    return check_plan(portfolio, plan(starts), strict=strict)


def rules(result: PlanCheck) -> list[str]:
    assert result.certified == result.violations.empty
    return result.violations["rule"].to_list()


def accepted(portfolio: Portfolio, name: str, **others: int) -> list[int]:
    """Return the offsets -4 .. 9 at which one project may start."""
    return [
        s for s in range(-4, 10) if check(portfolio, **{**others, name: s}).certified
    ]


def only(result: PlanCheck) -> Any:
    """Return the single violation."""
    assert len(result.violations) == 1, result.violations["message"].to_list()
    return result.violations.iloc[0]


def certificate(*rows: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "portfolio": "",
        "strict": False,
        "multipliers": list(rows),
        "cuts": [],
        "branches": [],
        **parts,
    }


def row(name: str, multiplier: Any, /, **keys: Any) -> dict[str, Any]:
    return {"row": name, **keys, "multiplier": multiplier}


def needs(*rows: tuple[str, str, int, float]) -> list[dict[str, Any]]:
    return [{"project": p, "role": r, "offset": o, "fte": f} for p, r, o, f in rows]


def money(*rows: tuple[str, int, float]) -> list[dict[str, Any]]:
    return [{"project": p, "offset": o, "amount": a} for p, o, a in rows]


# Running A leaves nothing of the single Dev in January; approved B and forced C have
# one start each; D may move, so its own excess is nobody's inheritance.
MIDLIFE = [
    {"project": "A", "status": "running", "start": -1, "duration": 2, "value": 1.0},
    {"project": "B", "status": "approved", "start": 1, "duration": 1, "value": 2.0},
    {"project": "C", "force": "in", "earliest": 2, "latest": 2, "duration": 1},
    {"project": "D", "status": "approved", "earliest": 3, "latest": 4, "duration": 1},
    {"project": "E", "duration": 1, "value": 4.0},
    {"project": "F", "status": "done", "start": -5, "value": 100.0},
    {"project": "G", "status": "cancelled", "value": 100.0},
    {"project": "H", "status": "running", "start": -1, "force": "out", "value": 100.0},
]


def midlife(**tables: Any) -> Portfolio:
    demand = needs(
        ("A", "Dev", 1, 1.5),
        ("B", "Dev", 0, 2.0),
        ("C", "Dev", 0, 3.0),
        ("D", "Dev", 0, 1.0),
        ("E", "Dev", 0, 0.5),
        ("F", "Dev", 5, 9.0),
        ("G", "Dev", 0, 9.0),
        ("H", "Dev", 1, 9.0),
    )
    return make(MIDLIFE, capacity={"Dev": [1.0] * 6}, demand=demand, **tables)


def worth(portfolio: Portfolio, **starts: int) -> Fraction:
    result = check(portfolio, **starts)
    assert result.certified
    return result.objective
