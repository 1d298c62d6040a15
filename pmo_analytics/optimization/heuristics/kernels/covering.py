"""Kernels: shares of items covered by fillings, with as little of them as there can be.

The least sum of weights of fillings that together hold every item as much as its share,
by the primal simplex method with an explicit inverse: a basis has as many columns as
there are items, so a step takes microseconds. Its dual prices are counts of the items
which no filling in it exceeds 1 by: the facet of the hull that the shares exceed most,
once no filling that is missing counts more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pmo_analytics.processes import compiled, inner

# Differences below this are noise, and steps that are too small to divide by.
_NOISE, _SMALL = 1e-9, 1e-8
# Fillings looked at before the best of them comes in, and steps between two inversions.
_AT_ONCE, _RENEWED = 256, 100


class Cover(NamedTuple):
    """Arrays of a cover, for at least as many items and fillings as there are.

    Attributes
    ----------
    share
        Of each item.
    ends, items
        Filling f holds the items from `items[ends[f]]` to `items[ends[f + 1]]`; the
        first ones hold an item each.
    basic
        Of each place of the basis a filling, or -1 - item: more of it than its share.
    names
        The basis while it is inverted.
    weight
        Of each place.
    inverse
        (items, items), of the basis.
    price
        Of each item.
    step
        How much each place loses as a column comes in.
    """

    share: np.ndarray
    ends: np.ndarray
    items: np.ndarray
    basic: np.ndarray
    names: np.ndarray
    weight: np.ndarray
    inverse: np.ndarray
    price: np.ndarray
    step: np.ndarray


def room_for_cover(items: int, fillings: int, held: int) -> Cover:
    """Return arrays for so many items and fillings, which hold so many items in all."""
    return Cover(
        share=np.zeros(items),
        ends=np.zeros(fillings + 1, dtype=np.int64),
        items=np.zeros(held, dtype=np.int64),
        basic=np.zeros(items, dtype=np.int64),
        names=np.zeros(items, dtype=np.int64),
        weight=np.zeros(items),
        inverse=np.zeros((items, items)),
        price=np.zeros(items),
        step=np.zeros(items),
    )


@compiled
def begin(c: Cover, n: int) -> None:
    """Cover each of the first n items by a filling of its own."""
    for i in range(n):
        c.items[i] = i
        c.ends[i + 1] = i + 1
        c.basic[i] = i
        c.weight[i] = c.share[i]
        for k in range(n):
            c.inverse[i, k] = 1.0 if i == k else 0.0


@compiled
def take_in(
    c: Cover, many: int, ends: np.ndarray, items: np.ndarray, place: np.ndarray
) -> int:
    """Add fillings as far as there is room; return how many there are then.

    Parameters
    ----------
    many
        Fillings so far.
    ends, items
        Of those to add, as in `Cover`.
    place
        Of each of these items: its number in the cover, -1 = it is left out.
    """
    for f in range(len(ends) - 1):
        end = c.ends[many]
        if many + 1 >= len(c.ends) or end + ends[f + 1] - ends[f] > len(c.items):
            return many
        for k in range(ends[f], ends[f + 1]):
            if place[items[k]] >= 0:
                c.items[end] = place[items[k]]
                end += 1
        if end > c.ends[many] + 1:
            many += 1
            c.ends[many] = end
    return many


@inner
def find_step(c: Cover, n: int, name: int) -> None:
    """Work out what each place loses as a column comes in."""
    for r in range(n):
        c.step[r] = 0.0
    if name < 0:
        for r in range(n):
            c.step[r] = -c.inverse[r, -1 - name]
        return
    for k in range(c.ends[name], c.ends[name + 1]):
        i = c.items[k]
        for r in range(n):
            c.step[r] += c.inverse[r, i]


@inner
def turn(c: Cover, n: int, row: int, name: int) -> None:
    """Put a column, whose step is known, in a place of the basis."""
    by = 1.0 / c.step[row]
    for k in range(n):
        c.inverse[row, k] *= by
    for r in range(n):
        if r != row and c.step[r] != 0.0:
            for k in range(n):
                c.inverse[r, k] -= c.step[r] * c.inverse[row, k]
    c.basic[row] = name


@inner
def clear(c: Cover, n: int) -> None:
    """Note the basis by name, and empty it: its inverse is that of nothing."""
    for r in range(n):
        c.names[r] = c.basic[r]
        c.basic[r] = -n - 1
        for k in range(n):
            c.inverse[r, k] = 1.0 if r == k else 0.0


@inner
def empty_row(c: Cover, n: int) -> int:
    """Return the empty place in which most of a column is left, -1 = nothing is."""
    row, most = -1, _SMALL
    for r in range(n):
        if c.basic[r] == -n - 1 and abs(c.step[r]) > most:
            row, most = r, abs(c.step[r])
    return row


@inner
def find_weights(c: Cover, n: int) -> None:
    """Work out the weights; an empty place is that of an item's own filling."""
    for r in range(n):
        if c.basic[r] == -n - 1:
            c.basic[r] = r
        weight = 0.0
        for k in range(n):
            weight += c.inverse[r, k] * c.share[k]
        c.weight[r] = max(weight, 0.0)


