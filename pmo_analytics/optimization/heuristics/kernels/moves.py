"""Kernels: options that come into a plan and leave it, and what that breaks."""

from __future__ import annotations

import numpy as np

from pmo_analytics.optimization.heuristics.kernels.arrays import Model, State
from pmo_analytics.processes import compiled, inner


@inner
def enter(m: Model, s: State, k: int) -> None:
    """Add an option to the plan, whatever that breaks."""
    for i in range(m.option[k]["use_first"], m.option[k]["use_end"]):
        s.used[m.use[i]["row"]] += m.use[i]["amount"]
    for i in range(m.option[k]["class_first"], m.option[k]["class_end"]):
        c = m.list[i]
        if s.holding[c] == 0:
            s.opened[m.count_of[c]] += 1
        s.holding[c] += 1
    p = m.option[k]["project"]
    if m.project[p]["unit"] >= 0:
        s.inside[m.project[p]["unit"]] += 1
    s.chosen[p] = k
    s.worth[0] += m.option[k]["worth"]


@inner
def leave(m: Model, s: State, k: int) -> None:
    """Take an option out of the plan."""
    for i in range(m.option[k]["use_first"], m.option[k]["use_end"]):
        s.used[m.use[i]["row"]] -= m.use[i]["amount"]
    for i in range(m.option[k]["class_first"], m.option[k]["class_end"]):
        c = m.list[i]
        s.holding[c] -= 1
        if s.holding[c] == 0:
            s.opened[m.count_of[c]] -= 1
    p = m.option[k]["project"]
    if m.project[p]["unit"] >= 0:
        s.inside[m.project[p]["unit"]] -= 1
    s.chosen[p] = -1
    s.worth[0] -= m.option[k]["worth"]


@inner
def sum_up(m: Model, s: State) -> None:
    """Add up anew what the options chosen use."""
    for row in range(len(s.used)):
        s.used[row] = 0.0
    for u in range(len(s.inside)):
        s.inside[u] = 0
    for c in range(len(s.holding)):
        s.holding[c] = 0
    for n in range(len(s.opened)):
        s.opened[n] = 0
    s.worth[0] = 0.0
    s.length[0] = 0
    for p in range(len(s.chosen)):
        if s.chosen[p] >= 0:
            enter(m, s, s.chosen[p])


@inner
def keep(s: State, best: np.ndarray) -> None:
    """Keep the plan as the best one."""
    for p in range(len(s.chosen)):
        best[p] = s.chosen[p]


@inner
def note(s: State, p: int) -> None:
    """Keep the option of a project, to come back to."""
    n = s.length[0]
    s.log[n]["project"] = p
    s.log[n]["before"] = s.chosen[p]
    s.length[0] = n + 1


@inner
def take_back(m: Model, s: State, length: int) -> None:
    """Undo what was noted after so many changes."""
    for n in range(s.length[0] - 1, length - 1, -1):
        p = s.log[n]["project"]
        if s.chosen[p] >= 0:
            leave(m, s, s.chosen[p])
        if s.log[n]["before"] >= 0:
            enter(m, s, s.log[n]["before"])
    s.length[0] = length


@inner
def fits(m: Model, s: State, k: int) -> bool:
    """Return whether an option breaks no row and no count; one that is not in.

    What fails comes first the next time, so that most answers take one look.
    """
    begin = m.option[k]["use_first"]
    for i in range(begin, m.option[k]["use_end"]):
        row, amount = m.use[i]["row"], m.use[i]["amount"]
        after = s.used[row] + amount
        if (amount > 0 and after > m.row[row]["upper"]) or (
            amount < 0 and after < m.row[row]["lower"]
        ):
            j = begin + (i - begin) // 2
            m.use[i]["row"], m.use[j]["row"] = m.use[j]["row"], row
            m.use[i]["amount"], m.use[j]["amount"] = m.use[j]["amount"], amount
            return False
    for i in range(m.option[k]["class_first"], m.option[k]["class_end"]):
        c = m.list[i]
        n = m.count_of[c]
        if s.holding[c] == 0 and s.opened[n] >= m.most[n]:
            return False
    return True


@inner
def served(m: Model, s: State, d: int, start: int) -> bool:
    """Return whether a dependency is served for whoever starts then."""
    for i in range(m.link[d]["first"], m.link[d]["end"]):
        k = s.chosen[m.target[i]["project"]]
        if k >= 0:
            lag = start - m.option[k]["start"]
            if (
                not m.link[d]["by_start"]
                or m.target[i]["lag"] <= lag <= m.target[i]["lag_max"]
            ):
                return True
    return False


@inner
def all_served(m: Model, s: State, k: int) -> bool:
    """Return whether every dependency of an option's project is served."""
    p = m.option[k]["project"]
    for x in range(m.project[p]["need_first"], m.project[p]["need_end"]):
        if not served(m, s, m.list[x], m.option[k]["start"]):
            return False
    return True


@inner
def take_out(m: Model, s: State, project: int) -> None:
    """Take a project out, with what is no longer served and what goes with it."""
    s.waiting[0] = project
    many = 1
    while many:
        many -= 1
        p = s.waiting[many]
        k = s.chosen[p]
        if k < 0 or m.project[p]["held"]:
            continue
        note(s, p)
        leave(m, s, k)
        for x in range(m.project[p]["serve_first"], m.project[p]["serve_end"]):
            d = m.list[x]
            j = m.link[d]["asker"]
            if s.chosen[j] >= 0 and not served(m, s, d, m.option[s.chosen[j]]["start"]):
                many = _put_down(s, many, j)
        if m.project[p]["unit"] >= 0:
            for x in range(
                m.unit[m.project[p]["unit"]]["first"],
                m.unit[m.project[p]["unit"]]["end"],
            ):
                if s.chosen[m.list[x]] >= 0:
                    many = _put_down(s, many, m.list[x])


@inner
def _put_down(s: State, many: int, p: int) -> int:
    for x in range(many):
        if s.waiting[x] == p:
            return many
    s.waiting[many] = p
    return many + 1


@inner
def broken_links(m: Model, s: State, p: int) -> int:
    """Return how many dependencies and units that look at a project are broken."""
    many = 0
    k = s.chosen[p]
    if k >= 0:
        for x in range(m.project[p]["need_first"], m.project[p]["need_end"]):
            if not served(m, s, m.list[x], m.option[k]["start"]):
                many += 1
    for x in range(m.project[p]["serve_first"], m.project[p]["serve_end"]):
        j = m.link[m.list[x]]["asker"]
        if s.chosen[j] >= 0 and not served(
            m, s, m.list[x], m.option[s.chosen[j]]["start"]
        ):
            many += 1
    u = m.project[p]["unit"]
    if u >= 0:
        whole = m.unit[u]["end"] - m.unit[u]["first"]
        many += min(s.inside[u], whole - s.inside[u])
    return many


@compiled
def sound(m: Model, s: State) -> bool:
    """Return whether a plan keeps every rule of the model."""
    for p in range(len(s.chosen)):
        if m.project[p]["must"] and s.chosen[p] < 0:
            return False
        if m.project[p]["linked"] and broken_links(m, s, p):
            return False
    for row in range(len(s.used)):
        if s.used[row] > m.row[row]["upper"] or s.used[row] < m.row[row]["lower"]:
            return False
    closed = True
    for n in range(len(s.opened)):
        closed &= s.opened[n] <= m.most[n]
    return closed
