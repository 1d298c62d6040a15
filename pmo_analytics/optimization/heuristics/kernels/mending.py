"""Kernels: what makes a plan of one that breaks rules."""

from __future__ import annotations

import numpy as np

from pmo_analytics.optimization.heuristics.kernels.arrays import (
    NOBODY,
    ZERO,
    Model,
    State,
)
from pmo_analytics.optimization.heuristics.kernels.moves import (
    all_served,
    enter,
    fits,
    sound,
    sum_up,
    take_back,
    take_out,
)
from pmo_analytics.optimization.heuristics.kernels.repacking import (
    mark_rows,
    shared_rows,
    take_out_unserved,
    unmark_rows,
)
from pmo_analytics.processes import compiled, inner


@inner
def relief_of(m: Model, s: State, k: int) -> float:
    """Return how much less limits are exceeded without an option."""
    relief = 0.0
    for i in range(m.option[k]["use_first"], m.option[k]["use_end"]):
        row, amount = m.use[i]["row"], m.use[i]["amount"]
        over = s.used[row] - m.row[row]["upper"]
        short = m.row[row]["lower"] - s.used[row]
        if over > 0 and amount > 0:
            relief += min(over, amount) * m.row[row]["scale"]
        elif short > 0 and amount < 0:
            relief += min(short, -amount) * m.row[row]["scale"]
    for i in range(m.option[k]["class_first"], m.option[k]["class_end"]):
        c = m.list[i]
        if s.opened[m.count_of[c]] > m.most[m.count_of[c]]:
            relief += 1.0 / s.holding[c]
    return relief


@compiled
def mend(m: Model, s: State) -> bool:
    """Take out what breaks limits, least worth first; return whether all rules hold.

    Who has to be in comes back in, at the start that is cheapest for others. What else
    is missing, such as a least amount, is not brought in.
    """
    sum_up(m, s)
    take_out_unserved(m, s)
    small = 1e-9 * max(abs(s.worth[0]), 1e-9)
    while True:
        worst, most = NOBODY, 0.0
        for q in range(len(m.project)):
            k = s.chosen[q]
            if k >= 0 and not m.project[q]["held"]:
                relief = relief_of(m, s, k) / max(m.option[k]["worth"], small)
                if m.project[q]["must"]:
                    relief *= 1e-12
                if relief > most:
                    worst, most = q, relief
        if worst < 0:
            break
        take_out(m, s, worst)
    # One that comes back may send another one away.
    for _ in range(3):
        for p in range(len(m.project)):
            if m.project[p]["must"] and s.chosen[p] < 0:
                make_place(m, s, p)
    return sound(m, s)


@inner
def make_place(m: Model, s: State, p: int) -> None:
    """Bring a project in at the start for which least has to leave.

    First of all few that have to be in themselves, then little worth.
    """
    first, end = m.project[p]["first"], m.project[p]["end"]
    best, fewest, top = -1, len(m.project), -np.inf
    for n in range(first, end + 1):
        # The last time it is the best of them; so it is compiled in one place.
        k = best if n == end else n
        if k < 0:
            return
        s.length[0] = 0
        many = clear(m, s, k)
        worth = s.worth[0] + m.option[k]["worth"]
        if n == end:
            enter(m, s, k)
            return
        take_back(m, s, ZERO)
        if 0 <= many < fewest or (many == fewest and worth > top):
            best, fewest, top = k, many, worth


@inner
def clear(m: Model, s: State, k: int) -> int:
    """Take out who is in the way of an option; return how many of them have to be in.

    It is -1 where that gives it no place.
    """
    missing = 0
    while not fits(m, s, k):
        many = mark_rows(m, s, k, False)
        worst, most = NOBODY, 0.0
        for q in range(len(m.project)):
            c = s.chosen[q]
            if many and c >= 0 and not m.project[q]["held"]:
                relief = shared_rows(m, s, c) / max(m.option[c]["worth"], 1e-9)
                if m.project[q]["must"]:
                    relief *= 1e-12
                if relief > most:
                    worst, most = q, relief
        unmark_rows(m, s, k)
        if worst < 0:
            return -1
        missing += m.project[worst]["must"]
        take_out(m, s, worst)
    return missing if all_served(m, s, k) else -1
