"""Limited rows as cuts see them: each by itself, and a role in some periods on end.

A relaxation takes half of one project and half of another where the two never fit side
by side, or starts a project half now and half later: each period by itself may allow
that where a few periods together do not, for what runs in one runs on in the next. A
row is a knapsack in which every project puts at most one amount; a stretch one of as
many rows as it has periods, in which it puts what one start uses of all of them.

A cut of a row counts a project by how much of the row it uses, never by its start, so
that it stays dense and can be checked and read without the model; one of a stretch
counts it by its start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from scipy.sparse import csr_array

from pmo_analytics.optimization.heuristics.kernels.filling import Packing
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.tolerance import written

# Rows that ask for more dynamic programming than this are left alone.
_MOST_STATES = 6_000
_MOST_ITEMS = 600
# Periods of a stretch, and from one stretch to the next: short ones, which take little,
# and long ones, which say more of projects that take long.
_STRETCHES = ((6, 3), (12, 6), (24, 12))
# Stretches whose tables have more cells than this are left alone.
_MOST_CELLS = 2_000_000
# Fillings that are kept, and what they hold in all: of more the older half goes.
MOST_FILLINGS, MOST_HELD = 10_000, 200_000
# FTE are decimals of this many places.
_PLACES = 6
# Money is counted in units of its row, as far as these are whole up to this.
_UNEVEN = 1e-6
# Project, from what amount or start on, and how much it counts from there.
Step = tuple[int, float, int]


@dataclass
class Fillings:
    """Choices of items that fit together: those found so far, of many the later ones.

    Attributes
    ----------
    many
        How many there are.
    ends, items
        Filling f holds the items from `items[ends[f]]` to `items[ends[f + 1]]`; beyond
        them there is room for more.
    """

    many: int = 0
    ends: np.ndarray = field(default_factory=lambda: np.zeros(64, dtype=np.int64))
    items: np.ndarray = field(default_factory=lambda: np.zeros(256, dtype=np.int64))

    def held(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends and items of all of them."""
        return self.ends[: self.many + 1], self.items

    def add(self, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Add some and return the ends and items of these.

        Parameters
        ----------
        found
            (fillings, places), an item at each place or -1.
        """
        if self.many > MOST_FILLINGS or self.ends[self.many] > MOST_HELD:
            self._forget(self.many // 2)
        inside = found >= 0
        begin, before = self.many, int(self.ends[self.many])
        ends = before + np.cumsum(inside.sum(axis=1))
        self.many += len(found)
        self.ends = _with_room(self.ends, self.many + 1)
        self.items = _with_room(self.items, int(ends[-1]))
        self.ends[begin + 1 : self.many + 1] = ends
        self.items[before : ends[-1]] = found[inside]
        return self.ends[begin : self.many + 1], self.items

    def _forget(self, oldest: int) -> None:
        begin, end = self.ends[oldest], self.ends[self.many]
        self.items = self.items[begin:end].copy()
        self.ends = self.ends[oldest : self.many + 1] - begin
        self.many -= oldest

    def most(self, count: np.ndarray) -> float:
        """Return the most that one of them counts, 0 without any.

        Parameters
        ----------
        count
            Of each item.
        """
        if not self.many:
            return 0.0
        counts = count[self.items[: self.ends[self.many]]]
        return float(np.add.reduceat(counts, self.ends[: self.many]).max())


def _with_room(numbers: np.ndarray, many: int) -> np.ndarray:
    """Return numbers with room for so many at least."""
    if len(numbers) >= many:
        return numbers
    more = np.zeros(2 * many, dtype=numbers.dtype)
    more[: len(numbers)] = numbers
    return more


@dataclass
class Rows:
    """Limited things on end; an item is what starts of a project use of them.

    What a project that must be selected uses at any start is taken off beforehand.

    Parameters
    ----------
    resource
        Number of the first of them.
    length
        How many they are.
    packing
        What fits into them, and with some on end into sums of them; a group is a
        project.
    option, item
        Of each option that uses something of them.
    known
        Fillings that fit: those found so far.
    """

    resource: int
    length: int
    packing: Packing
    option: np.ndarray
    item: np.ndarray
    known: Fillings = field(default_factory=Fillings, kw_only=True)

    def members(self, count: np.ndarray) -> list[Step]:
        """Return the steps of each project's count.

        Parameters
        ----------
        count
            Of each item.
        """
        raise NotImplementedError


@dataclass
class Stretch(Rows):
    """One role in some periods on end.

    Parameters
    ----------
    project, start
        Of each option that uses something of them.
    """

    project: np.ndarray
    start: np.ndarray

    def members(self, count: np.ndarray) -> list[Step]:
        """Return the steps of each project's count over its starts, in order."""
        counts = count[self.item]
        kept = counts > 0
        return steps_over_starts(self.project[kept], self.start[kept], counts[kept])


@dataclass
class Row(Rows):
    """One limited thing.

    Parameters
    ----------
    project, amount
        Of each item, the amount as the row has it.
    """

    project: np.ndarray
    amount: np.ndarray

    def members(self, count: np.ndarray) -> list[Step]:
        """Return the steps of each project's count, amounts increasing."""
        members: list[Step] = []
        last = (-1, 0)
        for project, amount, units in zip(
            self.project.tolist(),
            self.amount.tolist(),
            count.astype(np.int64).tolist(),
            strict=True,
        ):
            before = last[1] if last[0] == project else 0
            if units != before:
                members.append((project, amount, units))
            last = (project, units)
        return members


def rows(options: Options) -> list[Row]:
    """Return every row on which more than fits might be put."""
    resources = np.flatnonzero(
        np.isfinite(options.limit) & (options.largest_use() > options.limit)
    )
    order = np.argsort(options.use.row, kind="stable")
    begin = np.searchsorted(options.use.row[order], np.arange(len(options.limit) + 1))
    owner = options.use_option()
    found = []
    for resource in resources.tolist():
        entry = order[begin[resource] : begin[resource + 1]]
        one = _read_row(options, resource, owner[entry], options.use.amount[entry])
        if one is not None:
            found.append(one)
    return found


def _read_row(
    options: Options, resource: int, option: np.ndarray, amount: np.ndarray
) -> Row | None:
    granted = float(options.limit[resource] + options.slack[resource])
    if resource < int(options.sizes[0] * options.sizes[1]):
        amount = np.round(amount, _PLACES)
    else:
        unit = float(options.unit[resource])
        whole = np.round(amount / unit)
        if (np.abs(amount / unit - whole) > _UNEVEN).any():
            return None
        amount = np.array([float(written(unit) * int(n)) for n in whole.tolist()])
    kept = amount > 0
    if (amount < 0).any() or not kept.any():
        return None
    option, amount = option[kept], amount[kept]
    exact = {a: written(a) for a in np.unique(amount).tolist()}
    below = math.lcm(*(a.denominator for a in exact.values()))
    units = np.array([int(exact[a] * below) for a in amount.tolist()], dtype=object)
    room = math.floor(written(granted) * below)
    project = options.project[option]
    for p in np.unique(project[options.must[project]]).tolist():
        mine = project == p
        if mine.sum() == options.first[p + 1] - options.first[p]:
            least = min(units[mine])
            units[mine] -= least
            room -= least
    free = units > 0
    if room < 0 or not free.any():
        return None
    option, amount, units = option[free], amount[free], units[free]
    step = math.gcd(*units.tolist())
    room //= step
    if room > _MOST_STATES:
        return None
    weight = np.array([u // step for u in units.tolist()], dtype=np.int64)
    project = options.project[option]
    key = project * np.int64(weight.max() + 1) + weight
    _, first, item = np.unique(key, return_index=True, return_inverse=True)
    if len(first) > _MOST_ITEMS:
        return None
    _, begin = np.unique(project[first], return_index=True)
    packing = Packing(
        np.append(begin, len(first)).astype(np.int64),
        np.ascontiguousarray(weight[first][:, None]),
        np.array([room], dtype=np.int64),
    )
    return Row(resource, 1, packing, option, item, project[first], amount[first])


def stretches(options: Options) -> list[Stretch]:
    """Return every stretch into which more might be put than fits."""
    roles, periods, _ = options.sizes.tolist()
    use = _use_by_option(options, roles * periods)
    found = []
    for role, (start, length) in product(range(roles), _spans(periods)):
        one = _read_stretch(options, use, role * periods + start, length)
        if one is not None:
            found.append(one)
    return found


def _spans(periods: int) -> list[tuple[int, int]]:
    """Return first period and length of what a stretch may be, each once."""
    spans = []
    for length, step in _STRETCHES:
        for start in range(0, max(periods - length, 0) + step, step):
            span = start, min(length, periods - start)
            if span[1] > 0 and span not in spans:
                spans.append(span)
    return spans


def _use_by_option(options: Options, rows: int) -> csr_array:
    capacity = options.use.row < rows
    owner = options.use_option()[capacity]
    entries = options.use.amount[capacity], (owner, options.use.row[capacity])
    return csr_array(entries, (len(options.project), rows))


def _read_stretch(
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
    weight, limits = _with_sums(kinds[:, 1:]), _with_sums(room)
    cells = len(limits) * (len(begin) + 1) * (int(limits.max()) + 1)
    if not (heaviest > room).any() or cells > _MOST_CELLS:
        return None
    first = np.append(begin, len(kinds)).astype(np.int64)
    packing = Packing(first, np.ascontiguousarray(weight), limits)
    own = options.project[free], options.start[free]
    return Stretch(resource, length, packing, free, item.ravel(), *own)


def _with_sums(units: np.ndarray) -> np.ndarray:
    """Return units by period, and after them the sums of each half and of all.

    What fits into every period fits into their sum, which often says more: then far
    fewer fillings have to be gone through.
    """
    half = units.shape[-1] // 2
    early, late = units[..., :half].sum(axis=-1), units[..., half:].sum(axis=-1)
    sums = np.stack([early, late, early + late], axis=-1)
    return np.concatenate([units, sums], axis=-1)


def steps_over_starts(
    project: np.ndarray, start: np.ndarray, count: np.ndarray
) -> list[Step]:
    """Return the steps of each project's count over its starts, starts increasing.

    Parameters
    ----------
    project, start, count
        Of options that count, in order.
    """
    members: list[Step] = []
    end = (-1, 0, 0)  # of the run so far: project, start after it, count
    for p, s, n in zip(
        project.tolist(),
        start.tolist(),
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
