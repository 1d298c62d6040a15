"""Branch and bound of our own: right, and what it says is what the checker proves."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.optimization.bounds.branch_and_bound import Branches
from pmo_analytics.optimization.bounds.certificate import branched
from pmo_analytics.optimization.bounds.cut_loop import tighten
from pmo_analytics.optimization.checker.check import check_bound
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.model.array_sink import build_matrix
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.model.instance import carries_branches
from pmo_analytics.optimization.params import BranchingParams
from tests.support.brute_force import best_plan
from tests.support.clock import AMPLE
from tests.support.counts import tried
from tests.support.instances_random import random_portfolio, with_random_rules

SETTINGS = {"random_seed": 0}


# Small trees, too, look for cuts on the way.
CUTS_AT_ONCE = BranchingParams(cut_from=0)


def grown(options, known: float, most: int = 500, cuts=(), later: float | None = None):
    """Return a tree with what it was told on the way: bounds and plans."""
    bounds: list[float] = []
    plans: list[float] = []
    best = [known]

    def watch(bound: float, plan: np.ndarray | None) -> None:
        bounds.append(bound)
        if plan is not None:
            plans.append(float(options.worth[plan].sum()))
            best[0] = max(best[0], plans[-1])

    def listen() -> float:
        if later is not None and len(bounds) > 3:
            best[0] = max(best[0], later)
        return best[0]

    tree = Branches(options, cuts, known, SETTINGS, watch, params=CUTS_AT_ONCE)
    tree.grow(time.monotonic() + AMPLE, most, listen)
    return tree, bounds, plans


def proved(portfolio, compiled, tree, strict: bool = False) -> float:
    told = json.loads(json.dumps(tree.told()))
    certificate = json.loads(
        json.dumps(branched(portfolio, compiled, told, strict=strict))
    )
    bound = check_bound(portfolio, certificate, strict=strict)
    assert bound is not None
    return float(bound)


@pytest.mark.parametrize("chunk", range(tried(4)))
def test_closes_at_the_optimum_of_random_portfolios(chunk: int) -> None:
    found = 0
    for seed in range(chunk * 12, chunk * 12 + 12):
        rng = np.random.default_rng([seed, 5])
        portfolio = random_portfolio(rng)
        if seed % 2:
            portfolio = with_random_rules(rng, portfolio)
        best, _ = best_plan(portfolio)
        compiled = compile_options(portfolio)
        options = compiled.options
        if best is None or not carries_branches(options):
            continue
        optimum = float(best)
        close = pytest.approx(optimum, rel=1e-6, abs=1e-6)
        # Knowing the optimum, and knowing nothing: then it finds a plan as good.
        for known in (optimum, optimum - 0.3 * abs(optimum) - 1.0):
            tree, _, plans = grown(options, known)
            assert tree.closed, seed
            if known < optimum:
                assert max(plans) == close, seed
            assert tree.bound == close, seed
            assert proved(portfolio, compiled, tree) == close, seed
            found += bool(plans)
    assert found


@pytest.fixture(scope="module", params=[False, True])
def middle(request):
    """A portfolio that is not proved at once, with cuts and a plan."""
    portfolio = generate_portfolio(20, 4, 12, seed=3, mid_life=request.param).validate()
    compiled = compile_options(portfolio)
    options = compiled.options
    known = float(options.worth[greedy(options)].sum())
    found = tighten(
        options, build_matrix(options), time.monotonic() + AMPLE, SETTINGS, enough=known
    )
    return portfolio, compiled, known, [] if found is None else found.cuts


def test_the_checker_proves_just_what_the_tree_says(middle) -> None:
    portfolio, compiled, known, cuts = middle
    last = np.inf
    for most in (1, 9, 41):
        tree, bounds, plans = grown(compiled.options, known, most, cuts)
        assert min(most, 3) <= len(tree.nodes) <= most
        assert plans or bounds == sorted(bounds, reverse=True)
        assert proved(portfolio, compiled, tree) == pytest.approx(tree.bound, rel=1e-9)
        assert tree.bound < last
        last = tree.bound


def test_a_much_better_plan_makes_it_begin_again(middle) -> None:
    portfolio, compiled, known, cuts = middle
    better = known + 0.5 * (grown(compiled.options, known, 1, cuts)[0].bound - known)
    tree, _, _ = grown(compiled.options, known, 41, cuts, later=better)
    assert tree.relaxed.known >= better
    former = json.loads(json.dumps(tree.former))
    certificate = branched(portfolio, compiled, former, strict=False)
    assert float(check_bound(portfolio, certificate)) == pytest.approx(former["bound"])
    assert proved(portfolio, compiled, tree) == pytest.approx(tree.bound, rel=1e-9)


def test_the_same_question_grows_the_same_tree(middle) -> None:
    _, compiled, known, cuts = middle
    first, again = (grown(compiled.options, known, 31, cuts)[0].told() for _ in "ab")
    assert first == again
