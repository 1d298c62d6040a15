"""Two writers of one model, and the search around a plan that uses the second."""

from __future__ import annotations

import numpy as np
import pulp
import pytest

from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.optimization.heuristics.greedy import greedy, move_earlier
from pmo_analytics.optimization.heuristics.large_neighbourhood import Improver
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import build_matrix
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.model.pulp_sink import build_model
from pmo_analytics.optimization.optimizing import optimize
from pmo_analytics.optimization.workers import child
from pmo_analytics.plan import Plan
from tests.support.clock import AMPLE
from tests.support.counts import tried
from tests.support.instances_random import drawn

pytestmark = pytest.mark.usefixtures("warm_module")


@pytest.mark.parametrize("chunk", range(tried(8)))
def test_both_writers_agree(chunk):
    """Same rows, same optimum, same relaxation, on portfolios with every rule."""
    compared = 0
    for seed in range(25 * chunk, 25 * chunk + 25):
        options = compile_options(drawn(seed)).options
        if not len(options.project):
            continue
        model, matrix = build_model(options), build_matrix(options)
        assert len(model.rows) == len(matrix.labels)
        assert set(model.rows) == set(matrix.labels)
        for integer in (True, False):
            stats = model.problem.solve(pulp.HiGHS(msg=False, mip=integer))
            answer = highs.solve(matrix, options.worth, seconds=AMPLE, integer=integer)
            solved = stats.status == pulp.LpSolveStatus.Optimal
            assert (answer.status == "optimal") == solved
            if solved:
                assert answer.objective == pytest.approx(
                    stats.objective, rel=1e-6, abs=1e-6
                )
                compared += 1
    assert compared > 10


@pytest.fixture(scope="module", params=["few_big", "many_small", "chains", "mixed"])
def middle(request):
    """A portfolio in mid-life of a size that is not solved at once."""
    return generate_portfolio(
        n_projects=40,
        n_roles=5,
        n_periods=14,
        seed=3,
        kind=request.param,
        mid_life=True,
    )


def test_the_search_only_ever_improves_and_keeps_every_rule(middle):
    compiled = compile_options(middle)
    options = compiled.options
    start = greedy(options)
    assert start is not None
    improver = Improver(options, build_matrix(options), start, np.random.default_rng(1))
    before = first = improver.objective
    for _ in range(6):
        improver.round(3.0)
        assert improver.objective >= before
        before = improver.objective
        chosen = improver.plan()
        assert improver.objective == pytest.approx(options.worth[chosen].sum())
    plan = Plan.from_starts(middle, compiled.starts_of(improver.plan()))
    assert check_plan(middle, plan.schedule, objective=improver.objective).certified
    assert improver.objective > first


def test_the_solver_runs_with_any_number_of_threads_after_any_other(middle):
    """The threads of HiGHS are one pool per process, made for the first run."""
    options = compile_options(middle).options
    matrix = build_matrix(options)
    for threads in (2, 1, 3):
        answer = highs.solve(
            matrix, options.worth, seconds=AMPLE, integer=False, threads=threads
        )
        assert answer.status == "optimal"


def test_what_the_solver_refuses_is_not_an_answer(middle):
    options = compile_options(middle).options
    matrix = build_matrix(options)
    with pytest.raises(RuntimeError, match="HiGHS takes no unheard_of"):
        highs.solve(matrix, options.worth, seconds=1, unheard_of=1)


def test_the_search_gives_the_same_plan_for_the_same_seed(middle):
    options = compile_options(middle).options
    start = greedy(options)
    assert start is not None
    matrix = build_matrix(options)
    plans = []
    for _ in range(2):
        improver = Improver(options, matrix, start, np.random.default_rng(7))
        for _ in range(2):
            improver.round(float("inf"))
        plans.append(improver.plan())
    assert np.array_equal(*plans)


def test_moving_earlier_keeps_worth_and_rules(middle):
    compiled = compile_options(middle)
    options = compiled.options
    start = greedy(options)
    assert start is not None
    moved = move_earlier(options, start)
    assert options.worth[moved].sum() >= options.worth[start].sum() - 1e-9
    assert options.tie[moved].sum() <= options.tie[start].sum()
    plan = Plan.from_starts(middle, compiled.starts_of(moved))
    assert plan.violations.empty


def test_a_model_too_large_for_pulp_is_written_as_arrays():
    """The same plan comes back certified from the path that large models take."""
    portfolio = generate_portfolio(
        n_projects=260, n_roles=12, n_periods=48, seed=1, kind="mixed"
    )
    options = compile_options(portfolio).options
    assert len(options.use.row) > child._PULP_CARRIES
    plan = optimize(portfolio, limits=SolveLimits(seconds=AMPLE, gap=0.5))
    report = plan.report
    assert report is not None
    assert report.certified
    assert plan.violations.empty
    first = greedy(options)
    assert first is not None
    assert plan.objective >= options.worth[first].sum()
    assert report.bound is not None
    assert report.bound >= plan.objective
    assert [a["outcome"] for a in report.attempts][1] in ("feasible", "optimal")
