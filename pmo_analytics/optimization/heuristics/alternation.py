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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pmo_analytics.optimization.heuristics.bandit import Bandit
from pmo_analytics.optimization.heuristics.kernels.loading import Loading, at_hand
from pmo_analytics.optimization.heuristics.large_neighbourhood import Improver
from pmo_analytics.optimization.heuristics.near_relaxation import NearWalk
from pmo_analytics.optimization.heuristics.turns.ground import Ground, Tell, Turn
from pmo_analytics.optimization.heuristics.turns.rebuilding import Rebuilding
from pmo_analytics.optimization.heuristics.turns.repacking import Repacking
from pmo_analytics.optimization.heuristics.whole_plan_annealing import Annealer
from pmo_analytics.optimization.messages import (
    BetterPlan,
    NewPrices,
    News,
    Prices,
)
from pmo_analytics.optimization.model.array_sink import Matrix, build_matrix
from pmo_analytics.optimization.model.incumbent import Incumbent
from pmo_analytics.optimization.model.instance import Options, carries_branches
from pmo_analytics.optimization.model.purchasing import value_of
from pmo_analytics.optimization.model.rows import RowLabel
from pmo_analytics.optimization.model.symmetry import without_order
from pmo_analytics.optimization.params import DEFAULTS, AlternationParams, SearchParams

# Seconds in which kernels that are in the cache are there, and between two looks
# whether they are compiled.
_AT_ONCE, _WHILE_COMPILED = 0.5, 0.5
# The searches that take turns.
_WHOLE, _REPACK, _REBUILD = "whole", "repack", "rebuild"


@dataclass
class _Exact:
    """Time for the exact models, in lengths of a cycle: more where they find more."""

    share: float
    least: float
    most: float

    @classmethod
    def of(cls, p: AlternationParams, small: bool) -> _Exact:
        """Return how it begins; `small` where branches can prove an optimum."""
        if small:
            return cls(p.exact_after, p.least_after, p.most_after)
        return cls(p.exact, p.least_exact, p.most_exact)

    def learn(self, solved: float, gained: float) -> None:
        """Take note of what exact models gained after what a search did."""
        if solved != gained or not solved:
            self.share *= 1.5 if solved > gained * self.share else 0.75
            self.share = min(max(self.share, self.least), self.most)


