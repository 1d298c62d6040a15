"""The searches around a plan: only better ones, every rule kept, seeds respected."""

from __future__ import annotations

import numpy as np
import pytest

from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.optimization.bounds.lagrangian import ascend
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.optimization.heuristics.alternation import Search
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.heuristics.ruin_recreate import Ruiner
from pmo_analytics.optimization.heuristics.units import circles
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import bound_of_prices, build_matrix
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.model.purchasing import value_of
from pmo_analytics.optimization.risk.occupancy import Occupancy
from pmo_analytics.plan import Plan
from pmo_analytics.tolerance import TOLERANCE
from tests.support.certify_cases import make, needs
from tests.support.clock import AMPLE
from tests.support.counts import tried
from tests.support.instances_random import drawn


def keeps_every_rule(portfolio, compiled, chosen) -> bool:
    plan = Plan.from_starts(portfolio, compiled.starts_of(chosen))
    worth = float(compiled.options.worth[chosen].sum())
    return check_plan(portfolio, plan.schedule, objective=worth).certified


def test_every_plan_of_ruin_and_recreate_keeps_every_rule():
    improved = 0
    for seed in range(tried(100)):
        portfolio = drawn(seed)
        compiled = compile_options(portfolio)
        start = greedy(compiled.options)
        if start is None or not len(compiled.options.project):
            continue
        ruiner = Ruiner(compiled.options, start, np.random.default_rng(seed))
        before = ruiner.best_objective
        plans = {}
        for _ in range(25):
            ruiner.heat = 2.0
            ruiner.rounds()
            current = ruiner.chosen()
            plans[current.tobytes()] = current
        for plan in plans.values():
            assert keeps_every_rule(portfolio, compiled, plan)
        assert ruiner.best_objective >= before
        assert keeps_every_rule(portfolio, compiled, ruiner.best)
        assert keeps_every_rule(portfolio, compiled, ruiner.refilled())
        improved += ruiner.best_objective > before + 1e-9
    assert improved


def test_what_lacks_room_is_counted_right_as_projects_come_and_go():
    for seed in range(tried(100)):
        compiled = compile_options(drawn(seed))
        o = compiled.options
        start = greedy(o)
        if start is None or not len(o.project):
            continue
        rng = np.random.default_rng(seed)
        packed = Occupancy(o, start, rng)
        for _ in range(20):
            for p in rng.permutation(np.flatnonzero(packed.chosen >= 0))[:2].tolist():
                packed._take_out(p)
            packed._settle()
            fits = np.flatnonzero((packed.lacking.over == 0) & packed.open)
            if len(fits):
                packed._place_with_mates(int(rng.choice(fits)), packed.score)
                packed._settle()
            used = np.zeros(len(o.limit))
            for k in packed.chosen[packed.chosen >= 0].tolist():
                rows, amounts = o.uses(k)
                used[rows] += amounts
            left = (o.limit + TOLERANCE - used)[o.use.row]
            # Where an amount is what is left to the last digit, either is right.
            sure = np.abs(o.use.amount - left) > 1e-9
            many = len(o.project)
            lacking = np.bincount(
                packed.lacking.owner, (o.use.amount > left) & sure, minlength=many
            )
            unsure = np.bincount(packed.lacking.owner, ~sure, minlength=many)
            assert (packed.lacking.over >= lacking).all()
            assert (packed.lacking.over <= lacking + unsure).all()


