"""Projects that come and go together."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.sparse import coo_array

from pmo_analytics.optimization.model.instance import TOGETHER, Options


def units_of(options: Options) -> tuple[np.ndarray, np.ndarray]:
    """Return the unit of each project, -1 where it is alone, and all members.

    All-or-none groups, and projects that require each other's selection.
    """
    unit = _connected(options)
    many = np.bincount(unit, minlength=1)
    renumber = np.where(many > 1, np.cumsum(many > 1) - 1, -1)
    own = renumber[unit]
    return own, np.flatnonzero(own >= 0)


def mates_of(options: Options) -> tuple[list[list[int]], np.ndarray]:
    """Return whom each project comes and goes with, and dependencies among those."""
    o = options
    unit = _connected(o)
    inside: dict[int, list[int]] = {}
    for p, u in enumerate(unit.tolist()):
        inside.setdefault(u, []).append(p)
    mates = [[q for q in inside[u] if q != p] for p, u in enumerate(unit.tolist())]
    targets = np.repeat(np.arange(len(o.dependency.kind)), np.diff(o.dependency.first))
    own = unit[o.dependency.project[targets]] == unit[o.dependency.target]
    among = np.bincount(targets[own], minlength=len(o.dependency.kind)) > 0
    return mates, among & (o.dependency.kind == 0)


def with_needs(options: Options, wanted: np.ndarray) -> np.ndarray:
    """Return which are wanted, may be what those wait for, or go with them."""
    o = options
    unit, _ = units_of(o)
    target = np.repeat(np.arange(len(o.dependency.kind)), np.diff(o.dependency.first))
    asker = o.dependency.project[target]
    wanted = wanted.copy()
    while True:
        before = wanted.sum()
        wanted[o.dependency.target[wanted[asker]]] = True
        wanted |= np.isin(unit, unit[wanted & (unit >= 0)])
        if wanted.sum() == before:
            return wanted


def _connected(options: Options) -> np.ndarray:
    """Return a number per project, equal for those of one unit."""
    o = options
    projects = len(o.must)
    pairs = []
    for g in np.flatnonzero(o.group.all == TOGETHER).tolist():
        members = o.group.project[o.group.first[g] : o.group.first[g + 1]].tolist()
        pairs += list(pairwise(members))
    single = np.flatnonzero(
        (o.dependency.kind == 0) & (np.diff(o.dependency.first) == 1)
    )
    asks = o.dependency.project[single], o.dependency.target[o.dependency.first[single]]
    circle = circles(*asks, projects)
    for c in np.flatnonzero(np.bincount(circle, minlength=1) > 1).tolist():
        pairs += list(pairwise(np.flatnonzero(circle == c).tolist()))
    links = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return _components(links[:, 0], links[:, 1], projects, "weak")


def circles(asking: np.ndarray, asked: np.ndarray, projects: int) -> np.ndarray:
    """Return a number per project, equal for those that ask for each other."""
    while len(asking):
        onward = np.isin(asked, asking)
        if onward.all():
            break
        asking, asked = asking[onward], asked[onward]
    return _components(asking, asked, projects, "strong")


def _components(
    tail: np.ndarray, head: np.ndarray, projects: int, connection: str
) -> np.ndarray:
    """Return the number of the component of each project in a graph of links."""
    if not len(tail):
        return np.arange(projects)
    # It loads linear algebra, and most portfolios have nothing to be connected.
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(tail)), (tail, head)), (projects, projects))
    directed = connection == "strong"
    return np.asarray(connected_components(graph, directed, connection)[1])
