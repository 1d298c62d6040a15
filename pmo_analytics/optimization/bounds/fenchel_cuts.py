"""Cuts of limited rows: what they say about whole projects.

The cuts of a row, or of some on end (`packed_rows`), are the facets of the hull of what
fits into them that the relaxation violates. They are found by a small LP whose rows are
the fillings that fit, as in Boyd, "Fenchel cutting planes", Operations Research 42
(1994); those come from branch and bound (`filling`). Then they are lifted exactly over
all items that the relaxation left at zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pmo_analytics.optimization.bounds.packed_rows import Rows
from pmo_analytics.optimization.heuristics.kernels.filling import Desk, fullest, lift
from pmo_analytics.optimization.model import highs

# Smaller shares of an option are noise of the LP.
_NOISE = 1e-7
# A cut has to be violated by this share of its right side.
_VIOLATED = 1e-3
# Multiples of a cut that are tried for whole counts.
_MULTIPLES = 120
# Nodes of one branch and bound, and of one that is to prove that no filling is missing;
# the same to lift an item.
_NODES, _MOST_NODES, _LIFT_NODES = 20_000, 150_000, 10_000
# Rounds of the small LP, and where more work is done.
_ROUNDS, _MOST_ROUNDS = 60, 200
# Fillings that one branch and bound notes, and how many of them count for one row: it
# has that many that its small LP would grow too large.
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


def separate(
    rows: Rows,
    desk: Desk,
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
    w, nodes = rows.packing, _MOST_NODES if deep else _NODES
    used = _OF_ROW if rows.length == 1 else _NOTED
    share = np.bincount(rows.item, x[rows.option], minlength=len(w.weight))
    share[share <= _NOISE] = 0.0
    heaviest = np.maximum.reduceat(w.weight * (share > 0)[:, None], w.first[:-1])
    if (heaviest.sum(axis=0) <= w.room).all():
        return None
    inside = np.flatnonzero(np.maximum.reduceat(share, w.first[:-1]) > 0)
    order = inside[np.argsort(-heaviest[inside].sum(axis=1), kind="stable")]

    def fillings(count: np.ndarray) -> tuple[float, list[tuple[int, ...]]]:
        value, noted, _ = fullest(w, order, count, 1.0, _NODES, desk)
        if not deep and not np.isfinite(value):
            return value, []
        if not noted and not np.isfinite(value):
            value, noted, _ = fullest(w, order, count, 1.0, nodes, desk)
        best = desk.pool[max(noted - used, 0) : noted, : len(order)]
        return value, [_items(filling) for filling in best]

    items = np.flatnonzero(share > 0).tolist()
    count = facet(share, items, rows.known, fillings, _MOST_ROUNDS if deep else _ROUNDS)
    if count is None:
        return None
    whole = whole_counts(count)
    # What is known to fit is rarely exceeded: then there is but that to prove.
    fits = max(
        (float(whole[list(filling)].sum()) for filling in rows.known), default=0.0
    )
    most, _, _ = fullest(w, order, whole, fits, nodes, desk)
    if not whole @ share > most * (1 + _VIOLATED):
        return None
    nearest = np.full(len(w.weight), -np.inf)
    np.maximum.at(nearest, rows.item, reduced[rows.option])
    by_group = np.maximum.reduceat(nearest, w.first[:-1])
    others = np.argsort(-by_group, kind="stable")
    order = np.concatenate([order, others[~np.isin(others, inside)]])
    lift(w, order, len(inside), whole, most, _LIFT_NODES, desk)
    return whole, round(most)


def _items(filled: np.ndarray) -> tuple[int, ...]:
    return tuple(sorted(int(i) for i in filled if i >= 0))


def facet(
    share: np.ndarray,
    items: Sequence[int],
    known: set[tuple[int, ...]],
    fullest: Callable[[np.ndarray], tuple[float, list[tuple[int, ...]]]],
    rounds: int,
) -> np.ndarray | None:
    """Return the counts, at most 1 in all, that the shares exceed most.

    Parameters
    ----------
    items
        Those that have a share.
    known
        Fillings that fit, as item numbers; those that are found are added.
    fullest
        Returns the most that fits counted so, infinite where it is not known, and
        fillings that count more than 1, if there are any.
    rounds
        Times that the LP is solved, at most.
    """
    place = {i: n for n, i in enumerate(items)}
    rows = {tuple(i for i in filling if i in place) for filling in known}
    rows.discard(())
    program = highs.Growing(share[items])
    fresh = list(rows)
    for _ in range(rounds):
        if fresh:
            columns = np.array([place[i] for row in fresh for i in row])
            ends = np.cumsum([0, *(len(row) for row in fresh)])
            program.extend(ends, columns, np.ones(len(columns)), np.ones(len(fresh)))
        answer = program.solve(5.0)
        if answer.x is None or answer.objective <= 1 + _VIOLATED:
            return None
        count = np.zeros(len(share))
        count[items] = np.maximum(answer.x, 0.0)
        value, fillings = fullest(count)
        fresh = [row for row in fillings if row not in rows]
        if not fresh and not np.isfinite(value):
            return None
        if value <= 1 + 1e-7 or not fresh:
            return count
        rows.update(fresh)
        known.update(fresh)
    return None


def whole_counts(count: np.ndarray) -> np.ndarray:
    """Return whole counts near a multiple of these."""
    multiple = 1
    for multiple in range(1, _MULTIPLES + 1):
        near = count * multiple
        if np.abs(near - np.round(near)).max() < 1e-5:
            break
    return np.floor(count * multiple + 1e-4)
