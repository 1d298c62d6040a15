"""Kernels: annealing of a whole plan, with what is broken at a price.

Simulated annealing (Kirkpatrick, Gelatt and Vecchi, Science 220, 1983) over all plans:
a project moves to another start, comes in or leaves, often with a second one that
leaves or moves, since in a full plan one has to go for another to come. Every rule may
be broken at a price that rises while it cools.
"""

from __future__ import annotations

import numpy as np

from pmo_analytics.optimization.heuristics.kernels.arrays import (
    ZERO,
    Climate,
    Model,
    State,
)
from pmo_analytics.optimization.heuristics.kernels.moves import (
    broken_links,
    enter,
    keep,
    leave,
    served,
    sound,
    sum_up,
)
from pmo_analytics.processes import compiled, inner


@inner
def row_cost(m: Model, row: int, used: float, step: float) -> float:
    """Return what a sum costs by which a row is broken, before its price."""
    if used > m.row[row]["upper"]:
        return float(step + (used - m.row[row]["upper"]) * m.row[row]["scale"])
    if used < m.row[row]["lower"]:
        return float(step + (m.row[row]["lower"] - used) * m.row[row]["scale"])
    return 0.0


@inner
def cost_of_leaving(m: Model, s: State, k: int, step: float) -> float:
    """Return what is broken the more, mostly less, when an option leaves."""
    cost = 0.0
    for i in range(m.option[k]["use_first"], m.option[k]["use_end"]):
        row = m.use[i]["row"]
        used = s.used[row]
        after = used - m.use[i]["amount"]
        if (
            used > m.row[row]["upper"]
            or after < m.row[row]["lower"]
            or used < m.row[row]["lower"]
        ):
            cost += row_cost(m, row, after, step) - row_cost(m, row, used, step)
        elif after > m.row[row]["upper"]:
            cost += row_cost(m, row, after, step)
    for i in range(m.option[k]["class_first"], m.option[k]["class_end"]):
        n = m.count_of[m.list[i]]
        if s.holding[m.list[i]] == 1 and s.opened[n] > m.most[n]:
            cost -= 1.0 + step
    return cost


@inner
def cost_of_entering(m: Model, s: State, k: int, step: float, room: float) -> float:
    """Return what is broken the more when an option enters; any more than room is inf.

    What fails comes first the next time.
    """
    cost = 0.0
    for i in range(m.option[k]["class_first"], m.option[k]["class_end"]):
        n = m.count_of[m.list[i]]
        if s.holding[m.list[i]] == 0 and s.opened[n] >= m.most[n]:
            cost += 1.0 + step
    begin = m.option[k]["use_first"]
    plain = m.option[k]["plain"]
    for i in range(begin, m.option[k]["use_end"]):
        row, amount = m.use[i]["row"], m.use[i]["amount"]
        used = s.used[row]
        after = used + amount
        if plain:
            if after > m.row[row]["upper"]:
                if used > m.row[row]["upper"]:
                    cost += amount * m.row[row]["scale"]
                else:
                    cost += step + (after - m.row[row]["upper"]) * m.row[row]["scale"]
                if cost > room:
                    j = begin + (i - begin) // 2
                    m.use[i]["row"], m.use[j]["row"] = m.use[j]["row"], row
                    m.use[i]["amount"], m.use[j]["amount"] = m.use[j]["amount"], amount
                    return np.inf
        else:
            cost += row_cost(m, row, after, step) - row_cost(m, row, used, step)
    return cost if cost <= room else np.inf


@inner
def all_broken(m: Model, s: State, step: float) -> float:
    """Return what all that is broken costs, before prices."""
    cost = 0.0
    for row in range(len(s.used)):
        cost += row_cost(m, row, s.used[row], step)
    for n in range(len(s.opened)):
        cost += max(s.opened[n] - m.most[n], 0) * (1.0 + step)
    for p in range(len(s.chosen)):
        if m.project[p]["must"] and s.chosen[p] < 0:
            cost += 1.0
        k = s.chosen[p]
        if k >= 0:
            for x in range(m.project[p]["need_first"], m.project[p]["need_end"]):
                if not served(m, s, m.list[x], m.option[k]["start"]):
                    cost += 1.0
    for u in range(len(s.inside)):
        whole = m.unit[u]["end"] - m.unit[u]["first"]
        cost += min(s.inside[u], whole - s.inside[u])
    return cost


