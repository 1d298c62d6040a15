"""Kernels: ruin and recreate.

A ruin-and-recreate search (Schrimpf, Schneider, Stamm-Wilbrandt and Dueck, Journal of
Computational Physics 159(2), 2000): some projects near each other leave, or those in
the way of one that is forced in; the gaps are filled by score with a little noise, and
the result is kept if it is not much worse.
"""

from __future__ import annotations

import numpy as np

from pmo_analytics.optimization.heuristics.kernels.arrays import (
    NOBODY,
    ZERO,
    Model,
    Room,
    State,
)
from pmo_analytics.optimization.heuristics.kernels.moves import (
    all_served,
    enter,
    fits,
    keep,
    note,
    sound,
    sum_up,
    take_back,
    take_out,
)
from pmo_analytics.processes import compiled, inner


@inner
def may_come(m: Model, s: State, p: int) -> bool:
    """Return whether a project is not in and whom it needs is."""
    if s.chosen[p] >= 0 or m.project[p]["held"]:
        return False
    for x in range(m.project[p]["need_first"], m.project[p]["need_end"]):
        d = m.list[x]
        there = False
        for i in range(m.link[d]["first"], m.link[d]["end"]):
            if s.chosen[m.target[i]["project"]] >= 0:
                there = True
                break
        if not there:
            return False
    return True


@inner
def best_that_fits(m: Model, s: State, p: int, score: np.ndarray) -> int:
    """Return the option of a project that scores best among those that fit, or -1."""
    best = -1
    for k in range(m.project[p]["first"], m.project[p]["end"]):
        better = best < 0 or score[k] > score[best]
        if better and fits(m, s, k) and all_served(m, s, k):
            best = k
    return best


@inner
def bring(m: Model, s: State, k: int, score: np.ndarray) -> bool:
    """Bring an option in with all that come and go with it, or nobody.

    The option itself fits. A unit that is worth nothing stays out.
    """
    p = m.option[k]["project"]
    length, before = s.length[0], s.worth[0]
    note(s, p)
    enter(m, s, k)
    u = m.project[p]["unit"]
    if u < 0:
        return True
    wanted = m.project[p]["must"]
    moved = True
    while moved and s.inside[u] < m.unit[u]["end"] - m.unit[u]["first"]:
        moved = False
        for x in range(m.unit[u]["first"], m.unit[u]["end"]):
            q = m.list[x]
            if s.chosen[q] < 0 and not m.project[q]["held"]:
                e = best_that_fits(m, s, q, score)
                if e >= 0:
                    note(s, q)
                    enter(m, s, e)
                    wanted |= m.project[q]["must"]
                    moved = True
    whole = s.inside[u] == m.unit[u]["end"] - m.unit[u]["first"]
    if whole and (wanted or s.worth[0] > before):
        return True
    take_back(m, s, length)
    return False


@inner
def gather(m: Model, s: State, w: Room, score: np.ndarray, p: int, many: int) -> int:
    """Add the options of a project that fit to those that may come in."""
    if w.look[p]["seen"] == w.round[0] or not may_come(m, s, p):
        return many
    w.look[p]["seen"] = w.round[0]
    for k in range(m.project[p]["first"], m.project[p]["end"]):
        wanted = (
            m.option[k]["worth"] > 0
            or m.project[p]["must"]
            or m.project[p]["unit"] >= 0
        )
        if wanted and fits(m, s, k) and all_served(m, s, k):
            w.may[many]["option"] = k
            w.may[many]["liking"] = score[k] * w.look[p]["noise"]
            many += 1
    return many


@inner
def fill(
    m: Model, s: State, w: Room, score: np.ndarray, rng: np.random.Generator
) -> None:
    """Bring in what fits, by score with noise, until nothing does."""
    w.round[0] += 1
    for p in range(len(m.project)):
        w.look[p]["noise"] = 0.75 + 0.5 * rng.random()
        if m.project[p]["must"]:
            w.look[p]["noise"] *= 1e9
    many = ZERO
    for p in range(len(m.project)):
        many = gather(m, s, w, score, p, many)
    while many:
        x = _best_of(m, s, w, many)
        if x < 0:
            return
        k = w.may[x]["option"]
        many -= 1
        w.may[x]["option"], w.may[x]["liking"] = (
            w.may[many]["option"],
            w.may[many]["liking"],
        )
        if not (fits(m, s, k) and all_served(m, s, k)):
            continue
        length = s.length[0]
        if not bring(m, s, k, score):
            many = _drop(m, w, m.option[k]["project"], many)
        for n in range(length, s.length[0]):
            many = _gather_served(m, s, w, score, s.log[n]["project"], many)


