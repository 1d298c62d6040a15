"""The search around a plan: repacking, rebuilding, and exact models of parts.

They find different things: annealing moves the whole plan, millions of times a second,
and the slower it cools the more it finds; ruin and recreate repacks; dives for a part
of the plan let whole chains leave for others, a few a second; the small exact models
see exchanges of many projects at once. They take turns, those more often that reached
most of late (`bandit`); some of what they begin with is not the best plan but one that
dives into the relaxation, which is elsewhere. Where few plans are near the relaxation,
those are gone through one after the other besides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from pmo_analytics.optimization.heuristics.bandit import Bandit
from pmo_analytics.optimization.heuristics.diving import Diver
from pmo_analytics.optimization.heuristics.kernels.arrays import model_of
from pmo_analytics.optimization.heuristics.kernels.loading import Loading, at_hand
from pmo_analytics.optimization.heuristics.large_neighbourhood import Improver
from pmo_analytics.optimization.heuristics.near_relaxation import Nearby
from pmo_analytics.optimization.heuristics.partial_diving import Rebuilder
from pmo_analytics.optimization.heuristics.ruin_recreate import Ruiner
from pmo_analytics.optimization.heuristics.whole_plan_annealing import Annealer
from pmo_analytics.optimization.model.array_sink import Matrix, build_matrix
from pmo_analytics.optimization.model.instance import Options, carries_branches
from pmo_analytics.optimization.model.purchasing import value_of, with_room_of
from pmo_analytics.optimization.model.rows import RowLabel
from pmo_analytics.optimization.model.symmetry import ordered, without_order
from pmo_analytics.optimization.params import DEFAULTS, SearchParams

Tell = Callable[[np.ndarray], None]
# Rounds of repacking between two looks at the clock, at first and at most; seconds that
# they should take.
_BATCH, _MOST_ROUNDS, _PAUSE = 20, 2_000, 0.01
# Seconds in which kernels that are in the cache are there, and between two looks
# whether they are compiled.
_AT_ONCE, _WHILE_COMPILED = 0.5, 0.5
# Options times projects that all plans made afresh may look through.
_REFILLED = 100_000_000
# The searches that take turns.
_WHOLE, _REPACK, _REBUILD = "whole", "repack", "rebuild"


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
    compiles
        Kernels that are not in the cache are compiled; else the exact models search
        alone then.
    """

    def __init__(
        self,
        options: Options,
        start: np.ndarray,
        seed: int,
        tell: Tell,
        inbox: list[dict[str, Any]],
        params: SearchParams = DEFAULTS,
        compiles: bool = True,
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
        model = model_of(room)
        self.ruiner = Ruiner(room, start, self.rng, model)
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
        self.batch, self.repacked = _BATCH, 0
        # Time for the exact models, in lengths of a cycle.
        self.share, self.least, self.most = (
            self.p.exact,
            self.p.least_exact,
            self.p.most_exact,
        )
        self.longest = np.inf
        self.small = carries_branches(options)
        if self.small:
            self.share, self.least = self.p.exact_after, self.p.least_after
            self.most, self.longest = self.p.most_after, self.p.longest_anew
        self.annealer: Annealer | None = None
        if not self.sells:
            self.annealer = Annealer(options, self.rng, params.annealing, model)
        self.loading: Loading | None = None
        if compiles or at_hand():
            self.loading = Loading(self.ruiner.model)
        self.loaded = False
        self.bandit = Bandit((_WHOLE, _REBUILD, _REPACK), self.rng, self.p)

    def run(self, end: float) -> None:
        """Search until a moment of the monotonic clock."""
        length = dict.fromkeys((_WHOLE, _REBUILD, _REPACK), self.p.first_cycle)
        if self.small:
            length[_WHOLE] = self.p.first_whole
        turn = 0
        ready = self._load(min(_AT_ONCE, max(end - time.monotonic(), 0.0)))
        while not ready and time.monotonic() < end:
            # Compiled for the first time: meanwhile the exact models find something.
            self._listen()
            self._anneal_early(min(time.monotonic() + self.p.first_cycle, end))
            self._solve_parts(min(time.monotonic() + _WHILE_COMPILED, end), self.best)
            ready = self._load(0.0)
        while time.monotonic() < end:
            self._listen()
            walk = self.p.walk * min(length.values())
            if self._go_through(min(time.monotonic() + walk, end)):
                return
            name = self._next(turn, end)
            before = self.objective
            plan = self._take_turn(name, length[name], end)
            if turn:
                self.bandit.reward(name, value_of(self.o, plan), before)
            self._listen()
            self._help(length[name], end, plan, self.objective - before)
            if turn:
                growth = self.p.slower if name == _WHOLE else self.p.growth
                length[name] = min(length[name] * growth, self.longest)
            turn += 1

    def _anneal_early(self, until: float) -> None:
        """Anneal while other kernels are compiled; small models also without any."""
        from pmo_analytics.optimization.heuristics.population_annealing import (
            Population,
        )

        if self.annealer is None:
            return
        if self.loading is not None and self.loading.anneals.is_set():
            self.annealer.anneal(until, self._take, self.best)
        elif self.small:
            own = Population(self.o, self.matrix, self.rng, self.params.annealing)
            own.anneal(until, self._take)

    def _load(self, seconds: float | None) -> bool:
        """Return whether the kernels are ready; then plans are made by the prices."""
        if not self.loaded and self.loading and self.loading.ready(seconds):
            self.loaded = True
            self._refill()
        return self.loaded

    def _refill(self) -> None:
        if self.reduced is None:
            return
        # Each looks through the options once for every project that comes in.
        looks = max(len(self.o.project) * len(self.o.must), 1)
        for _ in range(min(self.p.refills, _REFILLED // looks)):
            self._take(self.ruiner.refilled())

    def _next(self, turn: int, end: float) -> str:
        """Return the search whose turn it is: before anything is known, repacking.

        Sizes that branches carry are those at which whole plans are annealed soonest.
        """
        possible = [_REPACK]
        if turn == 0:
            return _WHOLE if self.small and self.annealer is not None else _REPACK
        if self.annealer is not None:
            possible.append(_WHOLE)
        if self._prepare(end):
            assert self.rebuilder is not None
            if self.rebuilder.pace <= self.p.slow:
                possible.append(_REBUILD)
        return self.bandit.pick(possible)

    def _take_turn(self, name: str, length: float, end: float) -> np.ndarray:
        """Let one of the searches work for a while; return what it ends with."""
        few = min(1.0, self.p.many / max(len(self.best), 1))
        now = time.monotonic()
        if name == _WHOLE:
            # What is left would be too short for another one.
            until = end if end - now < 1.5 * length else now + length
            return self._begin_anew(until)
        if name == _REBUILD:
            heat = self.rng.uniform(*self.p.warm) * few
            dived = None if self.dived else self._dive(length, end)
            return self._rebuild(length, end, heat, dived)
        heat, plan = self.p.first_heat, None
        self.repacked += 1
        if self.repacked > 1:
            plan = self._dive(length, end) if self.repacked % self.p.from_best else None
            low, high = (0.5, 2.0) if plan is not None else (0.25, 1.25)
            hottest = self.p.first_heat if plan is not None else self.p.hottest
            heat = hottest * few * self.rng.uniform(low, high)
        self._anneal(min(time.monotonic() + length, end), heat, plan)
        return self.ruiner.best

    def _help(self, length: float, end: float, plan: np.ndarray, gained: float) -> None:
        """Let the exact models work on a plan, longer where they find more."""
        before = self.objective
        self._solve_parts(min(time.monotonic() + self.share * length, end), plan)
        solved = self.objective - before
        if solved != gained:
            self.share *= 1.5 if solved > gained * self.share else 0.75
            self.share = min(max(self.share, self.least), self.most)

    def _begin_anew(self, until: float) -> np.ndarray:
        """Anneal a plan, repack it and return it; the best one if there is none."""
        assert self.annealer is not None
        begin = time.monotonic()
        cooled = until - self.p.polished * (until - begin)
        plan = self.annealer.anneal(cooled, self._take, self.best)
        if plan is None:
            return self.best
        self._anneal(until, self.p.cool, plan)
        self._take(self.ruiner.best)
        return self.ruiner.best

    def _polish(self) -> float:
        """Return the seconds that a plan just rebuilt is repacked."""
        return min(self.p.polish * len(self.o.must), self.p.longest_polish)

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
        self._load(None)
        hottest = self.p.first_heat
        for turn in range(rounds):
            if time.monotonic() >= end:
                return
            possible = [_REPACK] if self.annealer is None else [_REPACK, _WHOLE]
            name = self.bandit.pick(possible) if turn else _REPACK
            before, plan = self.objective, self.best
            if name == _WHOLE:
                assert self.annealer is not None
                made = self.annealer.anneal_counted(self.p.moved, self._take)
                plan = plan if made is None else made
            self._repack_counted(hottest if name == _REPACK else self.p.cool, plan)
            if turn:
                self.bandit.reward(name, self.ruiner.best_objective, before)
            self.improver.set(self.best)
            if self.improver.round(float("inf")):
                self._take(self.improver.plan())
            hottest = self.p.hottest

    def _repack_counted(self, hottest: float, plan: np.ndarray) -> None:
        """Repack a plan with a number of rounds."""
        self.ruiner.score = self.rankings[self.rng.integers(len(self.rankings))]
        self._make_room()
        self.ruiner.set(plan)
        done = 0
        while done < self.p.counted:
            self.ruiner.heat = self._cooled(hottest, done / self.p.counted)
            self.ruiner.rounds(min(_BATCH, self.p.counted - done))
            done += _BATCH
        self._take(self.ruiner.best)

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
            better |= self.ruiner.rounds(self.batch)
            self._keep_pace(time.monotonic() - now)
            # Plans come in bursts; each one told is checked by the parent.
            if better and now - told > self.p.told:
                self._take(self.ruiner.best)
                told, better = now, False
        if better:
            self._take(self.ruiner.best)

    def _keep_pace(self, took: float) -> None:
        """Adapt how many rounds are made between two looks at the clock."""
        pace = min(_PAUSE / max(took, 1e-5), 2.0)
        self.batch = int(min(max(self.batch * pace, 1), _MOST_ROUNDS))

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
        if self.annealer is not None:
            self.annealer.follow(reduced)
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
        if self.loaded:
            self._refill()


def by_row(matrix: Matrix, prices: Sequence[tuple[Sequence[Any], float]]) -> np.ndarray:
    """Return the price of each row of a matrix, 0 where none is told."""
    known = {RowLabel(*label): price for label, price in prices}
    return np.array(
        [0.0 if label is None else known.get(label, 0.0) for label in matrix.labels]
    )