def test_those_that_come_and_go_together_do_so():
    """A and B are worth more than C and D, and need each other, in either way."""
    one = {"duration": 2, "latest": 0}
    projects = [
        {"project": "A", "value": 9.0, **one},
        {"project": "B", "value": -1.0, **one},
        {"project": "C", "value": 3.0, **one},
        {"project": "D", "value": 3.0, **one},
    ]
    demand = needs(*((p, "Dev", o, 1.0) for p in "ABCD" for o in (0, 1)))
    for tables in (
        {"groups": [{"group": "G", "project": p, "rule": "all_or_none"} for p in "AB"]},
        {
            "dependencies": [
                {"project": p, "requires": q, "kind": "selected"}
                for p, q in ("AB", "BA")
            ]
        },
    ):
        portfolio = make(projects, capacity={"Dev": [2.0] * 6}, demand=demand, **tables)
        compiled = compile_options(portfolio)
        begin = compiled.chosen({"C": 0, "D": 0})
        ruiner = Ruiner(compiled.options, begin, np.random.default_rng(0))
        for _ in range(50):
            ruiner.rounds()
        assert compiled.starts_of(ruiner.best) == {"A": 0, "B": 0}
        assert keeps_every_rule(portfolio, compiled, ruiner.best)


@pytest.fixture(scope="module", params=["few_big", "many_small", "chains", "mixed"])
def middle(request):
    """A portfolio in mid-life of a size that is not solved at once."""
    portfolio = generate_portfolio(
        n_projects=60,
        n_roles=6,
        n_periods=18,
        seed=5,
        kind=request.param,
        mid_life=True,
    )
    compiled = compile_options(portfolio)
    return portfolio, compiled, greedy(compiled.options)


def test_ruin_and_recreate_finds_better_plans(middle):
    portfolio, compiled, start = middle
    ruiner = Ruiner(compiled.options, start, np.random.default_rng(1))
    first = ruiner.best_objective
    ruiner.rounds(400)
    assert ruiner.best_objective > first
    assert keeps_every_rule(portfolio, compiled, ruiner.best)


@pytest.mark.parametrize("kind", ["few_big", "many_small", "chains", "mixed"])
def test_counted_rounds_give_the_same_plan_for_the_same_seed(kind):
    portfolio = generate_portfolio(24, 3, 12, seed=5, kind=kind, mid_life=True)
    compiled = compile_options(portfolio)
    start = greedy(compiled.options)
    found = []
    for _ in range(2):
        told: list[np.ndarray] = []
        search = Search(compiled.options, start, 7, told.append, [])
        search.run_counted(2, float("inf"))
        found.append(search.ground.best)
        worths = [value_of(compiled.options, plan) for plan in told]
        assert worths == sorted(worths)
    assert np.array_equal(*found)
    assert keeps_every_rule(portfolio, compiled, found[0])


def test_prices_of_the_ascent_prove_a_bound_near_the_relaxation(middle):
    _, compiled, start = middle
    options = compiled.options
    matrix = build_matrix(options)
    relaxed = highs.solve(matrix, options.worth, seconds=AMPLE, integer=False)
    prices, bound = ascend(options, matrix, float(options.worth[start].sum()), 60.0)
    assert bound == bound_of_prices(options, matrix, prices)
    assert relaxed.objective - 1e-6 <= bound < 1.1 * relaxed.objective
    assert bound < bound_of_prices(options, matrix, 0.0 * prices)


def test_any_prices_prove_a_bound(middle):
    _, compiled, _ = middle
    options = compiled.options
    matrix = build_matrix(options)
    relaxed = highs.solve(matrix, options.worth, seconds=AMPLE, integer=False)
    rng = np.random.default_rng(4)
    for _ in range(20):
        prices = rng.normal(0.0, 50.0, len(matrix.labels))
        assert bound_of_prices(options, matrix, prices) >= relaxed.objective - 1e-6


@pytest.mark.parametrize("links", [0, 5, 12, 30])
def test_projects_that_ask_for_each_other_are_found_in_any_graph(links):
    rng = np.random.default_rng(links)
    for _ in range(20):
        asking, asked = rng.integers(0, 12, size=(2, links))
        reaches = np.eye(12, dtype=bool)
        reaches[asking, asked] = True
        for middle in range(12):
            reaches |= np.outer(reaches[:, middle], reaches[middle])
        circle = circles(asking, asked, 12)
        assert ((circle[:, None] == circle) == (reaches & reaches.T)).all()
