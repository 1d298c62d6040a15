"""Frontiers: by hand, against brute force, never falling, the same everywhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import ConfigError, InfeasibleError
from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.optimization.explaining import resolving
from pmo_analytics.optimization.explaining.frontier import (
    _efficient,
    _knee_of,
    frontier,
)
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.plan import Plan
from pmo_analytics.portfolio import Portfolio
from pmo_analytics.processes.parallel import run_tasks
from tests.optimization.explaining.test_why_not import portfolio_of
from tests.support import clusters
from tests.support.brute_force import best_plan
from tests.support.clock import AMPLE
from tests.support.instances_random import random_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")

LIMITS = SolveLimits(seconds=AMPLE)


def funded() -> Portfolio:
    """Budget 500; A costs 400 and is worth 1000, B 300 and 400, C 200 and 400."""
    return portfolio_of(
        {"A": 1000, "B": 400, "C": 400},
        capacity=9.0,
        spend=pd.DataFrame(
            {"project": list("ABC"), "offset": 0, "amount": [400.0, 300.0, 200.0]}
        ),
        budget=pd.DataFrame({"budget": ["Total"], "amount": [500.0]}),
    )


def test_the_budget_step_by_step():
    result = frontier(
        funded(),
        "budget",
        of="Total",
        points=[0.2, 0.8, 1.0, 1.2, 1.8],
        limits=LIMITS,
        workers=1,
    )
    table = result.table
    # 100, 400, 500, 600, 900.
    expected = [0, 1000, 1000, 1400, 1800]
    assert table["objective"].tolist() == pytest.approx(expected)
    assert (table["gap"] <= 1e-6).all()
    assert table["status"].eq("optimal").all()
    assert table["efficient"].tolist() == [True, True, False, True, True]
    assert table["gain"].tolist()[1:] == pytest.approx([1000, 0, 400, 400])
    assert table["gain_low"].tolist()[1:] == pytest.approx(
        [1000, 0, 400, 400], abs=0.01
    )
    # From (0.2, 0) to (1.8, 1800) the chord is at 675 for 0.8, where A alone is.
    assert result.knee is not None
    assert result.knee["level"] == 0.8
    text = str(result)
    assert "From 20 % of budget 'Total' to 180 % the objective grows from 0 to" in text
    assert "The knee is at 80 %" in text
    assert all(plan is not None and plan.violations.empty for plan in result.plans)


def test_spend_at_most():
    free = funded().replace(budget=funded().budget.iloc[:0])
    result = frontier(free, "spend", points=[200, 400, 900], limits=LIMITS, workers=1)
    assert result.table["objective"].tolist() == pytest.approx([400, 1000, 1800])
    assert result.table["spend"].tolist() == [200, 400, 900]


def test_projects_and_the_last_finish_of_the_tiny_portfolio(tiny):
    # See `tiny_portfolio`: A alone is worth 10, A and B in four months 16.6116.
    few = frontier(tiny, "projects", points=[0, 1, 2, 3], limits=LIMITS, workers=1)
    expected = [0, 10, 16.6116, 16.6116]
    assert few.table["objective"].tolist() == pytest.approx(expected, abs=1e-4)
    assert few.table["efficient"].tolist() == [True, True, True, False]
    early = frontier(
        tiny,
        "finish",
        points=["2027-01", "2027-02", "2027-04"],
        limits=LIMITS,
        workers=1,
    )
    assert early.table["objective"].isna().tolist() == [False, False, False]
    assert early.table["objective"].tolist() == pytest.approx(
        [0, 10, 16.6116], abs=1e-4
    )
    assert str(early.table["last_finish"].iat[2]) == "2027-04"


def test_levels_by_themselves(tiny):
    table = frontier(tiny, "finish", points=4, limits=LIMITS, workers=1).table
    assert table["level"].iat[-1] == pd.Period("2027-04", "M")
    assert table["level"].is_monotonic_increasing
    counts = frontier(tiny, "projects", points=9, limits=LIMITS, workers=1).table
    assert counts["level"].tolist() == [1, 2]


def test_a_level_without_a_plan_says_why():
    portfolio = funded()
    projects = portfolio.projects.assign(status=["approved", "proposed", "proposed"])
    horizon = make_horizon("2027-01", 3, "M")
    portfolio = portfolio.replace(
        projects=projects,
        horizon=horizon,
        capacity=pd.DataFrame({"Dev": 9.0}, index=horizon),
    )
    result = frontier(portfolio, "budget", points=[0.5, 1.0], limits=LIMITS, workers=1)
    assert result.table["status"].tolist() == ["infeasible", "optimal"]
    assert result.plans[0] is None
    assert np.isnan(result.table["bound"].iat[0])
    assert "Budget 'Total' is short of 150.00" in result.table["message"].iat[0]
    assert str(result).startswith("At 50 % of all budgets there is no plan: Budget")


@pytest.mark.parametrize("over", ["budget", "capacity"])
def test_every_level_is_the_optimum_of_brute_force(over):
    rng = np.random.default_rng(7)
    done = 0
    while done < 1:
        portfolio = random_portfolio(rng, max_projects=4, max_periods=5).validate()
        if portfolio.budget.empty or best_plan(portfolio)[0] is None:
            continue
        done += 1
        levels = [0.8, 1.3]
        result = frontier(
            portfolio, over, points=levels, limits=LIMITS, strict=True, workers=1
        )
        for level, row in zip(levels, result.table.itertuples(), strict=True):
            if over == "budget":
                changed = portfolio.replace(
                    budget=portfolio.budget.assign(
                        amount=portfolio.budget["amount"] * level
                    )
                )
            else:
                changed = portfolio.replace(
                    capacity=(portfolio.capacity * level).round(6)
                )
            best, _ = best_plan(changed, strict=True)
            if best is None:
                assert row.status == "infeasible"
            else:
                assert row.objective == pytest.approx(float(best), abs=1e-6)
        known = result.table["objective"].dropna()
        assert known.is_monotonic_increasing


def test_a_level_takes_the_plan_of_a_smaller_one(monkeypatch):
    from pmo_analytics.optimization.explaining import frontier as module
    from pmo_analytics.optimization.explaining.resolving import Resolved

    def only_the_first(questions, *_arguments):
        return {key: Resolved(message="Interrupted.") for key in questions}

    monkeypatch.setattr(module, "resolve_all", only_the_first)
    result = frontier(funded(), points=[0.8, 1.0, 1.2], limits=LIMITS, workers=1)
    assert result.table["objective"].tolist() == pytest.approx([1000] * 3)
    assert result.table["efficient"].tolist() == [True, False, False]
    assert result.table["status"].tolist() == ["optimal", "feasible", "feasible"]


def test_other_processes_find_the_same_and_a_worker_of_a_cluster_may_die(monkeypatch):
    portfolio = generate_portfolio(10, 3, 8, seed=2)
    asked = {
        "over": "capacity",
        "points": [0.8, 1.1, 1.2],
        "limits": SolveLimits(seconds=600, work=1),
    }
    here = frontier(portfolio, **asked, workers=1).table
    if clusters.missing():
        apart = frontier(portfolio, **asked, workers=2).table
        pd.testing.assert_frame_equal(apart, here, check_exact=True)
        pytest.skip(clusters.missing())
    with clusters.cluster() as started:
        monkeypatch.setattr(resolving, "run_tasks", started.killing(run_tasks))
        far = frontier(portfolio, **asked, cluster=started.address).table
        assert started.workers[0].wait(timeout=60) != 0
    pd.testing.assert_frame_equal(far, here, check_exact=True)


def test_the_knee_is_farthest_above_the_chord():
    table = pd.DataFrame(
        {"level": [0.0, 1.0, 2.0, 3.0], "objective": [0.0, 8.0, 9.0, 10.0]}
    )
    table["efficient"] = _efficient(table["objective"].to_numpy())
    assert _knee_of(table, "budget") == 1
    straight = table.assign(objective=[0.0, 1.0, 2.0, 3.0])
    assert _knee_of(straight, "budget") is None
    assert _efficient(np.array([np.nan, 1.0, 1.0, np.nan, 2.0])).tolist() == [
        *(False, True, False, False, True)
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"over": "bugdet"}, "did you mean 'budget'"),
        ({"over": "budget", "of": "Totals"}, "did you mean 'Total'"),
        ({"over": "spend", "of": "Total"}, "of the whole portfolio"),
        ({"points": 1}, "at least 2 points"),
        ({"points": []}, "at least one level"),
        ({"points": [-1.0]}, "cannot be negative"),
        ({"points": ["much"]}, "Not a level"),
    ],
)
def test_what_cannot_be_varied(arguments, message):
    with pytest.raises(ConfigError, match=message):
        frontier(funded(), limits=LIMITS, **arguments)


def test_no_budget_and_no_plan():
    with pytest.raises(ConfigError, match="use over='spend'"):
        frontier(portfolio_of({"X": 1}))
    never = portfolio_of(
        {"X": 1, "Y": 1},
        periods=2,
        groups=pd.DataFrame(
            {"group": "g", "project": list("XY"), "rule": "limit", "at_least": 2}
        ),
        more={"latest": "2027-01"},
    )
    with pytest.raises(InfeasibleError):
        frontier(never, "spend", limits=LIMITS)


def test_plans_of_levels_belong_to_their_level():
    result = frontier(funded(), points=[0.8, 1.8], limits=LIMITS, workers=1)
    amounts = [plan.portfolio.budget["amount"].iat[0] for plan in result.plans]
    assert amounts == pytest.approx([400.0, 900.0])
    assert isinstance(result.plans[0], Plan)
