"""Population annealing: rules kept, optima of small models; the whole plan may move."""

from __future__ import annotations

import numpy as np
import pytest

from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.optimization.heuristics import alternation, population_annealing
from pmo_analytics.optimization.heuristics.alternation import Search
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.heuristics.large_neighbourhood import Improver
from pmo_analytics.optimization.heuristics.population_annealing import Population
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import build_matrix
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.model.instance import carries_branches
from pmo_analytics.optimization.model.purchasing import value_of
from pmo_analytics.plan import Plan
from tests.support.clock import AMPLE, Clock
from tests.support.counts import tried
from tests.support.instances_random import drawn
from tests.support.relaxed import prices_of


@pytest.fixture
def clock(monkeypatch):
    """A twentieth of a second for each change of temperature, and each exact model."""
    return Clock(0.05).in_place_of(monkeypatch, alternation, population_annealing)


def annealed(options, clock, seed=0):
    plans = []
    anew = Population(options, build_matrix(options), np.random.default_rng(seed))
    anew.anneal(clock.now + 12 * clock.step, plans.append)
    return plans


def test_every_plan_told_keeps_the_rules_and_is_better_than_the_one_before(clock):
    optimal = models = 0
    for seed in range(tried(96)):
        portfolio = drawn(seed)
        compiled = compile_options(portfolio)
        options = compiled.options
        if not carries_branches(options) or greedy(options) is None:
            continue
        plans = annealed(options, clock, seed)
        worth = [float(options.worth[plan].sum()) for plan in plans]
        assert worth == sorted(worth)
        for plan, value in list(zip(plans, worth, strict=True))[-3:]:
            schedule = Plan.from_starts(portfolio, compiled.starts_of(plan)).schedule
            assert check_plan(portfolio, schedule, objective=value).certified
        matrix = build_matrix(options)
        best = highs.solve(matrix, options.worth, seconds=AMPLE, mip_rel_gap=0.0)
        assert best.status == "optimal"
        models += 1
        optimal += bool(worth) and worth[-1] >= best.objective - 1e-6
    assert models >= tried(96) // 2
    assert optimal >= 0.9 * models


def big_projects(seed):
    """Fifty projects of which some fifteen fit, most of them at one time only."""
    portfolio = generate_portfolio(50, 8, 24, seed=seed)
    return compile_options(portfolio).options


def test_a_search_of_a_small_model_anneals_a_population_too(clock):
    options = big_projects(0)
    start = greedy(options)
    told = []
    prices = [{"prices": prices_of(options)}]
    search = Search(options, start, 0, told.append, prices)
    assert search.population is not None
    search.run(clock.now + 6.0)
    worth = [value_of(options, plan) for plan in told]
    assert worth == sorted(worth)
    assert worth[-1] > value_of(options, start)


def test_the_whole_plan_may_move_for_one_project_that_is_left_out():
    options = big_projects(0)
    start = greedy(options)
    improver = Improver(options, build_matrix(options), start, np.random.default_rng(0))
    picked = improver._whole_plan()
    inside = sorted(options.project[start].tolist())
    assert sorted(picked[: len(inside)]) == inside
    outside = np.flatnonzero(np.diff(options.first) > 0)
    assert sorted(picked) == outside.tolist()
    improver.kinds = [kind for kind in improver.kinds if kind.whole]
    before = improver.objective
    assert any(improver.round(float("inf")) for _ in range(40))
    assert improver.objective > before


def test_large_portfolios_have_no_population():
    large = compile_options(generate_portfolio(200, 12, 36, seed=1)).options
    search = Search(large, greedy(large), 0, lambda plan: None, [])
    assert search.population is None
