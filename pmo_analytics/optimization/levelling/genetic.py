"""A genetic search over the orders in which jobs are placed.

Activity lists, two-point crossover and double justification of every child, after
Valls, Ballestin and Quintanilla (European Journal of Operational Research 185(2),
2008). It starts again from a new population when the old one is exhausted.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import add
from typing import NamedTuple

import numpy as np

from pmo_analytics.optimization.levelling.jobs import Jobs
from pmo_analytics.optimization.levelling.serial_generation import Builder, Starts

Key = tuple[int, int]
# Sizes of the populations by the number of jobs: small ones are quick to agree, large
# ones agree on something better.
_SIZES: tuple[tuple[float, tuple[int, ...]], ...] = (
    (150, (40, 40, 100, 40, 200)),
    (700, (24, 24, 60)),
    (float("inf"), (14,)),
)
# Share of the jobs of a child that move elsewhere, three of them at most.
_MOVED = 0.08
# Share of the children that are placed from the end.
_FROM_THE_END = 0.5
# Children per member without a new one before the population is given up.
_PATIENCE = 6


class _Member(NamedTuple):
    key: Key
    order: list[int]
    starts: Starts


class Evolution:
    """The state of the search.

    Parameters
    ----------
    jobs
        What is to be placed, at least one job.
    cost
        What a schedule costs, smallest first; ties by the sum of starts.
    rng
        Source of every random choice.
    urgency
        Per job, what an order by due dates goes by.
    justify
        Shift late and early again; wrong where lateness and not the end counts.

    Attributes
    ----------
    best
        Cost, sum of starts and starts of the best schedule, None so far.
    """

    def __init__(
        self,
        jobs: Jobs,
        cost: Callable[[Starts], int],
        rng: np.random.Generator,
        urgency: list[float],
        *,
        justify: bool,
    ) -> None:
        self.jobs = jobs
        self.cost = cost
        self.rng = rng
        self.justify = justify
        self.builder = Builder(jobs)
        count = self.builder.count
        self.sizes = next(s for most, s in _SIZES if count <= most)
        self.size = self.sizes[0]
        self.best: tuple[Key, Starts] | None = None
        self.urgency = urgency
        self.boost = [0.0] * count
        self.members: list[_Member] = []
        self.seen: set[tuple[int, ...]] = set()
        self.stale = 0
        self.restarts = 0
        self.rules = self._rules()

    def _rules(self) -> list[list[float]]:
        """Return priorities: latest start, latest finish, most work behind, ..."""
        jobs = self.jobs
        heads = jobs.heads() or list(jobs.first)
        tails = jobs.tails()
        end = max(h + t for h, t in zip(heads, tails, strict=True))
        latest = [float(end - t) for t in tails]
        slack = [late - h for late, h in zip(latest, heads, strict=True)]
        finish = [late + d for late, d in zip(latest, jobs.duration, strict=True)]
        followers = [-float(len(after)) for after in jobs.after]
        earliest = [float(h) for h in heads]
        return [latest, finish, self.urgency, slack, followers, earliest]

    def step(self) -> bool:
        """Build a few schedules; return whether the best one got better."""
        before = None if self.best is None else self.best[0]
        if len(self.members) < self.size:
            self._found_member()
        else:
            self._cross()
        return self.best is not None and self.best[0] != before

    def take(self, starts: Starts) -> None:
        """Go on from a schedule that was found elsewhere."""
        self._take(None, starts)

    def _key(self, starts: Starts) -> Key:
        return self.cost(starts), sum(starts)

    def _judge(self, starts: Starts) -> Key:
        key = self._key(starts)
        if self.best is None or key < self.best[0]:
            self.best = key, starts
        return key

    def _found_member(self) -> None:
        """Add one schedule of a priority rule, plain or sampled."""
        builder, number = self.builder, len(self.members)
        plain = self.restarts == 0 and self.stale < 2 * len(self.rules)
        rule = self.rules[self.stale % len(self.rules)]
        if not plain:
            # The first two rules are the good ones.
            rule = self.rules[
                int(self.rng.integers(len(self.rules))) if number % 4 else 0
            ]
        rule = [p - b for p, b in zip(rule, self.boost, strict=True)]
        order: list[int] | None = None
        if plain and self.stale >= len(self.rules):
            starts = builder.parallel(rule)
        else:
            order = builder.order_by(rule) if plain else self._sample(rule)
            starts = builder.forward(order)
        self.stale += 1
        if starts is None:
            # What found no place goes earlier next time, with all it waits for.
            self._push(builder.stuck)
        else:
            self._take(order, starts)
        few = len(self.members) >= 4 and self.stale > 10 * self.size
        if few:
            # There are not that many different schedules.
            self.size = len(self.members)
        if len(self.members) >= self.size:
            self.stale = 0

    def _sample(self, rule: list[float]) -> list[int]:
        if self.builder.count <= 150:
            return self.builder.sampled_order(rule, self.rng)
        spread = float(np.std(rule)) * float(self.rng.choice([0.05, 0.15, 0.4]))
        noise = self.rng.normal(0.0, spread + 1e-9, len(rule)).tolist()
        return self.builder.order_by([p + x for p, x in zip(rule, noise, strict=True)])

    def _push(self, j: int) -> None:
        step = 0.1 * (max(self.rules[0]) - min(self.rules[0]) + 1.0)
        todo, done = [j], {j}
        while todo:
            k = todo.pop()
            self.boost[k] += step
            for i, _ in self.jobs.before[k]:
                if i not in done:
                    done.add(i)
                    todo.append(i)

    def _take(self, order: list[int] | None, starts: Starts) -> bool:
        """Improve a schedule, and keep it if it is new; return whether it is."""
        key = self._judge(starts)
        derived = self.builder.orderly
        rounds = 0
        while self.justify and rounds < 4:
            again = self.builder.justified(starts)
            if again is None:
                break
            new = self._judge(again)
            if new > key or again == starts:
                break
            gained = new[0] < key[0]
            key, starts = new, again
            rounds += 1
            if not gained:
                break
        if derived:
            order = self.builder.order_of(starts)
        if order is None:
            return False
        mark = tuple(starts)
        if mark in self.seen:
            return False
        member = _Member(key, order, starts)
        if len(self.members) < self.size:
            self.members.append(member)
        else:
            worst = max(range(self.size), key=lambda m: self.members[m].key)
            if key >= self.members[worst].key:
                return False
            self.seen.discard(tuple(self.members[worst].starts))
            self.members[worst] = member
        self.seen.add(mark)
        return True

    def _cross(self) -> None:
        """Breed one child of two members; start again when nothing new comes."""
        rng, size, count = self.rng, self.size, self.builder.count
        picks = rng.integers(0, size, 4).tolist()
        members = self.members
        mother = min(members[picks[0]], members[picks[1]])
        father = min(members[picks[2]], members[picks[3]])
        cut = sorted(rng.integers(0, count + 1, 2).tolist())
        child = _mixed(mother.order, father.order, cut[0], cut[1])
        self._mutate(child)
        starts = self._decoded(child)
        fresh = starts is not None and self._take(child, starts)
        self.stale = 0 if fresh else self.stale + 1
        if self.stale > _PATIENCE * size:
            self._restart()

    def _decoded(self, order: list[int]) -> Starts | None:
        """Return the schedule of an order, half of the time placed from the end."""
        builder = self.builder
        from_the_end = self.rng.random() < _FROM_THE_END
        if from_the_end and self.justify and builder.orderly and self.best is not None:
            until = max(map(add, self.best[1], self.jobs.duration))
            late = builder.backward(order[::-1], until)
            if late is not None:
                return builder.forward(builder.order_of(late))
        return builder.forward(order)

    def _mutate(self, order: list[int]) -> None:
        """Move a few jobs elsewhere between what they follow and what follows them."""
        count = len(order)
        moves = int(self.rng.binomial(count, min(_MOVED, 3.0 / count)))
        for at, draw in zip(
            self.rng.integers(0, count, moves).tolist(),
            self.rng.random(moves).tolist(),
            strict=True,
        ):
            j = order[at]
            before = {i for i, _ in self.jobs.before[j]}
            after = {k for k, _ in self.jobs.after[j]}
            low = at
            while low > 0 and order[low - 1] not in before:
                low -= 1
            high = at
            while high < count - 1 and order[high + 1] not in after:
                high += 1
            to = low + int(draw * (high - low + 1))
            order.insert(to, order.pop(at))

    def _restart(self) -> None:
        """Begin a new population; every second time around the best schedule."""
        self.restarts += 1
        self.size = self.sizes[self.restarts % len(self.sizes)]
        self.members, self.seen, self.stale = [], set(), 0
        if self.restarts % 2 or self.best is None or not self.builder.orderly:
            return
        order = self.builder.order_of(self.best[1])
        self._take(list(order), self.best[1])
        for _ in range(4 * self.size):
            if len(self.members) >= self.size:
                break
            child = list(order)
            for _ in range(int(self.rng.integers(1, 6))):
                self._mutate(child)
            starts = self.builder.forward(child)
            if starts is not None:
                self._take(child, starts)


def _mixed(mother: list[int], father: list[int], low: int, high: int) -> list[int]:
    """Return the mother's order with a middle part in the father's order."""
    head = mother[:low]
    taken = set(head)
    for j in father:
        if len(head) == high:
            break
        if j not in taken:
            head.append(j)
            taken.add(j)
    head += [j for j in mother if j not in taken]
    return head
