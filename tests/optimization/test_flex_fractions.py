"""Purchases for amounts that no float and no file holds: the exact check takes them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.clock.periods import Settings, make_horizon
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.model.compiling import Compiled, compile_options
from pmo_analytics.optimization.model.purchasing import cheapest, value_of
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.plan import Plan
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.tolerance import written
from tests.support.clock import AMPLE
from tests.support.counts import tried

pytestmark = pytest.mark.usefixtures("warm_module")

HORIZON = make_horizon("2027-01", 4, "M")
KINDS = ("overtime", "contractor", "hire")
# A third written out, sums that floats miss, grains of the tolerance and below.
AMOUNTS = (
    *(k / 3 for k in range(1, 6)),
    *(k / 7 for k in range(1, 10)),
    *(1.333333333333, 0.1 + 0.2, 1.1 + 2.2, 1 + 1e-7, 1 + 9e-7, 1 + 1.1e-6),
    *(0.3333333, 1.0000010003, 1.0000015, 1e-7, 3e-10, 0.25, 1.0, 0.3),
)
TOLERANCE = Fraction(1, 10**6)


def priced(
    demand: list[tuple[str, int, float]],
    capacity: float,
    flex: list[dict[str, Any]],
) -> Portfolio:
    """Return projects that need Dev, of which there is so much, and offers."""
    names = sorted({name for name, *_ in demand})
    table = pd.DataFrame(demand, columns=["project", "offset", "fte"])
    return Portfolio(
        "fractions",
        horizon=HORIZON,
        settings=Settings(discount=0.1),
        projects=pd.DataFrame({"project": names, "value": 1e5, "duration": 2}),
        demand=table.assign(role="Dev"),
        capacity=pd.DataFrame({"Dev": capacity}, index=HORIZON),
        flex=pd.DataFrame(flex).assign(role="Dev"),
    )


def drawn(rng: np.random.Generator) -> Portfolio:
    """Return three projects and offers, all in awkward amounts."""
    demand = [
        (name, offset, float(rng.choice(AMOUNTS)))
        for name in "ABC"
        for offset in (0, 1)
    ]
    flex = [
        {
            "kind": str(rng.choice(KINDS)),
            "fte_max": float(rng.choice([5.0, *AMOUNTS])),
            "rate": float(rng.integers(1, 90)),
            "lead": int(rng.integers(0, 2)),
        }
        for _ in range(int(rng.integers(1, 4)))
    ]
    nobody = rng.random() < 0.2
    return priced(demand, 0.0 if nobody else float(rng.choice(AMOUNTS)), flex)


def short_of(portfolio: Portfolio, starts: dict[str, int]) -> list[Fraction]:
    """Return by how much work exceeds capacity and tolerance, exactly."""
    there = written(portfolio.capacity["Dev"].iloc[0])
    load = [Fraction(0)] * len(HORIZON)
    for row in portfolio.demand.to_dict("records"):
        load[starts[row["project"]] + row["offset"]] += written(row["fte"])
    return [used - there - TOLERANCE for used in load]


def offered(portfolio: Portfolio) -> list[Fraction]:
    """Return the FTE that all offers have by period."""
    return [
        sum(
            (
                written(row["fte_max"])
                for row in portfolio.flex.to_dict("records")
                if t >= row["lead"]
            ),
            Fraction(0),
        )
        for t in range(len(HORIZON))
    ]


def hold(portfolio: Portfolio, compiled: Compiled, chosen: np.ndarray) -> bool:
    """Hold the purchases of a choice against the exact check; whether it can work."""
    starts = compiled.starts_of(chosen)
    short, there = short_of(portfolio, starts), offered(portfolio)
    if cheapest(compiled.options, chosen) is None:
        assert any(a > b for a, b in zip(short, there, strict=True))
        return False
    bought = compiled.purchases_of(portfolio, chosen)
    assert bought is not None
    plan = Plan.from_starts(portfolio, starts, purchases=bought)
    objective = value_of(compiled.options, chosen)
    check = check_plan(portfolio, plan.schedule, purchases=bought, objective=objective)
    assert check.certified, (short, bought, check.violations["message"].tolist())
    assert plan.violations.empty
    assert float(check.objective) == pytest.approx(objective, rel=1e-12)
    # Nothing is bought in vain: the last period of need has what it needs, no more.
    fte = bought.groupby("period")["fte"].sum().reindex(HORIZON, fill_value=0.0)
    assert fte.max() <= float(max(0, *short)) + 1.000002e-6 + 1e-8
    return True


def test_random_amounts_are_bought_as_the_exact_check_wants_them():
    works, kinds = 0, set()
    for seed in range(tried(120)):
        rng = np.random.default_rng([seed, 43])
        portfolio = drawn(rng).validate()
        compiled = compile_options(portfolio, flex=True)
        options = compiled.options
        for _ in range(3):
            chosen = [
                int(rng.integers(lo, hi))
                for lo, hi in zip(options.first[:-1], options.first[1:], strict=True)
                if hi > lo
            ]
            if len(chosen) == 3 and hold(portfolio, compiled, np.array(chosen)):
                works += 1
                kinds |= set(portfolio.flex["kind"])
    assert works > tried(120)
    assert kinds == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("capacity", [1.0, 0.0])
def test_a_third_of_a_person_more_is_bought(kind, capacity):
    offer = {"kind": kind, "fte_max": 5.0, "rate": 1.0, "lead": 0}
    demand = [("A", 0, 4 / 3), ("A", 1, 4 / 3)]
    portfolio = priced(demand, capacity, [offer])
    plan = optimize(portfolio, flex=True, limits=SolveLimits(seconds=AMPLE))
    assert plan.report is not None
    assert plan.report.status == "optimal", plan.report.attempts
    assert set(plan.starts) == {"A"}
    assert plan.purchases["fte"].to_numpy() == pytest.approx(4 / 3 - capacity, abs=2e-6)


def test_an_offer_with_just_enough_is_enough():
    """A third is offered, and a third is needed, to the last digit of both."""
    for kind in KINDS:
        offer = {"kind": kind, "fte_max": 1 / 3, "rate": 1.0, "lead": 0}
        for amount in (4 / 3, 1.333333333333, 1 + 1 / 3):
            portfolio = priced([("A", 0, amount)], 1.0, [offer]).validate()
            compiled = compile_options(portfolio, flex=True)
            assert hold(portfolio, compiled, np.array([0]))