@inner
def change_of_links(m: Model, s: State, p: int, k: int, q: int, e: int) -> int:
    """Return how many links more are broken when p takes option k, and q takes e."""
    a = s.chosen[p]
    c = s.chosen[q] if q >= 0 else -1
    many = 0
    if m.project[p]["linked"]:
        many -= broken_links(m, s, p)
        _pretend(m, s, p, k)
        many += broken_links(m, s, p)
    if q >= 0 and m.project[q]["linked"]:
        many -= broken_links(m, s, q)
        _pretend(m, s, q, e)
        many += broken_links(m, s, q)
        _pretend(m, s, q, c)
    if m.project[p]["linked"]:
        _pretend(m, s, p, a)
    return many


@inner
def _pretend(m: Model, s: State, p: int, k: int) -> None:
    """Have a project at an option for those that look at links alone."""
    u = m.project[p]["unit"]
    if u >= 0:
        s.inside[u] += (1 if k >= 0 else 0) - (1 if s.chosen[p] >= 0 else 0)
    s.chosen[p] = k


@inner
def draw(
    m: Model, s: State, c: Climate, rng: np.random.Generator, pool: np.ndarray
) -> tuple[int, int]:
    """Return a project and the option it is to take, -1 = none; or nobody, -1."""
    if len(pool) and rng.random() < c.drawn:
        k = pool[int(rng.random() * len(pool))]
        p = m.option[k]["project"]
    else:
        p = int(rng.random() * len(m.project))
        many = m.project[p]["end"] - m.project[p]["first"]
        if many == 0:
            return -1, -1
        k = m.project[p]["first"] + int(rng.random() * many)
    if m.project[p]["held"]:
        return -1, -1
    if s.chosen[p] >= 0 and rng.random() < c.out:
        return p, -1
    return (p, k) if k != s.chosen[p] else (-1, -1)


@inner
def draw_second(
    m: Model,
    s: State,
    c: Climate,
    rng: np.random.Generator,
    k: int,
    movable: np.ndarray,
    many: int,
) -> tuple[int, int]:
    """Return a project at work beside an option, and where it goes; -1 = nobody."""
    p = m.option[k]["project"]
    for _ in range(4):
        q = movable[int(rng.random() * many)]
        own = s.chosen[q]
        if (
            q != p
            and m.option[own]["start"] < m.option[k]["end"]
            and m.option[k]["start"] < m.option[own]["end"]
            and m.project[p]["roles"] & m.project[q]["roles"]
        ):
            if rng.random() >= c.stays:
                return q, -1
            e = m.project[q]["first"] + int(
                rng.random() * (m.project[q]["end"] - m.project[q]["first"])
            )
            return (q, e) if e != own else (q, -1)
    return -1, -1


@inner
def hopeless(
    m: Model, s: State, c: Climate, p: int, k: int, b: int, e: int, threshold: float
) -> bool:
    """Return whether a move loses too much even if it mends all that is broken."""
    a = s.chosen[p]
    if m.project[p]["must"] and a < 0:
        return False
    gain = s.broken[0] * max(c.price, c.link) * (1.0 + 1e-6) + 1e-6 * c.price
    if a >= 0:
        gain -= m.option[a]["worth"]
    if b >= 0:
        gain -= m.option[b]["worth"]
    if k >= 0:
        gain += m.option[k]["worth"]
    if e >= 0:
        gain += m.option[e]["worth"]
    return bool(gain + threshold < 0.0)


