"""Searches in layers against trying everything, and on instances that need them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pmo_analytics.optimization.levelling import layers
from pmo_analytics.optimization.levelling.jobs import Jobs, levelled_question, read_jobs
from pmo_analytics.optimization.levelling.layers import (
    Layering,
    Layers,
    can_mirror,
    in_layers,
)
from pmo_analytics.optimization.levelling.level import level
from pmo_analytics.optimization.limits import SolveLimits
from tests.support.counts import ALL
from tests.support.instances_levelling import psplib_optima, psplib_portfolio
from tests.support.real_data import real

pytestmark = pytest.mark.usefixtures("warm_module")

PERIODS = 14
BITS = 6


def packed(amounts: list[int]) -> int:
    return sum(amount << r * (BITS + 1) for r, amount in enumerate(amounts))


def random_jobs(rng: np.random.Generator, count: int, *, after_the_end: bool) -> Jobs:
    """Return jobs on two roles: windows, waits, capacity that goes up and down."""
    duration = rng.integers(1, 5, count).tolist()
    first = (rng.integers(0, 4, count) * (rng.random(count) < 0.4)).tolist()
    last = [PERIODS - d for d in duration]
    for j in np.flatnonzero(rng.random(count) < 0.3).tolist():
        last[j] = int(rng.integers(first[j], last[j] + 1))
    need = [rng.integers(0, 4, 2).tolist() for _ in range(count)]
    capacity = rng.integers(3, 7, (PERIODS, 2)).tolist()
    before: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for j in range(count):
        for i in range(j):
            if rng.random() < 0.25:
                lag = int(duration[i] + rng.integers(0, 2))
                if not after_the_end:
                    lag = int(rng.integers(0, 6))
                before[j].append((i, lag))
    return made(duration, first, last, need, capacity, before)


def made(
    duration: list[int],
    first: list[int],
    last: list[int],
    need: list[list[int]],
    capacity: list[list[int]],
    before: list[list[tuple[int, int]]],
) -> Jobs:
    count = len(duration)
    after: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for j, own in enumerate(before):
        for i, lag in own:
            after[i].append((j, lag))
    guard = packed([1 << BITS] * 2)
    beyond = [guard + packed([(1 << BITS) - 1] * 2)] * 10
    level_work = [packed(own) or None for own in need]
    return Jobs(
        names=[f"J{j}" for j in range(count)],
        duration=duration,
        first=first,
        last=last,
        following=[None] * count,
        before=before,
        after=after,
        demand=[
            [(k, own) for k in range(d)] if own else []
            for own, d in zip(level_work, duration, strict=True)
        ],
        level=level_work,
        free=[guard + packed(row) for row in capacity] + beyond,
        guard=guard,
        fields=[("Dev", 0, BITS), ("Ops", BITS + 1, BITS)],
        periods=PERIODS,
        money=[None] * count,
        purse=0,
        purse_guard=0,
        fixed={},
        fixed_finish=0,
    )


def broken(jobs: Jobs, starts: list[int]) -> bool:
    """Return whether a schedule breaks a window, a link or a limit, by plain sums."""
    for j, s in enumerate(starts):
        if not jobs.first[j] <= s <= jobs.last[j]:
            return True
        if any(s < starts[i] + lag for i, lag in jobs.before[j]):
            return True
    mask = (1 << BITS) - 1
    for t in range(PERIODS):
        for _, shift, _ in jobs.fields:
            load = sum(
                (jobs.level[j] or 0) >> shift & mask
                for j, s in enumerate(starts)
                if s <= t < s + jobs.duration[j]
            )
            if load > jobs.free[t] >> shift & mask:
                return True
    return False


def earliest_end(jobs: Jobs) -> int | None:
    """Return the least end of all schedules, every start of every job tried."""
    best: list[int] = [PERIODS + 1]
    mask = (1 << BITS) - 1
    room = np.array(
        [[f >> shift & mask for _, shift, _ in jobs.fields] for f in jobs.free]
    )
    needs = [[(own or 0) >> s & mask for _, s, _ in jobs.fields] for own in jobs.level]

    def place(starts: list[int], end: int) -> None:
        j = len(starts)
        if j == len(jobs.names):
            best[0] = min(best[0], end)
            return
        low = max([jobs.first[j], *(starts[i] + w for i, w in jobs.before[j])])
        for s in range(low, jobs.last[j] + 1):
            span = slice(s, s + jobs.duration[j])
            if s + jobs.duration[j] >= best[0]:
                return
            if (room[span] >= needs[j]).all():
                room[span] -= needs[j]
                place([*starts, s], max(end, s + jobs.duration[j]))
                room[span] += needs[j]

    place([], 0)
    return best[0] if best[0] <= PERIODS else None


def searched(jobs: Jobs, finish: int, width: int, *, mirrored: bool) -> Layers:
    search = Layers(jobs, finish, width, mirrored=mirrored)
    for _ in search.steps():
        pass
    return search


@pytest.mark.parametrize("after_the_end", [True, False])
def test_wide_layers_find_what_trying_everything_finds(after_the_end):
    rng = np.random.default_rng([31, after_the_end])
    feasible = refuted = mirrors = 0
    for _ in range(60):
        jobs = random_jobs(rng, int(rng.integers(2, 8)), after_the_end=after_the_end)
        if jobs.heads() is None:
            continue
        assert in_layers(jobs)
        best = earliest_end(jobs)
        for mirrored in (False, True) if can_mirror(jobs) else (False,):
            mirrors += mirrored
            for finish in (PERIODS, *(() if best is None else (best, best - 1))):
                search = searched(jobs, finish, 10**6, mirrored=mirrored)
                assert search.complete
                if best is None or finish < best:
                    assert search.starts is None
                    refuted += 1
                    continue
                assert search.starts is not None, (best, finish, jobs)
                assert not broken(jobs, search.starts)
                ends = map(sum, zip(search.starts, jobs.duration, strict=True))
                assert max(ends) <= finish
                feasible += 1
    assert min(feasible, refuted, mirrors) >= 20


def test_narrow_layers_claim_nothing():
    """With one partial schedule a layer most is missed, and never called impossible."""
    rng = np.random.default_rng(32)
    missed = 0
    for _ in range(60):
        jobs = random_jobs(rng, 7, after_the_end=True)
        best = None if jobs.heads() is None else earliest_end(jobs)
        if best is None:
            continue
        search = searched(jobs, best, 1, mirrored=False)
        if search.starts is None:
            missed += 1
            assert not search.complete
        else:
            assert not broken(jobs, search.starts)
    assert missed >= 3


@pytest.mark.parametrize("x", [0, 1])
def test_a_wait_that_outlasts_the_work_is_kept_in_mind(x):
    """X (2 periods) and Y (1) take turns, W begins at 3, Z after W and six on from X.

    After X, Y all can end at 7. After Y, X it would be Z's turn at 7, when Ops are
    away. At 3 nothing shows of either.
    """
    y = 1 - x
    duration, first = [0, 0, 2, 1], [0, 0, 3, 0]
    duration[x], duration[y] = 2, 1
    jobs = made(
        duration,
        first,
        [PERIODS - d for d in duration],
        [[1, 0]] * 3 + [[0, 1]],
        [[1, int(t != 7)] for t in range(PERIODS)],
        [[], [], [], [(x, 6), (2, 2)]],
    )
    assert earliest_end(jobs) == 7
    for mirrored in (False, True):
        for finish in (7, 8):
            search = searched(jobs, finish, 10**6, mirrored=mirrored)
            assert search.starts is not None
        assert searched(jobs, 6, 10**6, mirrored=mirrored).complete


def test_what_layers_cannot_hold_is_left_alone():
    jobs = random_jobs(np.random.default_rng(3), 5, after_the_end=True)
    assert in_layers(jobs)
    gaps = [{0: 0, 1: 2, 2: 2}, *jobs.following[1:]]
    assert not in_layers(replace(jobs, following=gaps))
    assert not in_layers(replace(jobs, money=[{0: 1}, *jobs.money[1:]]))
    lags = [*jobs.before[:4], [(0, -1)]]
    assert not in_layers(replace(jobs, before=lags))
    uneven = [None, *jobs.level[1:]]
    demand = [[(0, packed([1, 0]))], *jobs.demand[1:]]
    assert not in_layers(replace(jobs, level=uneven, demand=demand))
    assert not in_layers(replace(jobs, fields=[("Dev", 0, 63)]))
    assert not Layering(replace(jobs, following=gaps)).open


def test_a_smaller_end_begins_anew_and_the_work_is_counted(monkeypatch):
    """A layer of one is not enough to refute; the wider search that follows does."""
    monkeypatch.setattr(layers, "_WIDTHS", (1, 50))
    rng = np.random.default_rng(5)
    jobs = random_jobs(rng, 6, after_the_end=True)
    best = earliest_end(jobs)
    assert best is not None
    layering = Layering(jobs)
    layering.step(PERIODS)
    first = layering.layers
    assert layering.built > 0
    layering.step(best - 1)
    assert layering.layers is not first
    while layering.open:
        ended = layering.step(best - 1)
    assert ended is not None
    assert ended.complete
    assert ended.starts is None


# -------------------------------------------------------------- published instances


def test_an_optimum_that_orders_of_jobs_alone_miss():
    """103 periods: two hundred thousand schedules of the evolution end at 104."""
    path = real("psplib/j30/j3029_4.sm")
    optimum = psplib_optima(real("psplib/j30opt.sm"))["j3029_4"]
    limits = SolveLimits(seconds=300, work=40_000)
    plan = level(psplib_portfolio(path), limits=limits)
    assert plan.report is not None
    assert plan.report.objective == plan.report.bound == optimum == 103
    assert plan.report.status == "optimal"
    assert [a["outcome"] for a in plan.report.attempts if a["solver"] == "layers"]


@pytest.mark.parametrize("name", ["j3013_5", *["j3029_8"] * ALL])
def test_both_ends_find_the_optimum_of_hard_instances(name):
    optimum = psplib_optima(real("psplib/j30opt.sm"))[name]
    question = levelled_question(psplib_portfolio(real(f"psplib/j30/{name}.sm")))
    jobs = read_jobs(question)
    assert jobs is not None
    found = []
    for mirrored in (False, True):
        search = searched(jobs, optimum, 1_600, mirrored=mirrored)
        found.append(search.starts is not None)
        assert not search.complete
    assert any(found)