@inner
def _gather_served(
    m: Model, s: State, w: Room, score: np.ndarray, p: int, many: int
) -> int:
    """Add what a project that came in lets in; some of it may be there already."""
    for i in range(m.project[p]["serve_first"], m.project[p]["serve_end"]):
        j = m.link[m.list[i]]["asker"]
        if s.chosen[j] < 0:
            if w.look[j]["seen"] == w.round[0]:
                many = _drop(m, w, j, many)
                w.look[j]["seen"] = 0
            many = gather(m, s, w, score, j, many)
    return many


@inner
def _best_of(m: Model, s: State, w: Room, many: int) -> int:
    best = -1
    for x in range(many):
        if (best < 0 or w.may[x]["liking"] > w.may[best]["liking"]) and s.chosen[
            m.option[w.may[x]["option"]]["project"]
        ] < 0:
            best = x
    return best


@inner
def _drop(m: Model, w: Room, p: int, many: int) -> int:
    x = 0
    while x < many:
        if m.option[w.may[x]["option"]]["project"] == p:
            many -= 1
            w.may[x]["option"], w.may[x]["liking"] = (
                w.may[many]["option"],
                w.may[many]["liking"],
            )
        else:
            x += 1
    return many


@inner
def shared_rows(m: Model, s: State, k: int) -> int:
    """Return how many of the marked rows an option uses."""
    many = 0
    for i in range(m.option[k]["use_first"], m.option[k]["use_end"]):
        many += s.mark[m.use[i]["row"]]
    return many


@inner
def mark_rows(m: Model, s: State, k: int, all_of_them: bool) -> int:
    """Mark the rows that an option uses, or those without room; return how many."""
    many = 0
    for i in range(m.option[k]["use_first"], m.option[k]["use_end"]):
        row, amount = m.use[i]["row"], m.use[i]["amount"]
        after = s.used[row] + amount
        if (
            all_of_them
            or (amount > 0 and after > m.row[row]["upper"])
            or (amount < 0 and after < m.row[row]["lower"])
        ):
            s.mark[row] = 1
            many += 1
    return many


@inner
def unmark_rows(m: Model, s: State, k: int) -> None:
    """Take the marks off the rows that an option uses."""
    for i in range(m.option[k]["use_first"], m.option[k]["use_end"]):
        s.mark[m.use[i]["row"]] = 0


