"""Plans near the relaxation: all are gone through, and only better ones told."""

from __future__ import annotations

import time

import numpy as np
import pytest

from pmo_analytics.optimization.heuristics.alternation import Search
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.heuristics.near_relaxation import Nearby
from pmo_analytics.optimization.messages import (
    NewPrices,
)
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import build_matrix
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.portfolio import Portfolio
from tests.optimization.heuristics.test_ruin import keeps_every_rule
from tests.support.brute_force import best_plan
from tests.support.clock import AMPLE
from tests.support.counts import tried
from tests.support.instances import knapsack_portfolio
from tests.support.instances_random import drawn
from tests.support.relaxed import prices_of


def walked(options, start) -> tuple[np.ndarray, Nearby, list[float]]:
    """Return the best plan, the walk, and the worth of each plan told."""
    matrix = build_matrix(options)
    relaxed = highs.solve(matrix, options.worth, seconds=AMPLE, integer=False)
    near = Nearby(options, matrix, float(options.worth[start].sum()))
    best, told = start, []
    if near.promises(relaxed.prices):
        for plan in near.plans(60.0):
            if plan is not None:
                best = plan
                told.append(float(options.worth[plan].sum()))
    return best, near, told


@pytest.mark.parametrize("chunk", range(tried(2)))
def test_the_best_plan_is_found_by_enumeration_too(chunk):
    improved = complete = 0
    for seed in range(30 * chunk, 30 * chunk + 30):
        portfolio = drawn(seed)
        compiled = compile_options(portfolio)
        options = compiled.options
        start = greedy(options)
        if start is None or not len(options.project):
            continue
        wanted, _ = best_plan(portfolio)
        best, near, told = walked(options, start)
        assert keeps_every_rule(portfolio, compiled, best)
        assert told == sorted(told)
        assert len(told) == len(set(told))
        if near.complete or not near.goals:
            found = float(options.worth[best].sum() + options.constant[0])
            assert found == pytest.approx(float(wanted), rel=1e-9, abs=1e-7), seed
        complete += near.complete
        improved += len(told) > 0
    assert complete
    assert improved


def knapsack(seed: int, projects: int, roles: int) -> Portfolio:
    """Selection alone: one year, no dates, as many budgets as roles."""
    rng = np.random.default_rng(seed)
    use = rng.integers(1, 1000, (roles, projects))
    value = use.mean(axis=0).round() + rng.integers(0, 500, projects)
    return knapsack_portfolio(value, use, 0.4 * use.sum(axis=1))


@pytest.mark.parametrize("seed", range(tried(3)))
def test_selection_within_budgets_ends_with_the_optimum(seed):
    portfolio = knapsack(seed, 30, 3)
    compiled = compile_options(portfolio)
    options = compiled.options
    best, near, _ = walked(options, greedy(options))
    exact = highs.solve(
        build_matrix(options), options.worth, seconds=AMPLE, mip_rel_gap=0.0
    )
    assert exact.status == "optimal"
    assert near.complete
    assert options.worth[best].sum() == pytest.approx(exact.objective, abs=1e-6)
    assert keeps_every_rule(portfolio, compiled, best)


def test_a_search_ends_once_nothing_better_is_left():
    compiled = compile_options(knapsack(7, 60, 3))
    options = compiled.options
    prices = prices_of(options)
    told: list[np.ndarray] = []
    search = Search(
        options, greedy(options), 1, told.append, [NewPrices(prices=prices)]
    )
    end = time.monotonic() + 600
    search.run(end)
    assert time.monotonic() < end
    assert search.complete
    assert np.array_equal(search.ground.best, told[-1])


def test_where_too_many_plans_are_near_nothing_is_promised():
    portfolio = knapsack(1, 60, 3)
    options = compile_options(portfolio).options
    matrix = build_matrix(options)
    relaxed = highs.solve(matrix, options.worth, seconds=AMPLE, integer=False)
    assert not Nearby(options, matrix, 0.0).promises(relaxed.prices)
    assert not Nearby(options, matrix, relaxed.objective + 1).promises(relaxed.prices)
