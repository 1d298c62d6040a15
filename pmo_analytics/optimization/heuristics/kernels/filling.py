"""Kernels: what counts most of all that fits into a few limited rows at once.

Items belong to groups, of which each puts one item in at most. An item weighs
something on every row. Branch and bound over the groups in `order`; what the groups to
come can count at most is the least that dynamic programming allows on any row alone:
rows that are sums of others help.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pmo_analytics.processes import compiled, inner

# Differences of counts below this are noise.
_NOISE = 1e-9


class Packing(NamedTuple):
    """What fits into some rows at once.

    Attributes
    ----------
    first
        The items of group g are those from `first[g]` to `first[g + 1]`.
    weight
        (items, rows), whole units.
    room
        (rows,), whole units.
    """

    first: np.ndarray
    weight: np.ndarray
    room: np.ndarray


class Desk(NamedTuple):
    """Arrays to work in, for packings of any size up to theirs.

    Attributes
    ----------
    idle
        Of each item, whether nothing is lost without it.
    table
        (rows, places + 1, units + 1): what the groups from each place of the order on
        can count at most, by room.
    left
        (rows,), the room of each row that is left.
    at
        (2, places + 1), where the search is in each group, and what it has put in.
    pool
        (fillings, places): each better filling as it is found, as the item of each
        place or -1; what does not fit any more takes the place of the last one.
    """

    idle: np.ndarray
    table: np.ndarray
    left: np.ndarray
    at: np.ndarray
    pool: np.ndarray


@inner
def compare(w: Packing, count: np.ndarray, g: int, idle: np.ndarray) -> None:
    """Note which items of a group are idle: they count nothing, or another one serves.

    That one counts as much or more, and weighs no more on any row.
    """
    for i in range(w.first[g], w.first[g + 1]):
        idle[i] = count[i] <= 0.0
    for i in range(w.first[g], w.first[g + 1]):
        for k in range(w.first[g], w.first[g + 1]):
            if k == i or idle[k] or count[k] < count[i]:
                continue
            lighter = True
            for d in range(len(w.room)):
                if w.weight[k, d] > w.weight[i, d]:
                    lighter = False
            if lighter:
                idle[i] = True


@inner
def tabulate(
    w: Packing,
    order: np.ndarray,
    many: int,
    upto: int,
    skip: int,
    count: np.ndarray,
    desk: Desk,
) -> None:
    """Fill in what the groups from each place of the order on can count at most.

    Parameters
    ----------
    upto
        From this place on the table is as it should be; `many`: nowhere.
    skip
        A group that counts nothing; -1 = none.
    """
    table = desk.table
    for d in range(len(w.room)):
        cap = w.room[d]
        if upto == many:
            for c in range(cap + 1):
                table[d, many, c] = 0.0
        for n in range(upto - 1, -1, -1):
            for c in range(cap + 1):
                table[d, n, c] = table[d, n + 1, c]
            g = order[n]
            if g == skip:
                continue
            for i in range(w.first[g], w.first[g + 1]):
                if desk.idle[i]:
                    continue
                for c in range(w.weight[i, d], cap + 1):
                    value = table[d, n + 1, c - w.weight[i, d]] + count[i]
                    if value > table[d, n, c]:
                        table[d, n, c] = value


@inner
def take(w: Packing, desk: Desk, i: int) -> bool:
    """Put an item in if it is not idle and fits; return whether it did."""
    if desk.idle[i]:
        return False
    for d in range(len(w.room)):
        if w.weight[i, d] > desk.left[d]:
            return False
    for d in range(len(w.room)):
        desk.left[d] -= w.weight[i, d]
    return True


@inner
def give_back(w: Packing, count: np.ndarray, desk: Desk, n: int) -> float:
    """Take out the item of a place, if there is one; return what it counted."""
    i = desk.at[1, n]
    if i < 0:
        return 0.0
    for d in range(len(w.room)):
        desk.left[d] += w.weight[i, d]
    desk.at[1, n] = -1
    return count[i]


@inner
def note(desk: Desk, many: int, noted: int) -> int:
    """Keep the present filling, in the place of the last one where there is none."""
    noted = min(noted + 1, len(desk.pool))
    for n in range(many):
        desk.pool[noted - 1, n] = desk.at[1, n]
    return noted


@inner
def to_come(w: Packing, desk: Desk, n: int) -> float:
    """Return what the groups from a place on can count at most in what is left."""
    most = np.inf
    for d in range(len(w.room)):
        most = min(most, desk.table[d, n, desk.left[d]])
    return most


@inner
def fill(
    w: Packing,
    order: np.ndarray,
    many: int,
    skip: int,
    count: np.ndarray,
    floor: float,
    most_nodes: int,
    desk: Desk,
) -> tuple[float, int, int]:
    """Return the most that can be counted, how many fillings are noted, and the nodes.

    Parameters
    ----------
    floor
        Only what counts more is looked for.
    most_nodes
        With more nodes than this the most is infinite: it is not known.
    desk
        Its `left` is the room; `pool` keeps the fillings.
    """
    first, at = w.first, desk.at
    top, so_far = floor, 0.0
    noted, nodes, n = 0, 0, 0
    at[0, 0] = -2
    while n >= 0:
        if n == many:
            if so_far > top + _NOISE:
                top = so_far
                noted = note(desk, many, noted)
            n -= 1
            continue
        g = order[n]
        end = first[g] if g == skip else first[g + 1]
        if at[0, n] == -2:
            at[0, n], at[1, n] = first[g] - 1, -1
        so_far -= give_back(w, count, desk, n)
        at[0, n] += 1
        i = at[0, n]
        # After its last item a group is left out, and after that it is done.
        if i > end:
            n -= 1
            continue
        nodes += 1
        if nodes > most_nodes:
            return np.inf, noted, nodes
        if i < end:
            if not take(w, desk, i):
                continue
            so_far += count[i]
            at[1, n] = i
        if so_far + to_come(w, desk, n + 1) > top + _NOISE:
            n += 1
            at[0, n] = -2
    return top, noted, nodes


@compiled
def fullest(
    w: Packing,
    order: np.ndarray,
    count: np.ndarray,
    floor: float,
    most_nodes: int,
    desk: Desk,
) -> tuple[float, int, int]:
    """Return what `fill` does, of all groups in the order."""
    many = len(order)
    for d in range(len(w.room)):
        desk.left[d] = w.room[d]
    for n in range(many):
        compare(w, count, order[n], desk.idle)
    tabulate(w, order, many, many, -1, count, desk)
    return fill(w, order, many, -1, count, floor, most_nodes, desk)


@compiled
def lift(
    w: Packing,
    order: np.ndarray,
    inside: int,
    count: np.ndarray,
    most: float,
    most_nodes: int,
    desk: Desk,
) -> int:
    """Count every item as much as leaves all fillings at `most`; return the groups.

    Parameters
    ----------
    order
        The groups that count already, then all others in the order in which they are
        to be lifted; in the end those that count come first.
    inside
        How many count already.
    count
        Of each item; raised.
    """
    first = w.first
    many = inside
    for place in range(many):
        compare(w, count, order[place], desk.idle)
    # What a group counts changes no table of the places after it.
    upto = many
    for place in range(len(order)):
        g = order[place]
        skip = g if place < inside else -1
        tabulate(w, order, many, upto, skip, count, desk)
        upto = min(place + 2, many) if place < inside else 0
        counts = place < inside
        for i in range(first[g], first[g + 1]):
            fits = True
            for d in range(len(w.room)):
                desk.left[d] = w.room[d] - w.weight[i, d]
                if desk.left[d] < 0:
                    fits = False
            others = 0.0
            if fits:
                others, _, _ = fill(w, order, many, skip, count, 0.0, most_nodes, desk)
            # What is too big for a row alone is in no filling: it counts fully.
            if others < most - count[i]:
                count[i] = np.round(most - others)
                counts = True
        if counts:
            compare(w, count, g, desk.idle)
        if place >= inside and counts:
            order[place], order[many] = order[many], g
            many += 1
            upto = many
    return many
