"""The search around a plan: repacking, rebuilding, and exact models of parts.

They find different things: ruin and recreate repacks, a thousand tries a second; dives
for a part of the plan let whole chains leave for others, a few a second; the small
exact models see exchanges of many projects at once. They take turns; some of what they
begin with is not the best plan but one that dives into the relaxation, which is
elsewhere. In small models, two times of three, a population is annealed from nothing.
Where few plans are near the relaxation, those are gone through one after the other
besides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pmo_analytics.optimization.heuristics.diving import Diver
from pmo_analytics.optimization.heuristics.large_neighbourhood import Improver
from pmo_analytics.optimization.heuristics.near_relaxation import Nearby
from pmo_analytics.optimization.heuristics.partial_diving import Rebuilder
from pmo_analytics.optimization.heuristics.population_annealing import Population
from pmo_analytics.optimization.heuristics.ruin_recreate import Ruiner
from pmo_analytics.optimization.model.array_sink import Matrix, build_matrix
from pmo_analytics.optimization.model.instance import Options, carries_branches
from pmo_analytics.optimization.model.purchasing import value_of, with_room_of
from pmo_analytics.optimization.model.symmetry import ordered, without_order

# Length of the first cycle, seconds, and how each next one grows: a slow cooling finds
# more, a fast one finds it sooner.
_FIRST_CYCLE = 2.0
_GROWTH = 1.5
# Time that the exact models get after a cycle, in lengths of it: the first time, and
# within what it follows from who of the two finds more.
_EXACT, _LEAST, _MOST = 0.25, 0.1, 1.0
# The same where a population is annealed: it ends in many places, near better ones.
_EXACT_AFTER, _LEAST_AFTER, _MOST_AFTER = 0.5, 0.25, 1.0
# The longest cycle there, seconds: several populations find more than a large one; and
# how many cycles of three are theirs.
_LONGEST_ANEW, _OF_THREE = 10.0, 2
# How much worse a plan may get and be kept, in projects of average worth: at the
# begin of a cycle, of the first cycle, and as a share of the begin at the end.
_HOTTEST, _FIRST, _COLDEST = 2.0, 0.3, 0.02
# Plans of more projects than this get colder cycles: fewer tries for each project.
_MANY = 100
# Plans made afresh when prices come.
_REFILLS = 8
# Seconds between plans told of while repacking: to check one takes a tenth of a second.
_TOLD = 0.3
# Rounds of a cycle where rounds are counted and not seconds.
_COUNTED = 400
# Time that the plans near the relaxation get, where they are few, in lengths of a
# cycle; and seconds for each of their relaxations.
_WALK, _RELAXED = 4.0, 10.0

# Time for the relaxation that is dived into, and for the first dive, as shares of what
# is left; and for each other one, in lengths of a cycle.
_ROOT, _FIRST_DIVE, _DIVE = 0.15, 0.2, 0.5
# The first and then each so many-th cycle begins with the best plan, not with a dive.
_FROM_BEST = 4
# How warm rebuilding begins, from and to, how warm each repacking in it; how often it
# begins with nothing; and how rarely at least it, or repacking alone, is tried.
_WARM, _COOL, _ANEW, _RARELY = (0.1, 0.7), 0.1, 0.3, 0.15
# Seconds of each repacking in it for every project, and at most, and how much longer
# it takes after a whole dive.
_POLISH, _LONGEST, _WHOLE = 6e-4, 0.5, 10.0
# How many dives it should have time for, at least, within a share of what is left; and
# how many there must be time for to do nothing else.
_ROUNDS, _AT_ONCE, _QUICK = 150, 0.4, 400
# Where a part takes more seconds than this, a dive for half of the plan takes little
# more and finds more.
_SLOW = 0.5
# The share of the best plan that other dives leave as it is, from and to.
_KEPT = (0.5, 0.95)

Tell = Callable[[np.ndarray], None]


class Search:
    """Both searches with what they share: the best plan and the prices.

    Parameters
    ----------
    options
        The model.
    start
        Option numbers of a feasible plan.
    seed
        Of every random choice.
    tell
        Called with each better plan.
    inbox
        What others tell: `{"plan": option numbers}` or `{"prices": [[label, price]]}`;
        emptied as it is read.
    """

    def __init__(
        self,
        options: Options,
        start: np.ndarray,
        seed: int,
        tell: Tell,
        inbox: list[dict[str, Any]],
    ) -> None:
        # Twins in any order: they would only be in the way of each other here.
        self.order = options
        self.o = options = without_order(options)
        self.tell = tell
        self.inbox = inbox
        self.rng = np.random.default_rng(seed)
        self.matrix = build_matrix(options)
        # Repacking knows no purchases: it works in the room that the best plan buys.
        self.sells = bool(len(options.buy_resource))
        room = with_room_of(options, start) if self.sells else options
        self.ruiner = Ruiner(room, start, self.rng)
        self.improver = Improver(options, self.matrix, start, self.rng)
        self.best = np.sort(start)
        self.objective = value_of(options, start)
        self.rankings = [self.ruiner.score]
        self.reduced: np.ndarray | None = None
        self.nearby = Nearby(options, self.matrix, self.objective)
        self.prices: np.ndarray | None = None
        self.walk: Iterator[np.ndarray | None] | None = None
        self.rebuilder: Rebuilder | None = None
        self.divable = not self.sells
        self.dived = False
        # Whether rebuilding is quick enough to do nothing else, once that is known.
        self.quick: bool | None = None
        # Time for the exact models, in lengths of a cycle; and what repacking and
        # rebuilding gained in a second of late.
        self.share, self.least, self.most = _EXACT, _LEAST, _MOST
        self.longest = np.inf
        # Sizes that branches carry are those at which a population finds most.
        self.population: Population | None = None
        if carries_branches(options):
            self.population = Population(options, self.matrix, self.rng)
            self.share, self.least = _EXACT_AFTER, _LEAST_AFTER
            self.most, self.longest = _MOST_AFTER, _LONGEST_ANEW
        self.pays = [0.0, 0.0]

    def run(self, end: float) -> None:
        """Search until a moment of the monotonic clock."""
        length = _FIRST_CYCLE
        hottest = _FIRST
        cycle = 0
        while time.monotonic() < end:
            self._listen()
            if self._go_through(min(time.monotonic() + _WALK * length, end)):
                return
            few = min(1.0, _MANY / max(len(self.best), 1))
            before, begin = self.objective, time.monotonic()
            anew = self.population is not None and cycle % 3 < _OF_THREE
            rebuilds = (
                cycle > 0
                and not anew
                and self._prepare(end)
                and self._prefers_rebuilding(end - begin)
            )
            if anew:
                plan = self._begin_anew(min(begin + length, end))
            elif rebuilds:
                heat = self.rng.uniform(*_WARM) * few
                dived = None if self.dived else self._dive(length, end)
                plan = self._rebuild(length, end, heat, dived)
            else:
                dived = self._dive(length, end) if cycle % _FROM_BEST else None
                heat = hottest
                if dived is not None:
                    heat = _FIRST * few * self.rng.uniform(0.5, 2.0)
                self._anneal(min(time.monotonic() + length, end), heat, dived)
                plan = self.best
                hottest = _HOTTEST * few * self.rng.uniform(0.25, 1.25)
            cycle += 1
            repacked = self.objective - before
            if cycle > 1 and not anew:
                self._reward(rebuilds, repacked / (time.monotonic() - begin))
            self._listen()
            before = self.objective
            self._solve_parts(min(time.monotonic() + self.share * length, end), plan)
            solved = self.objective - before
            if solved != repacked:
                self.share *= 1.5 if solved > repacked * self.share else 0.75
                self.share = min(max(self.share, self.least), self.most)
            length = min(length * _GROWTH, self.longest)

    def _begin_anew(self, until: float) -> np.ndarray:
        """Anneal a population; return its best plan, or the best one known."""
        assert self.population is not None
        made = [self.best]

        def tell(plan: np.ndarray) -> None:
            made.append(plan)
            self._take(plan)

        self.population.anneal(until, tell)
        return made[-1]

    def _prefers_rebuilding(self, left: float) -> bool:
        """Return which of the two ways to go on is next, mostly the one that pays."""
        assert self.rebuilder is not None
        if self.rebuilder.pace > _SLOW:
            return False
        if self.quick is None and self.rebuilder.pace:
            self.quick = _QUICK * (self.rebuilder.pace + self._polish()) < left
        if self.quick:
            return True
        if not self.rebuilder.pace:
            return True
        repacking, rebuilding = self.pays
        share = 0.5
        if repacking + rebuilding > 0:
            share = rebuilding / (repacking + rebuilding)
        return bool(self.rng.random() < min(max(share, _RARELY), 1 - _RARELY))

    def _polish(self) -> float:
        """Return the seconds that a plan just rebuilt is repacked."""
        return min(_POLISH * len(self.o.must), _LONGEST)

    def _reward(self, rebuilt: bool, pays: float) -> None:
        self.pays[rebuilt] = 0.6 * self.pays[rebuilt] + 0.4 * pays

    def _rebuild(
        self, length: float, end: float, hottest: float, plan: np.ndarray | None
    ) -> np.ndarray:
        """Dive again for one part after the other; return the best plan of it.

        It begins with a plan, or if none is given with the best one or with nothing.
        """
        rebuilder = self.rebuilder
        assert rebuilder is not None
        begin = time.monotonic()
        polish = self._polish()
        wanted = max(_ROUNDS * (rebuilder.pace + polish), length)
        length = max(min(wanted, max(_AT_ONCE * (end - begin), 2.0), end - begin), 1e-9)
        until = begin + length
        best, top = self.best, -np.inf
        if plan is None:
            # A whole dive where that is not most of the time.
            fresh = self.rng.random() < _ANEW and rebuilder.whole < _AT_ONCE * length
            plan = self.best[:0] if fresh else self.best
        else:
            self._anneal(min(begin + _WHOLE * polish, until), _FIRST, plan)
            best = plan = self.ruiner.best
        worth = value_of(self.o, plan) if len(plan) else -np.inf
        while (now := time.monotonic()) < until:
            self._listen()
            self.ruiner.score = self.rankings[-1]
            made = rebuilder.round(plan, self.ruiner, until)
            if rebuilder.pace > _SLOW:
                until = now
            if made is None:
                continue
            span, heat = (polish, _COOL) if len(plan) else (_WHOLE * polish, _FIRST)
            self._anneal(min(time.monotonic() + span, until), heat, made)
            made = self.ruiner.best
            # Repacking tells only of what it makes better itself.
            self._take(made)
            found = value_of(self.o, made)
            if found > top:
                top, best = found, made
            typical = abs(self.objective) / max(len(self.best), 1)
            heat = hottest * (until - now) / length * typical
            if found >= worth - heat * self.rng.exponential():
                plan, worth = made, found
        return best

    def run_counted(self, rounds: int, end: float) -> None:
        """Search for a number of cycles, the same ones whatever the clock says."""
        hottest = _FIRST
        for _ in range(rounds):
            if time.monotonic() >= end:
                return
            self.ruiner.score = self.rankings[self.rng.integers(len(self.rankings))]
            self._make_room()
            self.ruiner.set(self.best)
            for i in range(_COUNTED):
                self.ruiner.heat = _cooled(hottest, i / _COUNTED)
                if self.ruiner.round():
                    self._take(self.ruiner.best)
            self.improver.set(self.best)
            if self.improver.round(float("inf")):
                self._take(self.improver.plan())
            hottest = _HOTTEST

    def _go_through(self, until: float) -> bool:
        """Go on through the plans near the relaxation; return whether that was all."""
        near = self.nearby
        near.known = self.objective
        if self.prices is None:
            return False
        if self.walk is None and near.promises(self.prices):
            self.walk = near.plans(_RELAXED)
        while self.walk is not None and time.monotonic() < until:
            near.known = max(near.known, self.objective)
            for plan in self.walk:
                if plan is not None:
                    self._take(plan)
                break
            else:
                self.walk, self.prices = None, None
            self._listen()
        return near.complete

    def _prepare(self, end: float) -> bool:
        """Have the relaxation solved that dives begin with; return whether it is."""
        if not self.divable or self.reduced is None:
            return False
        if self.rebuilder is None:
            diver = Diver(self.o, self.matrix, int(self.rng.integers(2**31 - 1)))
            self.divable = diver.begin(_ROOT * (end - time.monotonic()))
            self.rebuilder = Rebuilder(self.matrix, diver, self.rng)
        return self.divable

    def _dive(self, length: float, end: float) -> np.ndarray | None:
        """Return the plan that a dive ends with, however poor, or None."""
        if not self._prepare(end):
            return None
        assert self.rebuilder is not None
        now = time.monotonic()
        span = _DIVE * length if self.dived else _FIRST_DIVE * (end - now)
        kept = self._liked(float(self.rng.uniform(*_KEPT))) if self.dived else None
        self.dived = True
        self.ruiner.score = self.rankings[-1]
        plan = self.rebuilder.dive(kept, self.ruiner, min(now + span, end))
        if kept is None:
            self.rebuilder.whole = time.monotonic() - now
        if plan is not None:
            self._take(plan)
        return plan

    def _liked(self, share: float) -> np.ndarray:
        """Return about that share of the best plan, what the relaxation likes most."""
        assert self.reduced is not None
        top = np.zeros(len(self.o.must))
        np.maximum.at(top, self.o.project, self.reduced)
        loss = (top[self.o.project] - self.reduced)[self.best]
        # Many lose nothing at all: among those chance decides.
        loss = (loss + 1e-3 * np.median(self.o.worth)) * self.rng.uniform(
            0.5, 1.5, len(loss)
        )
        return self.best[np.argsort(loss)[: int(share * len(loss))]]

    def _make_room(self) -> None:
        """Let repacking go on in the room that the best plan now buys."""
        if self.sells:
            score = self.ruiner.score
            room = with_room_of(self.o, self.best)
            self.ruiner = Ruiner(room, self.best, self.rng)
            self.ruiner.score = score

    def _anneal(
        self, until: float, hottest: float, plan: np.ndarray | None = None
    ) -> None:
        """Repack a plan, the best one if none is given."""
        self.ruiner.score = self.rankings[self.rng.integers(len(self.rankings))]
        self._make_room()
        self.ruiner.set(self.best if plan is None else plan)
        begin = time.monotonic()
        length = max(until - begin, 1e-9)
        told = begin
        better = False
        while (now := time.monotonic()) < until:
            self.ruiner.heat = _cooled(hottest, (now - begin) / length)
            better |= self.ruiner.round()
            # Plans come in bursts; each one told is checked by the parent.
            if better and now - told > _TOLD:
                self._take(self.ruiner.best)
                told, better = now, False
        if better:
            self._take(self.ruiner.best)

    def _solve_parts(self, until: float, plan: np.ndarray) -> None:
        """Improve a plan by exact models of its parts."""
        self.improver.set(plan)
        while (left := until - time.monotonic()) > 0:
            if self.improver.round(left):
                self._take(self.improver.plan())

    def _take(self, chosen: np.ndarray) -> None:
        objective = value_of(self.o, chosen)
        if objective > self.objective:
            self.best, self.objective = np.sort(chosen), objective
            self.tell(ordered(self.order, self.best))

    def _listen(self) -> None:
        while self.inbox:
            told = self.inbox.pop(0)
            if "prices" in told:
                self._follow(told["prices"])
                continue
            plan = np.sort(np.array(told["plan"], dtype=np.int64))
            objective = value_of(self.o, plan)
            if objective > self.objective:
                self.best, self.objective = plan, objective

    def _follow(self, told: list[tuple[list[Any], float]]) -> None:
        """Rank by the prices of the LP relaxation from now on, most of the time."""
        prices = by_row(self.matrix, told)
        many = len(self.o.project)
        reduced = self.o.worth - (self.matrix.a.T @ prices)[:many]
        self.reduced = reduced
        if self.walk is None:
            self.prices = prices
        self.improver.follow(reduced)
        limits = np.zeros(len(self.o.limit))
        others = prices.copy()
        for row, label in enumerate(self.matrix.labels):
            if label is not None and label[0] == "limit":
                limits[int(label[1])] = max(prices[row], 0.0)
                others[row] = 0.0
        # What other rows pay is worth: a project that lets others begin is paid by
        # the rows that make them wait.
        adjusted = self.o.worth - (self.matrix.a.T @ others)[:many]
        self.ruiner.priced(limits, adjusted)
        dense = self.ruiner.score
        typical = max(float(np.median(np.abs(reduced))), 1e-9)
        profit = np.exp(np.clip(reduced / typical, -30.0, 30.0))
        self.rankings = [self.rankings[0], dense, profit, profit]
        self.ruiner.score = profit
        for _ in range(_REFILLS):
            self._take(self.ruiner.refilled())


def _cooled(hottest: float, done: float) -> float:
    return float(hottest * _COLDEST**done)


def by_row(matrix: Matrix, prices: list[tuple[list[Any], float]]) -> np.ndarray:
    """Return the price of each row of a matrix, 0 where none is told."""
    known = {tuple(label): price for label, price in prices}
    return np.array(
        [0.0 if label is None else known.get(label, 0.0) for label in matrix.labels]
    )
