"""The children of one run: they fail, stand still, reach the gap; other solvers."""

from __future__ import annotations

import queue
import time
from typing import Any

import numpy as np
import pulp
import pytest

from pmo_analytics.errors import ConfigError
from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.optimization import optimizing, plan_search
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.jobs import (
    ImproveJob,
    SolveJob,
)
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.messages import (
    BetterPlan,
    BoundTold,
    Cutting,
    Improved,
    PlanTold,
)
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.model.incumbent import Incumbent
from pmo_analytics.optimization.model.pulp_sink import find_solver
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.optimization.params import RaceParams, SearchParams
from pmo_analytics.optimization.workers import pulp_job
from pmo_analytics.optimization.workers.process import Child
from pmo_analytics.optimization.workers.race import Found, Proving, Race, _cores
from tests.support.clock import AMPLE

ROOM = "pmo_analytics.optimization.workers.race"


@pytest.fixture(scope="module")
def middle():
    """A portfolio that is not solved at once."""
    return generate_portfolio(60, 6, 18, seed=3, kind="few_big")


def details(plan) -> str:
    assert plan.report is not None
    return " ".join(str(a["detail"]) for a in plan.report.attempts)


def test_a_search_that_dies_leaves_the_others_at_work(middle, monkeypatch):
    enter = Child.__enter__

    def enter_and_kill(child):
        enter(child)
        if isinstance(child.job, ImproveJob):
            child.process.kill()
        return child

    gone, ended, hear = [], Race.ended, Race.hear

    def take_note(race, child, event):
        searching = child in race.searchers
        ended(race, child, event)
        if searching:
            gone.append(event.code)

    def stop_when_others_are_heard(race, child, event):
        hear(race, child, event)
        if gone and race.found.bound is not None:
            race.found.outcome = "feasible"
            race.over = True

    monkeypatch.setattr(Child, "__enter__", enter_and_kill)
    monkeypatch.setattr(Race, "ended", take_note)
    monkeypatch.setattr(Race, "hear", stop_when_others_are_heard)
    # The clock is for a machine at a standstill; events end the run.
    plan = optimize(
        middle,
        limits=SolveLimits(seconds=AMPLE, threads=2),
        params=SearchParams(race=RaceParams(patience=0.0)),
    )
    assert gone
    assert all(gone)
    assert plan.report.certified
    assert plan.report.bound is not None
    assert "search around the best plan ended" in details(plan)


def test_a_solver_whose_bound_stands_still_makes_way(monkeypatch):
    # Branches would make the solver go for another reason.
    params = RaceParams(small=0, still=0.2, still_share=0.0, far=0.0, proof_after=1e9)
    monkeypatch.setattr(
        Race,
        "_gap",
        lambda race: 10.0 if race.found.bound is not None else float("inf"),
    )
    join = Race._join

    def stop_when_it_is_there(race, **more):
        join(race, **more)
        race.over = race.solver is None

    monkeypatch.setattr(Race, "_join", stop_when_it_is_there)
    # The event ends the run, once the cuts are made: of a larger one that takes long.
    portfolio = generate_portfolio(30, 4, 10, seed=3, kind="few_big")
    plan = optimize(
        portfolio, limits=SolveLimits(seconds=AMPLE), params=SearchParams(race=params)
    )
    assert plan.report.certified
    assert plan.report.certified_bound is not None
    assert "one more search instead" in details(plan)


def test_a_bound_that_stands_still_while_cuts_are_sought_is_no_sign(middle):
    race = Race.__new__(Race)
    race.p = RaceParams(small=0)
    race.options, race.bounds = compile_options(middle).options, []
    race.job = SolveJob(seconds=60.0)
    race.solver, race.proof = object(), Proving()
    race.found = Found(incumbents=[], bound=100.0)
    race.hear(race.solver, Cutting(over=False))
    assert not any(race._hopeless(float(now), 0.5) for now in range(60))
    race.hear(race.solver, Cutting(over=True))
    assert [race._hopeless(float(now), 0.04) for now in (60, 63, 67)] == [0, 0, 1]
    # Far from the best plan nothing is waited for once the cuts are made.
    assert race._hopeless(68.0, 0.5)


def test_the_gap_asked_for_ends_the_search_whoever_reaches_it(middle):
    plan = optimize(middle, limits=SolveLimits(seconds=AMPLE, gap=0.6))
    assert plan.report.gap <= 0.6
    assert plan.report.seconds < 300


