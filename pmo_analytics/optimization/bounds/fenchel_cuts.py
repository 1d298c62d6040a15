"""Cuts of limited rows: what they say about whole projects.

The cuts of a row, or of some on end (`packed_rows`), are the facets of the hull of what
fits into them that the relaxation violates: the prices of the cheapest cover of its
shares by fillings that fit (`covering`), as in Boyd, "Fenchel cutting planes",
Operations Research 42 (1994); fillings come from branch and bound (`filling`). Then
they are lifted exactly over all items that the relaxation left at zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pmo_analytics.optimization.bounds.packed_rows import (
    MOST_FILLINGS,
    MOST_HELD,
    Fillings,
    Rows,
)
from pmo_analytics.optimization.heuristics.kernels.covering import (
    Cover,
    begin,
    cheapest,
    room_for_cover,
    take_in,
)
from pmo_analytics.optimization.heuristics.kernels.filling import Desk, fullest, lift

# Smaller shares of an option are noise of the LP.
_NOISE = 1e-7
# A cut has to be violated by this share of its right side.
_VIOLATED = 1e-3
# Multiples of a cut that are tried for whole counts.
_MULTIPLES = 120
# Nodes of one branch and bound, and of one that is to prove that no filling is missing;
# the same to lift an item.
_NODES, _MOST_NODES, _LIFT_NODES = 20_000, 150_000, 10_000
# How far shares are moved apart, and by what.
_UNEVEN, _GOLDEN = 1e-6, (5**0.5 - 1) / 2
# Steps of one cover.
_STEPS = 5_000
# Items with a share beyond which rows are left alone.
_MOST_SHARES = 400
# Covers of one search for a cut, and where more work is done.
_ROUNDS, _MOST_ROUNDS = 60, 200
# Fillings that one branch and bound notes, and how many of them count for one row: it
# has that many that its cover would grow too large.
_NOTED, _OF_ROW = 32, 4


def desk_for(some: Sequence[Rows]) -> Desk:
    """Return arrays to work in that are large enough for each of some rows."""
    packings = [one.packing for one in some]
    rows = max((len(w.room) for w in packings), default=0)
    groups = max((len(w.first) for w in packings), default=0)
    units = max((int(w.room.max()) for w in packings), default=0) + 1
    items = max((len(w.weight) for w in packings), default=0)
    return Desk(
        idle=np.zeros(items, dtype=np.bool_),
        table=np.zeros((rows, groups, units)),
        left=np.zeros(rows, dtype=np.int64),
        at=np.zeros((2, groups), dtype=np.int64),
        pool=np.zeros((_NOTED, groups), dtype=np.int64),
    )


def cover_for(some: Sequence[Rows]) -> Cover:
    """Return arrays to cover shares in that are large enough for each of some rows."""
    items = max((len(one.packing.weight) for one in some), default=0)
    # Twice what is kept: one search adds to it.
    return room_for_cover(min(items, _MOST_SHARES), 2 * MOST_FILLINGS, 2 * MOST_HELD)


def separate(
    rows: Rows,
    desk: Desk,
    cover: Cover,
    x: np.ndarray,
    reduced: np.ndarray,
    deep: bool = False,
) -> tuple[np.ndarray, int] | None:
    """Return the counts of the items and their most, None without a cut.

    Parameters
    ----------
    x
        Value of each option in the relaxation.
    reduced
        Its reduced worth; what is closest to coming in is lifted first.
    deep
        Whether to do more work for it.
    """
    w, known = rows.packing, rows.known
    nodes = _MOST_NODES if deep else _NODES
    used = _OF_ROW if rows.length == 1 else _NOTED
    share = np.bincount(rows.item, x[rows.option], minlength=len(w.weight))
    share[share <= _NOISE] = 0.0
    heaviest = np.maximum.reduceat(w.weight * (share > 0)[:, None], w.first[:-1])
    if (heaviest.sum(axis=0) <= w.room).all():
        return None
    inside = np.flatnonzero(np.maximum.reduceat(share, w.first[:-1]) > 0)
    order = inside[np.argsort(-heaviest[inside].sum(axis=1), kind="stable")]

    def missing(count: np.ndarray) -> tuple[float, np.ndarray]:
        value, noted, _ = fullest(w, order, count, 1.0, _NODES, desk)
        if not np.isfinite(value):
            if not deep:
                return value, desk.pool[:0]
            if not noted:
                value, noted, _ = fullest(w, order, count, 1.0, nodes, desk)
        return value, desk.pool[max(noted - used, 0) : noted, : len(order)]

    rounds = _MOST_ROUNDS if deep else _ROUNDS
    count = facet(share, known, missing, rounds, cover)
    if count is None:
        return None
    whole = whole_counts(count)
    # What is known to fit is rarely exceeded: then there is but that to prove.
    most, _, _ = fullest(w, order, whole, known.most(whole), nodes, desk)
    if not whole @ share > most * (1 + _VIOLATED):
        return None
    nearest = np.full(len(w.weight), -np.inf)
    np.maximum.at(nearest, rows.item, reduced[rows.option])
    by_group = np.maximum.reduceat(nearest, w.first[:-1])
    others = np.argsort(-by_group, kind="stable")
    order = np.concatenate([order, others[~np.isin(others, inside)]])
    lift(w, order, len(inside), whole, most, _LIFT_NODES, desk)
    return whole, round(most)


def facet(
    share: np.ndarray,
    known: Fillings,
    missing: Callable[[np.ndarray], tuple[float, np.ndarray]],
    rounds: int,
    cover: Cover,
) -> np.ndarray | None:
    """Return the counts, at most 1 in all, that the shares exceed most.

    Parameters
    ----------
    share
        Of each item, 0 of most.
    known
        Fillings that fit; those that are found are added.
    missing
        Returns the most that fits counted so, infinite where it is not known, and
        fillings that count more than 1, if there are any.
    rounds
        Times that the shares are covered, at most.
    cover
        Arrays to work in.
    """
    items = np.flatnonzero(share > 0)
    n = len(items)
    if n > len(cover.share):
        return None
    place = np.full(len(share), -1)
    place[items] = np.arange(n)
    # No two ways to cover are as good then, which leads nowhere for long at times.
    cover.share[:n] = share[items] * (
        1.0 + _UNEVEN * (np.arange(1, n + 1) * _GOLDEN % 1.0)
    )
    begin(cover, n)
    many = take_in(cover, n, *known.held(), place)
    for _ in range(rounds):
        total = cheapest(cover, n, many, 1 + _VIOLATED, _STEPS)
        if not 1 + _VIOLATED < total < np.inf:
            return None
        count = np.zeros(len(share))
        count[items] = np.maximum(cover.price[:n], 0.0)
        value, found = missing(count)
        if not len(found) or value <= 1 + _NOISE:
            return count if np.isfinite(value) else None
        before = many
        many = take_in(cover, many, *known.add(found), place)
        if many == before:
            return None
    return None


def whole_counts(count: np.ndarray) -> np.ndarray:
    """Return whole counts near a multiple of these."""
    multiple = 1
    for multiple in range(1, _MULTIPLES + 1):
        near = count * multiple
        if np.abs(near - np.round(near)).max() < 1e-5:
            break
    return np.floor(count * multiple + 1e-4)
