"""Cuts of one limited row: what it says about whole projects.

A relaxation may take half of one project and half of another where the two never fit
side by side. Each limited row is a knapsack in which every project puts at most one
amount; its cuts are the facets of the hull of what fits that the relaxation violates.
They are found by a small LP whose rows, the fillings that fit, come from dynamic
programming, as in Boyd, "Fenchel cutting planes", Operations Research 42 (1994), and
then lifted exactly over all amounts that the relaxation left at zero.

A cut counts a project by how much of the row it uses, never by its start, so that it
stays dense and can be checked and read without the model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.tolerance import written

# Rows that ask for more dynamic programming than this are left alone.
_MOST_STATES = 6_000
_MOST_ITEMS = 600
# FTE are decimals of this many places.
_PLACES = 6
# Money is counted in units of its row, as far as these are whole up to this.
_UNEVEN = 1e-6
# Smaller shares of an option are noise of the LP.
_NOISE = 1e-7
# A cut has to be violated by this share of its right side.
_VIOLATED = 1e-3
# Multiples of a cut that are tried for whole counts.
_MULTIPLES = 120
# Rounds of the small LP.
_ROUNDS = 200


@dataclass
class Knapsack:
    """One row; an item is a project with an amount in whole units, by project.

    What a project that must be selected uses at any start is taken off beforehand.
    """

    resource: int
    room: int
    option: np.ndarray  # of each entry of the row
    item: np.ndarray  # of each entry
    project: np.ndarray  # of each item
    weight: np.ndarray  # of each item, units
    amount: np.ndarray  # of each item, as the row has it
    group: np.ndarray  # of each item, counted from 0
    # Fillings that fit, as item numbers: the rows of the small LP so far.
    known: set[tuple[int, ...]] = field(default_factory=set)


def knapsacks(options: Options) -> list[Knapsack]:
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
        sack = _read(options, resource, owner[entry], options.use.amount[entry])
        if sack is not None:
            found.append(sack)
    return found


def _read(
    options: Options, resource: int, option: np.ndarray, amount: np.ndarray
) -> Knapsack | None:
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
    _, group = np.unique(project[first], return_inverse=True)
    return Knapsack(
        resource,
        room,
        option,
        item,
        project[first],
        weight[first],
        amount[first],
        group,
    )


def add_group(
    table: np.ndarray, weights: list[int], counts: list[float] | list[int]
) -> np.ndarray:
    """Return the most that fits into each room once one more project may choose."""
    result = table.copy()
    for weight, count in zip(weights, counts, strict=True):
        if count > 0 and weight < len(table):
            part = result[weight:]
            np.maximum(part, table[: len(table) - weight] + count, out=part)
    return result


def _fullest(
    room: int, groups: list[list[int]], weight: list[int], count: list[float]
) -> tuple[float, tuple[int, ...]]:
    """Return the most that a filling can count, and its items."""
    tables = [np.zeros(room + 1)]
    for items in groups:
        tables.append(
            add_group(tables[-1], [weight[i] for i in items], [count[i] for i in items])
        )
    left, taken = room, []
    for items, before, after in zip(
        reversed(groups), reversed(tables[:-1]), reversed(tables[1:]), strict=True
    ):
        if after[left] <= before[left]:
            continue
        best = max(
            (i for i in items if weight[i] <= left),
            key=lambda i: before[left - weight[i]] + count[i],
        )
        taken.append(best)
        left -= weight[best]
    return float(tables[-1][room]), tuple(sorted(taken))


def separate(
    sack: Knapsack, x: np.ndarray, reduced: np.ndarray
) -> tuple[np.ndarray, int] | None:
    """Return the counts of a row's items and their most, None without a cut.

    Parameters
    ----------
    x
        Value of each option in the relaxation.
    reduced
        Its reduced worth; what is closest to coming in is lifted first.
    """
    share = np.bincount(sack.item, x[sack.option], minlength=len(sack.weight))
    support = np.flatnonzero(share > _NOISE)
    groups: dict[int, list[int]] = {}
    for i in support.tolist():
        groups.setdefault(int(sack.group[i]), []).append(i)
    heaviest = sum(max(int(sack.weight[i]) for i in g) for g in groups.values())
    if heaviest <= sack.room:
        return None
    listed, weight = list(groups.values()), sack.weight.tolist()

    def fullest(count: np.ndarray) -> tuple[float, list[tuple[int, ...]]]:
        value, filling = _fullest(sack.room, listed, weight, count.tolist())
        return value, [filling]

    items = [i for g in listed for i in g]
    count = facet(share, items, sack.known, fullest, _ROUNDS)
    if count is None:
        return None
    whole, most = _whole(sack, count, listed)
    if whole @ share <= most * (1 + _VIOLATED):
        return None
    return _lift(sack, whole, most, groups, reduced), most


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


def _whole(
    sack: Knapsack, count: np.ndarray, groups: list[list[int]]
) -> tuple[np.ndarray, int]:
    """Return whole counts near a multiple of these, and the most of them that fits."""
    whole = whole_counts(count).astype(np.int64)
    table = np.zeros(sack.room + 1, dtype=np.int64)
    for items in groups:
        table = add_group(table, sack.weight[items].tolist(), whole[items].tolist())
    return whole, int(table[-1])


def _lift(
    sack: Knapsack,
    whole: np.ndarray,
    most: int,
    groups: dict[int, list[int]],
    reduced: np.ndarray,
) -> np.ndarray:
    """Count every other item as much as leaves all fillings at `most`."""
    whole = whole.copy()
    members = [np.flatnonzero(sack.group == g) for g in range(int(sack.group[-1]) + 1)]
    weights = [sack.weight[items].tolist() for items in members]

    def raised(group: int, table: np.ndarray) -> None:
        """Take the largest counts of a project that the others' table allows."""
        for i, weight in zip(members[group].tolist(), weights[group], strict=True):
            # What is too big for the row alone is in no filling: count it fully.
            others = int(table[sack.room - weight]) if weight <= sack.room else 0
            whole[i] = max(most - others, 0)

    def table_of(some: list[int], table: np.ndarray | None = None) -> np.ndarray:
        table = np.zeros(sack.room + 1, dtype=np.int64) if table is None else table
        for g in some:
            table = add_group(table, weights[g], whole[members[g]].tolist())
        return table

    inside = list(groups)
    for g in inside:
        raised(g, table_of([other for other in inside if other != g]))
    table = table_of(inside)
    best = np.full(len(sack.weight), -np.inf)
    np.maximum.at(best, sack.item, reduced[sack.option])
    nearest = np.full(len(members), -np.inf)
    np.maximum.at(nearest, sack.group, best)
    for g in np.argsort(-nearest, kind="stable").tolist():
        if g not in groups:
            raised(g, table)
            table = table_of([g], table)
    return whole


def members_of(sack: Knapsack, count: np.ndarray) -> list[tuple[int, float, int]]:
    """Return the steps of each project's count, amounts increasing."""
    members: list[tuple[int, float, int]] = []
    last = (-1, 0)
    for project, amount, units in zip(
        sack.project.tolist(), sack.amount.tolist(), count.tolist(), strict=True
    ):
        before = last[1] if last[0] == project else 0
        if units != before:
            members.append((project, amount, units))
        last = (project, units)
    return members
