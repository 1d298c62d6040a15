"""Cuts of stretches: what one role in some periods on end says about whole projects.

A relaxation starts a project half now and half later. Each period by itself may allow
that (`fenchel_cuts`) where a few periods together do not: what runs in one runs on in
the next. A stretch is a knapsack of as many rows as it has periods, in which every
project puts what one start uses of all of them. Its cuts are found and lifted as those
of single rows are; the fillings that fit come from branch and bound (`filling`).

A cut counts a project by its start.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from pmo_analytics.optimization.bounds.fenchel_cuts import facet, whole_counts
from pmo_analytics.optimization.heuristics.kernels.filling import (
    Desk,
    Packing,
    fullest,
    lift,
)
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.tolerance import written

# Periods of a stretch, and from one stretch to the next.
_LENGTH, _STEP = 8, 4
# Stretches whose tables have more cells than this are left alone.
_MOST_CELLS = 2_000_000
# FTE are decimals of this many places.
_PLACES = 6
# Smaller shares of an option are noise of the LP.
_NOISE = 1e-7
# A cut has to be violated by this share of its right side.
_VIOLATED = 1e-3
# Nodes of one branch and bound, and of one that is to prove that no filling is missing;
# the same to lift an item.
_NODES, _MOST_NODES, _LIFT_NODES = 20_000, 150_000, 10_000
# Rounds of the small LP, and where more work is done.
_ROUNDS, _MOST_ROUNDS = 60, 200
# Fillings noted by one branch and bound.
_NOTED = 32


@dataclass
class Stretch:
    """Rows of one role on end; an item is what starts of a project use of them.

    What a project that must be selected uses at any start is taken off beforehand.
    """

    resource: int
    room: np.ndarray  # (periods,), whole units
    option: np.ndarray  # of each entry
    item: np.ndarray  # of each entry
    first: np.ndarray  # of each project, its first item; and the end
    weight: np.ndarray  # (items, periods), units
    # Fillings that fit, as item numbers: the rows of the small LP so far.
    known: set[tuple[int, ...]] = field(default_factory=set)

    @property
    def length(self) -> int:
        """Number of periods."""
        return len(self.room)

    @property
    def packing(self) -> Packing:
        """What kernels see of it."""
        return Packing(self.first, self.weight, self.room)


def desk_for(stretches: list[Stretch]) -> Desk:
    """Return arrays to work in that are large enough for each of some stretches."""
    rows = max(len(w.room) for w in stretches)
    groups = max(len(w.first) for w in stretches)
    units = max(int(w.room.max()) for w in stretches) + 1
    return Desk(
        idle=np.zeros(max(len(w.weight) for w in stretches), dtype=np.bool_),
        table=np.zeros((rows, groups, units)),
        left=np.zeros(rows, dtype=np.int64),
        at=np.zeros((2, groups), dtype=np.int64),
        pool=np.zeros((_NOTED, groups), dtype=np.int64),
    )


def stretches(options: Options) -> list[Stretch]:
    """Return every stretch into which more might be put than fits."""
    roles, periods, _ = options.sizes.tolist()
    use = _use_by_option(options, roles * periods)
    found = []
    for role in range(roles):
        for start in range(0, periods, _STEP):
            length = min(_LENGTH, periods - start)
            one = _read(options, use, role * periods + start, length)
            if one is not None:
                found.append(one)
            if start + length >= periods:
                break
    return found


def _use_by_option(options: Options, rows: int) -> csr_array:
    capacity = options.use.row < rows
    owner = options.use_option()[capacity]
    entries = options.use.amount[capacity], (owner, options.use.row[capacity])
    return csr_array(entries, (len(options.project), rows))


def _read(
    options: Options, use: csr_array, resource: int, length: int
) -> Stretch | None:
    rows = np.arange(resource, resource + length)
    limit = options.limit[rows] + options.slack[rows]
    if length < 2 or not np.isfinite(limit).all():
        return None
    amount = np.round(use[:, resource : resource + length].toarray(), _PLACES)
    touched = np.flatnonzero(amount.any(axis=1))
    if not len(touched) or (amount < 0).any():
        return None
    units = np.round(amount * 10**_PLACES).astype(np.int64)
    exact = [written(granted) * 10**_PLACES for granted in limit.tolist()]
    room = np.array([int(granted // 1) for granted in exact], dtype=np.int64)
    for p in np.unique(
        options.project[touched][options.must[options.project[touched]]]
    ):
        mine = slice(int(options.first[p]), int(options.first[p + 1]))
        least = units[mine].min(axis=0)
        units[mine] -= least
        room -= least
    free = np.flatnonzero(units.any(axis=1))
    if (room < 0).any() or not len(free):
        return None
    step = np.gcd.reduce(units[free], axis=None)
    units, room = units[free] // step, room // step
    key = np.column_stack([options.project[free], units])
    kinds, item = np.unique(key, axis=0, return_inverse=True)
    _, begin = np.unique(kinds[:, 0], return_index=True)
    heaviest = np.maximum.reduceat(kinds[:, 1:], begin).sum(axis=0)
    cells = length * (len(begin) + 1) * (int(room.max()) + 1)
    if not (heaviest > room).any() or cells > _MOST_CELLS:
        return None
    first = np.append(begin, len(kinds)).astype(np.int64)
    weight = np.ascontiguousarray(kinds[:, 1:])
    return Stretch(resource, room, free, item.ravel(), first, weight)


def separate(
    stretch: Stretch,
    desk: Desk,
    x: np.ndarray,
    reduced: np.ndarray,
    deep: bool = False,
) -> tuple[np.ndarray, int] | None:
    """Return the counts of a stretch's items and their most, None without a cut.

    Parameters
    ----------
    x
        Value of each option in the relaxation.
    reduced
        Its reduced worth; what is closest to coming in is lifted first.
    deep
        Whether to do more work for it.
    """
    w, nodes = stretch, _MOST_NODES if deep else _NODES
    packing = w.packing
    share = np.bincount(w.item, x[w.option], minlength=len(w.weight))
    share[share <= _NOISE] = 0.0
    heaviest = np.maximum.reduceat(w.weight * (share > 0)[:, None], w.first[:-1])
    if (heaviest.sum(axis=0) <= w.room).all():
        return None
    inside = np.flatnonzero(np.maximum.reduceat(share, w.first[:-1]) > 0)
    order = inside[np.argsort(-heaviest[inside].sum(axis=1), kind="stable")]

    def fillings(count: np.ndarray) -> tuple[float, list[tuple[int, ...]]]:
        value, noted, _ = fullest(packing, order, count, 1.0, _NODES, desk)
        if not deep and not np.isfinite(value):
            return value, []
        if not noted and not np.isfinite(value):
            value, noted, _ = fullest(packing, order, count, 1.0, nodes, desk)
        return value, [_items(row) for row in desk.pool[:noted, : len(order)]]

    items = np.flatnonzero(share > 0).tolist()
    count = facet(share, items, w.known, fillings, _MOST_ROUNDS if deep else _ROUNDS)
    if count is None:
        return None
    whole = whole_counts(count)
    # What is known to fit is rarely exceeded: then there is but that to prove.
    fits = max((float(whole[list(filling)].sum()) for filling in w.known), default=0.0)
    most, _, _ = fullest(packing, order, whole, fits, nodes, desk)
    if not whole @ share > most * (1 + _VIOLATED):
        return None
    nearest = np.full(len(w.weight), -np.inf)
    np.maximum.at(nearest, w.item, reduced[w.option])
    by_group = np.maximum.reduceat(nearest, w.first[:-1])
    others = np.argsort(-by_group, kind="stable")
    order = np.concatenate([order, others[~np.isin(others, inside)]])
    lift(packing, order, len(inside), whole, most, _LIFT_NODES, desk)
    return whole, round(most)


def _items(filled: np.ndarray) -> tuple[int, ...]:
    return tuple(sorted(int(i) for i in filled if i >= 0))


def members_of(
    options: Options, columns: np.ndarray, count: np.ndarray
) -> list[tuple[int, float, int]]:
    """Return the steps of each project's count over its starts, starts increasing.

    Parameters
    ----------
    columns, count
        Options that count, in order, and how much each.
    """
    members: list[tuple[int, float, int]] = []
    end = (-1, 0, 0)  # of the run so far: project, start after it, count
    for p, s, n in zip(
        options.project[columns].tolist(),
        options.start[columns].tolist(),
        count.astype(np.int64).tolist(),
        strict=True,
    ):
        goes_on = end[:2] == (p, s)
        if end[0] >= 0 and not goes_on:
            members.append((end[0], end[1], 0))
        if not goes_on or end[2] != n:
            members.append((p, s, n))
        end = (p, s + 1, n)
    if end[0] >= 0:
        members.append((end[0], end[1], 0))
    return members
