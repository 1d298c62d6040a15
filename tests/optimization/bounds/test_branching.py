"""Our own branches: closed at a gap, and begun with the tree of a similar model."""

from __future__ import annotations

import time

import numpy as np
import pytest

import pmo_analytics as pmo
from pmo_analytics.errors import InfeasibleError
from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.optimization.bounds.branch_and_bound import Branches
from pmo_analytics.optimization.bounds.branch_nodes import Guide
from pmo_analytics.optimization.bounds.branch_relaxations import Relaxations
from pmo_analytics.optimization.bounds.certificate import branched, read_guide
from pmo_analytics.optimization.checker.check import check_bound
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.optimizing import optimize, solve_valid
from pmo_analytics.optimization.params import ProofParams, SearchParams
from pmo_analytics.optimization.run import Run
from tests.support.brute_force import best_plan
from tests.support.clock import AMPLE
from tests.support.counts import ALL, tried
from tests.support.instances_random import random_portfolio

pytestmark = pytest.mark.usefixtures("warm_module")

CHANGES = (
    pmo.scale_capacity(0.8),
    pmo.scale_capacity(1.3),
    pmo.change_value(factor=1.1),
    pmo.change_demand(1.2),
    lambda p: p.replace(demand=p.demand.assign(fte=p.demand["fte"] / 1.7)),
)


def grown(compiled, slack=0.0, guide=None, known=None):
    """Return a tree and the best plan that it, the greedy or somebody else found."""
    options = compiled.options
    chosen = greedy(options)
    best = [0.0 if chosen is None else float(options.worth[chosen].sum())]
    if known is not None:
        best[0] = max(best[0], known)

    def watch(_bound, plan):
        if plan is not None:
            best[0] = max(best[0], float(options.worth[plan].sum()))

    tree = Branches(options, [], best[0], {}, watch, slack, guide)
    tree.grow(time.monotonic() + AMPLE, 100_000, lambda: best[0])
    return tree, best[0]


def told(tree):
    return tree.told()


@pytest.fixture(scope="module")
def portfolio():
    return generate_portfolio(24, 5, 12, seed=4).validate()


@pytest.fixture(scope="module")
def first(portfolio):
    """Return the tree of that portfolio, and its optimum."""
    return grown(compile_options(portfolio))


def test_a_gap_that_is_good_enough_needs_a_smaller_tree(portfolio, first):
    compiled = compile_options(portfolio)
    _, optimum = first
    exact, _ = grown(compiled, known=optimum)
    near, best = grown(compiled, slack=0.05, known=optimum)
    assert exact.closed
    assert near.closed
    assert len(near.nodes) < len(exact.nodes)
    assert optimum <= near.bound <= best * 1.05
    certificate = branched(portfolio, compiled, told(near), strict=False)
    assert float(check_bound(portfolio, certificate, strict=False)) <= best * 1.05


@pytest.mark.parametrize("number", range(len(CHANGES)) if ALL else (0, 2, 3))
def test_a_guided_tree_proves_as_much_with_fewer_relaxations(portfolio, first, number):
    compiled = compile_options(portfolio)
    certificate = branched(portfolio, compiled, told(first[0]), strict=False)
    other = CHANGES[number](portfolio).validate()
    theirs = compile_options(other)
    guide = read_guide(other, theirs, certificate)
    alone, optimum = grown(theirs)
    guided, best = grown(theirs, guide=Guide.of(guide))
    assert alone.closed
    assert guided.closed
    assert best == pytest.approx(optimum)
    proof = branched(other, theirs, told(guided), strict=False)
    assert float(check_bound(other, proof, strict=False)) == pytest.approx(optimum)


def test_a_guide_to_the_same_model_needs_no_relaxation(portfolio, first, monkeypatch):
    compiled = compile_options(portfolio)
    tree, optimum = first
    guide = Guide.of(told(tree))
    solved = []
    node = Relaxations.node
    monkeypatch.setattr(
        Relaxations, "node", lambda *args: solved.append(1) or node(*args)
    )
    options = compiled.options
    again = Branches(options, [], optimum, {}, lambda *_: None, guide=guide)
    again.grow(time.monotonic() + AMPLE, 100_000, lambda: optimum)
    assert again.closed
    assert len(solved) < 0.2 * len(tree.nodes)


@pytest.mark.parametrize("seed", range(tried(40)))
def test_whatever_the_guide_the_bound_holds(seed):
    """The tree of one random portfolio leads that of another one, all rules at work."""
    rng = np.random.default_rng(seed)
    portfolio = random_portfolio(rng).validate()
    other = random_portfolio(rng).validate()
    compiled = compile_options(portfolio)
    if compiled.contradictions or not len(compiled.options.project):
        pytest.skip("nothing to branch on")
    first, _ = grown(compiled)
    theirs = compile_options(other)
    if theirs.contradictions or not len(theirs.options.project):
        pytest.skip("nothing to branch on")
    certificate = branched(portfolio, compiled, told(first), strict=False)
    guide = read_guide(other, theirs, certificate)
    optimum = best_plan(other)[0]
    if optimum is None:
        return
    tree, _ = grown(
        theirs, slack=0.02, guide=None if guide is None else Guide.of(guide)
    )
    scale = 1e-6 * max(1.0, abs(optimum))
    assert tree.bound >= optimum - scale
    proof = branched(other, theirs, told(tree), strict=False)
    assert float(check_bound(other, proof, strict=False)) >= optimum - scale


def test_one_thread_and_a_gap_are_done_by_branches_alone(portfolio):
    limits = SolveLimits(seconds=AMPLE, gap=0.02, threads=1)
    # What is told between trees may end the search, on a busy machine before the tree
    # that proves it has come.
    params = SearchParams(proof=ProofParams(look=AMPLE))
    plan = optimize(portfolio, limits=limits, params=params)
    assert plan.report.gap <= 0.02
    assert plan.report.certified_bound == pytest.approx(plan.report.bound)
    attempt = plan.report.attempts[-1]
    assert "relaxation" not in attempt["detail"], "the solver itself had nothing to do"
    more = pmo.scale_capacity(1.1)(portfolio)
    again = optimize(more, limits=limits, start=plan)
    assert again.report.gap <= 0.02
    assert again.objective >= plan.objective


def test_a_valid_snapshot_is_not_checked_again(monkeypatch):
    portfolio = generate_portfolio(6, 2, 8, seed=1).validate()
    monkeypatch.setattr(type(portfolio), "validate", lambda _self: 1 / 0)
    run = Run(SolveLimits(seconds=AMPLE, work=1), strict=False, seed=0, progress=None)
    plan = solve_valid(portfolio, run, certify_bound=False)
    assert plan.report.certified
    assert plan.report.certified_bound is None


def test_a_portfolio_without_a_plan_is_said_to_have_none():
    portfolio = generate_portfolio(6, 2, 8, seed=1)
    names = list(portfolio.projects["project"])
    impossible = pmo.require(names)
    tight = pmo.scale_capacity(0.05)(impossible(portfolio))
    limits = SolveLimits(seconds=AMPLE, gap=0.02, threads=1)
    with pytest.raises(InfeasibleError):
        optimize(tight, limits=limits)
