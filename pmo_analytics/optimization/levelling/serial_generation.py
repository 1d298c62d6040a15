"""Schedules job by job: each at its first period that fits, in a given order.

Serial schedule generation, its mirror image, and double justification (Valls,
Ballestin and Quintanilla, European Journal of Operational Research 165(2), 2005):
shift everything as late as it goes, then as early as it goes.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np

from pmo_analytics.optimization.levelling.jobs import Jobs

Starts = list[int]


class Builder:
    """Builds schedules of the same jobs over and over.

    Attributes
    ----------
    built
        Schedules built so far, the unit of a work limit.
    stuck
        The job that found no place when the last schedule failed.
    """

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.count = len(jobs.names)
        self.built = 0
        self.stuck = 0
        # Level work in a window without gaps needs one test a period only.
        self.simple = [
            jobs.level[j] is not None
            and jobs.following[j] is None
            and jobs.money[j] is None
            for j in range(self.count)
        ]
        lags = [
            (lag, jobs.duration[i])
            for j in range(self.count)
            for i, lag in jobs.before[j]
        ]
        self.by_finish = all(lag >= length for lag, length in lags)
        # With negative waits an order by start may put a job before its predecessor.
        self.orderly = all(lag >= 0 for lag, _ in lags)

    def forward(self, order: Sequence[int]) -> Starts | None:
        """Return each job's start, every job as early as it fits; None if one cannot.

        Parameters
        ----------
        order
            Job numbers, predecessors first.
        """
        jobs = self.jobs
        self.built += 1
        free, guard = jobs.free.copy(), jobs.guard
        first, last, before = jobs.first, jobs.last, jobs.before
        duration, level, simple = jobs.duration, jobs.level, self.simple
        purse = jobs.purse
        starts = [0] * self.count
        for j in order:
            t = first[j]
            for i, lag in before[j]:
                ready = starts[i] + lag
                if ready > t:
                    t = ready
            if t > last[j]:
                self.stuck = j
                return None
            if simple[j]:
                amount = level[j]
                length = duration[j]
                run = 0
                while True:
                    if (free[t] - amount) & guard == guard:  # type: ignore[operator]
                        run += 1
                        if run == length:
                            break
                    else:
                        run = 0
                    t += 1
                t += 1
                begin = t - length
                if begin > last[j]:
                    self.stuck = j
                    return None
                for k in range(begin, t):
                    free[k] -= amount  # type: ignore[operator]
                starts[j] = begin
                continue
            begin = self._first_fit(j, t, free, purse)
            if begin < 0:
                self.stuck = j
                return None
            starts[j] = begin
            for k, amount in jobs.demand[j]:
                free[begin + k] -= amount
            cost = jobs.money[j]
            if cost is not None:
                purse -= cost.get(begin, 0)
        return starts

    def _first_fit(self, j: int, t: int, free: list[int], purse: int) -> int:
        jobs = self.jobs
        guard, last, jump = jobs.guard, jobs.last[j], jobs.following[j]
        demand, cost = jobs.demand[j], jobs.money[j]
        while t <= last:
            if jump is not None:
                t = jump[t]
                if t > last:
                    break
            for k, amount in demand:
                if (free[t + k] - amount) & guard != guard:
                    break
            else:
                if cost is None:
                    return t
                rest = purse - cost.get(t, 0)
                if rest & jobs.purse_guard == jobs.purse_guard:
                    return t
            t += 1
        return -1

    def backward(self, order: Sequence[int], until: int) -> Starts | None:
        """Return each job's start, every job as late as it fits; None if one cannot.

        Parameters
        ----------
        order
            Job numbers, successors first.
        until
            All ends before this period.
        """
        jobs = self.jobs
        self.built += 1
        free, guard = jobs.free.copy(), jobs.guard
        purse = jobs.purse
        starts = [0] * self.count
        for j in order:
            t = min(until - jobs.duration[j], jobs.last[j])
            for k, lag in jobs.after[j]:
                latest = starts[k] - lag
                if latest < t:
                    t = latest
            low = jobs.first[j]
            if self.simple[j]:
                amount = jobs.level[j]
                length = jobs.duration[j]
                run, at = 0, t + length - 1
                while at >= low:
                    if (free[at] - amount) & guard == guard:  # type: ignore[operator]
                        run += 1
                        if run == length:
                            break
                    else:
                        run = 0
                    at -= 1
                else:
                    return None
                for k in range(at, at + length):
                    free[k] -= amount  # type: ignore[operator]
                starts[j] = at
                continue
            while t >= low and self._first_fit(j, t, free, purse) != t:
                t -= 1
            if t < low:
                return None
            starts[j] = t
            for k, amount in jobs.demand[j]:
                free[t + k] -= amount
            cost = jobs.money[j]
            if cost is not None:
                purse -= cost.get(t, 0)
        return starts

    def parallel(self, priority: Sequence[float]) -> Starts | None:
        """Return starts found period by period, ready jobs by smallest priority."""
        jobs = self.jobs
        self.built += 1
        free, purse = jobs.free.copy(), jobs.purse
        starts = [0] * self.count
        waiting = [len(before) for before in jobs.before]
        ready = list(jobs.first)
        coming = [(ready[j], j) for j in range(self.count) if not waiting[j]]
        heapq.heapify(coming)
        open_jobs: list[tuple[float, int]] = []
        left, t = self.count, 0
        while left:
            while coming and coming[0][0] <= t:
                j = heapq.heappop(coming)[1]
                open_jobs.append((priority[j], j))
            open_jobs.sort()
            rest = []
            for entry in open_jobs:
                j = entry[1]
                if t > jobs.last[j]:
                    self.stuck = j
                    return None
                if not self._fits(j, t, free, purse):
                    rest.append(entry)
                    continue
                starts[j] = t
                left -= 1
                for k, amount in jobs.demand[j]:
                    free[t + k] -= amount
                cost = jobs.money[j]
                if cost is not None:
                    purse -= cost.get(t, 0)
                for k, lag in jobs.after[j]:
                    ready[k] = max(ready[k], t + lag)
                    waiting[k] -= 1
                    if not waiting[k]:
                        # A job that could have begun earlier is looked at next.
                        heapq.heappush(coming, (max(ready[k], t + 1), k))
            open_jobs = rest
            t += 1
        return starts

    def _fits(self, j: int, t: int, free: list[int], purse: int) -> bool:
        jobs = self.jobs
        jump = jobs.following[j]
        if jump is not None and jump[t] != t:
            return False
        guard = jobs.guard
        for k, amount in jobs.demand[j]:
            if (free[t + k] - amount) & guard != guard:
                return False
        cost = jobs.money[j]
        if cost is None:
            return True
        return (purse - cost.get(t, 0)) & jobs.purse_guard == jobs.purse_guard

    def order_of(self, starts: Starts) -> list[int]:
        """Return the jobs by start, predecessors first."""
        return sorted(range(self.count), key=starts.__getitem__)

    def justified(self, starts: Starts) -> Starts | None:
        """Return the schedule after all was shifted late and then early again."""
        if not self.orderly:
            return None
        duration = self.jobs.duration
        if self.by_finish:
            finish = [s + d for s, d in zip(starts, duration, strict=True)]
            until = max(finish)
            order = sorted(range(self.count), key=finish.__getitem__)
        else:
            until = max(s + d for s, d in zip(starts, duration, strict=True))
            order = self.order_of(starts)
        order.reverse()
        late = self.backward(order, until)
        return None if late is None else self.forward(self.order_of(late))

    def order_by(self, priority: Sequence[float]) -> list[int]:
        """Return the jobs by smallest priority, predecessors first."""
        jobs = self.jobs
        waiting = [len(before) for before in jobs.before]
        heap = [(priority[j], j) for j in range(self.count) if not waiting[j]]
        heapq.heapify(heap)
        order = []
        while heap:
            j = heapq.heappop(heap)[1]
            order.append(j)
            for k, _ in jobs.after[j]:
                waiting[k] -= 1
                if not waiting[k]:
                    heapq.heappush(heap, (priority[k], k))
        return order

    def sampled_order(
        self, priority: Sequence[float], rng: np.random.Generator
    ) -> list[int]:
        """Return a random order in which small priorities tend to come early.

        Regret-based biased sampling: a ready job's chance grows with how much worse
        the worst ready job is.
        """
        jobs = self.jobs
        waiting = [len(before) for before in jobs.before]
        ready = [j for j in range(self.count) if not waiting[j]]
        order = []
        for draw in rng.random(self.count).tolist():
            worst = max(priority[j] for j in ready)
            chances = [(worst - priority[j] + 1.0) for j in ready]
            mark = draw * sum(chances)
            at = 0
            for at, chance in enumerate(chances):  # noqa: B007
                mark -= chance
                if mark <= 0:
                    break
            j = ready[at]
            ready[at] = ready[-1]
            ready.pop()
            order.append(j)
            for k, _ in jobs.after[j]:
                waiting[k] -= 1
                if not waiting[k]:
                    ready.append(k)
        return order
