"""What fits into rows: the kernels against every choice there is."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.optimization.bounds.cut_loop import Cut, clashes_of, rows_of_cuts
from pmo_analytics.optimization.bounds.cut_reuse import renewed
from pmo_analytics.optimization.bounds.fenchel_cuts import cover_for, desk_for, separate
from pmo_analytics.optimization.bounds.packed_rows import (
    Stretch,
    rows,
    steps_over_starts,
)
from pmo_analytics.optimization.heuristics.kernels.filling import Packing, fullest
from pmo_analytics.optimization.model.compiling import compile_options
from tests.support.counts import tried


def random_stretch(rng: np.random.Generator) -> Stretch:
    """Return a stretch of up to six projects with up to three different uses."""
    periods, groups = int(rng.integers(1, 5)), int(rng.integers(2, 7))
    sizes = rng.integers(1, 4, groups)
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    weight = rng.integers(0, 5, (first[-1], periods))
    items = np.arange(first[-1])
    room = rng.integers(2, 8, periods)
    packing = Packing(first, weight, room)
    return Stretch(0, periods, packing, items, items, items, items)


def fillings(stretch: Stretch) -> list[list[int]]:
    """Return every choice of an item or none of each group that fits."""
    first = stretch.packing.first.tolist()
    choices = [[-1, *range(a, b)] for a, b in pairwise(first)]
    chosen = [[i for i in one if i >= 0] for one in product(*choices)]
    return [
        one
        for one in chosen
        if (stretch.packing.weight[one].sum(0) <= stretch.packing.room).all()
    ]


def test_the_fullest_filling_is_that_of_all_fillings() -> None:
    rng = np.random.default_rng(5)
    for _ in range(tried(120)):
        stretch = random_stretch(rng)
        desk = desk_for([stretch])
        count = rng.integers(0, 6, len(stretch.packing.weight)).astype(float)
        order = rng.permutation(len(stretch.packing.first) - 1)
        best = max(count[one].sum() for one in fillings(stretch))
        what = stretch.packing, order, count
        most, noted, nodes = fullest(*what, 0.0, 10**6, desk)
        assert most == best
        if noted:
            last = [int(i) for i in desk.pool[noted - 1, : len(order)] if i >= 0]
            assert last
            assert (stretch.packing.weight[last].sum(0) <= stretch.packing.room).all()
            assert count[last].sum() == best
        # Nothing above it: that takes no more nodes, and fewer than asked for.
        again, noted, fewer = fullest(*what, best, 10**6, desk)
        assert (again, noted) == (best, 0)
        assert fewer <= nodes
        if nodes > 1:
            assert fullest(*what, 0.0, nodes - 1, desk)[0] == np.inf


def test_cuts_of_a_window_hold_for_every_filling_and_cannot_be_raised() -> None:
    rng = np.random.default_rng(6)
    found = 0
    for _ in range(tried(160)):
        stretch = random_stretch(rng)
        whole = fillings(stretch)
        x = rng.dirichlet(np.ones(4)) @ np.array(
            [
                np.isin(np.arange(len(stretch.packing.weight)), one)
                for one in rng.choice(np.array(whole, dtype=object), 4)
            ]
        )
        # Half of what fits twice over does not fit: beyond the hull, now and then.
        x = np.minimum(x * 1.3, 1.0)
        cut = separate(
            stretch,
            desk_for([stretch]),
            cover_for([stretch]),
            x,
            rng.normal(size=len(x)),
        )
        if cut is None:
            continue
        found += 1
        count, most = cut
        assert count @ x > most
        sums = [count[one].sum() for one in whole]
        assert max(sums) == most
        fits = (stretch.packing.weight <= stretch.packing.room).all(axis=1)
        for i in np.flatnonzero(fits).tolist():
            with_it = [s for s, one in zip(sums, whole, strict=True) if i in one]
            assert max(with_it) == most, "it could count more"
    assert found > tried(20)


@pytest.mark.parametrize("kind", ["mixed", "few_big", "chains"])
def test_a_row_holds_what_the_model_lets_in(kind: str) -> None:
    portfolio = generate_portfolio(30, 4, 12, seed=3, kind=kind).validate()
    options = compile_options(portfolio).options
    owner, rng, compared = options.use_option(), np.random.default_rng(8), set()
    for row in rows(options):
        mine = options.use.row == row.resource
        amount = np.zeros(len(options.project))
        amount[owner[mine]] = options.use.amount[mine]
        item = dict(zip(row.option.tolist(), row.item.tolist(), strict=True))
        limit = options.limit[row.resource] + options.slack[row.resource]
        least = np.full(len(options.must), np.inf)
        np.minimum.at(least, options.project, amount)
        always = least[options.must].sum()
        for _ in range(tried(40)):
            # One option of each project, those that have to be in among them.
            draws = rng.integers(options.first[:-1], options.first[1:])
            taken = draws[options.must | (rng.random(len(draws)) < 0.4)]
            units = sum(row.packing.weight[item[k], 0] for k in taken if k in item)
            fits = amount[taken].sum() <= limit + 1e-9
            assert (units <= row.packing.room[0]) == fits
            compared.add(bool(fits))
        assert row.packing.room[0] >= 0
        assert always <= limit + 1e-9
    assert compared == {True, False}


def test_members_are_steps_over_starts() -> None:
    options = compile_options(generate_portfolio(12, 3, 12, seed=4).validate()).options
    rng = np.random.default_rng(7)
    for _ in range(10):
        size = int(rng.integers(1, len(options.project)))
        columns = np.sort(rng.choice(len(options.project), size, replace=False))
        count = rng.integers(1, 4, size)
        own = options.project[columns], options.start[columns]
        members = steps_over_starts(*own, count)
        row = rows_of_cuts(options, [Cut(0, members, 5, length=3)]).toarray()[0]
        wanted = np.zeros(len(options.project))
        wanted[columns] = count
        assert row.tolist() == wanted.tolist()


@pytest.mark.parametrize("seed", range(2))
def test_windows_are_left_out_of_another_model(seed: int) -> None:
    portfolio = generate_portfolio(12, 3, 12, seed=seed).validate()
    options = compile_options(portfolio).options
    cut = Cut(0, [(0, 0, 1), (1, 0, 1), (0, 3, 0)], 1, length=4)
    assert renewed(options, [cut], clashes_of(options)) == [None]
