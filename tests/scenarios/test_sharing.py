"""share_plans: the best of all plans that the exact checker lets in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.evidence import SolveReport, SolveStatus
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.plan import Plan
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.scenarios import sharing
from pmo_analytics.scenarios.sharing import share_plans
from tests.support.counts import tried
from tests.support.instances_random import random_portfolio
from tests.support.small_portfolios import tiny_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")


def plan_of(portfolio: Portfolio, starts: Mapping[str, int]) -> Plan:
    plan = Plan.from_starts(portfolio, starts)
    report = SolveReport(
        SolveStatus.FEASIBLE, objective=plan.objective, bound=100.0, certified=True
    )
    return Plan.from_starts(portfolio, starts, report=report)


def by_checking_all(
    portfolios: Mapping[str, Portfolio], plans: Mapping[str, Plan]
) -> dict[str, tuple[float, dict[str, int]]]:
    """Return the objective and the starts of the best plan, every pair checked."""
    best: dict[str, tuple[float, dict[str, int]]] = {}
    for name, own in plans.items():
        assert own.report is not None
        assert own.report.objective is not None
        best[name] = (own.report.objective, dict(own.starts))
        portfolio = portfolios[name]
        for other, plan in plans.items():
            unknown = set(plan.starts) - set(portfolio.projects["project"])
            if other == name or unknown:
                continue
            here = Plan.from_starts(portfolio, plan.starts)
            worth = here.objective
            check = check_plan(portfolio, here.schedule, objective=worth)
            if check.certified and worth > best[name][0] + 1e-9 * max(1, abs(worth)):
                best[name] = (worth, dict(here.starts))
    return best


def assert_best(portfolios, plans):
    shared = share_plans(portfolios, plans, strict=False)
    expected = by_checking_all(portfolios, plans)
    assert list(shared) == list(plans)
    for name, (worth, starts) in expected.items():
        report = shared[name].report
        assert report.objective == pytest.approx(worth, rel=1e-9)
        assert shared[name].starts == starts
        assert shared[name].portfolio is portfolios[name]
        if starts == plans[name].starts:
            assert shared[name] is plans[name]
    return shared


@pytest.fixture
def tiny_ones():
    """Portfolios whose plans help each other in ways worked out by hand."""
    base = tiny_portfolio()
    changes = {
        "base": pmo.change_value("A", 1.0),
        "more": pmo.add_capacity("Dev", fte=2),
        "B must": pmo.require("B"),
        "no B": pmo.exclude("B"),
        "C is dear": pmo.change_value("C", 10.0),
    }
    return {name: change(base).validate() for name, change in changes.items()}


def test_each_gets_the_best_that_it_may_have(tiny_ones):
    starts = {
        "base": {"B": 0},
        "more": {"A": 0, "B": 2, "C": 0},  # 4 Dev: too many elsewhere
        "B must": {"B": 2},
        "no B": {"A": 0, "C": 2},
        "C is dear": {"A": 0, "B": 2},
    }
    plans = {name: plan_of(tiny_ones[name], s) for name, s in starts.items()}
    shared = assert_best(tiny_ones, plans)
    best = {"A": 0, "B": 2}  # 10 + 8 / 1.21
    assert shared["base"].starts == shared["B must"].starts == best
    assert shared["more"].starts == {"A": 0, "B": 2, "C": 0}
    assert shared["C is dear"].starts == {"A": 0, "C": 2}  # 10 + 50 / 1.21
    report = shared["base"].report
    assert report.objective == pytest.approx(10 + 8 / 1.21)
    assert report.attempts[-1]["solver"] == "plan of 'C is dear'"
    assert report.bound == 100.0


def test_the_first_scenario_with_a_plan_is_named(tiny_ones):
    best = {"A": 0, "B": 2}
    starts = {"no B": {"A": 0}, "more": best, "B must": {"B": 2}, "base": best}
    plans = {name: plan_of(tiny_ones[name], s) for name, s in starts.items()}
    shared = assert_best(tiny_ones, plans)
    assert shared["B must"].report.attempts[-1]["solver"] == "plan of 'more'"
    assert shared["base"] is plans["base"]


def test_what_the_quick_look_lets_through_is_checked(tiny_ones):
    """A group and a dependency are left to the exact check; the next best is taken."""
    base = tiny_ones["base"]
    groups = pd.DataFrame({"group": "one", "project": ["A", "B"], "at_most": 1})
    later = pd.DataFrame({"project": ["B"], "requires": ["A"], "lag": [1]})
    portfolios = {
        **tiny_ones,
        "one of them": base.replace(groups=groups).validate(),
        "B later": base.replace(dependencies=later).validate(),
    }
    starts = {
        "base": {"A": 0, "B": 2},
        "no B": {"A": 0, "C": 2},
        "one of them": {"B": 0},
        "B later": {"A": 1},
        "more": {"A": 0, "B": 3},
    }
    plans = {name: plan_of(portfolios[name], s) for name, s in starts.items()}
    shared = assert_best(portfolios, plans)
    assert shared["one of them"].starts == {"A": 0, "C": 2}
    assert shared["B later"].starts == {"A": 0, "B": 3}


def test_money_that_has_to_be_spent_is_asked_for():
    base = tiny_portfolio()
    spend = pd.DataFrame({"project": ["C"], "fund": "x", "offset": 0, "amount": [5.0]})
    budget = pd.DataFrame({"budget": ["all"], "amount": [9.0], "at_least": [5.0]})
    spent = base.replace(spend=spend, budget=budget).validate()
    portfolios = {"base": base.validate(), "spend it": spent}
    plans = {
        "base": plan_of(portfolios["base"], {"A": 0, "B": 2}),
        "spend it": plan_of(spent, {"C": 0}),
    }
    assert assert_best(portfolios, plans)["spend it"] is plans["spend it"]


@pytest.mark.parametrize("seed", range(tried(4)))
def test_random_scenarios_get_what_checking_every_pair_gives(seed):
    rng = np.random.default_rng(seed)
    base = random_portfolio(rng)
    portfolios = {"base": base.validate()}
    for name, change in {
        "more": pmo.scale_capacity(1.5),
        "less": pmo.scale_capacity(0.6),
        "worth": pmo.change_value(str(base.projects["project"].iloc[-1]), 3.0),
        "easy": pmo.change_demand(0.5),
    }.items():
        portfolios[name] = change(base).validate()
    plans = {}
    for name, portfolio in portfolios.items():
        try:
            found = pmo.optimize(portfolio, limits=pmo.SolveLimits(work=1, gap=0.9))
        except pmo.InfeasibleError:
            continue
        # As if some searches had ended before the last project found its place.
        kept = list(found.starts.items())[: -1 if len(plans) % 2 else None]
        plans[name] = plan_of(portfolio, dict(kept))
    assert_best(portfolios, plans)


def test_only_what_may_win_is_checked_exactly(tiny_ones, monkeypatch):
    checked: list[str] = []

    def counting(portfolio, *args, **options):
        checked.append(portfolio.name)
        return check_plan(portfolio, *args, **options)

    monkeypatch.setattr(sharing, "check_plan", counting)
    starts = {
        "base": {"B": 0},
        "B must": {"B": 3},
        "no B": {"A": 1},
        "more": {"A": 0, "B": 0, "C": 0},
        "C is dear": {"A": 0, "B": 2},
    }
    plans = {name: plan_of(tiny_ones[name], s) for name, s in starts.items()}
    shared = share_plans(tiny_ones, plans, strict=False)
    assert shared["base"].starts == shared["B must"].starts == {"A": 0, "B": 2}
    assert len(checked) == 2
