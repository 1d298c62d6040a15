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
from collections.abc import Callable, Iterator, Sequence
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
from pmo_analytics.optimization.model.rows import RowLabel
from pmo_analytics.optimization.model.symmetry import ordered, without_order
from pmo_analytics.optimization.params import DEFAULTS, SearchParams

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
    params
        The numbers that decide it.
    """

    def __init__(
        self,
        options: Options,
        start: np.ndarray,
        seed: int,
        tell: Tell,
        inbox: list[dict[str, Any]],
        params: SearchParams = DEFAULTS,
    ) -> None:
        self.params, self.p = params, params.alternation
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
        self.improver = Improver(options, self.matrix, start, self.rng, params.lns)
        self.best = np.sort(start)
        self.objective = value_of(options, start)
        self.rankings = [self.ruiner.score]
        self.reduced: np.ndarray | None = None
        self.nearby = Nearby(options, self.matrix, self.objective, params.near)
        self.prices: np.ndarray | None = None
        self.walk: Iterator[np.ndarray | None] | None = None
        self.rebuilder: Rebuilder | None = None
        self.divable = not self.sells
        self.dived = False
        # Whether rebuilding is quick enough to do nothing else, once that is known.
        self.quick: bool | None = None
        # Time for the exact models, in lengths of a cycle; and what repacking and
        # rebuilding gained in a second of late.
        self.share, self.least, self.most = (
            self.p.exact,
            self.p.least_exact,
            self.p.most_exact,
        )
        self.longest = np.inf
        # Sizes that branches carry are those at which a population finds most.
        self.population: Population | None = None
        if carries_branches(options):
            self.population = Population(
                options, self.matrix, self.rng, params.annealing
            )
            self.share, self.least = self.p.exact_after, self.p.least_after
            self.most, self.longest = self.p.most_after, self.p.longest_anew
        self.pays = [0.0, 0.0]

    def run(self, end: float) -> None:
        """Search until a moment of the monotonic clock."""
        length = self.p.first_cycle
        hottest = self.p.first_heat
        cycle = 0
        while time.monotonic() < end:
            self._listen()
            if self._go_through(min(time.monotonic() + self.p.walk * length, end)):
                return
            few = min(1.0, self.p.many / max(len(self.best), 1))
            before, begin = self.objective, time.monotonic()
            anew = self.population is not None and cycle % 3 < self.p.anew_of_three
            rebuilds = (
                cycle > 0
                and not anew
                and self._prepare(end)
                and self._prefers_rebuilding(end - begin)
            )
            if anew:
                plan = self._begin_anew(min(begin + length, end))
            elif rebuilds:
                heat = self.rng.uniform(*self.p.warm) * few
                dived = None if self.dived else self._dive(length, end)
                plan = self._rebuild(length, end, heat, dived)
            else:
                dived = self._dive(length, end) if cycle % self.p.from_best else None
                heat = hottest
                if dived is not None:
                    heat = self.p.first_heat * few * self.rng.uniform(0.5, 2.0)
                self._anneal(min(time.monotonic() + length, end), heat, dived)
                plan = self.best
                hottest = self.p.hottest * few * self.rng.uniform(0.25, 1.25)
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
            length = min(length * self.p.growth, self.longest)

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
        if self.rebuilder.pace > self.p.slow:
            return False
        if self.quick is None and self.rebuilder.pace:
            self.quick = self.p.quick * (self.rebuilder.pace + self._polish()) < left
        if self.quick:
            return True
        if not self.rebuilder.pace:
            return True
        repacking, rebuilding = self.pays
        share = 0.5
        if repacking + rebuilding > 0:
            share = rebuilding / (repacking + rebuilding)
        return bool(
            self.rng.random() < min(max(share, self.p.rarely), 1 - self.p.rarely)
        )

    def _polish(self) -> float:
        """Return the seconds that a plan just rebuilt is repacked."""
        return min(self.p.polish * len(self.o.must), self.p.longest_polish)

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
        wanted = max(self.p.rounds * (rebuilder.pace + polish), length)
        length = max(
            min(wanted, max(self.p.at_once * (end - begin), 2.0), end - begin), 1e-9
        )
        until = begin + length
        best, top = self.best, -np.inf
        if plan is None:
            # A whole dive where that is not most of the time.
            fresh = (
                self.rng.random() < self.p.anew
                and rebuilder.whole < self.p.at_once * length
            )
            plan = self.best[:0] if fresh else self.best
        else:
            self._anneal(
                min(begin + self.p.whole * polish, until), self.p.first_heat, plan
            )
            best = plan = self.ruiner.best
        worth = value_of(self.o, plan) if len(plan) else -np.inf
        while (now := time.monotonic()) < until:
            self._listen()
            self.ruiner.score = self.rankings[-1]
            made = rebuilder.round(plan, self.ruiner, until)
            if rebuilder.pace > self.p.slow:
                until = now
            if made is None:
                continue
            span, heat = (
                (polish, self.p.cool)
                if len(plan)
                else (self.p.whole * polish, self.p.first_heat)
            )
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
        hottest = self.p.first_heat
        for _ in range(rounds):
            if time.monotonic() >= end:
                return
            self.ruiner.score = self.rankings[self.rng.integers(len(self.rankings))]
            self._make_room()
            self.ruiner.set(self.best)
            for i in range(self.p.counted):
                self.ruiner.heat = self._cooled(hottest, i / self.p.counted)
                if self.ruiner.round():
                    self._take(self.ruiner.best)
            self.improver.set(self.best)
            if self.improver.round(float("inf")):
                self._take(self.improver.plan())
            hottest = self.p.hottest

    def _go_through(self, until: float) -> bool:
        """Go on through the plans near the relaxation; return whether that was all."""
        near = self.nearby
        near.known = self.objective
        if self.prices is None:
            return False
        if self.walk is None and near.promises(self.prices):
            self.walk = near.plans(self.p.relaxed)
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
            own, seed = self.params.diving, int(self.rng.integers(2**31 - 1))
            diver = Diver(self.o, self.matrix, seed, own)
            self.divable = diver.begin(self.p.root * (end - time.monotonic()))
            self.rebuilder = Rebuilder(self.matrix, diver, self.rng, own)
        return self.divable

    def _dive(self, length: float, end: float) -> np.ndarray | None:
        """Return the plan that a dive ends with, however poor, or None."""
        if not self._prepare(end):
            return None
        assert self.rebuilder is not None
        now = time.monotonic()
        span = self.p.dive * length if self.dived else self.p.first_dive * (end - now)
        kept = (
            self._liked(float(self.rng.uniform(*self.p.kept))) if self.dived else None
        )
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
            self.ruiner.heat = self._cooled(hottest, (now - begin) / length)
            better |= self.ruiner.round()
            # Plans come in bursts; each one told is checked by the parent.
            if better and now - told > self.p.told:
                self._take(self.ruiner.best)
                told, better = now, False
        if better:
            self._take(self.ruiner.best)

    def _cooled(self, hottest: float, done: float) -> float:
        return float(hottest * self.p.coldest**done)

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
            if label is not None and label.form == "limit":
                limits[label.number] = max(prices[row], 0.0)
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
        for _ in range(self.p.refills):
            self._take(self.ruiner.refilled())


def by_row(matrix: Matrix, prices: Sequence[tuple[Sequence[Any], float]]) -> np.ndarray:
    """Return the price of each row of a matrix, 0 where none is told."""
    known = {RowLabel(*label): price for label, price in prices}
    return np.array(
        [0.0 if label is None else known.get(label, 0.0) for label in matrix.labels]
    )
