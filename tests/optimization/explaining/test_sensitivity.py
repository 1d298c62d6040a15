"""Ranges of values: by hand, and held against brute force on both sides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.explaining.sensitivity import (
    say_sensitivity,
    scaled,
    sensitivity,
    theme_end,
)
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.plan import Plan
from tests.optimization.explaining.test_why_not import portfolio_of
from tests.support.brute_force import best_plan
from tests.support.clock import AMPLE
from tests.support.instances_random import random_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")

LIMITS = SolveLimits(seconds=AMPLE)


def test_one_developer_and_three_projects():
    plan = optimize(portfolio_of({"X": 5, "Y": 3, "Z": 1}), limits=LIMITS)
    table = sensitivity(plan, themes=False, discount=False, limits=LIMITS, workers=1)
    rows = table.set_index("subject")
    assert rows["decision"].to_dict() == {
        "X": "selected",
        "Y": "not selected",
        "Z": "not selected",
    }
    # X is right down to the value of Y, Y and Z are out up to that of X.
    assert rows.at["X", "low"] == pytest.approx(3.0, abs=1e-3)
    assert rows.at["X", "low_flip"] == pytest.approx(3.0, abs=1e-3)
    assert rows.at["X", "high"] == np.inf
    assert rows["high"].tolist()[1:] == pytest.approx([5.0, 5.0], abs=1e-3)
    assert rows["found"].tolist() == pytest.approx([3.0, 5.0, 5.0])
    assert rows["exact"].all()
    assert rows["whole_set"].all()
    assert say_sensitivity(table) == [
        "'X' stays in down to a value of 3 (now 5), and goes out below it.",
        "'Y' stays out up to a value of 5 (now 3), and comes in above it.",
        "'Z' stays out up to a value of 5 (now 1), and comes in above it.",
    ]


def test_what_cannot_change():
    portfolio = portfolio_of(
        {"X": 5, "Y": 3},
        groups=pd.DataFrame(
            {"group": "g", "project": ["X"], "rule": "limit", "at_least": 1}
        ),
    )
    plan = optimize(portfolio, limits=LIMITS)
    table = sensitivity(plan, themes=False, discount=False, limits=LIMITS, workers=1)
    assert table["low"].tolist() == [-np.inf, -np.inf]
    assert table["high"].tolist() == [np.inf, np.inf]
    assert say_sensitivity(table) == [
        "No plan can do without 'X'. Its value does not matter.",
        "No plan can hold 'Y'. Its value does not matter.",
    ]


def test_a_theme_up_to_where_another_plan_is_as_good():
    # One developer: X and Y of theme A follow each other, or Z of theme B takes both
    # months. 5 + 3 against 6: B may grow to 8 / 6, A may fall to 6 / 8.
    portfolio = portfolio_of(
        {"X": 5, "Y": 3, "Z": 6},
        periods=2,
        more={"theme": ["A", "A", "B"], "duration": [1, 1, 2]},
    )
    demand = portfolio.demand
    more = demand[demand["project"] == "Z"].assign(offset=1)
    portfolio = portfolio.replace(demand=pd.concat([demand, more], ignore_index=True))
    plan = optimize(portfolio, limits=LIMITS)
    assert set(plan.starts) == {"X", "Y"}
    table = sensitivity(plan, projects=[], discount=False, limits=LIMITS, workers=1)
    rows = table.set_index("subject")
    assert rows.at["A", "low"] == pytest.approx(0.75, abs=1e-4)
    assert rows.at["A", "high"] == 3.0
    assert rows.at["B", "low"] == 0.0
    assert rows.at["B", "high"] == pytest.approx(8 / 6, abs=1e-4)
    assert rows["exact"].all()
    assert say_sensitivity(table) == [
        "The plan stays best for theme 'A' at 75 % to any value up to 300 % of its "
        "value.",
        "The plan stays best for theme 'B' at any lower value to 133.3 % of its value.",
    ]


def test_a_plan_that_is_not_the_best():
    portfolio = portfolio_of({"X": 5, "Y": 3}, more={"theme": "A"})
    plan = Plan(portfolio, {"Y": "2027-01"})
    table = sensitivity(plan, themes=False, discount=False, limits=LIMITS, workers=1)
    rows = table.set_index("subject")
    assert np.isnan(rows.at["Y", "low"])
    assert np.isnan(rows.at["X", "high"])
    assert not rows["whole_set"].any()
    # The plan found with X in is worth 2 more: by it X is in from 3 on.
    assert rows.at["X", "found"] == pytest.approx(3.0)
    assert say_sensitivity(table)[0].startswith(
        "By the plans found 'X' comes in above a value of 3 (now 5); it comes in above"
    )
    settings = {"strict": False, "seed": 0, "flex": False}
    assert theme_end(plan, "A", 3.0, LIMITS, settings)[0] is None


def test_ranges_hold_in_brute_force():
    rng = np.random.default_rng(5)
    checked = 0
    while checked < 1:
        portfolio = random_portfolio(rng, max_projects=4, max_periods=4).validate()
        settings = portfolio.settings
        if settings.source not in ("", "value") or len(portfolio.benefits):
            continue
        if best_plan(portfolio)[0] is None:
            continue
        plan = optimize(portfolio, limits=LIMITS)
        free = plan.projects["decision"].isin(["selected", "not selected"])
        must = portfolio.projects["status"].isin(["running", "approved"])
        must |= portfolio.projects["force"].eq("in")
        names = plan.projects.loc[free & ~must, "project"].tolist()[:1]
        table = sensitivity(
            plan, projects=names, themes=False, discount=False, limits=LIMITS, workers=1
        )
        for row in table.to_dict("records"):
            side = "low" if row["decision"] == "selected" else "high"
            edge, flip = row[side], row[f"{side}_flip"]
            if not np.isfinite(edge):
                continue
            away = 1.0 if side == "high" else -1.0
            for value, same in (
                (edge - 0.01 * away, True),
                (flip + 0.01 * away, False),
            ):
                projects = portfolio.projects.copy()
                own = projects["project"] == row["subject"]
                projects.loc[own, "value"] = value
                _, best = best_plan(portfolio.replace(projects=projects))
                inside = row["subject"] in best
                assert (inside == (row["decision"] == "selected")) is same
            checked += 1


def test_scaled_multiplies_values_and_benefits_of_the_theme(everything):
    double = scaled(everything, "R", 2.0)
    mine = (everything.projects["theme"] == "R").to_numpy()
    ratio = double.projects["value"] / everything.projects["value"]
    assert ratio[mine].eq(2.0).all()
    assert ratio[~mine].eq(1.0).all()
    own = everything.benefits["project"].isin(everything.projects.loc[mine, "project"])
    grown = double.benefits["amount"] / everything.benefits["amount"]
    assert grown[own].eq(2.0).all()
    assert grown[~own].eq(1.0).all()


def test_only_what_may_be_in_or_out():
    plan = Plan(portfolio_of({"X": 5}, more={"status": "approved"}), {"X": "2027-01"})
    with pytest.raises(ConfigError, match="no project that may be in or out"):
        sensitivity(plan, projects=["X"])