@inner
def try_move(
    m: Model,
    s: State,
    c: Climate,
    p: int,
    k: int,
    q: int,
    e: int,
    threshold: float,
) -> bool:
    """Let p take option k, and q option e, if that loses no more than the threshold.

    An option of -1 is none, a q of -1 nobody. What leaves, leaves before it is known
    whether the rest may come.
    """
    a = s.chosen[p]
    b = s.chosen[q] if q >= 0 else -1
    if hopeless(m, s, c, p, k, b, e, threshold):
        return False
    links = change_of_links(m, s, p, k, q, e)
    missing = 0
    if m.project[p]["must"]:
        missing += (1 if a >= 0 else 0) - (1 if k >= 0 else 0)
    if q >= 0 and m.project[q]["must"] and e < 0:
        missing += 1
    before = s.worth[0]
    relief = 0.0
    if a >= 0:
        relief -= cost_of_leaving(m, s, a, c.step)
        leave(m, s, a)
    if b >= 0:
        relief -= cost_of_leaving(m, s, b, c.step)
        leave(m, s, b)
    gain = s.worth[0] - before - c.link * links - c.must * missing
    if k >= 0:
        gain += m.option[k]["worth"]
    if e >= 0:
        gain += m.option[e]["worth"]
    room = relief + (gain + threshold) / c.price
    most = room
    if k >= 0:
        room -= cost_of_entering(m, s, k, c.step, room)
    if room >= 0.0:
        if k >= 0:
            enter(m, s, k)
        if e >= 0:
            room -= cost_of_entering(m, s, e, c.step, room)
        if room >= 0.0:
            if e >= 0:
                enter(m, s, e)
            s.broken[0] += most - room - relief + links + missing
            return True
        if k >= 0:
            leave(m, s, k)
    if b >= 0:
        enter(m, s, b)
    if a >= 0:
        enter(m, s, a)
    # The plan is the one before, to the last digit.
    s.worth[0] = before
    return False


@compiled
def anneal(
    m: Model,
    s: State,
    c: Climate,
    rng: np.random.Generator,
    moves: int,
    pool: np.ndarray,
    best: np.ndarray,
    top: float,
) -> float:
    """Try some moves at one temperature; return the worth of the best plan.

    Parameters
    ----------
    pool
        Options to draw from, those that the prices like more often.
    best, top
        The best plan that keeps every rule, option by project, and its worth; changed.
    """
    sum_up(m, s)
    s.broken[0] = all_broken(m, s, c.step)
    whole = 0.5 * min(c.step, 1.0)
    movable, place = s.waiting, s.place
    many = ZERO
    for p in range(len(m.project)):
        place[p] = -1
        if s.chosen[p] >= 0 and not m.project[p]["held"]:
            movable[many], place[p] = p, many
            many += 1
    for _ in range(moves):
        p, k = draw(m, s, c, rng, pool)
        if p < 0:
            continue
        q, e = -1, -1
        if k >= 0 and many > 1 and rng.random() < c.paired:
            q, e = draw_second(m, s, c, rng, k, movable, many)
        threshold = -c.heat * np.log(rng.random() + 1e-300)
        if not try_move(m, s, c, p, k, q, e, threshold):
            continue
        many = _keep_place(s, p, movable, place, many)
        if q >= 0:
            many = _keep_place(s, q, movable, place, many)
        better = s.worth[0] > top + 1e-9 * abs(top)
        if better and s.broken[0] < whole and sound(m, s):
            top = s.worth[0]
            keep(s, best)
    return top


@inner
def _keep_place(
    s: State, p: int, movable: np.ndarray, place: np.ndarray, many: int
) -> int:
    """Keep the list of projects that are in; return how many there are."""
    if s.chosen[p] >= 0 and place[p] < 0:
        movable[many], place[p] = p, many
        return many + 1
    if s.chosen[p] < 0 and place[p] >= 0:
        last = movable[many - 1]
        movable[place[p]], place[last] = last, place[p]
        place[p] = -1
        return many - 1
    return many
