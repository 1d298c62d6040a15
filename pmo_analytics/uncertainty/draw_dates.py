"""Dates, load and worth of a plan in every draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pmo_analytics.rules import stretched, stretched_length
from pmo_analytics.uncertainty.draw_factors import Factors
from pmo_analytics.uncertainty.draw_model import Link, Model

# Later than anything: the term of a link that no won project serves.
NEVER = np.int64(1) << 40


@dataclass(frozen=True)
class Dates:
    """When projects start and end in some draws, (P, D); ends are exclusive.

    Attributes
    ----------
    gone
        Periods that lie behind before the horizon, (P,).
    pushes
        (link, member that serves it, draws without slack, draws pushed later).
    """

    start: np.ndarray
    end: np.ndarray
    won: np.ndarray
    gone: np.ndarray
    pushes: list[tuple[Link, np.ndarray, np.ndarray, np.ndarray]]


def add_load(
    load: np.ndarray,
    profile: np.ndarray,
    used: Sequence[int],
    begin: np.ndarray,
    long: np.ndarray,
    amount: np.ndarray,
    *,
    keep: str = "effort",
    laid: dict[int, np.ndarray] | None = None,
) -> None:
    """Add one project to the load of every draw, each at its dates.

    Parameters
    ----------
    load
        (roles, periods, draws), changed in place.
    profile
        FTE by offset and used role, as planned.
    used
        Numbers of the roles.
    begin, long
        First period and number of periods in each draw.
    amount
        Factor on the FTE in each draw, or one row for each used role.
    keep
        As in `stretched`.
    laid
        Length -> stretched profile, where it was worked out before; filled here.
    """
    laid = {} if laid is None else laid
    if not len(profile) or not len(begin):
        return
    first, last = int(begin.min()), int(begin.max())
    low, high = max(first, 0), min(int((begin + long).max()), load.shape[1])
    if low >= high:
        return
    # One row for each length, with nothing on both sides for draws that have not
    # begun or are over.
    lengths = np.flatnonzero(np.bincount(long))
    before = max(last - low, 0)
    width = before + max(int(lengths[-1]), high - first)
    rows = np.zeros((len(used), len(lengths), width))
    place = np.zeros(int(lengths[-1]) + 1, dtype=np.int64)
    for at, length in enumerate(lengths.tolist()):
        place[length] = at
        if length:
            if length not in laid:
                laid[length] = stretched(profile, length, keep=keep).T
            rows[:, at, before : before + length] = laid[length]
    index = (place[long] * width + before - begin)[None, :] + np.arange(low, high)[
        :, None
    ]
    for k, role in enumerate(used):
        own = amount[k] if amount.ndim == 2 else amount
        load[role, low:high] += rows[k].ravel()[index] * own


def _waiting(model: Model, planned: np.ndarray, chosen: np.ndarray) -> list[Link]:
    """Return links of chosen projects, what is waited for first, without cycles.

    Within a cycle (legal where its lags are negative) a link from a later start to an
    earlier one does not push.
    """
    links = []
    for link in model.links:
        members = tuple(m for m in link.members if chosen[m])
        if chosen[link.project] and members:
            links.append(Link(link.project, members, link.kind, link.lag))
    if not links:
        return []
    n = len(model.names)
    ring = model.rings

    def forward(member: int, project: int) -> bool:
        before = (planned[member], member) < (planned[project], project)
        return bool(ring[member] != ring[project] or before)

    kept = []
    for link in links:
        members = tuple(m for m in link.members if forward(m, link.project))
        if members:
            kept.append(Link(link.project, members, link.kind, link.lag))
    depth = np.zeros(n, dtype=np.int64)
    for _ in range(n):
        before = depth.copy()
        for link in kept:
            deepest = max(depth[m] for m in link.members) + 1
            depth[link.project] = max(depth[link.project], deepest)
        if (depth == before).all():
            break
    return sorted(kept, key=lambda link: int(depth[link.project]))


def _taking_place(model: Model, chosen: np.ndarray, won: np.ndarray) -> np.ndarray:
    """Return what is won and has what it requires, directly or through others.

    What is tied by `all_or_none` takes place together or not at all.
    """
    result = won & chosen[:, None]
    if won.all():
        return result  # what a plan requires is in it
    while True:
        count = int(result.sum())
        for link in model.links:
            members = [m for m in link.members if chosen[m]]
            if members:
                result[link.project] &= result[members].any(axis=0)
        for tie in model.ties:
            members = [m for m in tie if chosen[m]]
            if members:
                result[members] &= result[members].all(axis=0)
        if int(result.sum()) == count:
            return result


def follow(
    model: Model,
    starts: Mapping[str, int],
    factors: Factors,
    *,
    lengths: dict[bytes, np.ndarray] | None = None,
) -> Dates:
    """Return when the projects of a plan start and end in every draw.

    A project that waits for another starts when planned, or as much later as what it
    waits for forces it to (right shift); nothing starts earlier. Where the plan itself
    breaks a link, the distance of the plan is kept. Upper limits of lags and blackouts
    do not stop a late project.

    Parameters
    ----------
    starts
        Project -> start of the plan, periods after the first of the horizon.
    lengths
        What is left of each project in every draw, by what lies behind, where it was
        worked out before; filled here.
    """
    names = model.names
    chosen = np.array([name in starts for name in names], dtype=bool)
    planned = np.array([starts.get(name, 0) for name in names], dtype=np.int64)
    begun = model.running | (planned < 0)
    gone = np.where(begun, np.clip(-planned, 0, model.duration), 0)
    lengths = {} if lengths is None else lengths
    key = gone.tobytes()
    if key not in lengths:
        left = (model.duration - gone)[:, None]
        lengths[key] = stretched_length(left, factors.duration)
    long = lengths[key]
    start = np.repeat(planned[:, None], factors.won.shape[1], axis=1)
    won = _taking_place(model, chosen, factors.won)
    end = start + gone[:, None] + long
    waits = []
    for link in _waiting(model, planned, chosen):
        j = link.project
        if link.kind == "selected":
            continue
        served = won[list(link.members)].any(axis=0)
        from_end = link.kind == "finish_start"
        terms = np.stack(
            [
                np.where(won[m], (end if from_end else start)[m] + link.lag, NEVER)
                for m in link.members
            ]
        )
        plan_end = planned + model.duration
        plan_term = min(
            int((plan_end if from_end else planned)[m]) + link.lag for m in link.members
        )
        who = terms.argmin(axis=0)
        term = terms.min(axis=0) - max(plan_term - int(planned[j]), 0)
        if not begun[j]:
            later = served & (term > start[j])
            start[j] = np.where(later, term, start[j])
            end[j] = start[j] + gone[j] + long[j]
            waits.append((link, np.array(link.members)[who], term, served))
    settled = []
    for link, who, term, served in waits:
        tight = served & (term == start[link.project])
        settled.append((link, who, tight, tight & (term > planned[link.project])))
    return Dates(start, end, won, gone, settled)


def load_of(model: Model, dates: Dates, factors: Factors) -> np.ndarray:
    """Return the load of every draw, (roles, periods, draws), FTE."""
    draws = dates.won.shape[1]
    load = np.zeros((len(model.roles), model.periods, draws))
    won = replace(factors, won=dates.won)
    for i in np.flatnonzero(dates.won.any(axis=1)).tolist():
        begin = dates.start[i] + dates.gone[i]
        add_load(
            load,
            model.profiles[i][dates.gone[i] :],
            model.used[i],
            begin,
            dates.end[i] - begin,
            won.amount(i, model.used[i]),
            keep=model.uncertainty.keep,
        )
    return load


def worth_of(
    model: Model, starts: Mapping[str, int], dates: Dates, factors: Factors
) -> np.ndarray:
    """Return what the plan is worth in every draw, currency.

    What a project is worth is discounted by as many more periods as it ends later than
    planned, its spend by as many as it starts later.
    """
    total = np.zeros(dates.won.shape[1])
    rate = 1.0 + model.portfolio.settings.discount
    for i, name in enumerate(model.names):
        if name not in starts:
            continue
        planned = starts[name]
        base = 0 if model.running[i] else planned
        late = dates.end[i] - (planned + model.duration[i])
        worth = model.gross[i] * factors.value[i] * rate ** -(base + late.astype(float))
        if model.cost[i]:
            moved = (dates.start[i] - planned).astype(float)
            worth = worth - model.cost[i] * rate ** -(base + moved)
        total += np.where(dates.won[i], worth, 0.0)
    return total