@inner
def invert(c: Cover, n: int) -> None:
    """Work the inverse and the weights out anew from the basis, a column at a time."""
    clear(c, n)
    for place in range(n):
        find_step(c, n, c.names[place])
        row = empty_row(c, n)
        if row >= 0:
            turn(c, n, row, c.names[place])
    find_weights(c, n)


@inner
def find_prices(c: Cover, n: int) -> float:
    """Work out the prices; return the sum of the weights of the fillings."""
    total = 0.0
    for k in range(n):
        c.price[k] = 0.0
    for r in range(n):
        if c.basic[r] >= 0:
            total += c.weight[r]
            for k in range(n):
                c.price[k] += c.inverse[r, k]
    return total


@inner
def find_column(c: Cover, n: int, many: int, cursor: int) -> tuple[int, int, bool]:
    """Return a column that comes in, where to look on, and whether there is one.

    Parameters
    ----------
    cursor
        Filling to look at first.
    """
    most, name = _NOISE * 10.0, 0
    for i in range(n):
        if -c.price[i] > most:
            most, name = -c.price[i], -1 - i
    looked, found = 0, most > _NOISE * 10.0
    f = cursor
    while looked < many:
        held = -1.0
        for k in range(c.ends[f], c.ends[f + 1]):
            held += c.price[c.items[k]]
        if held > most:
            most, name, found = held, f, True
        f = f + 1 if f + 1 < many else 0
        looked += 1
        if found and looked % _AT_ONCE == 0:
            break
    return name, f, found


@inner
def find_row(c: Cover, n: int) -> int:
    """Return the place that is empty first as a column comes in, -1 = none is."""
    row, least = -1, np.inf
    for r in range(n):
        if c.step[r] > _SMALL:
            ratio = c.weight[r] / c.step[r]
            tie = ratio <= least + 1e-12 and row >= 0 and c.step[r] > c.step[row]
            if ratio < least - 1e-12 or tie:
                row, least = r, min(ratio, least)
    return row


@compiled
def cheapest(c: Cover, n: int, many: int, enough: float, steps: int) -> float:
    """Return the least sum of weights with which n items are covered; set the prices.

    Parameters
    ----------
    many
        Fillings there are.
    enough
        A sum that need not be undercut.
    steps
        With more than this the sum is infinite: it is not known.
    """
    cursor = 0
    for made in range(steps):
        total = find_prices(c, n)
        if total <= enough:
            return total
        name, cursor, found = find_column(c, n, many, cursor)
        if not found:
            return total
        find_step(c, n, name)
        row = find_row(c, n)
        if row < 0:
            return np.inf
        ratio = c.weight[row] / c.step[row]
        for r in range(n):
            c.weight[r] = max(c.weight[r] - ratio * c.step[r], 0.0)
        turn(c, n, row, name)
        c.weight[row] = ratio
        if made % _RENEWED == _RENEWED - 1:
            invert(c, n)
    return np.inf