def test_children_are_told_of_each_others_plans(middle):
    options = compile_options(middle).options
    start = greedy(options)
    events: queue.Queue[Any] = queue.Queue()
    with Child(options, ImproveJob(seconds=60.0), events) as child:
        child.send(BetterPlan(chosen=[int(k) for k in start]))
        reached, wanted = -np.inf, options.worth[start].sum()
        while reached <= wanted:
            event = events.get(timeout=60)[1]
            assert isinstance(event, Improved), event
            reached = options.worth[event.chosen].sum()


def test_a_worse_plan_is_not_passed_on(middle):
    options = compile_options(middle).options
    start = greedy(options)
    best = [int(k) for k in start]
    race = Race.__new__(Race)
    race.known, race.searchers, race.proof = Incumbent(options, start), [], Proving()
    dropped = int(np.argmax(options.worth[start]))
    worse = [k for k in best if k != best[dropped]]
    race.tell(None, PlanTold(chosen=worse), worse)
    assert race._best() == best
    race.known = Incumbent(options, np.array(worse))
    race.tell(None, PlanTold(chosen=best), best)
    assert race._best() == best


def test_of_the_plans_that_wait_only_the_last_of_a_search_is_checked():
    race = Race.__new__(Race)
    race.events = queue.Queue()
    one, other = object(), object()
    plan = Improved(chosen=[1])
    race.events.put((one, plan))
    race.events.put((one, BoundTold(bound=1.0)))
    assert race._outdated(one, plan)
    assert not race._outdated(other, plan)
    assert not race._outdated(one, BoundTold(bound=2.0))
    race.events.get()
    assert not race._outdated(one, plan)


@pytest.mark.parametrize("brings", [True, False])
def test_the_plan_of_a_search_counts_where_the_solver_has_none(
    middle, monkeypatch, brings
):
    start = greedy(compile_options(middle).options)

    def end_at_once(race, on_event):
        if brings:
            race.found.incumbents.append([int(k) for k in start])

    monkeypatch.setattr(Race, "run", end_at_once)
    plan = optimize(middle, limits=SolveLimits(seconds=AMPLE))
    outcome = "feasible" if brings else "no_solution"
    assert [a["outcome"] for a in plan.report.attempts] == ["feasible", outcome]


@pytest.mark.usefixtures("warm_solver")
def test_another_solver_answers_through_the_model_that_pulp_writes():
    portfolio = generate_portfolio(12, 3, 8, seed=2)
    options = compile_options(portfolio).options
    told: dict[str, Any] = {}
    pulp_job.solve_elsewhere(
        options,
        SolveJob(seconds=AMPLE),
        time.monotonic() + AMPLE,
        lambda event: told.update({event.kind: event}),
    )
    assert told["solved"].status == "optimal"
    best = optimize(portfolio, limits=SolveLimits(seconds=AMPLE)).objective
    worth = options.worth[told["solved"].chosen].sum()
    assert worth == pytest.approx(best, rel=1e-6)
    assert told["relaxation"].objective >= best - 1e-6


def test_where_another_solver_fails_highs_takes_over(middle, monkeypatch):
    monkeypatch.setattr(optimizing, "named_solver", lambda *_: "GUROBI")
    asked = []

    def run(_options, *, solver, **_more):
        asked.append(solver)
        return Found("crashed", incumbents=[], detail="no licence")

    monkeypatch.setattr(plan_search, "run_solver", run)
    plan = optimize(middle, limits=SolveLimits(seconds=AMPLE), solver="gurobi")
    assert asked == ["GUROBI", "HiGHS", "HiGHS"]
    assert [a["outcome"] for a in plan.report.attempts][1:] == ["crashed"] * 3


def test_a_solver_that_is_not_there_is_an_error_with_a_way_out(monkeypatch):
    assert find_solver("HiGHS") == "HiGHS"
    with pytest.raises(ConfigError, match="did you mean 'GUROBI'"):
        find_solver("gurobbi")
    monkeypatch.setattr(pulp.COIN_CMD, "available", lambda _self: False)
    with pytest.raises(ConfigError, match="not installed or has no licence"):
        optimize(generate_portfolio(5, 2, 6, seed=1), solver="cbc")


def test_cores_are_those_this_process_may_use():
    assert _cores(SolveLimits(threads=3)) == 3
    assert 1 <= _cores(SolveLimits()) <= 8


@pytest.mark.usefixtures("warm_solver")
def test_one_thread_or_many_the_same_plan_with_a_work_limit():
    portfolio = generate_portfolio(20, 3, 10, seed=3, kind="few_big")
    limits = [SolveLimits(seconds=AMPLE, work=1, threads=t) for t in (1, 4)]
    plans = [optimize(portfolio, limits=limit, seed=5) for limit in limits]
    assert plans[0].report.status == "feasible", "solved at once, nothing is shown"
    assert plans[0].starts == plans[1].starts
    assert np.isclose(plans[0].objective, plans[1].objective)
