"""optimize against brute force, and against a solver that misbehaves."""

from __future__ import annotations

import os
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pmo_analytics.clock.periods import make_horizon
from pmo_analytics.errors import DataError, InfeasibleError, SolverError
from pmo_analytics.optimization import greedy_plans, plan_search
from pmo_analytics.optimization.bounds import known_bound
from pmo_analytics.optimization.checker.check import check_bound, check_plan
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.optimization.workers.race import Found
from pmo_analytics.portfolio import Portfolio
from tests.support.brute_force import best_plan
from tests.support.clock import AMPLE
from tests.support.counts import tried
from tests.support.instances_random import drawn

CHUNK = 10
LIMITS = SolveLimits(seconds=AMPLE)
warm = pytest.mark.usefixtures("warm_solver")


def agree(portfolio: Portfolio, *, strict: bool) -> str:
    """Hold optimize against enumeration; return the status."""
    wanted, starts = best_plan(portfolio, strict=strict)
    if wanted is None:
        with pytest.raises(InfeasibleError, match="clash") as error:
            optimize(portfolio, limits=LIMITS, strict=strict)
        assert len(error.value.conflicts)
        assert error.value.conflicts["message"].str.len().gt(10).all()
        return "infeasible"
    plan = optimize(portfolio, limits=LIMITS, strict=strict)
    assert starts is not None
    report = plan.report
    assert report is not None
    assert report.objective == pytest.approx(float(wanted), rel=1e-9, abs=1e-7)
    assert report.status == "optimal", report.attempts
    assert report.certified
    assert plan.violations.empty
    check = check_plan(
        portfolio, plan.schedule, strict=strict, objective=report.objective
    )
    assert check.certified
    assert report.certificate is not None
    bound = check_bound(portfolio, report.certificate, strict=strict)
    assert bound is not None
    assert bound >= wanted - Fraction(1, 10**6)
    # Branches prove what the solver claims.
    assert float(bound) <= float(wanted) + 1e-6 * max(1.0, abs(float(wanted)))
    compiled = compile_options(portfolio, strict=strict)
    mine, theirs = compiled.chosen(plan.starts), compiled.chosen(starts)
    assert mine is not None
    assert theirs is not None
    tie = compiled.options.tie
    assert tie[mine].sum() <= tie[theirs].sum(), report.attempts
    return "feasible"


@warm
@pytest.mark.parametrize("chunk", range(tried(24)))
def test_agrees_with_brute_force(chunk):
    outcomes = []
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        portfolio = drawn(seed)
        outcomes.append(agree(portfolio, strict=seed % 4 == 3))
    assert "feasible" in outcomes


def one_role(projects: dict[str, tuple[float, int, float]], capacity: float = 1.0):
    """Portfolio of flat projects: name -> (value, duration, fte)."""
    horizon = make_horizon("2027-01", 6, "M")
    return Portfolio(
        "one role",
        horizon=horizon,
        projects=pd.DataFrame(
            {
                "project": list(projects),
                "value": [v for v, _, _ in projects.values()],
                "duration": [d for _, d, _ in projects.values()],
            }
        ),
        demand=pd.DataFrame(
            [
                {"project": name, "role": "Dev", "offset": k, "fte": fte}
                for name, (_, duration, fte) in projects.items()
                for k in range(duration)
            ]
        ),
        capacity=pd.DataFrame({"Dev": capacity}, index=horizon),
    )


@warm
def test_ties_go_to_the_earliest_starts():
    plan = optimize(one_role({"A": (5, 2, 1), "B": (5, 3, 1)}), limits=LIMITS)
    assert plan.objective == 10
    assert sorted(plan.starts.values()) == [0, 2]


@warm
def test_a_worthless_project_stays_out():
    plan = optimize(one_role({"A": (5, 2, 1), "B": (0, 1, 1)}), limits=LIMITS)
    assert plan.starts == {"A": 0}


@warm
def test_negative_value_is_taken_only_when_required():
    portfolio = one_role({"A": (5, 2, 1), "B": (-2, 1, 1), "C": (-9, 1, 1)})
    portfolio = portfolio.replace(
        dependencies=pd.DataFrame({"project": ["A"], "requires": ["B"]})
    )
    plan = optimize(portfolio, limits=LIMITS)
    assert plan.starts == {"A": 1, "B": 0}
    assert plan.objective == 3


