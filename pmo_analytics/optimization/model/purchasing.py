"""The cheapest purchases that let a choice of projects work.

The searches choose projects; what has to be bought for a choice follows from it. Where
everything is sold period by period the cheapest offer comes first; with hires, who
stay, it is a small linear program per role.

Amounts are rounded up, to 1e-9 FTE: the limit of people may have what the exact check
grants in it already (see `grain.people_grain`), so that nothing may be missing.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from pmo_analytics.optimization.model.instance import Options, Purchases
from pmo_analytics.tolerance import ROUNDING, TOLERANCE

# What may be missing where all of the tolerance is granted beyond the limit.
_NEGLIGIBLE = TOLERANCE / 2
# Amounts are bought in parts of 1 FTE, so many.
_PARTS = 1e9
# What floats may be off by, of a part, where an amount is of whole parts.
_SAME = 1e-3
# What a sum of uses may be off by, as a share of it.
_NOISE = 16 * ROUNDING


def value_of(options: Options, chosen: np.ndarray) -> float:
    """Return the objective of a choice: its worth less the cheapest purchases.

    -inf where no purchases make it work.
    """
    worth = math.fsum(options.worth[chosen])
    if not len(options.buy.resource):
        return worth
    bought = cheapest(options, chosen)
    return -np.inf if bought is None else worth - float(options.buy.cost @ bought)


def cheapest(options: Options, chosen: np.ndarray) -> np.ndarray | None:
    """Return the FTE to buy of each column at least cost; None where that fails."""
    o = options
    bought = np.zeros(len(o.buy.resource))
    used = np.zeros(len(o.limit))
    for k in np.asarray(chosen).tolist():
        rows, amounts = o.uses(k)
        used[rows] += amounts
    roles, periods, _ = o.sizes.tolist()
    cells = roles * periods
    used, limit, slack = used[:cells], o.limit[:cells], o.slack[:cells]
    short = used - limit
    noise = _NOISE * used
    # What has no common part has no next sum, and floats may be off either way; of
    # the rest only a sum of parts is needed, and no less than that.
    need = np.where(short > slack, short + np.where(slack > noise, -noise, noise), 0.0)
    spare = np.where(slack < TOLERANCE, noise, _NEGLIGIBLE)
    for role in np.unique(np.flatnonzero(need) // periods).tolist():
        own = slice(role * periods, (role + 1) * periods)
        columns = np.flatnonzero(o.buy.resource // periods == role)
        covering = _cover(o, columns, need[own], spare[own])
        if covering is None:
            return None
        bought[columns] = covering
    return bought


def round_up(fte: np.ndarray | float) -> np.ndarray:
    """Return amounts in whole parts of FTE that can be bought, none of them less."""
    return np.asarray(np.ceil(np.asarray(fte) * _PARTS - _SAME) / _PARTS)


def _cover(
    o: Options, columns: np.ndarray, need: np.ndarray, spare: np.ndarray
) -> np.ndarray | None:
    """Return the cheapest amounts of the columns of one role that cover its need.

    None where they fall short of it by more than may be spared.
    """
    own = o.buy.only(columns)
    first = own.resource % len(need)
    last = first + own.length - 1
    there = most_bought(len(need), replace(own, resource=first))
    if (need - there > spare).any():
        return None
    # The last part of an FTE may be more than there is.
    need = np.minimum(np.ceil(need * _PARTS) / _PARTS, there)
    hires = bool((own.joint >= 0).any())
    found = (
        _with_hires(o, columns, first, last, need)
        if hires
        else _period_by_period(o, columns, first, need)
    )
    if found is None:
        return None
    amounts = _within_most(o, columns, round_up(found))
    covered = np.zeros(len(need))
    for a, b, amount in zip(first, last, amounts, strict=True):
        covered[a : b + 1] += amount
    return amounts if (need - covered <= spare).all() else None


def _within_most(o: Options, columns: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """Return amounts without what an offer does not have, of a hire at the end."""
    amounts = np.minimum(amounts, o.buy.most[columns])
    joint = o.buy.joint[columns]
    for hire in np.unique(joint[joint >= 0]).tolist():
        own = np.flatnonzero(joint == hire)
        most = float(o.buy.most[columns[own[0]]])
        on_board = np.minimum(np.cumsum(amounts[own]), most)
        amounts[own] = np.diff(on_board, prepend=0.0)
    return amounts


def _period_by_period(
    o: Options, columns: np.ndarray, first: np.ndarray, need: np.ndarray
) -> np.ndarray:
    amounts = np.zeros(len(columns))
    left = need.copy()
    for i in np.argsort(o.buy.cost[columns], kind="stable").tolist():
        amounts[i] = min(left[first[i]], o.buy.most[columns[i]])
        left[first[i]] -= amounts[i]
    return amounts


def _with_hires(
    o: Options,
    columns: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    need: np.ndarray,
) -> np.ndarray | None:
    from scipy.optimize import linprog

    time = np.arange(len(need))[:, None]
    cover = ((time >= first) & (time <= last)).astype(float)
    wanted = need > 0
    joint = o.buy.joint[columns]
    hires = np.unique(joint[joint >= 0])
    together = (joint == hires[:, None]).astype(float)
    most = np.array([o.buy.most[columns[joint == h]][0] for h in hires])
    answer = linprog(
        o.buy.cost[columns],
        A_ub=np.vstack([-cover[wanted], together]),
        b_ub=np.concatenate([-need[wanted], most]),
        bounds=np.column_stack([np.zeros(len(columns)), o.buy.most[columns]]),
        method="highs",
        # Below a part, so that rounding up makes good what it leaves open.
        options={"primal_feasibility_tolerance": 1e-10},
    )
    return np.asarray(answer.x) if answer.status == 0 else None


def most_bought(resources: int, buy: Purchases) -> np.ndarray:
    """Return the most that columns can add to each thing, (M,)."""
    added = np.zeros(resources)
    seen: set[int] = set()
    for a, n, hire, amount in zip(
        buy.resource.tolist(),
        buy.length.tolist(),
        buy.joint.tolist(),
        buy.most.tolist(),
        strict=True,
    ):
        # The first column of a hire covers what the others do.
        if hire in seen:
            continue
        if hire >= 0:
            seen.add(hire)
        added[a : a + n] += amount
    return added


def with_room_of(options: Options, chosen: np.ndarray) -> Options:
    """Return the options with limits raised by what a choice has to buy.

    Searches that know no purchases go on in that room, its cost being paid.
    """
    bought = cheapest(options, chosen)
    limit = options.limit.copy()
    if bought is not None:
        for i in np.flatnonzero(bought).tolist():
            a = int(options.buy.resource[i])
            limit[a : a + int(options.buy.length[i])] += bought[i]
    return replace(options, limit=limit, buy=Purchases())
