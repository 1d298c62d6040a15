"""Everything there is, where that is little: all schedules of a few movable projects.

Depth first over the starts of one job after the other, cut short where a limit is
broken or nothing better can come. Small portfolios get their proof without a solver.
"""

from __future__ import annotations

from collections.abc import Sequence

from pmo_analytics.optimization.levelling.jobs import Jobs

Key = tuple[int, int]
# Starts that are tried before it is given up; a fraction of a second.
_MOST_TRIED = 30_000
_MOST_JOBS = 40


class Exhaustion:
    """Try all schedules that are better than a known one.

    Parameters
    ----------
    jobs
        What is to be placed.
    onset, weight
        Per job the last start without cost, and the cost of a period later; None
        where the last finish is what counts.
    best
        Cost and sum of starts, over the jobs alone, that are to be undercut.

    Attributes
    ----------
    starts
        The best schedule found, None if none was better.
    complete
        Whether everything was tried.
    """

    def __init__(
        self,
        jobs: Jobs,
        onset: Sequence[int] | None,
        weight: Sequence[int],
        best: Key,
    ) -> None:
        self.jobs = jobs
        self.onset = onset
        self.weight = weight
        self.best = best
        self.starts: list[int] | None = None
        self.tried = 0
        heads = jobs.heads()
        self.complete = heads is not None and len(jobs.names) <= _MOST_JOBS
        if heads is None or not self.complete:
            return
        self.heads = heads
        self.tails = jobs.tails()
        count = len(heads)
        # What the jobs still to come cost and add to the sum of starts at least.
        self.rest_cost = [0] * (count + 1)
        self.rest_sum = [0] * (count + 1)
        for j in range(count - 1, -1, -1):
            own = self._cost(j, heads[j])
            if onset is None:
                self.rest_cost[j] = max(own, self.rest_cost[j + 1])
            else:
                self.rest_cost[j] = own + self.rest_cost[j + 1]
            self.rest_sum[j] = heads[j] + self.rest_sum[j + 1]
        self.placed = [0] * count
        self.free = jobs.free.copy()
        self._place(0, jobs.fixed_finish if onset is None else 0, 0, jobs.purse)

    def _cost(self, j: int, start: int) -> int:
        if self.onset is None:
            return start + self.tails[j]
        return max(start - self.onset[j], 0) * self.weight[j]

    def _place(self, j: int, cost: int, total: int, purse: int) -> None:
        """Try every start of job j, earlier jobs being placed."""
        jobs = self.jobs
        if j == len(self.placed):
            # Only what is better comes this far.
            self.best = cost, total
            self.starts = self.placed.copy()
            return
        start = self.heads[j]
        for i, lag in jobs.before[j]:
            start = max(start, self.placed[i] + lag)
        demand, money = jobs.demand[j], jobs.money[j]
        free, guard = self.free, jobs.guard
        start = jobs.next_start(j, start)
        while start <= jobs.last[j]:
            self.tried += 1
            if self.tried > _MOST_TRIED:
                self.complete = False
                return
            own = self._cost(j, start)
            here = max(cost, own) if self.onset is None else cost + own
            after = self.rest_cost[j + 1]
            least = max(here, after) if self.onset is None else here + after
            if (least, total + start + self.rest_sum[j + 1]) >= self.best:
                return  # later starts cost no less and add more
            left = purse - (money.get(start, 0) if money is not None else 0)
            fits = left & jobs.purse_guard == jobs.purse_guard and all(
                (free[start + k] - amount) & guard == guard for k, amount in demand
            )
            if fits:
                for k, amount in demand:
                    free[start + k] -= amount
                self.placed[j] = start
                self._place(j + 1, here, total + start, left)
                for k, amount in demand:
                    free[start + k] += amount
                if not self.complete:
                    return
            start = jobs.next_start(j, start + 1)
