"""Cuts of a stretch, proved: what fits into one role in some periods on end.

Project by project all ways to fill the stretch are gone through at once: of those that
leave the same room only the one that counts most goes on, and only as long as the
projects to come could still lift it above what the cut allows. If none gets there, the
cut holds. All numbers are whole units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.checker.proofs.cut_reading import Cut, named_project
from pmo_analytics.optimization.checker.proofs.work import Work
from pmo_analytics.optimization.checker.question import Question

# Room, table cells and ways at once beyond which a cut is not used.
_MOST_ROOM = 2**40
_MOST_CELLS = 20_000_000
_MOST_WAYS = 200_000
_NEVER = 2**61


def counts_by_start(question: Question, cut: Cut) -> dict[str, list[int]]:
    """Return what each allowed start counts: as the latest start given up to it.

    Raises
    ------
    ConfigError
        If a member is no project, or stands twice with one start.
    """
    steps: dict[str, dict[int, int]] = {}
    for name, start, count in cut.members:
        named_project(question, name)
        own = steps.setdefault(name, {})
        if int(start) in own:
            raise ConfigError(f"'{name}' stands twice with the start {start}.")
        own[int(start)] = int(count)
    counts = {}
    for name, own in steps.items():
        project = question.projects[name]
        if project.state == "live" and project.allowed:
            ordered = sorted(own.items(), reverse=True)
            counts[name] = [
                next((n for first, n in ordered if first <= s), 0)
                for s in project.allowed
            ]
    return counts


def stretch_holds(
    question: Question,
    uses: Sequence[Mapping[str, Sequence[int]]],
    room: Sequence[int],
    counts: Mapping[str, Sequence[int]],
    at_most: int,
    work: Work,
) -> bool:
    """Return whether no choice that fits into every period counts more than at most.

    Parameters
    ----------
    uses
        Of each period, what each allowed start of each project uses, in units.
    room
        Units of each period.
    """
    if max(room) > _MOST_ROOM:
        return False
    if any(min(used) < 0 for period in uses for used in period.values()):
        return False  # one project could make room for another
    left = np.array(room, dtype=object)
    projects: list[tuple[np.ndarray, np.ndarray]] = []
    for name in uses[0]:
        own = counts.get(name)
        counted = own is not None and any(own)
        must = bool(question.projects[name].why)
        if not counted and not must:
            continue
        use = np.array([period[name] for period in uses], dtype=object).T
        if not work.take(use.size):
            return False
        if counted:
            projects.append(_ways(use, np.array(own), left, must))
        else:
            left = left - use.min(axis=0)
    if (left < 0).any():
        return False
    # What takes most room goes first: then little is left to tell ways apart by.
    projects.sort(key=lambda ways: -int(ways[0].sum(axis=1).max(initial=0)))
    projects = [(_with_sums(use), count) for use, count in projects]
    return _never_more(projects, _with_sums(left.astype(np.int64)), at_most, work)


def _ways(
    use: np.ndarray, count: np.ndarray, room: np.ndarray, must: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the ways to choose a project use, and count.

    One that uses no less than another in any period and counts no more is left out.
    """
    if not must:
        use = np.vstack([use, np.zeros(use.shape[1], dtype=object)])
        count = np.append(count, 0)
    fits = (use <= room).all(axis=1)
    rows = np.column_stack([use, count])[fits]
    kinds = sorted(set(map(tuple, rows.tolist())))
    table = np.array(kinds, dtype=np.int64).reshape(len(kinds), use.shape[1] + 1)
    least, most = table[:, :-1], table[:, -1]
    kept = np.ones(len(kinds), dtype=bool)
    for way in range(len(kinds)):
        if kept[way]:
            worse = (least >= least[way]).all(axis=1) & (most <= most[way])
            worse[way] = False
            kept &= ~worse
    return least[kept], most[kept]


def _with_sums(use: np.ndarray) -> np.ndarray:
    """Return uses by period, and after them the sums of each half and of all.

    What fits into every period fits into their sum, which at times says more.
    """
    half = use.shape[-1] // 2
    early, late = use[..., :half].sum(axis=-1), use[..., half:].sum(axis=-1)
    sums = np.stack([early, late, early + late], axis=-1)
    return np.concatenate([use, sums], axis=-1)


def _never_more(
    projects: list[tuple[np.ndarray, np.ndarray]],
    room: np.ndarray,
    at_most: int,
    work: Work,
) -> bool:
    periods, goal = len(room), at_most + 1
    if periods * (goal + 1) * (len(projects) + 1) > _MOST_CELLS:
        return False
    least = _least(projects, periods, goal, work)
    if least is None:
        return False
    left, counted = room[None, :], np.zeros(1, dtype=np.int64)
    for (use, count), to_come in zip(projects, least[1:], strict=True):
        if not work.take(500 + len(left) * len(use) * periods // 4):
            return False
        after = (left[:, None, :] - use[None, :, :]).reshape(-1, periods)
        sums = (counted[:, None] + count[None, :]).ravel()
        fits = (after >= 0).all(axis=1)
        after, sums = after[fits], sums[fits]
        needed = to_come[:, np.maximum(goal - sums, 0)].T
        could = (needed <= after).all(axis=1)
        left, counted = _best(after[could], sums[could], room)
        if not len(left):
            return True
        if len(left) > _MOST_WAYS:
            return False
    return False


def _least(
    projects: list[tuple[np.ndarray, np.ndarray]], periods: int, goal: int, work: Work
) -> list[np.ndarray] | None:
    """Return, for the projects from each place on, the least use by count and period.

    Each is (periods and sums, goal + 1): what is used at least to count so much or
    more.
    """
    last = np.full((periods, goal + 1), _NEVER, dtype=np.int64)
    last[:, 0] = 0
    tables = [last]
    for use, count in reversed(projects):
        if not work.take(len(use) * (100 + periods * goal // 50)):
            return None
        before, now = tables[-1], np.full_like(last, _NEVER)
        for used, n in zip(use, np.minimum(count, goal).tolist(), strict=True):
            rest = before[:, np.maximum(np.arange(goal + 1) - n, 0)]
            np.minimum(now, rest + used[:, None], out=now)
        tables.append(np.minimum(now, _NEVER))
    return tables[::-1]


def _best(
    left: np.ndarray, counted: np.ndarray, room: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return of the ways that leave the same room the one that counts most."""
    code, size = np.zeros(len(left), dtype=np.int64), 1
    for d, units in enumerate(room.tolist()):
        if size * (units + 1) >= 2**62:
            kinds, code = np.unique(code, return_inverse=True)
            size = len(kinds)
        code = code * (units + 1) + left[:, d]
        size *= units + 1
    order = np.lexsort((-counted, code))
    code = code[order]
    first = np.ones(len(code), dtype=bool)
    first[1:] = code[1:] != code[:-1]
    return left[order][first], counted[order][first]
