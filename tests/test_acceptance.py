"""Numbers that vendors' documentation gives, worked out here again.

Sources: the planning help of Oracle Primavera Cloud (budget and roles), ServiceNow
(split), Microsoft Project Server (role rate, analysts), Meisterplan (rank order).
"""

from __future__ import annotations

import pandas as pd
import pytest

from pmo_analytics.clock.periods import Settings, hours_per_fte, make_horizon
from pmo_analytics.metrics import role_rates, split_in_proportion
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.plan import Plan, baseline
from pmo_analytics.portfolio import Portfolio
from tests.support.clock import AMPLE

pytestmark = pytest.mark.usefixtures("warm_module")

LIMITS = SolveLimits(seconds=AMPLE)
WEEKS = make_horizon("2027-W01", 4, "W")
TRADES = ["Architect", "Carpenter", "Plumber"]


def test_budget_of_500_buys_the_best_single_project():
    horizon = make_horizon("2027", 1, "Y")
    portfolio = Portfolio(
        horizon=horizon,
        projects=pd.DataFrame(
            {"project": list("ABC"), "value": [1000, 400, 400], "duration": 1}
        ),
        spend=pd.DataFrame(
            {"project": list("ABC"), "offset": 0, "amount": [400, 300, 200]}
        ),
        budget=pd.DataFrame({"budget": ["all"], "amount": [500]}),
    )
    plan = optimize(portfolio, limits=LIMITS)
    assert list(plan.starts) == ["A"]
    assert plan.report is not None
    assert plan.report.status == "optimal"


def trades(hours: float) -> Portfolio:
    """Three projects, each 40 h a week of every trade for the whole four weeks."""
    fte = hours / hours_per_fte("W-SUN", 40.0)
    return Portfolio(
        horizon=WEEKS,
        projects=pd.DataFrame(
            {"project": list("ABC"), "value": [100, 50, 75], "duration": 4}
        ),
        demand=pd.DataFrame(
            [
                {"project": p, "role": r, "offset": k, "fte": 1.0}
                for p in "ABC"
                for r in TRADES
                for k in range(4)
            ]
        ),
        capacity=pd.DataFrame(fte, index=WEEKS, columns=TRADES),
    )


@pytest.mark.parametrize(
    ("hours", "chosen", "value"), [(80, "AC", 175), (120, "ABC", 225), (90, "AC", 175)]
)
def test_role_hours(hours, chosen, value):
    plan = optimize(trades(hours), limits=LIMITS)
    assert list(plan.starts) == list(chosen)
    assert plan.objective == value


def test_the_plan_at_90_hours_is_proved_by_a_cut():
    # The LP relaxation alone proves 187.5: a quarter of a third project.
    plan = optimize(trades(90), limits=LIMITS)
    assert plan.report is not None
    assert plan.report.certified_bound == pytest.approx(175)
    assert plan.report.bound == pytest.approx(175)


def test_two_analysts_serve_two_of_three_parallel_projects():
    horizon = make_horizon("2027-03", 1, "M")
    portfolio = Portfolio(
        horizon=horizon,
        projects=pd.DataFrame({"project": list("XYZ"), "value": 1, "duration": 1}),
        demand=pd.DataFrame(
            {"project": list("XYZ"), "role": "Marketing Analyst", "offset": 0, "fte": 1}
        ),
        people=pd.DataFrame(
            {"person": ["Ann", "Ben"], "role": "Marketing Analyst", "fte": 1.0}
        ),
        settings=Settings(hours_per_week=40),
    )
    # March 2027 has 23 working days, so two people offer a little over two FTE.
    assert portfolio.capacity.iat[0, 0] == pytest.approx(2 * 23 * 8 / 173.925)
    assert len(optimize(portfolio, limits=LIMITS).starts) == 2


def test_planned_hours_split_in_proportion_to_free_capacity():
    shares = split_in_proportion(40, pd.Series({"Ann": 24.0, "Ben": 40.0}))
    assert shares.to_dict() == {"Ann": 15.0, "Ben": 25.0}


def test_a_new_hire_costs_the_mean_rate_of_the_role():
    people = pd.DataFrame(
        {
            "person": ["Ann", "Ben", "Ben", "Cid"],
            "role": ["Analyst", "Analyst", "Analyst", "Tester"],
            "start": pd.to_datetime(["2026-01-01", "2026-01-01", "2027-01-01", None]),
            "rate": [125.0, 140.0, 150.0, 90.0],
        }
    )
    assert role_rates(people)["Analyst"] == 137.5


def test_one_fte_and_four_projects_at_0_4_in_rank_order():
    horizon = make_horizon("2027-01", 1, "M")
    ranked = ["first", "second", "third", "fourth"]
    portfolio = Portfolio(
        horizon=horizon,
        projects=pd.DataFrame(
            {"project": ranked, "value": [4, 3, 2, 1], "duration": 1}
        ),
        demand=pd.DataFrame({"project": ranked, "role": "R", "offset": 0, "fte": 0.4}),
        capacity=pd.DataFrame({"R": [1.0]}, index=horizon),
    )
    plan = optimize(portfolio, limits=LIMITS)
    assert list(plan.starts) == ["first", "second"]
    assert plan.headroom.iat[0, 0] == pytest.approx(0.2)
    third = Plan(portfolio, dict.fromkeys(ranked[:3], "2027-01"))
    assert third.overload.iat[0, 0] == pytest.approx(0.2)
    assert list(third.violations["rule"]) == ["capacity"]
    assert baseline(portfolio).schedule.empty