@warm
def test_never_worse_than_greedy_when_the_solver_gets_no_time(monkeypatch):
    portfolio = one_role({f"P{i}": (i + 1, 2, 0.5) for i in range(9)})
    options = compile_options(portfolio).options
    chosen = greedy(options)
    assert chosen is not None
    monkeypatch.setattr(
        plan_search, "run_solver", lambda *_a, **_k: Found("timeout", incumbents=[])
    )
    plan = optimize(portfolio, limits=LIMITS)
    assert plan.objective >= options.worth[chosen].sum()
    assert plan.report is not None
    assert plan.report.certified_bound is not None
    assert plan.report.certified_bound >= plan.objective


TWO = {"A": (5.0, 4, 1.0), "B": (3.0, 4, 1.0)}


@warm
@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (Found("crashed", incumbents=[], detail="exit code -11"), "crashed"),
        (Found("infeasible", incumbents=[]), "wrong_infeasible"),
        # Options 0 and 3 are A and B in the same months: capacity for one of them.
        (Found("optimal", incumbents=[[0, 3]], bound=8.0), "refused"),
    ],
)
def test_a_solver_that_lies_or_dies_costs_an_attempt(monkeypatch, found, outcome):
    runs = []

    def run(_options, **settings):
        runs.append(settings["presolve"])
        return Found(found.outcome, list(found.incumbents or []), bound=found.bound)

    monkeypatch.setattr(plan_search, "run_solver", run)
    plan = optimize(one_role(TWO), limits=LIMITS)
    assert runs == [True, False]
    assert plan.starts == {"A": 0}
    assert plan.violations.empty
    assert plan.report is not None
    assert [a["outcome"] for a in plan.report.attempts] == ["feasible"] + [outcome] * 2


def test_a_bound_below_a_checked_plan_is_not_believed(monkeypatch):
    monkeypatch.setattr(
        plan_search, "run_solver", lambda *_a, **_k: Found("optimal", [[0]], bound=1.0)
    )
    plan = optimize(one_role(TWO), limits=LIMITS)
    assert plan.report is not None
    assert plan.report.bound is not None
    assert plan.report.bound >= 5
    assert plan.report.status == "feasible"


def test_cuts_count_where_a_young_tree_proves_less(monkeypatch):
    asked = []
    monkeypatch.setattr(
        known_bound, "best_certificate", lambda *_a, tree, **_k: (asked.append(tree), 0)
    )
    portfolio = one_role(TWO).validate()
    limits = SimpleNamespace(seconds=1.0)
    run = SimpleNamespace(strict=False, begin=0.0, limits=limits)
    compiled = compile_options(portfolio)
    search = plan_search.PlanSearch(portfolio, compiled, run, "HiGHS")
    search.bound.cuts = SimpleNamespace(bound=9.0, prices=[], cuts=[])
    for bound in (10.0, 9.0, 8.0):
        search.bound.tree = SimpleNamespace(bound=bound, told={"bound": bound})
        search._evidence()
    assert [tree and tree["bound"] for tree in asked] == [None, 9.0, 8.0]


def test_an_optimum_far_from_its_own_bound_leads_to_the_next_rung(monkeypatch):
    """As HiGHS 1.16.0 did: it called its start optimal beside a larger bound."""
    answers = [
        Found("optimal", incumbents=[], bound=9.0),
        Found("feasible", incumbents=[], bound=5.0),
    ]
    monkeypatch.setattr(plan_search, "run_solver", lambda *_a, **_k: answers.pop(0))
    plan = optimize(one_role(TWO), limits=LIMITS)
    assert plan.report is not None
    outcomes = [a["outcome"] for a in plan.report.attempts]
    assert outcomes[1:] == ["wrong_optimal", "feasible"]


@warm
def test_a_wrong_claim_of_infeasibility_is_overruled(monkeypatch):
    """Without a greedy plan the elastic model is asked, and finds that all fits."""
    monkeypatch.setattr(greedy_plans, "greedy", lambda *_a, **_k: None)
    monkeypatch.setattr(
        plan_search, "run_solver", lambda *_a, **_k: Found("infeasible", incumbents=[])
    )
    plan = optimize(one_role(TWO), limits=LIMITS)
    assert plan.violations.empty


