"""Kernels: what counts most of all that fits into a few limited rows at once.

Items belong to groups, of which each puts one item in at most. An item weighs
something on every row; `weight` is (items, rows), the items of group g are those from
`first[g]` to `first[g + 1]`. Branch and bound over the groups in `order`; what the
groups to come can count at most is the least that dynamic programming allows on any
row alone: rows that are sums of others help.
"""

from __future__ import annotations

import numpy as np

from pmo_analytics.processes import compiled, inner

# Differences of counts below this are noise.
_NOISE = 1e-9


@inner
def compare(
    first: np.ndarray, weight: np.ndarray, count: np.ndarray, g: int, idle: np.ndarray
) -> None:
    """Note which items of a group are idle: they count nothing, or another one serves.

    That one counts as much or more, and weighs no more on any row.
    """
    for i in range(first[g], first[g + 1]):
        idle[i] = count[i] <= 0.0
    for i in range(first[g], first[g + 1]):
        for k in range(first[g], first[g + 1]):
            if k == i or idle[k] or count[k] < count[i]:
                continue
            lighter = True
            for d in range(weight.shape[1]):
                if weight[k, d] > weight[i, d]:
                    lighter = False
            if lighter:
                idle[i] = True


@inner
def tabulate(
    first: np.ndarray,
    weight: np.ndarray,
    room: np.ndarray,
    order: np.ndarray,
    many: int,
    upto: int,
    skip: int,
    count: np.ndarray,
    idle: np.ndarray,
    table: np.ndarray,
) -> None:
    """Fill in what the groups from each place of the order on can count at most.

    Parameters
    ----------
    upto
        From this place on the table is as it should be; `many`: nowhere.
    skip
        A group that counts nothing; -1 = none.
    table
        (rows, places + 1, units + 1): by room.
    """
    for d in range(weight.shape[1]):
        cap = room[d]
        if upto == many:
            for c in range(cap + 1):
                table[d, many, c] = 0.0
        for n in range(upto - 1, -1, -1):
            for c in range(cap + 1):
                table[d, n, c] = table[d, n + 1, c]
            g = order[n]
            if g == skip:
                continue
            for i in range(first[g], first[g + 1]):
                if idle[i]:
                    continue
                for c in range(weight[i, d], cap + 1):
                    value = table[d, n + 1, c - weight[i, d]] + count[i]
                    if value > table[d, n, c]:
                        table[d, n, c] = value


@inner
def take(weight: np.ndarray, idle: np.ndarray, left: np.ndarray, i: int) -> bool:
    """Put an item in if it is not idle and fits; return whether it did."""
    if idle[i]:
        return False
    for d in range(len(left)):
        if weight[i, d] > left[d]:
            return False
    for d in range(len(left)):
        left[d] -= weight[i, d]
    return True


@inner
def give_back(
    weight: np.ndarray, count: np.ndarray, left: np.ndarray, at: np.ndarray, n: int
) -> float:
    """Take out the item of a place, if there is one; return what it counted."""
    i = at[1, n]
    if i < 0:
        return 0.0
    for d in range(len(left)):
        left[d] += weight[i, d]
    at[1, n] = -1
    return count[i]


@inner
def note(at: np.ndarray, many: int, noted: int, pool: np.ndarray) -> int:
    """Keep the present filling, in the place of the last one where there is none."""
    noted = min(noted + 1, len(pool))
    for n in range(many):
        pool[noted - 1, n] = at[1, n]
    return noted


@inner
def to_come(table: np.ndarray, n: int, left: np.ndarray) -> float:
    """Return what the groups from a place on can count at most in what is left."""
    most = np.inf
    for d in range(len(left)):
        most = min(most, table[d, n, left[d]])
    return most


@inner
def fill(
    first: np.ndarray,
    weight: np.ndarray,
    order: np.ndarray,
    many: int,
    skip: int,
    count: np.ndarray,
    floor: float,
    most_nodes: int,
    idle: np.ndarray,
    table: np.ndarray,
    left: np.ndarray,
    at: np.ndarray,
    pool: np.ndarray,
) -> tuple[float, int, int]:
    """Return the most that can be counted, how many fillings are noted, and the nodes.

    Parameters
    ----------
    floor
        Only what counts more is looked for.
    most_nodes
        With more nodes than this the most is infinite: it is not known.
    idle
        Of each item, whether nothing is lost without it.
    left
        (rows,), the room of each row; changed.
    at
        (2, places + 1), to work in.
    pool
        (fillings, places): each better filling as it is found, as the item of each
        place or -1; what does not fit any more takes the place of the last one.
    """
    top, so_far = floor, 0.0
    noted, nodes, n = 0, 0, 0
    at[0, 0] = -2
    while n >= 0:
        if n == many:
            if so_far > top + _NOISE:
                top = so_far
                noted = note(at, many, noted, pool)
            n -= 1
            continue
        g = order[n]
        end = first[g] if g == skip else first[g + 1]
        if at[0, n] == -2:
            at[0, n], at[1, n] = first[g] - 1, -1
        so_far -= give_back(weight, count, left, at, n)
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
            if not take(weight, idle, left, i):
                continue
            so_far += count[i]
            at[1, n] = i
        if so_far + to_come(table, n + 1, left) > top + _NOISE:
            n += 1
            at[0, n] = -2
    return top, noted, nodes


@compiled
def fullest(
    first: np.ndarray,
    weight: np.ndarray,
    room: np.ndarray,
    order: np.ndarray,
    count: np.ndarray,
    floor: float,
    most_nodes: int,
    idle: np.ndarray,
    table: np.ndarray,
    left: np.ndarray,
    at: np.ndarray,
    pool: np.ndarray,
) -> tuple[float, int, int]:
    """Return what `fill` does, of all groups in the order."""
    many = len(order)
    for d in range(len(room)):
        left[d] = room[d]
    for n in range(many):
        compare(first, weight, count, order[n], idle)
    tabulate(first, weight, room, order, many, many, -1, count, idle, table)
    return fill(
        first,
        weight,
        order,
        many,
        -1,
        count,
        floor,
        most_nodes,
        idle,
        table,
        left,
        at,
        pool,
    )


@compiled
def lift(
    first: np.ndarray,
    weight: np.ndarray,
    room: np.ndarray,
    order: np.ndarray,
    inside: int,
    count: np.ndarray,
    most: float,
    most_nodes: int,
    idle: np.ndarray,
    table: np.ndarray,
    left: np.ndarray,
    at: np.ndarray,
    pool: np.ndarray,
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
    rows = weight.shape[1]
    many = inside
    for place in range(many):
        compare(first, weight, count, order[place], idle)
    # What a group counts changes no table of the places after it.
    upto = many
    for place in range(len(order)):
        g = order[place]
        skip = g if place < inside else -1
        tabulate(first, weight, room, order, many, upto, skip, count, idle, table)
        upto = min(place + 2, many) if place < inside else 0
        counts = place < inside
        for i in range(first[g], first[g + 1]):
            fits = True
            for d in range(rows):
                left[d] = room[d] - weight[i, d]
                if left[d] < 0:
                    fits = False
            others = 0.0
            if fits:
                others, _, _ = fill(
                    first, weight, order, many, skip, count, 0.0, most_nodes, idle,
                    table, left, at, pool,
                )  # fmt: skip
            # What is too big for a row alone is in no filling: it counts fully.
            if others < most - count[i]:
                count[i] = np.round(most - others)
                counts = True
        if counts:
            compare(first, weight, count, g, idle)
        if place >= inside and counts:
            order[place], order[many] = order[many], g
            many += 1
            upto = many
    return many
