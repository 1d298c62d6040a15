"""Cuts of a similar model, as far as they hold for this one.

A clique keeps the starts that still clash; a cut of a limited row keeps its counts and
gets the most of them that fits into the row as it is now. A stretch is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pmo_analytics.optimization.bounds.cut_loop import Cut, clique_cut, rows_of_cuts
from pmo_analytics.optimization.model.instance import Options

# Rows with more room than this, in units of what is used, are left alone.
_MOST_STATES = 6_000
# Amounts are counted in millionths of the row's unit, rounded down: then more fits,
# never less.
_UNITS = 1e6
# What each option of a project uses and counts, and whether one must be selected.
_Group = tuple[list[int], list[int], bool]


def renewed(
    options: Options, cuts: Sequence[Cut], graph: np.ndarray | None
) -> list[Cut | None]:
    """Return each cut as it holds for these options, None where nothing is left.

    Parameters
    ----------
    graph
        Which options exclude each other; without it no clique is renewed.
    """
    counts = rows_of_cuts(options, cuts)
    found: list[Cut | None] = []
    for number, cut in enumerate(cuts):
        inside = slice(counts.indptr[number], counts.indptr[number + 1])
        columns, count = counts.indices[inside], counts.data[inside]
        if cut.length > 1:
            found.append(None)  # it counts starts of the model that it is of
        elif cut.resource is None:
            found.append(_clique(options, graph, np.sort(columns)))
        else:
            found.append(_row(options, cut, columns, count))
    return found


def _clique(
    options: Options, graph: np.ndarray | None, columns: np.ndarray
) -> Cut | None:
    if graph is None or not len(columns):
        return None
    # Who clashes with most others stays first.
    near = graph[np.ix_(columns, columns)]
    order = np.argsort(-near.sum(axis=1), kind="stable")
    kept: list[int] = []
    for place in order.tolist():
        if near[place, kept].all():
            kept.append(place)
    columns = np.sort(columns[kept])
    if len(np.unique(options.project[columns])) < 2:
        return None
    return clique_cut(options, columns)


def _row(
    options: Options, cut: Cut, columns: np.ndarray, count: np.ndarray
) -> Cut | None:
    most = most_counted(options, int(cut.resource or 0), columns, count)
    if most is None:
        return None
    largest = np.zeros(len(options.must))
    np.maximum.at(largest, options.project[columns], count)
    if largest.sum() <= most:
        return None  # it cuts nothing off
    return Cut(cut.resource, cut.members, most)


def most_counted(
    options: Options, resource: int, columns: np.ndarray, count: np.ndarray
) -> int | None:
    """Return the most that options which fit into a limited row can count.

    Parameters
    ----------
    columns, count
        Options that count, and how much each; all others count nothing.

    Returns
    -------
    int
        None where that takes too long to find out, or amounts are negative.
    """
    o = options
    limit = float(o.limit[resource])
    if not np.isfinite(limit):
        return None
    per = _UNITS / float(o.unit[resource])
    counted = np.zeros(len(o.project), dtype=np.int64)
    counted[columns] = np.round(count).astype(np.int64)
    used = _used(options, resource, per)
    if used is None:
        return None
    room = int(np.floor((limit + float(o.slack[resource])) * per + 1e-3))
    members = np.unique(np.concatenate([o.project[columns], np.flatnonzero(o.must)]))
    # What must be selected takes its least from the room, whatever it counts.
    groups: list[_Group] = []
    for p in members.tolist():
        span = slice(int(o.first[p]), int(o.first[p + 1]))
        weight, count_of, must = used[span], counted[span], bool(o.must[p])
        if not len(weight):
            return None
        if must:
            room -= int(weight.min())
            weight = weight - weight.min()
        if count_of.any():
            groups.append((weight.tolist(), count_of.tolist(), must))
    if room < 0:
        return None
    step = int(np.gcd.reduce([w for weight, _, _ in groups for w in weight] or [0]))
    room = min(room, sum(max(weight) for weight, _, _ in groups)) // max(step, 1)
    if room > _MOST_STATES:
        return None
    return _most_within(room, max(step, 1), groups)


def _used(options: Options, resource: int, per: float) -> np.ndarray | None:
    """Return units of a limited row that each option uses; None of negative ones."""
    o = options
    entries = np.flatnonzero(o.use.row == resource)
    owner = np.searchsorted(o.use.first, entries, side="right") - 1
    used = np.zeros(len(o.project), dtype=np.int64)
    if len(entries) and o.use.amount[entries].min() < 0:
        return None
    used[owner] = np.floor(o.use.amount[entries] * per + 1e-3).astype(np.int64)
    return used


def _most_within(room: int, step: int, groups: list[_Group]) -> int:
    """Return the most that one choice of each group counts within room, in steps."""
    table = np.zeros(room + 1, dtype=np.int64)
    for weights, counts, must in groups:
        units = [w // step for w in weights]
        if must:
            # It is selected: at no start it counts less than at its least one.
            least = min(counts)
            table = _add_group(table, units, [c - least for c in counts]) + least
        else:
            table = _add_group(table, units, counts)
    return int(table[-1])


def _add_group(
    table: np.ndarray, weights: list[int], counts: list[float] | list[int]
) -> np.ndarray:
    """Return the most that fits into each room once one more project may choose."""
    result = table.copy()
    for weight, count in zip(weights, counts, strict=True):
        if count > 0 and weight < len(table):
            part = result[weight:]
            np.maximum(part, table[: len(table) - weight] + count, out=part)
    return result
