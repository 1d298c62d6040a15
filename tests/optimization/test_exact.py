"""What breaks a rule, at every scale: violations and the exact checker agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.plan import Plan
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.rules.purchases import purchases_table
from pmo_analytics.tolerance import ROUNDING, exceeds
from tests.support.certify_cases import make, money, needs
from tests.support.counts import tried

SCALES = [10.0**power for power in range(-9, 14)]
# What is added to a limit that is met: nothing, noise of floats, and what breaks it.
NUDGES = ("met", "ulp", "two ulps", "granted", "beyond", "1e-6", "relative 1e-12")
NAMES = ("A", "B", "C")


def nudged(limit: float, size: float, nudge: str, sign: float) -> float:
    """Return a limit moved by a little, down where `sign` is -1."""
    if nudge in ("ulp", "two ulps"):
        for _ in range(2 if nudge == "two ulps" else 1):
            limit = float(np.nextafter(limit, sign * np.inf))
        return limit
    step = {
        "met": 0.0,
        "granted": ROUNDING * size,
        "beyond": 1.01 * ROUNDING * size,
        "1e-6": 1e-6,
        "relative 1e-12": 1e-12 * size,
    }[nudge]
    return limit + sign * step


def money_at_most(draw: Any, amounts: list[float], limit: float) -> dict[str, Any]:
    rows = money(*((name, 0, a) for name, a in zip(NAMES, amounts, strict=True)))
    return {"spend": rows, "budget": [{"budget": "b", "amount": limit}]}


def money_at_least(draw: Any, amounts: list[float], limit: float) -> dict[str, Any]:
    rows = money(*((name, 0, a) for name, a in zip(NAMES, amounts, strict=True)))
    return {"spend": rows, "budget": [{"budget": "b", "at_least": limit}]}


def inherited_money(draw: Any, amounts: list[float], limit: float) -> dict[str, Any]:
    """R runs and spends the limit that is met by A alone: it is inherited or not."""
    rows = [("R", 0, amounts[0]), ("A", 0, amounts[1])]
    return {"spend": money(*rows), "budget": [{"budget": "b", "amount": limit}]}


def own_rule(draw: Any, amounts: list[float], limit: float) -> dict[str, Any]:
    side = draw(st.sampled_from(["at_least", "at_most"]))
    work = draw(st.sampled_from(["selected", "work"]))
    signs = [draw(st.sampled_from([1.0, 1.0, -1.0])) for _ in amounts]
    if draw(st.booleans()):
        limit = sum(s * a for s, a in zip(signs, amounts, strict=True)) + (
            limit - sum(amounts)
        )
    rows = [
        {"rule": "r", "project": n, "weight": s * a, "applies_to": work, side: limit}
        for n, s, a in zip(NAMES, signs, amounts, strict=True)
    ]
    return {"rules": rows}


def capacity(draw: Any, amounts: list[float], limit: float) -> dict[str, Any]:
    rows = needs(*((n, "Dev", 0, a) for n, a in zip(NAMES, amounts, strict=True)))
    return {"demand": rows, "capacity": {"Dev": [max(limit, 0.0)] * 2}}


def bought(draw: Any, amounts: list[float], limit: float) -> dict[str, Any]:
    """Half of the capacity has to be bought."""
    half = max(limit, 0.0) / 2
    offer = {"role": "Dev", "kind": "overtime", "fte_max": half, "rate": 1.0}
    rows = needs(*((n, "Dev", 0, a) for n, a in zip(NAMES, amounts, strict=True)))
    return {
        "demand": rows,
        "capacity": {"Dev": [max(limit, 0.0) - half] * 2},
        "flex": [{**offer, "start": 0, "end": 1}],
    }


KINDS = (
    money_at_most,
    money_at_least,
    inherited_money,
    own_rule,
    capacity,
    bought,
)


@st.composite
def cases(draw: Any) -> tuple[Portfolio, dict[str, int], Any]:
    kind = draw(st.sampled_from(KINDS))
    scale = draw(st.sampled_from(SCALES))
    digits = st.sampled_from([0.1, 0.2, 1 / 3, 0.7, 1.01, 100.4534, 4.0, 0.0])
    amounts = [draw(digits) * scale for _ in NAMES]
    if draw(st.booleans()):
        amounts[2] = draw(st.sampled_from([0.01, 1.0, 1e-6]))
    sign = draw(st.sampled_from([1.0, -1.0]))
    total = float(sum(amounts))
    limit = nudged(total, total, draw(st.sampled_from(NUDGES)), sign)
    if kind in (money_at_most, money_at_least, inherited_money):
        limit = max(limit, 0.0)
    tables = kind(draw, amounts, limit)
    projects: list[dict[str, Any]] = [{"project": name} for name in NAMES]
    if kind is inherited_money:
        projects.append({"project": "R", "status": "running", "start": 0})
    for rule in ("dependencies", "blackouts", "groups"):
        if draw(st.integers(0, 5)) == 0:
            tables |= {
                "dependencies": {
                    "dependencies": [
                        {
                            "project": "B",
                            "requires": "A",
                            "kind": "start_start",
                            "lag": draw(st.integers(-1, 1)),
                        }
                    ]
                },
                "blackouts": {
                    "blackouts": [
                        {"project": "C", "start": 1, "end": 1, "applies_to": "start"}
                    ]
                },
                "groups": {
                    "groups": [
                        {"group": "g", "project": n, "rule": "limit", "at_most": 2}
                        for n in NAMES
                    ]
                },
            }[rule]
    portfolio = make(projects, periods=2, **tables)
    chosen = [name for name in NAMES if draw(st.integers(0, 3))]
    starts = {
        name: draw(st.integers(0, 1)) if kind is own_rule else 0 for name in chosen
    }
    if kind is inherited_money:
        starts["R"] = 0
    purchases = None
    if kind is bought:
        most = float(portfolio.flex["fte_max"].iat[0])
        purchases = purchases_table(portfolio, {(1, 0): most} if most else {})
    return portfolio, starts, purchases


@settings(max_examples=tried(60), deadline=None)
@given(case=cases(), strict=st.booleans())
def test_violations_and_the_exact_checker_agree(case: Any, strict: bool) -> None:
    portfolio, starts, purchases = case
    plan = Plan.from_starts(portfolio, starts, strict=strict, purchases=purchases)
    checked = check_plan(portfolio, plan.schedule, strict=strict, purchases=purchases)
    assert plan.violations.empty == checked.certified, (
        plan.violations["message"].tolist(),
        checked.violations["message"].tolist(),
    )


@pytest.mark.parametrize(
    ("amounts", "limit", "over"),
    [
        ([0.1, 0.2], 0.3, False),
        ([0.1] * 10, 1.0, False),
        ([1e10, 0.01], 1e10, True),
        ([4e11 + 1, 6e11], 1e12, True),
        ([1e12, 100.4534], 1e12 + 100, True),
        ([1.1e-6, 0.9e-6], 1.9e-6, True),
        ([1 / 3, 1 / 3, 1 / 3], 1.0, False),
        ([1e12, -1e12, 0.0002], 0.0, False),  # 2e12 were added: 0.0004 is noise
        ([1e12, -1e12, 0.001], 0.0, True),
        ([5.0], float("nan"), False),
    ],
)
def test_money_tolerance(amounts: list[float], limit: float, over: bool) -> None:
    assert exceeds(amounts, limit) is over
    assert exceeds([-a for a in amounts], -limit, below=True) is over


def test_fte_may_be_exceeded_by_a_millionth_at_any_size() -> None:
    for size in (1e-9, 1.0, 1e6):
        assert not exceeds([size, 0.000001], size, fte=True)
        assert exceeds([size, 0.0000011], size, fte=True)


def test_small_amounts_are_said_with_all_their_digits() -> None:
    portfolio = make(
        [{"project": "A"}, {"project": "B"}],
        spend=money(("A", 0, 0.9e-6), ("B", 0, 1.1e-6)),
        budget=[{"budget": "all", "amount": 1.9e-6}],
    )
    plan = Plan(portfolio, pd.Series({"A": "2027-01", "B": "2027-01"}).to_dict())
    assert plan.violations["message"].tolist() == [
        "Budget 'all' is overspent by 0.0000001: 0.000002 of 0.0000019."
    ]
