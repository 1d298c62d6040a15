"""A part of a plan taken out and dived for again: rules kept, chains exchanged."""

from __future__ import annotations

import numpy as np
import pytest

from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.optimization.heuristics import diving, partial_diving
from pmo_analytics.optimization.heuristics.alternation import Search
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.heuristics.partial_diving import Rebuilder
from pmo_analytics.optimization.heuristics.ruin_recreate import Ruiner
from pmo_analytics.optimization.heuristics.turns import rebuilding, repacking
from pmo_analytics.optimization.messages import (
    NewPrices,
)
from pmo_analytics.optimization.model.array_sink import build_matrix, holds
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.purchasing import value_of
from pmo_analytics.plan import Plan
from tests.support.certify_cases import make
from tests.support.clock import Clock
from tests.support.counts import tried
from tests.support.instances_random import drawn
from tests.support.relaxed import diver_of, far, prices_of


def rebuilder(options: Options, seed: int) -> Rebuilder:
    matrix, diver = diver_of(options, seed)
    return Rebuilder(matrix, diver, np.random.default_rng(seed))


@pytest.mark.parametrize("chunk", range(tried(8)))
def test_a_plan_rebuilt_keeps_every_rule(chunk):
    plans = 0
    for seed in range(13 * chunk, 13 * chunk + 13):
        portfolio = drawn(seed)
        compiled = compile_options(portfolio)
        options = compiled.options
        start = greedy(options)
        if start is None or not len(start):
            continue
        ruiner = Ruiner(options, start, np.random.default_rng(seed))
        rebuilds = rebuilder(options, seed)
        chosen = start
        for _ in range(4):
            made = rebuilds.round(chosen, ruiner, far())
            if made is None:
                continue
            plan = Plan.from_starts(portfolio, compiled.starts_of(made))
            worth = float(options.worth[made].sum())
            assert check_plan(portfolio, plan.schedule, objective=worth).certified
            chosen, plans = made, plans + 1
    assert plans > 20


def chain_or_singles():
    """Room for three one after the other: A, which is worth little, opens B."""
    names = {"A": 1.0, "B": 9.0, "D": 4.0, "E": 4.0, "F": 4.0}
    return make(
        [{"project": name, "value": value} for name, value in names.items()],
        periods=6,
        capacity={"Tester": [1.0] * 6},
        demand=[
            {"project": name, "role": "Tester", "offset": offset, "fte": 1.0}
            for name in names
            for offset in (0, 1)
        ],
        dependencies=[{"project": "B", "requires": "A"}],
    )


def test_a_chain_takes_the_place_of_two_in_one_round():
    options = compile_options(chain_or_singles()).options
    project, start = options.project, options.start
    singles = np.flatnonzero((project >= 2) & (start == 2 * (project - 2)))
    assert options.worth[singles].sum() == pytest.approx(12.0)
    ruiner = Ruiner(options, singles, np.random.default_rng(0))
    rebuilds = rebuilder(options, 0)
    found = []
    for _ in range(10):
        made = rebuilds.round(singles, ruiner, far())
        assert made is not None
        found.append(float(options.worth[made].sum()))
    # A and B, and the one of the three that stayed.
    assert max(found) == pytest.approx(14.0)


def test_who_leaves_is_a_part_and_each_one_once():
    options = compile_options(generate_portfolio(60, 6, 18, seed=0)).options
    start = greedy(options)
    ruiner = Ruiner(options, start, np.random.default_rng(0))
    rebuilds = rebuilder(options, 0)
    for _ in range(60):
        places = rebuilds._leaving(start, ruiner)
        assert 2 <= len(places) <= max(2, len(start) // 2)
        assert len(set(places.tolist())) == len(places)
        assert places.min() >= 0
        assert places.max() < len(start)
    assert rebuilds._leaving(start[:1], ruiner).tolist() == [0]


def test_with_nothing_it_dives_for_everything():
    options = compile_options(generate_portfolio(60, 6, 18, seed=0)).options
    start = greedy(options)
    ruiner = Ruiner(options, start, np.random.default_rng(0))
    rebuilds = rebuilder(options, 0)
    made = rebuilds.round(start[:0], ruiner, far())
    assert made is not None
    assert options.worth[made].sum() > options.worth[start].sum()
    # Only parts tell how long a part takes.
    assert rebuilds.pace == 0.0
    rebuilds.round(made, ruiner, far())
    assert rebuilds.pace > 0.0


def test_a_search_keeps_the_best_of_what_it_rebuilds(monkeypatch):
    options = compile_options(
        generate_portfolio(40, 4, 18, seed=1, kind="chains")
    ).options
    matrix = build_matrix(options)
    heard: list[float] = []
    search = Search(
        options,
        greedy(options),
        0,
        lambda plan: heard.append(value_of(options, plan)),
        [NewPrices(prices=prices_of(options))],
    )
    search._listen()
    assert search.rebuilding.prepare(far())
    begin = search.known.objective
    clock = Clock(0.002).in_place_of(
        monkeypatch, rebuilding, repacking, diving, partial_diving
    )
    plan, _ = search.rebuilding.rebuild(1.0, clock.now + 1.0, 0.3, None)
    assert holds(matrix, plan)
    assert len(heard) > 3
    assert heard == sorted(heard)
    assert search.known.objective == max([begin, *heard])
    assert value_of(options, plan) <= search.known.objective
