"""Kernels: their plain Python meaning, the rules they know, what a plan costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pmo_analytics as pmo
from pmo_analytics.optimization.checker.check import check_plan
from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.heuristics.kernels import (
    annealing,
    mending,
    moves,
    repacking,
)
from pmo_analytics.optimization.heuristics.kernels.arrays import (
    Climate,
    Model,
    State,
    empty_state,
    model_of,
    room_for,
)
from pmo_analytics.optimization.model.array_sink import build_matrix, holds
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.plan import Plan
from tests.support.counts import tried
from tests.support.instances_random import drawn, with_random_rules

CLIMATE = Climate(
    heat=3.0,
    price=4.0,
    step=0.1,
    link=5.0,
    must=100.0,
    paired=0.7,
    stays=0.5,
    drawn=0.0,
    out=0.3,
)


def with_rules(seed: int):
    """A tiny portfolio of every family, with own rules of any kind."""
    return with_random_rules(np.random.default_rng(seed), drawn(seed))


def models(many: int):
    """Portfolios with options to choose from, compiled."""
    for seed in range(many):
        portfolio = with_rules(seed)
        compiled = compile_options(portfolio)
        o = compiled.options
        if len(o.project) and not len(o.buy.resource):
            yield seed, portfolio, compiled


def at_random(options: Options, rng: np.random.Generator, share: float) -> np.ndarray:
    """Some projects that may be in, each at any of its starts."""
    count = np.diff(options.first)
    project = model_of(options).project
    free = (count > 0) & ~(project["held"] & ~project["must"])
    inside = np.flatnonzero((rng.random(len(count)) < share) & free)
    return options.first[inside] + (rng.random(len(inside)) * count[inside]).astype(int)


def state_of(model: Model, chosen: np.ndarray) -> State:
    state = empty_state(model)
    state.chosen[model.option["project"][chosen]] = chosen
    return state


def plain(kernel, *args):
    """Call a kernel as the Python that it is written in, with all that it calls."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (moves, annealing, repacking):
            for name, value in vars(module).items():
                if hasattr(value, "py_func"):
                    patch.setattr(module, name, value.py_func)
        return getattr(kernel, "py_func", kernel)(*args)


def compiled_one(kernel, *args):
    return kernel(*args)


def test_a_plan_is_sound_where_every_row_and_count_of_the_model_holds():
    """The rows of the exact models say the same as the kernels' lists."""
    kept = broken = 0
    for seed, _, compiled in models(tried(60)):
        o = compiled.options
        matrix, model = build_matrix(o), model_of(o)
        rng = np.random.default_rng(seed)
        start = greedy(o)
        plans = [at_random(o, rng, share) for share in (0.1, 0.3, 0.6, 0.9)]
        plans += [] if start is None else [start, start[rng.random(len(start)) < 0.8]]
        for chosen in plans:
            state = state_of(model, chosen)
            missing = o.must[o.project[chosen]].sum() < o.must.sum()
            rows = holds(matrix, chosen) and not missing
            assert plain(soundness, model, state) == rows
            assert (cost_of(model, state) == 0.0) == rows
            kept += rows
            broken += not rows
    assert kept > tried(60) // 2
    assert broken > tried(60) // 2


def soundness(model: Model, state: State) -> bool:
    moves.sum_up(model, state)
    return bool(moves.sound(model, state))


def cost_of(model: Model, state: State) -> float:
    return float(plain(annealing.all_broken, model, state, CLIMATE.step))


def test_compiled_annealing_is_its_plain_python_to_the_last_digit():
    for seed, _, compiled in models(tried(6)):
        o = compiled.options
        found = []
        for run in (compiled_one, plain):
            model = model_of(o)
            state, rng = empty_state(model), np.random.default_rng(seed)
            best = np.full(len(o.must), -1, dtype=np.int64)
            pool = np.arange(len(o.project))
            climate = CLIMATE._replace(drawn=0.5)
            args = model, state, climate, rng, 300, pool, best, -1e300
            top = run(annealing.anneal, *args)
            found.append((top, best, *(part.copy() for part in state), rng.random()))
        for one, other in zip(*found, strict=True):
            assert np.array_equal(one, other)


