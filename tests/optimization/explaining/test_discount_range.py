"""For which discount rates the chosen set stays best: by hand, by brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.optimization.explaining.discounts.curves import bending, curve_of
from pmo_analytics.optimization.explaining.discounts.rate_range import rates_looked_at
from pmo_analytics.optimization.explaining.sensitivity import (
    say_sensitivity,
    sensitivity,
)
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.plan import Plan
from tests.optimization.explaining.test_why_not import portfolio_of
from tests.support.brute_force import best_plan
from tests.support.clock import AMPLE
from tests.support.instances_random import random_portfolio
from tests.support.small_portfolios import EVERYTHING_STARTS, tiny_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")

LIMITS = SolveLimits(seconds=AMPLE)


def range_of(plan, limits=LIMITS):
    table = sensitivity(plan, projects=[], themes=False, limits=limits, workers=1)
    (row,) = table.to_dict("records")
    assert row["kind"] == "discount"
    assert say_sensitivity(table) == [row["message"]]
    return row


def late_or_early(discount=0.04):
    """One developer for 3 months: `Late` in the third, 10, or `Early` in all, 9."""
    portfolio = portfolio_of(
        {"Late": 10, "Early": 9},
        periods=3,
        more={"duration": [1, 3], "earliest": ["2027-03", None]},
    )
    demand = portfolio.demand
    early = demand[demand["project"] == "Early"]
    more = [early.assign(offset=k) for k in (1, 2)]
    return portfolio.replace(
        demand=pd.concat([demand, *more], ignore_index=True), discount=discount
    )


def test_a_late_project_gives_way_where_waiting_is_dear():
    # 10 / (1 + r)^2 = 9 at r = sqrt(10 / 9) - 1 = 5.41 %; at 0 % it is 10 to 9.
    plan = optimize(late_or_early(), limits=LIMITS)
    assert set(plan.starts) == {"Late"}
    row = range_of(plan)
    edge = np.sqrt(10 / 9) - 1
    assert row["now"] == 0.04
    assert row["low"] == 0.0
    assert row["high"] == pytest.approx(edge, abs=1e-5)
    assert row["high_found"] == pytest.approx(edge, abs=1e-5)
    assert edge < row["high_flip"] < edge + 0.001
    assert np.isnan(row["low_found"])
    assert np.isnan(row["low_flip"])
    assert row["exact"]
    assert row["message"] == (
        "The chosen projects stay the best choice at a discount rate of 0 % to 5.41 % "
        "a month (now 4 % a month); the bounds prove it. Above 5.41 % 'Early' comes in "
        "and 'Late' goes out, proved at 5.42 %. Rates from 0 % to 8 % were looked at."
    )


def test_without_another_set_the_rate_does_not_matter():
    plan = optimize(portfolio_of({"X": 5}, more={"status": "approved"}), limits=LIMITS)
    row = range_of(plan)
    assert (row["low"], row["high"], row["exact"]) == (0.0, 0.022104, True)


def test_a_plan_that_is_not_the_best_is_said_to_be_unsettled():
    row = range_of(Plan(late_or_early(), {"Early": "2027-01"}))
    assert np.isnan(row["low"])
    assert np.isnan(row["high"])
    assert not row["exact"]
    assert "a better set of projects was found" in row["message"]


def test_projects_that_cannot_be_chosen_together_are_not_called_best():
    portfolio = portfolio_of({"X": 5, "Y": 3})
    row = range_of(Plan(portfolio, {"X": "2027-01", "Y": "2027-01"}))
    assert np.isnan(row["low"])
    assert not row["exact"]
    assert row["message"] == (
        "No plan of exactly the chosen projects keeps every rule: no discount rate "
        "makes them the best choice."
    )


def test_bounds_that_prove_nothing_are_not_taken_for_a_proof(monkeypatch):
    from pmo_analytics.optimization.explaining.discounts import probes, rate_range

    solve = probes.resolve

    def unproved(*args):
        found = solve(*args)
        if found.report is None:
            return found
        loose = replace(found.report, bound=found.report.bound + 5.0)
        return replace(found, report=loose)

    monkeypatch.setattr(probes, "resolve", unproved)
    monkeypatch.setattr(rate_range, "_STEPS", 2)
    row = range_of(Plan(late_or_early(), {"Late": "2027-03"}))
    assert np.isnan(row["low"])
    assert np.isnan(row["high"])
    assert row["high_found"] == pytest.approx(np.sqrt(10 / 9) - 1, abs=1e-5)
    assert np.isnan(row["high_flip"])
    assert not row["exact"]
    assert "not even at today's rate: another set may be worth" in row["message"]


def test_curves_are_objectives(everything):
    plan = Plan.from_starts(everything, EVERYTHING_STARTS)
    curve = curve_of(plan)
    for rate in (0.0, 0.01, 0.2):
        again = Plan.from_starts(everything.replace(discount=rate), plan.starts)
        assert curve.at(1 / (1 + rate)) == pytest.approx(again.objective)


def test_rates_looked_at_go_to_30_percent_a_year_or_twice_todays():
    portfolio = tiny_portfolio()
    assert rates_looked_at(portfolio) == (0.0, 0.2)
    assert rates_looked_at(portfolio.replace(discount=0.0)) == (0.0, 0.022104)


def best_of_the_set(portfolio, chosen):
    rows = pd.DataFrame({"group": "chosen", "project": chosen, "rule": "limit"})
    rows["at_least"] = len(chosen)
    groups = portfolio.groups
    together = pd.concat([groups, rows.reindex(columns=groups.columns)])
    projects = portfolio.projects.copy()
    windows = projects["status"].isin(["done", "cancelled"])
    projects.loc[~projects["project"].isin(chosen) & ~windows, "force"] = "out"
    question = portfolio.replace(
        projects=projects, groups=together.reset_index(drop=True)
    )
    return best_plan(question)[0]


def test_the_range_holds_in_brute_force():
    # With benefits beside values; about 11 % a period another set takes over.
    rng = np.random.default_rng(35)
    portfolio = random_portfolio(rng, max_projects=4, max_periods=4).validate()
    portfolio = portfolio.replace(discount=0.1)
    plan = optimize(portfolio, limits=LIMITS)
    chosen = list(plan.starts)
    row = range_of(plan)
    assert row["exact"]
    for rate in np.linspace(row["low"], row["high"], 7):
        there = portfolio.replace(discount=float(rate))
        best, own = best_plan(there)[0], best_of_the_set(there, chosen)
        assert float(best - own) <= 2e-6 * max(1.0, abs(float(best)))
    there = portfolio.replace(discount=row["high_flip"])
    assert best_plan(there)[0] > best_of_the_set(there, chosen)


def test_costs_that_bend_the_other_way_are_bounded():
    # Spend is taken off: a curve need not lie below the line between its ends.
    portfolio = late_or_early().replace(net_of_spend=True)
    spend = pd.DataFrame({"project": ["Late"], "offset": [9], "amount": [4.0]})
    portfolio = portfolio.replace(spend=spend)
    curve = curve_of(Plan(portfolio, {"Late": "2027-03"}))
    low, high = 0.5, 1.0
    bend = bending(portfolio, high, buys=False)
    assert bend == 4.0 * 11 * 10
    over = []
    for x in np.linspace(low, high, 9).tolist():
        line = float(np.interp(x, [low, high], [curve.at(low), curve.at(high)]))
        over.append(curve.at(x) - line)
        assert over[-1] <= 0.5 * bend * (x - low) * (high - x) + 1e-12
        assert curve.below(x, low, high) <= curve.at(x) + 1e-12
    assert max(over) > 0.1
