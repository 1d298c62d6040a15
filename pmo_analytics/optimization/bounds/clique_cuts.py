"""Cuts of cliques: starts of which no two fit into one plan.

Two starts clash where together they need more of one limited thing than there is, where
one project requires the other and the dates do not agree, or where a group lets only
one of its members in. Of starts that all clash with each other a plan has one at most,
which the rows of the model, each by itself, do not say.
"""

from __future__ import annotations

import numpy as np

from pmo_analytics.optimization.model.instance import Options

# The clashes of more options than this take too much memory: a byte a pair.
MOST_OPTIONS = 8_000
# Clashing takes this share more than the slack, so that the exact check agrees.
_MARGIN = 1.001
_NOISE = 1e-6
# A cut has to be violated by this much.
_VIOLATED = 5e-3
# Cuts taken in one round, the most violated ones.
_MOST_CUTS = 150


def clashes(options: Options) -> np.ndarray:
    """Return which options exclude each other, (N, N)."""
    found: np.ndarray = options.project[:, None] == options.project[None, :]
    alone = np.diff(options.first) == 1
    fixed = (options.must & alone)[options.project]
    owner = options.use_option()
    taken = np.bincount(
        options.use.row[fixed[owner]],
        options.use.amount[fixed[owner]],
        minlength=len(options.limit),
    )
    room = options.limit - taken
    order = np.argsort(options.use.row, kind="stable")
    order = order[~fixed[owner[order]]]
    begin = np.searchsorted(options.use.row[order], np.arange(len(room) + 1))
    for resource in np.flatnonzero(np.isfinite(room)).tolist():
        entry = order[begin[resource] : begin[resource + 1]]
        if not len(entry):
            continue
        use, who = options.use.amount[entry], owner[entry]
        most = room[resource] + _MARGIN * options.slack[resource]
        big = np.flatnonzero(use + use.max() > most)
        both = use[big][:, None] + use[None, :] > most
        found[np.ix_(who[big], who)] |= both
        found[np.ix_(who, who[big])] |= both.T
    _add_dependencies(options, found)
    _add_groups(options, found)
    np.fill_diagonal(found, False)
    return found


def _add_dependencies(options: Options, found: np.ndarray) -> None:
    o = options
    for d, j in enumerate(o.dependency.project.tolist()):
        target = o.dependency.first[d]
        if not o.dependency.kind[d] or o.dependency.first[d + 1] - target != 1:
            continue
        i = int(o.dependency.target[target])
        mine, theirs = slice(*o.first[j : j + 2]), slice(*o.first[i : i + 2])
        lag = o.start[mine][:, None] - o.start[theirs][None, :]
        wrong = (lag < o.dependency.lag[target]) | (lag > o.dependency.lag_max[target])
        found[mine, theirs] |= wrong
        found[theirs, mine] |= wrong.T


def _add_groups(options: Options, found: np.ndarray) -> None:
    o = options
    for g in np.flatnonzero((o.group.all == 0) & (o.group.most <= 1)).tolist():
        members = o.group.project[o.group.first[g] : o.group.first[g + 1]]
        inside = np.flatnonzero(np.isin(o.project, members))
        found[np.ix_(inside, inside)] = True


def separate(
    graph: np.ndarray, x: np.ndarray, reduced: np.ndarray
) -> list[tuple[int, ...]]:
    """Return cliques that a relaxation exceeds, the most violated ones first.

    Parameters
    ----------
    graph
        Which options exclude each other.
    x
        Value of each option in the relaxation.
    reduced
        Its reduced worth; what is closest to coming in joins first.
    """
    support = np.flatnonzero(x > _NOISE)
    near, share = graph[np.ix_(support, support)], x[support]
    cliques: set[tuple[int, ...]] = set()
    for first in np.flatnonzero(share < 1 - _NOISE).tolist():
        for ahead in (False, True):
            clique = _grown(near, share, first, ahead)
            if share[clique].sum() > 1 + _VIOLATED:
                cliques.add(tuple(sorted(support[clique].tolist())))
    order = np.argsort(-reduced, kind="stable")
    full = {_completed(graph, clique, order) for clique in cliques}
    ranked = sorted(full, key=lambda clique: (-x[list(clique)].sum(), clique))
    return ranked[:_MOST_CUTS]


def _grown(near: np.ndarray, share: np.ndarray, first: int, ahead: bool) -> list[int]:
    """Return a clique; looking ahead, by what a choice leaves to be chosen."""
    clique, candidates = [first], near[first]
    while candidates.any():
        left = np.flatnonzero(candidates)
        score = share[left]
        if ahead:
            score = score + near[np.ix_(left, left)] @ share[left]
        best = int(left[np.argmax(score)])
        clique.append(best)
        candidates = candidates & near[best]
    return clique


def _completed(
    graph: np.ndarray, clique: tuple[int, ...], order: np.ndarray
) -> tuple[int, ...]:
    """Return a maximal clique that holds this one."""
    candidates = graph[list(clique)].all(axis=0)
    full = list(clique)
    left = order[candidates[order]]
    while len(left):
        full.append(int(left[0]))
        left = left[graph[left[0], left]]
    return tuple(sorted(full))