def test_what_is_broken_is_counted_right_as_moves_are_made():
    for seed, _, compiled in models(tried(60)):
        model = model_of(compiled.options)
        state, rng = empty_state(model), np.random.default_rng(seed)
        best = np.full(len(state.chosen), -1, dtype=np.int64)
        pool = np.zeros(0, dtype=np.int64)
        for heat in (30.0, 1.0):
            climate = CLIMATE._replace(heat=heat)
            annealing.anneal(model, state, climate, rng, 400, pool, best, -1e300)
            went, worth = float(state.broken[0]), float(state.worth[0])
            used, inside = state.used.copy(), state.inside.copy()
            plain(moves.sum_up, model, state)
            assert np.allclose(used, state.used, atol=1e-6)
            assert np.array_equal(inside, state.inside)
            assert worth == pytest.approx(state.worth[0], abs=1e-6)
            assert went == pytest.approx(cost_of(model, state), abs=1e-6)


def test_compiled_repacking_is_its_plain_python_to_the_last_digit():
    for seed, _, compiled in models(tried(6)):
        o = compiled.options
        start = greedy(o)
        if start is None:
            continue
        found = []
        for run in (compiled_one, plain):
            model = model_of(o)
            state, rng = state_of(model, start), np.random.default_rng(seed)
            room = room_for(model)
            score = np.maximum(o.worth, 1e-3)
            best = state.chosen.copy()
            worth = float(o.worth[start].sum())
            args = model, state, room, score, rng, 20, 2.0, 14, best, worth
            top = run(repacking.repack, *args)
            found.append((top, best, *(part.copy() for part in state), rng.random()))
        for one, other in zip(*found, strict=True):
            assert np.array_equal(one, other)


def test_mending_leaves_a_plan_that_keeps_all_rules_or_says_so():
    mended = 0
    for seed, portfolio, compiled in models(tried(100)):
        o = compiled.options
        model, rng = model_of(o), np.random.default_rng(seed)
        for share in (0.5, 1.0):
            state = state_of(model, at_random(o, rng, share))
            before = set(np.flatnonzero(state.chosen >= 0).tolist())
            if not mending.mend(model, state):
                continue
            chosen = np.sort(state.chosen[state.chosen >= 0])
            must = set(np.flatnonzero(model.project["must"]).tolist())
            assert set(o.project[chosen].tolist()) <= before | must
            starts = compiled.starts_of(chosen)
            schedule = Plan.from_starts(portfolio, starts).schedule
            worth = float(o.worth[chosen].sum() + o.constant[0])
            assert check_plan(portfolio, schedule, objective=worth).certified
            mended += 1
    assert mended > tried(100) // 3


def test_who_has_to_be_in_gets_a_place_though_another_such_has_to_move():
    # One developer. A and B have to be in, A at any time and B in the first two months.
    # A is where B has to be, and C, worth more, where A could go.
    months = pd.period_range("2027-01", periods=4, freq="M", name="period")
    portfolio = pmo.Portfolio(
        horizon=months,
        projects=pd.DataFrame(
            {
                "project": ["A", "B", "C"],
                "value": [1.0, 1.0, 50.0],
                "duration": [2, 2, 2],
                "latest": ["2027-03", "2027-01", "2027-03"],
                "force": ["in", "in", None],
            }
        ),
        demand=pd.DataFrame(
            [(p, "Dev", t, 1.0) for p in "ABC" for t in (0, 1)],
            columns=["project", "role", "offset", "fte"],
        ),
        capacity=pd.DataFrame({"Dev": [1.0] * 4}, index=months),
    )
    compiled = compile_options(portfolio.validate())
    model = model_of(compiled.options)
    starts = {"A": 0, "C": 2, "B": 0}
    state = state_of(model, compiled.chosen(starts))
    assert mending.mend(model, state)
    chosen = np.sort(state.chosen[state.chosen >= 0])
    assert compiled.starts_of(chosen) == {"A": 2, "B": 0}


def test_kernels_that_python_calls_let_other_threads_go_on():
    # A search that holds the interpreter does not listen: its parent waits to be read,
    # past the end of the time.
    for module in (moves, annealing, mending, repacking):
        for name, value in vars(module).items():
            options = getattr(value, "targetoptions", {})
            called = options and not options.get("no_cpython_wrapper")
            assert not called or options.get("nogil"), name