class Search:
    """All searches with what they share: the best plan and the prices.

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
        What others tell; emptied as it is read.
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
        inbox: list[News],
        params: SearchParams = DEFAULTS,
        compiles: bool = True,
    ) -> None:
        self.p, self.inbox = params.alternation, inbox
        rng, order = np.random.default_rng(seed), options
        # Twins in any order: they would only be in the way of each other here.
        options = without_order(options)
        matrix = build_matrix(options)
        self.known = known = Incumbent(options, start)
        self.ground = Ground(order, options, matrix, rng, known, tell, params)
        self.repacking = Repacking(self.ground)
        self.improver = Improver(options, matrix, start, rng, params.lns)
        self.walk = NearWalk(options, matrix, known, self.p.relaxed, params.near)
        self.rebuilding = Rebuilding(self.ground, self.repacking, self._listen)
        self.repacked = 0
        self.small = carries_branches(options)
        self.exact = _Exact.of(self.p, self.small)
        self.annealer: Annealer | None = None
        if not self.repacking.sells:
            model = self.repacking.model
            self.annealer = Annealer(options, rng, params.annealing, model)
        # Whether the last plan cooled from nothing ended near the best one.
        self.near = True
        self.loading: Loading | None = None
        if compiles or at_hand():
            self.loading = Loading(self.repacking.ruiner.model)
        self.loaded = False
        self.bandit = Bandit(
            (_WHOLE, _REBUILD, _REPACK), rng, params.turns, favoured=_WHOLE
        )

    @property
    def complete(self) -> bool:
        """Whether all plans that could be better have been gone through."""
        return self.walk.nearby.complete

    def run(self, end: float) -> None:
        """Search until a moment of the monotonic clock."""
        length = dict.fromkeys((_REBUILD, _REPACK), self.p.first_cycle)
        length[_WHOLE] = self._first_whole(end)
        turn = 0
        ready = self._load(min(_AT_ONCE, max(end - time.monotonic(), 0.0)))
        while not ready and time.monotonic() < end:
            # Compiled for the first time: meanwhile the exact models find something.
            self._listen()
            self._anneal_early(min(time.monotonic() + self.p.first_cycle, end))
            until = min(time.monotonic() + _WHILE_COMPILED, end)
            self._solve_parts(until, self.ground.best)
            ready = self._load(0.0)
        while time.monotonic() < end:
            self._listen()
            until = min(time.monotonic() + self.p.walk * min(length.values()), end)
            if self.walk.go_on(until, self.ground.take, self._listen):
                return
            name = self._next(turn, end)
            before, begun = self.known.objective, time.monotonic()
            plan, elsewhere = self._take_turn(name, length[name], end)
            if turn:
                worth = value_of(self.ground.options, plan)
                spent = time.monotonic() - begun
                self.bandit.reward(name, worth, before, spent, elsewhere)
            self._listen()
            self._help(length[name], end, plan, self.known.objective - before)
            if turn:
                length[name] = self._grown(name, length[name])
            turn += 1

    def _grown(self, name: str, length: float) -> float:
        """Return the seconds of the next cycle of a search.

        Where a model is large, a cycle that were too long makes way for some short
        ones, which begin elsewhere: a long one often ends where it would anyway.
        """
        grown = length * (self.p.slower if name == _WHOLE else self.p.growth)
        if self.small:
            return min(grown, self.p.longest_anew)
        if name == _WHOLE or grown <= self.p.longest_anew:
            return grown
        return self.p.first_cycle

    def _first_whole(self, end: float) -> float:
        """Return the seconds of the first cycle of annealing, more for large models."""
        p, options = self.p, len(self.ground.options.project)
        size = max(options / p.to_begin, (options / p.to_begin) ** 2)
        left = max(end - time.monotonic(), 0.0)
        return float(np.clip(min(size, p.soon * left), *p.first_whole))

    def _anneal_early(self, until: float) -> None:
        """Anneal while other kernels are compiled."""
        if self.annealer is None or self.loading is None:
            return
        if self.loading.anneals.is_set():
            self.annealer.anneal(until, self.ground.take, self.ground.best)

    def _load(self, seconds: float | None) -> bool:
        """Return whether the kernels are ready; then plans are made by the prices."""
        if not self.loaded and self.loading and self.loading.ready(seconds):
            self.loaded = True
            self.repacking.refill()
        return self.loaded

    def _next(self, turn: int, end: float) -> str:
        """Return the search whose turn it is: before anything is known, repacking.

        Sizes that branches carry are those at which whole plans are annealed soonest.
        """
        possible = [_REPACK]
        if turn == 0:
            known = self.small or self.ground.reduced is not None
            return _WHOLE if known and self.annealer is not None else _REPACK
        if self.annealer is not None:
            possible.append(_WHOLE)
        if self.rebuilding.possible(end):
            possible.append(_REBUILD)
        return self.bandit.pick(possible)

    def _take_turn(self, name: str, length: float, end: float) -> Turn:
        """Let one of the searches work for a while; return what it ends with."""
        p = self.repacking.p
        few = min(1.0, p.many / max(len(self.ground.best), 1))
        if name == _WHOLE:
            # What is left would be too short for another one.
            now = time.monotonic()
            until = end if end - now < 1.5 * length else now + length
            return self._begin_anew(until)
        if name == _REBUILD:
            return self.rebuilding.turn(length, end, few)
        heat, plan = p.first_heat, None
        self.repacked += 1
        if self.repacked > 1:
            if self.repacked % p.from_best:
                plan = self.rebuilding.dive(length, end)
            low, high = (0.5, 2.0) if plan is not None else (0.25, 1.25)
            hottest = p.first_heat if plan is not None else p.hottest
            heat = hottest * few * self.ground.rng.uniform(low, high)
        self.repacking.repack(min(time.monotonic() + length, end), heat, plan)
        return Turn(self.repacking.best, elsewhere=plan is not None)

    def _help(self, length: float, end: float, plan: np.ndarray, gained: float) -> None:
        """Let the exact models work on a plan, longer where they find more."""
        before = self.known.objective
        until = min(time.monotonic() + self.exact.share * length, end)
        self._solve_parts(until, plan)
        self.exact.learn(self.known.objective - before, gained)

    def _begin_anew(self, until: float) -> Turn:
        """Anneal a plan, repack it and return it; the best one if there is none.

        Where plans cooled from nothing end far from the best one, one that was heated
        up has to better it: it shows no more than where it began.
        """
        assert self.annealer is not None
        ground = self.ground
        begin = time.monotonic()
        cooled = until - self.p.polished * (until - begin)
        plan = self.annealer.anneal(cooled, ground.take, ground.best)
        if plan is None:
            return Turn(ground.best, elsewhere=False)
        self.repacking.repack(until, self.repacking.p.cool, plan)
        ground.take(self.repacking.best)
        if not self.annealer.reheated:
            best = self.known.objective
            reached = value_of(ground.options, self.repacking.best)
            self.near = reached > best - self.p.apart * abs(best)
        return Turn(self.repacking.best, self.near or not self.annealer.reheated)

    def run_counted(self, rounds: int, end: float) -> None:
        """Search for a number of cycles, the same ones whatever the clock says."""
        self._load(None)
        ground, repacking = self.ground, self.repacking
        hottest = repacking.p.first_heat
        for turn in range(rounds):
            if time.monotonic() >= end:
                return
            possible = [_REPACK] if self.annealer is None else [_REPACK, _WHOLE]
            name = self.bandit.pick(possible) if turn else _REPACK
            before, plan = self.known.objective, ground.best
            if name == _WHOLE:
                assert self.annealer is not None
                made = self.annealer.anneal_counted(self.p.moved, ground.take)
                plan = plan if made is None else made
            heat = hottest if name == _REPACK else repacking.p.cool
            repacking.repack_counted(self.p.counted, heat, plan)
            if turn:
                self.bandit.reward(name, repacking.ruiner.best_objective, before)
            self.improver.set(ground.best)
            if self.improver.round(float("inf")):
                ground.take(self.improver.plan())
            hottest = repacking.p.hottest

    def _solve_parts(self, until: float, plan: np.ndarray) -> None:
        """Improve a plan by exact models of its parts."""
        self.improver.set(plan)
        while (left := until - time.monotonic()) > 0:
            if self.improver.round(left):
                self.ground.take(self.improver.plan())

    def _listen(self) -> None:
        while self.inbox:
            news = self.inbox.pop(0)
            if isinstance(news, NewPrices):
                self._follow(news.prices)
            elif isinstance(news, BetterPlan):
                self.known.offer(np.array(news.chosen, dtype=np.int64))

    def _follow(self, told: Prices) -> None:
        """Rank by the prices of the LP relaxation from now on, most of the time."""
        ground = self.ground
        prices = by_row(ground.matrix, told)
        paid = (ground.matrix.a.T @ prices)[: len(ground.options.project)]
        ground.reduced = reduced = ground.options.worth - paid
        self.walk.follow(prices)
        self.improver.follow(reduced)
        if self.annealer is not None:
            self.annealer.follow(reduced)
        self.repacking.follow(prices)
        if self.loaded:
            self.repacking.refill()


def by_row(matrix: Matrix, prices: Sequence[tuple[Sequence[Any], float]]) -> np.ndarray:
    """Return the price of each row of a matrix, 0 where none is told."""
    known = {RowLabel(*label): price for label, price in prices}
    return np.array(
        [0.0 if label is None else known.get(label, 0.0) for label in matrix.labels]
    )
