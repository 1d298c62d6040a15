"""Dives into the relaxation: every rule kept, what is kept stays, near the bound."""

from __future__ import annotations

import time

import numpy as np
import pytest

from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.optimization.heuristics.alternation import Search
from pmo_analytics.optimization.heuristics.diving import Diver
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.heuristics.ruin_recreate import Ruiner
from pmo_analytics.optimization.messages import (
    NewPrices,
)
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import build_matrix, holds
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.plan import Plan
from tests.support.certify_cases import make
from tests.support.clock import AMPLE
from tests.support.counts import tried
from tests.support.instances_random import drawn
from tests.support.relaxed import diver_of, far, prices_of


@pytest.mark.parametrize("chunk", range(tried(8)))
def test_a_dive_that_keeps_every_row_is_a_plan(chunk):
    plans = 0
    for seed in range(13 * chunk, 13 * chunk + 13):
        portfolio = drawn(seed)
        compiled = compile_options(portfolio)
        options, rng = compiled.options, np.random.default_rng(seed)
        start = greedy(options)
        if start is None or not len(options.project):
            continue
        matrix, diver = diver_of(options, seed)
        ruiner = Ruiner(options, start, rng)
        for noise in (0.0, 0.3):
            chosen = ruiner.completed(diver.dive(far(), noise, rng))
            if not holds(matrix, chosen):
                continue
            plan = Plan.from_starts(portfolio, compiled.starts_of(chosen))
            worth = float(options.worth[chosen].sum())
            assert check_plan(portfolio, plan.schedule, objective=worth).certified
            plans += 1
    assert plans > 10


def test_starts_move_until_everything_fits():
    """The relaxation halves A and B in turn; whole, one has to wait for the other."""
    portfolio = make(
        [{"project": "A", "value": 8.0}, {"project": "B", "value": 7.0}],
        periods=4,
        capacity={"Tester": [4.0] * 4},
        demand=[
            {"project": name, "role": "Tester", "offset": offset, "fte": 3.0}
            for name in "AB"
            for offset in (0, 1)
        ],
    )
    options = compile_options(portfolio).options
    _, diver = diver_of(options, 0)
    chosen = diver.dive(far(), 0.0, np.random.default_rng(0))
    assert sorted(options.project[chosen].tolist()) == [0, 1]
    assert sorted(options.start[chosen].tolist()) == [0, 2]


def test_dives_are_near_the_bound_where_filling_is_not():
    portfolio = generate_portfolio(150, 10, 30, seed=0, kind="pools_big")
    options = compile_options(portfolio).options
    matrix = build_matrix(options)
    start, rng = greedy(options), np.random.default_rng(0)
    diver = Diver(options, matrix, 0)
    assert diver.begin(60.0)
    chosen = Ruiner(options, start, rng).completed(diver.dive(far(), 0.0, rng))
    assert holds(matrix, chosen)
    bound = highs.solve(matrix, options.worth, seconds=AMPLE, integer=False)
    worth = float(options.worth[chosen].sum())
    assert worth <= bound.objective * (1 + 1e-9)
    assert worth > 1.05 * float(options.worth[start].sum())


def test_what_is_kept_stays():
    options = compile_options(generate_portfolio(40, 4, 12, seed=1)).options
    start = greedy(options)
    _, diver = diver_of(options, 0)
    rng = np.random.default_rng(0)
    for _ in range(5):
        kept = rng.choice(start, size=len(start) // 2, replace=False)
        assert set(kept.tolist()) <= set(diver.dive(far(), 0.1, rng, kept).tolist())


def test_without_time_choices_are_fixed_at_once():
    options = compile_options(generate_portfolio(60, 6, 18, seed=0)).options
    _, diver = diver_of(options, 0)
    ranked = np.arange(len(options.project))
    diver.pace = 0.5
    assert len(diver._leading(ranked, 40.0, time.monotonic() + 1000.0)) == 1
    several = diver._leading(ranked, 40.0, time.monotonic() + 2.0)
    assert len(several) > 5
    assert len(set(options.project[several].tolist())) == len(several)


def test_a_search_dives_once_it_is_told_prices():
    options = compile_options(generate_portfolio(40, 4, 12, seed=1)).options
    matrix = build_matrix(options)
    start = greedy(options)
    search = Search(options, start, 0, lambda plan: None, [])
    assert search.rebuilding.dive(1.0, far()) is None
    search.inbox.append(NewPrices(prices=prices_of(options)))
    search._listen()
    plan = search.rebuilding.dive(1.0, far())
    assert plan is not None
    assert holds(matrix, plan)
    assert search.known.objective >= options.worth[plan].sum()
