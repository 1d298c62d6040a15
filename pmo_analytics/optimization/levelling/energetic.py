"""Is there room for the work at all? Lower bounds of the end by links and by work.

A role's users need a certain amount of it inside any span of periods, wherever their
windows let them go. If they need more than there is, all cannot end in time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pmo_analytics.optimization.levelling.jobs import Jobs

# Spans whose first period is looked at, at most, for large portfolios.
_MOST_BEGINS = 60
# Places of a job without level work that are enumerated, at most.
_MOST_PLACES = 400


@dataclass(frozen=True)
class Refutation:
    """Why not all can end by some period.

    Attributes
    ----------
    role
        The role that is short, "" where links and windows alone say so.
    begin, end
        The span, its end not included.
    """

    role: str = ""
    begin: int = 0
    end: int = 0


def path_bound(jobs: Jobs) -> int:
    """Return the earliest end that links and windows allow; they have to agree."""
    heads = jobs.heads()
    assert heads is not None
    ends = [h + t for h, t in zip(heads, jobs.tails(), strict=True)]
    return max([jobs.fixed_finish, *ends])


def refute(jobs: Jobs, finish: int) -> Refutation | None:
    """Return why the jobs cannot all end by `finish`; None where nothing shows."""
    heads = jobs.heads()
    if heads is None or finish < path_bound(jobs):
        return Refutation()
    head = np.array(heads)
    last = np.minimum(np.array(jobs.last), finish - np.array(jobs.tails()))
    if (last < head).any():
        return Refutation()
    length = np.array(jobs.duration)
    horizon = min(finish, jobs.periods)
    for role, shift, width in jobs.fields:
        mask = (1 << width) - 1
        room = np.array([free >> shift & mask for free in jobs.free[:horizon]])
        cumulated = np.concatenate([[0], np.cumsum(room)])
        level, others = [], []
        amount = []
        for j, own in enumerate(jobs.demand):
            parts = [(k, packed >> shift & mask) for k, packed in own]
            parts = [(k, units) for k, units in parts if units]
            if not parts:
                continue
            if len(parts) == length[j] and len({units for _, units in parts}) == 1:
                level.append(j)
                amount.append(parts[0][1])
            elif last[j] - head[j] < _MOST_PLACES:
                others.append(_loads(parts, int(head[j]), int(last[j]), horizon))
        begins = np.unique(np.concatenate([head[level], last[level], [0]]))
        begins = begins[(begins >= 0) & (begins < horizon)]
        if len(begins) > _MOST_BEGINS:
            begins = begins[:: -(-len(begins) // _MOST_BEGINS)]
        found = _short(
            begins,
            head[level],
            last[level],
            length[level],
            np.array(amount, dtype=np.int64),
            others,
            cumulated,
        )
        if found is not None:
            return Refutation(role, *found)
    return None


def _loads(
    parts: list[tuple[int, int]], head: int, last: int, horizon: int
) -> np.ndarray:
    """Return the load before each period, one row per start."""
    loads = np.zeros((last - head + 1, horizon + 1), dtype=np.int64)
    for row, start in enumerate(range(head, last + 1)):
        for k, units in parts:
            if start + k < horizon:
                loads[row, start + k + 1] += units
    return np.cumsum(loads, axis=1)


def _short(
    begins: np.ndarray,
    head: np.ndarray,
    last: np.ndarray,
    length: np.ndarray,
    amount: np.ndarray,
    others: list[np.ndarray],
    room: np.ndarray,
) -> tuple[int, int] | None:
    """Return a span whose work exceeds its room, the one that does so most."""
    ends = np.arange(len(room))
    worst, found = 0, None
    for begin in begins.tolist():
        early = np.clip(head + length - begin, 0, length)[:, None]
        late = np.clip(ends[None, :] - last[:, None], 0, length[:, None])
        inside = np.minimum(np.minimum(early, late), np.maximum(ends - begin, 0))
        need = amount @ inside if len(amount) else np.zeros(len(ends), dtype=np.int64)
        for loads in others:
            need = need + (loads - loads[:, begin : begin + 1]).min(axis=0).clip(0)
        excess = np.where(ends > begin, need - (room - room[begin]), 0)
        top = int(excess.argmax())
        if excess[top] > worst:
            worst, found = int(excess[top]), (begin, top)
    return found
