"""Cuts of one portfolio taken up by another: true of every plan that it accepts."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from pmo_analytics.optimization.bounds.cut_loop import (
    Cut,
    clashes_of,
    rows_of_cuts,
    tighten,
)
from pmo_analytics.optimization.bounds.cut_reuse import most_counted, renewed
from pmo_analytics.optimization.model.array_sink import build_matrix
from pmo_analytics.optimization.model.compiling import compile_options
from tests.optimization.checker.test_certify_cuts import (
    SETTINGS,
    accepted_plans,
    crowded,
    three,
)
from tests.support.clock import AMPLE
from tests.support.counts import ALL, tried


def changed(portfolio, rng):
    """Return the portfolio with other capacity and other demand."""
    capacity = portfolio.capacity * rng.choice([0.6, 0.9, 1.2, 1.7])
    demand = portfolio.demand
    fte = (demand["fte"] * rng.choice([0.5, 1.0, 1.3], len(demand))).round(3)
    return portfolio.replace(capacity=capacity, demand=demand.assign(fte=fte))


@pytest.mark.parametrize("chunk", range(1, 1 + tried(4)))
def test_renewed_cuts_hold_for_every_plan(chunk):
    rng = np.random.default_rng([chunk, 23])
    kept = tight = 0
    for _ in range(50 if ALL else 25):
        portfolio = crowded(rng)
        options = compile_options(portfolio).options
        if (options.must & (np.diff(options.first) == 0)).any():
            continue
        found = tighten(
            options, build_matrix(options), time.monotonic() + AMPLE, SETTINGS
        )
        other = changed(portfolio, rng)
        compiled = compile_options(other)
        if found is None or compiled.contradictions:
            continue
        graph = clashes_of(compiled.options)
        holding = renewed(compiled.options, found.cuts, graph)
        cuts = [cut for cut in holding if cut is not None]
        counts = rows_of_cuts(compiled.options, cuts)
        plans = [compiled.chosen(plan) for plan in accepted_plans(other, False)]
        for number, cut in enumerate(cuts):
            kept += 1
            row = counts[[number]].toarray()[0]
            most = max(
                (row[plan].sum() for plan in plans if plan is not None), default=0
            )
            assert most <= cut.most
            tight += most == cut.most
    assert kept > 3
    assert tight > 2, "the most that fits is no guess"


@pytest.mark.parametrize("seed", range(tried(60)))
def test_the_most_of_a_row_is_what_enumeration_says(seed):
    rng = np.random.default_rng([seed, 5])
    compiled = compile_options(crowded(rng))
    o = compiled.options
    resource = int(rng.choice(np.flatnonzero(np.isfinite(o.limit))))
    counts = rng.integers(0, 4, len(o.project))
    used = np.zeros(len(o.project))
    owner = o.use_option()
    mine = o.use.row == resource
    used[owner[mine]] = o.use.amount[mine]
    best = -1
    choices = [
        [*range(o.first[p], o.first[p + 1]), *([] if o.must[p] else [-1])]
        for p in range(len(o.must))
    ]
    for chosen in itertools.product(*choices):
        taken = [k for k in chosen if k >= 0]
        if used[taken].sum() <= o.limit[resource] + 1e-6:
            best = max(best, int(counts[taken].sum()))
    most = most_counted(o, resource, np.arange(len(o.project)), counts)
    assert most == (best if best >= 0 else None)


def test_a_cut_that_cuts_nothing_is_left_out():
    one = Cut(0, [(0, 1.0, 1), (1, 1.0, 1), (2, 1.0, 1)], 2)
    still, none = (
        renewed(compile_options(three(capacity=room)).options, [one], None)[0]
        for room in (1.25, 3.0)
    )
    assert still is not None
    assert still.most == 1
    assert none is None
