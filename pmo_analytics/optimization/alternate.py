"""The search around a plan: annealed ruin and recreate, and exact models of parts.

The two find different things: ruin and recreate repacks, a thousand tries a second;
the small exact models see exchanges of many projects at once, a few a second. They
take turns, each from the best plan known; every other time repacking begins with a plan
that dives into the relaxation, which is elsewhere. Where few plans are near the
relaxation, those are gone through one after the other besides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pmo_analytics.optimization.buying import value_of, with_room_of
from pmo_analytics.optimization.diving import Diver
from pmo_analytics.optimization.improve import Improver
from pmo_analytics.optimization.matrix import Matrix, build_matrix, holds
from pmo_analytics.optimization.nearby import Nearby
from pmo_analytics.optimization.options import Options
from pmo_analytics.optimization.ruin import Ruiner
from pmo_analytics.optimization.twins import ordered, without_order
from pmo_analytics.tolerance import TOLERANCE

# Length of the first cycle, seconds, and how each next one grows: a slow cooling finds
# more, a fast one finds it sooner.
_FIRST_CYCLE = 2.0
_GROWTH = 1.5
# Time that the exact models get after a cycle, in lengths of it: the first time, and
# within what it follows from who of the two finds more.
_EXACT, _LEAST, _MOST = 0.25, 0.1, 1.0
# How much worse a plan may get and be kept, in projects of average worth: at the
# begin of a cycle, of the first cycle, and as a share of the begin at the end.
_HOTTEST, _FIRST, _COLDEST = 2.0, 0.3, 0.02
# Plans of more projects than this get colder cycles: fewer tries for each project.
_MANY = 100
# Plans made afresh when prices come.
_REFILLS = 8
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
# How far dives stray from what the relaxation likes, at most.
_STRAY = 0.3
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
        self.sells = bool(len(options.buy_thing))
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
        self.diver: Diver | None = None
        self.divable = not self.sells

    def run(self, end: float) -> None:
        """Search until a moment of the monotonic clock."""
        length = _FIRST_CYCLE
        hottest = _FIRST
        share = _EXACT
        cycle = 0
        while time.monotonic() < end:
            self._listen()
            if self._go_through(min(time.monotonic() + _WALK * length, end)):
                return
            before = self.objective
            dived = self._dive(length, end) if cycle % _FROM_BEST else None
            cycle += 1
            few = min(1.0, _MANY / max(len(self.best), 1))
            heat = hottest
            if dived is not None:
                heat = _FIRST * few * self.rng.uniform(0.5, 2.0)
            self._anneal(min(time.monotonic() + length, end), heat, dived)
            repacked = self.objective - before
            self._listen()
            before = self.objective
            self._solve_parts(min(time.monotonic() + share * length, end))
            solved = self.objective - before
            if solved != repacked:
                share *= 1.5 if solved > repacked * share else 0.75
                share = min(max(share, _LEAST), _MOST)
            hottest = _HOTTEST * few * self.rng.uniform(0.25, 1.25)
            length *= _GROWTH

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

    def _dive(self, length: float, end: float) -> np.ndarray | None:
        """Return the plan that a dive ends with, however poor, or None."""
        if not self.divable or self.reduced is None:
            return None
        now = time.monotonic()
        span = _DIVE * length
        first = self.diver is None
        if self.diver is None:
            self.diver = Diver(self.o, self.matrix, int(self.rng.integers(2**31 - 1)))
            self.divable = self.diver.begin(_ROOT * (end - now))
            now = time.monotonic()
            span = _FIRST_DIVE * (end - now)
        if not self.divable:
            return None
        kept = None if first else self._liked(float(self.rng.uniform(*_KEPT)))
        noise = float(self.rng.uniform(0.0, _STRAY))
        plan = self.diver.dive(min(now + span, end), noise, self.rng, kept)
        self.ruiner.score = self.rankings[-1]
        plan = self.ruiner.completed(plan)
        if not holds(self.matrix, plan, TOLERANCE):
            return None
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
            if better and now - told > 0.1:
                self._take(self.ruiner.best)
                told, better = now, False
        if better:
            self._take(self.ruiner.best)

    def _solve_parts(self, until: float) -> None:
        self.improver.set(self.best)
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