@inner
def ruin_near(
    m: Model, s: State, w: Room, rng: np.random.Generator, largest: int
) -> None:
    """Take out projects that are at work in one stretch of time."""
    placed = 0
    for p in range(len(m.project)):
        if s.chosen[p] >= 0 and not m.project[p]["held"]:
            placed += 1
    if placed == 0:
        return
    at = int(rng.random() * placed)
    seed = NOBODY
    for p in range(len(m.project)):
        if s.chosen[p] >= 0 and not m.project[p]["held"]:
            at -= 1
            if at == -1:
                seed = s.chosen[p]
    many = 2 + int(rng.random() * max(1, min(largest, placed // 2 + 1) - 1))
    alike = rng.random() < 0.6
    if alike:
        mark_rows(m, s, seed, True)
    for p in range(len(m.project)):
        w.look[p]["near"] = np.inf
        k = s.chosen[p]
        if k >= 0 and not m.project[p]["held"]:
            w.look[p]["near"] = (
                abs(m.option[k]["start"] - m.option[seed]["start"]) + 3.0 * rng.random()
            )
            if alike:
                w.look[p]["near"] -= 4.0 * np.sqrt(float(shared_rows(m, s, k)))
    if alike:
        unmark_rows(m, s, seed)
    for _ in range(many):
        p = ZERO
        for q in range(len(m.project)):
            if w.look[q]["near"] < w.look[p]["near"]:
                p = q
        if w.look[p]["near"] == np.inf:
            return
        w.look[p]["near"] = np.inf
        take_out(m, s, p)


@inner
def promising(m: Model, s: State, score: np.ndarray, rng: np.random.Generator) -> int:
    """Return an option that has no room now: the best of a few, or -1."""
    best, top = -1, 0.0
    for _ in range(24):
        k = int(rng.random() * len(m.option))
        p = m.option[k]["project"]
        if (
            m.option[k]["worth"] <= 0
            or not may_come(m, s, p)
            or not all_served(m, s, k)
        ):
            continue
        many = mark_rows(m, s, k, False)
        unmark_rows(m, s, k)
        liking = score[k] / np.sqrt(many + 1.0)
        if liking > top:
            best, top = k, liking
    return best


@inner
def in_the_way(m: Model, s: State, score: np.ndarray, rng: np.random.Generator) -> int:
    """Return who frees most marked rows for what it is worth, -1 = nobody does."""
    worst, top = -1, 0.0
    for q in range(len(m.project)):
        c = s.chosen[q]
        if c >= 0 and not m.project[q]["held"]:
            many = shared_rows(m, s, c)
            if many:
                gain = many / (score[c] * (0.6 + 0.8 * rng.random()))
                if gain > top:
                    worst, top = q, gain
    return worst


@inner
def open_class(m: Model, s: State, k: int, rng: np.random.Generator) -> None:
    """Take out all that hold a class open where a count has none left for an option."""
    for i in range(m.option[k]["class_first"], m.option[k]["class_end"]):
        c = m.list[i]
        n = m.count_of[c]
        if s.holding[c] > 0 or s.opened[n] < m.most[n]:
            continue
        at = int(rng.random() * s.opened[n])
        rival = -1
        for other in range(len(m.count_of)):
            if m.count_of[other] == n and s.holding[other] > 0:
                at -= 1
                if at == -1:
                    rival = other
        for q in range(len(m.project)):
            own = s.chosen[q]
            if own >= 0:
                for x in range(
                    m.option[own]["class_first"], m.option[own]["class_end"]
                ):
                    if m.list[x] == rival:
                        take_out(m, s, q)
                        break


@inner
def force_in(m: Model, s: State, score: np.ndarray, rng: np.random.Generator) -> bool:
    """Bring a promising option in, and take out whoever is in its way."""
    k = promising(m, s, score, rng)
    if k < 0:
        return False
    for _ in range(12):
        many = mark_rows(m, s, k, False)
        q = in_the_way(m, s, score, rng) if many else -1
        unmark_rows(m, s, k)
        if q < 0:
            break
        take_out(m, s, q)
    open_class(m, s, k, rng)
    if s.chosen[m.option[k]["project"]] < 0 and fits(m, s, k) and all_served(m, s, k):
        bring(m, s, k, score)
    return True


@compiled
def repack(
    m: Model,
    s: State,
    w: Room,
    score: np.ndarray,
    rng: np.random.Generator,
    rounds: int,
    heat: float,
    largest: int,
    best: np.ndarray,
    top: float,
) -> float:
    """Ruin and recreate some times; return the worth of the best plan.

    Parameters
    ----------
    heat
        How much worse than the best a plan may be to be kept, on average.
    largest
        Projects that leave together, at most.
    best, top
        The best plan, option by project, and its worth; changed.
    """
    sum_up(m, s)
    for _ in range(rounds):
        s.length[0] = 0
        before = s.worth[0]
        if rng.random() >= 0.5 or not force_in(m, s, score, rng):
            ruin_near(m, s, w, rng, largest)
        fill(m, s, w, score, rng)
        bar = min(top + heat * np.log(rng.random() + 1e-300), before)
        if s.worth[0] >= bar and sound(m, s):
            if s.worth[0] - top > 1e-12 * abs(top):
                top = s.worth[0]
                keep(s, best)
        else:
            take_back(m, s, ZERO)
            s.worth[0] = before
    return top


@compiled
def complete(
    m: Model, s: State, w: Room, score: np.ndarray, rng: np.random.Generator
) -> None:
    """Take out what waits in vain, then bring in what fits."""
    sum_up(m, s)
    take_out_unserved(m, s)
    s.length[0] = 0
    fill(m, s, w, score, rng)


@inner
def take_out_unserved(m: Model, s: State) -> None:
    """Take out whoever waits in vain, and units of which somebody is missing."""
    for p in range(len(m.project)):
        k = s.chosen[p]
        u = m.project[p]["unit"]
        if k < 0 or m.project[p]["held"]:
            continue
        if not all_served(m, s, k) or (
            u >= 0 and s.inside[u] < m.unit[u]["end"] - m.unit[u]["first"]
        ):
            take_out(m, s, p)