@pytest.mark.usefixtures("solver_dies")
def test_the_real_solver_killed_in_mid_run():
    plan = optimize(one_role(TWO), limits=LIMITS)
    assert plan.objective == 5
    assert plan.report is not None
    assert [a["outcome"] for a in plan.report.attempts][1:] == ["crashed", "crashed"]


@pytest.mark.skipif(os.name != "posix", reason="memory limits need POSIX")
def test_a_memory_limit_ends_the_child_and_not_the_session():
    plan = optimize(one_role(TWO), limits=SolveLimits(seconds=AMPLE, memory_gb=0.02))
    assert plan.objective == 5
    assert plan.report is not None
    assert plan.report.attempts[1]["outcome"] == "crashed"


def test_no_plan_in_time_is_not_called_infeasible(monkeypatch):
    monkeypatch.setattr(greedy_plans, "greedy", lambda *_a, **_k: None)
    monkeypatch.setattr(
        plan_search, "run_solver", lambda *_a, **_k: Found("no_solution", incumbents=[])
    )
    with pytest.raises(SolverError, match="Allow more time") as error:
        optimize(one_role(TWO), limits=LIMITS)
    assert error.value.status == "no_solution"


@warm
def test_infeasible_names_projects_role_and_period():
    portfolio = one_role({"A": (5, 6, 0.7), "B": (3, 6, 0.7), "C": (1, 1, 0.1)})
    portfolio.projects["force"] = ["in", "in", None]
    with pytest.raises(InfeasibleError, match=r"Dev is short of 0\.4 FTE") as error:
        optimize(portfolio, limits=LIMITS, strict=True)
    conflicts = error.value.conflicts
    assert set(conflicts["rule"]) == {"capacity"}
    assert conflicts["role"].eq("Dev").all()
    assert conflicts["project"].str.contains("A").all()
    assert conflicts["project"].str.contains("B").all()
    assert "2027-01" in set(conflicts["period"])


def test_a_portfolio_without_projects_is_an_error():
    horizon = make_horizon("2027-01", 2, "M")
    portfolio = Portfolio(
        horizon=horizon, capacity=pd.DataFrame({"Dev": 1.0}, index=horizon)
    )
    with pytest.raises(DataError, match="no projects"):
        optimize(portfolio)


@warm
def test_nothing_can_be_chosen():
    plan = optimize(one_role({"A": (5, 2, 3.0)}), limits=LIMITS)
    assert plan.starts == {}
    assert plan.objective == 0
    assert plan.report is not None
    assert plan.report.status == "optimal"


@warm
@pytest.mark.parametrize("table", ["budget", "groups"])
def test_nothing_can_be_chosen_and_something_must_be(table):
    """No project fits the horizon, yet a budget or a group asks for one."""
    portfolio = one_role({"A": (5, 7, 1.0)})
    rows = {
        "budget": pd.DataFrame({"budget": ["all"], "at_least": [1.0]}),
        "groups": pd.DataFrame({"group": ["g"], "project": ["A"], "at_least": [1]}),
    }
    with pytest.raises(InfeasibleError, match="clash") as error:
        optimize(portfolio.replace(**{table: rows[table]}), limits=LIMITS)
    assert len(error.value.conflicts) == 1


@warm
def test_same_seed_and_work_limit_give_the_same_plan():
    rng = np.random.default_rng(5)
    portfolio = one_role(
        {
            f"P{i:02d}": (
                float(rng.integers(1, 50)),
                int(rng.integers(1, 4)),
                float(rng.integers(1, 9)) / 4,
            )
            for i in range(15)
        },
        capacity=3.0,
    )
    limits = SolveLimits(seconds=AMPLE, work=2)
    plans = [optimize(portfolio, limits=limits, seed=3) for _ in range(2)]
    pd.testing.assert_frame_equal(plans[0].schedule, plans[1].schedule)


@warm
def test_a_finished_plan_does_not_change_under_later_edits():
    portfolio = one_role(TWO)
    plan = optimize(portfolio, limits=LIMITS)
    before = plan.load.copy()
    portfolio.demand.loc[:, "fte"] = 0.1
    portfolio.capacity.loc[:, "Dev"] = 9.0
    pd.testing.assert_frame_equal(plan.load, before)
    assert optimize(portfolio, limits=LIMITS).objective == 8
