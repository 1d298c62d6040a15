"""Annealing of whole plans: rules kept, optima of small models, seeds respected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.optimization.heuristics import alternation, whole_plan_annealing
from pmo_analytics.optimization.heuristics.alternation import Search
from pmo_analytics.optimization.heuristics.bandit import Bandit
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.heuristics.large_neighbourhood import Improver
from pmo_analytics.optimization.heuristics.turns import repacking
from pmo_analytics.optimization.heuristics.whole_plan_annealing import Annealer
from pmo_analytics.optimization.messages import (
    NewPrices,
)
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import build_matrix
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.model.instance import carries_branches
from pmo_analytics.optimization.model.purchasing import value_of
from pmo_analytics.optimization.params import DEFAULTS
from pmo_analytics.plan import Plan
from tests.support.clock import AMPLE, Clock
from tests.support.counts import tried
from tests.support.instances_random import drawn
from tests.support.relaxed import prices_of


@pytest.fixture
def clock(monkeypatch):
    """A twentieth of a second for each change of temperature, and each exact model."""
    rooms = alternation, repacking, whole_plan_annealing
    return Clock(0.05).in_place_of(monkeypatch, *rooms)


def annealed(options, seed=0):
    plans = []
    anew = Annealer(options, np.random.default_rng(seed))
    last = anew.anneal_counted(20_000, plans.append)
    if plans:
        assert np.array_equal(plans[-1], last)
    else:
        assert last is None
    return plans


def test_every_plan_told_keeps_the_rules_and_is_better_than_the_one_before():
    optimal = models = 0
    for seed in range(tried(36)):
        portfolio = drawn(seed)
        compiled = compile_options(portfolio)
        options = compiled.options
        if len(options.buy.resource) or not len(options.project):
            continue
        if greedy(options) is None:
            continue
        plans = annealed(options, seed)
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
    assert models >= tried(36) // 2
    assert optimal >= 0.9 * models


def big_projects(seed):
    """Fifty projects of which some fifteen fit, most of them at one time only."""
    portfolio = generate_portfolio(50, 8, 24, seed=seed)
    return compile_options(portfolio).options


def test_a_search_anneals_the_whole_plan_too(clock):
    options = big_projects(0)
    start = greedy(options)
    told = []
    prices = [NewPrices(prices=prices_of(options))]
    search = Search(options, start, 0, told.append, prices)
    assert search._load(None)
    search.run(clock.now + 5.0)
    assert search.bandit.weight["whole"] is not None
    worth = [value_of(options, plan) for plan in told]
    assert worth == sorted(worth)
    assert worth[-1] > value_of(options, start)


def test_every_second_cycle_goes_on_from_the_plan_that_is_known(clock):
    options = big_projects(0)
    annealer = Annealer(
        options,
        np.random.default_rng(0),
        replace(
            DEFAULTS.annealing,
            reheated=(0.0, 1e-9),
            cold=(0.03, 0.03),
            dear=(25.0, 25.0),
        ),
    )
    known = annealer.anneal_counted(100_000, lambda plan: None)
    worth = float(options.worth[known].sum())
    first, second = (
        annealer.anneal(clock.now + 0.2, lambda plan: None, known) for _ in range(2)
    )
    # Hardly heated up at all, with so few moves.
    assert options.worth[second].sum() >= worth
    assert len(np.intersect1d(second, known)) > len(np.intersect1d(first, known))


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


def test_small_models_are_cooled_as_a_population():
    small, large = (
        big_projects(0),
        compile_options(generate_portfolio(200, 12, 36, seed=1)).options,
    )
    rng = np.random.default_rng(0)
    assert carries_branches(small)
    most = DEFAULTS.annealing.members
    assert Annealer(small, rng).members(1e9) == most
    assert 1 <= Annealer(small, rng).members(1e6) < most
    assert Annealer(large, rng).members(1e9) == 1


@pytest.mark.parametrize("kind", ["few_big", "many_small", "chains", "mixed"])
def test_the_same_seed_and_number_of_moves_give_the_same_plan(kind):
    options = compile_options(generate_portfolio(60, 6, 24, seed=1, kind=kind)).options
    one, other = (
        Annealer(options, np.random.default_rng(3)).anneal_counted(400_000, lambda p: 0)
        for _ in range(2)
    )
    assert np.array_equal(one, other)
    assert options.worth[one].sum() > 0.97 * options.worth[greedy(options)].sum()


def test_prices_make_better_plans_likelier():
    options = big_projects(1)
    reduced = np.zeros(len(options.project))
    reduced[::10] = 10.0 * np.median(options.worth)
    anew = Annealer(options, np.random.default_rng(0))
    assert not len(anew.pool)
    anew.follow(reduced)
    assert np.isin(anew.pool, np.arange(0, len(reduced), 10)).mean() > 0.6


def test_who_reached_most_of_late_goes_on_more_often():
    bandit = Bandit(("A", "B", "C"), np.random.default_rng(0))
    everybody = ["A", "B", "C"]
    first = []
    for _ in everybody:
        first.append(bandit.pick(everybody))
        # B comes near to the best plan, C finds a better one, A is far off.
        worth = {"A": 80.0, "B": 99.9, "C": 101.0}[first[-1]]
        bandit.reward(first[-1], worth, 100.0)
    assert first == everybody
    turns = [bandit.pick(everybody) for _ in range(1000)]
    assert turns.count("C") > turns.count("B") > turns.count("A") > 50
    assert {bandit.pick(["A"]) for _ in range(9)} == {"A"}


@pytest.mark.parametrize(
    ("reached", "other", "least", "most"),
    [(50, 100, 0, 15), (100, 100, 65, 90), (50, 50, 35, 65)],
)
def test_more_time_is_for_what_reaches_something(reached, other, least, most):
    bandit = Bandit(("A", "B"), np.random.default_rng(0), favoured="A")
    time = {"A": 0.0, "B": 0.0}
    for _ in range(2000):
        name = bandit.pick(["A", "B"])
        spent = {"A": 10.0, "B": 1.0}[name]
        time[name] += spent
        bandit.reward(name, {"A": reached, "B": other}[name], 100.0, spent)
    assert least < 100 * time["A"] / sum(time.values()) < most


@pytest.mark.parametrize("poor", [True, False])
def test_heating_up_counts_by_what_plans_from_nothing_are_worth(monkeypatch, poor):
    options = big_projects(1)
    search = Search(options, greedy(options), 0, lambda plan: None, [])
    assert search._load(None)
    best = search.ground.best
    monkeypatch.setattr(search.repacking, "repack", lambda until, heat, plan: None)
    for reheated, plan in ((False, best[:0] if poor else best), (True, best)):
        monkeypatch.setattr(search.annealer, "reheated", reheated)
        monkeypatch.setattr(search.annealer, "anneal", lambda *args, p=plan: p)
        monkeypatch.setattr(search.repacking.ruiner, "best", plan)
        turn = search._take_turn("whole", 1.0, 1e9)
        assert turn.elsewhere == (not reheated or not poor)
