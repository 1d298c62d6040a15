"""Shares covered by fillings: the kernel against a solver of linear programs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import linprog

from pmo_analytics.optimization.bounds.packed_rows import (
    MOST_FILLINGS,
    MOST_HELD,
    Fillings,
)
from pmo_analytics.optimization.heuristics.kernels.covering import (
    Cover,
    begin,
    cheapest,
    room_for_cover,
    take_in,
)
from tests.support.counts import tried


def drawn(
    rng: np.random.Generator, items: int, fillings: int
) -> tuple[Cover, np.ndarray]:
    """Return a cover of some shares, and which of all fillings holds which item."""
    holds = rng.random((fillings, items)) < rng.uniform(0.1, 0.6)
    holds = np.vstack([np.eye(items, dtype=bool), holds[holds.sum(axis=1) > 1]])
    cover = room_for_cover(items + 2, len(holds), int(holds.sum()) + items)
    cover.share[:items] = rng.uniform(0.05, 1.0, items)
    begin(cover, items)
    return cover, holds


def added(cover: Cover, many: int, holds: np.ndarray, known: Fillings) -> int:
    """Add fillings to a cover; return how many it has then."""
    items = holds.shape[1]
    numbers = np.where(holds, np.arange(items), -1)
    return take_in(cover, many, *known.add(numbers), np.arange(items))


def least(share: np.ndarray, holds: np.ndarray) -> float:
    """Return the least sum of weights, by another solver."""
    answer = linprog(np.ones(len(holds)), A_ub=-holds.T.astype(float), b_ub=-share)
    return float(answer.fun)


def test_the_cheapest_cover_is_that_of_another_solver() -> None:
    rng = np.random.default_rng(11)
    for _ in range(tried(60)):
        items = int(rng.integers(2, 25))
        cover, holds = drawn(rng, items, int(rng.integers(1, 300)))
        many = added(cover, items, holds[items:], Fillings())
        assert many == len(holds)
        total = cheapest(cover, items, many, 0.0, 5_000)
        assert total == pytest.approx(least(cover.share[:items], holds), rel=1e-7)
        # The prices prove it: no filling is worth more than it costs.
        price = cover.price[:items]
        assert price.min() >= -1e-7
        assert (holds @ price).max() <= 1 + 1e-7
        assert price @ cover.share[:items] == pytest.approx(total, rel=1e-7)


def test_a_cover_goes_on_from_where_it_was() -> None:
    rng = np.random.default_rng(12)
    for _ in range(tried(30)):
        items = int(rng.integers(3, 20))
        cover, holds = drawn(rng, items, 200)
        known, many, before = Fillings(), items, np.inf
        for some in np.array_split(holds[items:], 5):
            if not len(some):
                continue
            many = added(cover, many, some, known)
            total = cheapest(cover, items, many, 0.0, 5_000)
            assert total <= before + 1e-9
            before = total
        assert before == pytest.approx(least(cover.share[:items], holds), rel=1e-7)
        assert known.many == len(holds) - items


def test_many_steps_lose_nothing_to_rounding() -> None:
    # The basis is inverted anew every hundred steps: this takes some hundreds.
    rng = np.random.default_rng(13)
    items = 120
    cover, holds = drawn(rng, items, 4_000)
    many = added(cover, items, holds[items:], Fillings())
    assert cheapest(cover, items, many, 0.0, 100) == np.inf
    begin(cover, items)
    total = cheapest(cover, items, many, 0.0, 20_000)
    assert total == pytest.approx(least(cover.share[:items], holds), rel=1e-7)


def test_enough_is_enough() -> None:
    rng = np.random.default_rng(14)
    cover, holds = drawn(rng, 15, 200)
    many = added(cover, 15, holds[15:], Fillings())
    optimum = least(cover.share[:15], holds)
    enough = 0.5 * (optimum + cover.share[:15].sum())
    total = cheapest(cover, 15, many, enough, 5_000)
    assert optimum < total <= enough


def test_what_has_no_room_is_left_out() -> None:
    rng = np.random.default_rng(15)
    cover, holds = drawn(rng, 8, 50)
    small = room_for_cover(8, 12, 30)
    small.share[:8] = cover.share[:8]
    begin(small, 8)
    many = added(small, 8, holds[8:], Fillings())
    assert 8 < many < len(holds)
    assert small.ends[many] <= len(small.items)
    total = cheapest(small, 8, many, 0.0, 5_000)
    assert total == pytest.approx(least(small.share[:8], holds[:many]), rel=1e-7)


def test_fillings_are_kept_as_they_were_found() -> None:
    rng = np.random.default_rng(16)
    known, kept = Fillings(), []
    for _ in range(30):
        found = np.where(rng.random((int(rng.integers(1, 9)), 12)) < 0.4, 1, 0)
        found[:, 0] = 1
        numbers = np.where(found > 0, rng.permutation(40)[:12], -1)
        ends, items = known.add(numbers)
        kept += [row[row >= 0].tolist() for row in numbers]
        new = [items[a:b].tolist() for a, b in pairwise(ends)]
        assert new == kept[-len(numbers) :]
    ends, items = known.held()
    all_of_them = [items[a:b].tolist() for a, b in pairwise(ends)]
    assert all_of_them == kept
    count = rng.integers(0, 5, 40).astype(float)
    assert known.most(count) == max(count[one].sum() for one in kept)
    assert Fillings().most(count) == 0.0


def test_of_very_many_fillings_the_later_half_is_kept() -> None:
    numbers = np.arange(40).reshape(-1, 4)
    known = Fillings()
    while known.many <= MOST_FILLINGS:
        known.add(numbers)
    before = known.many
    ends, items = known.add(numbers[:1] + 100)
    assert known.many == before - before // 2 + 1
    assert items[ends[0] : ends[1]].tolist() == [100, 101, 102, 103]
    ends, items = known.held()
    kept = [items[a:b].tolist() for a, b in pairwise(ends)]
    repeated = numbers.tolist() * (before // len(numbers))
    assert kept[:-1] == repeated[before // 2 :]
    # What they hold counts as well: large ones are forgotten sooner.
    known, large = Fillings(), np.arange(4_000).reshape(4, -1)
    for _ in range(200):
        known.add(large)
        assert known.ends[known.many] <= MOST_HELD + large.size
