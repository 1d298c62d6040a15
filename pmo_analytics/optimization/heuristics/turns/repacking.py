"""Repacking in turn with others: for a while, in the room that is bought, by prices."""

from __future__ import annotations

import time

import numpy as np

from pmo_analytics.optimization.heuristics.kernels.arrays import Model, model_of
from pmo_analytics.optimization.heuristics.ruin_recreate import Ruiner
from pmo_analytics.optimization.heuristics.turns.ground import Ground
from pmo_analytics.optimization.model.purchasing import with_room_of

# Rounds of repacking between two looks at the clock, at first and at most; seconds that
# they should take.
_BATCH, _MOST_ROUNDS, _PAUSE = 20, 2_000, 0.01
# Options times projects that all plans made afresh may look through.
_REFILLED = 100_000_000


class Repacking:
    """Ruin and recreate, cooled over a while, ranked by whatever prices are known."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.p = ground, ground.params.repacking
        options, start = ground.options, ground.best
        # Repacking knows no purchases: it works in the room that the best plan buys.
        self.sells = bool(len(options.buy.resource))
        room = with_room_of(options, start) if self.sells else options
        model = model_of(room)
        self.ruiner = Ruiner(room, start, ground.rng, model)
        # Without purchases these are the arrays of the model itself.
        self.model: Model = model
        self.rankings = [self.ruiner.score]
        self.batch = _BATCH

    @property
    def best(self) -> np.ndarray:
        """The best plan of the last time."""
        return self.ruiner.best

    def rank_by_profit(self) -> Ruiner:
        """Return what fills plans, ranking by the prices of the relaxation."""
        self.ruiner.score = self.rankings[-1]
        return self.ruiner

    def follow(self, prices: np.ndarray) -> None:
        """Rank by the prices of the rows from now on, most of the time."""
        options, matrix = self.ground.options, self.ground.matrix
        limits = np.zeros(len(options.limit))
        others = prices.copy()
        for row, label in enumerate(matrix.labels):
            if label is not None and label.form == "limit":
                limits[label.number] = max(prices[row], 0.0)
                others[row] = 0.0
        # What other rows pay is worth: a project that lets others begin is paid by
        # the rows that make them wait.
        adjusted = options.worth - (matrix.a.T @ others)[: len(options.project)]
        self.ruiner.priced(limits, adjusted)
        dense = self.ruiner.score
        reduced = self.ground.reduced
        assert reduced is not None
        typical = max(float(np.median(np.abs(reduced))), 1e-9)
        profit = np.exp(np.clip(reduced / typical, -30.0, 30.0))
        self.rankings = [self.rankings[0], dense, profit, profit]
        self.ruiner.score = profit

    def refill(self) -> None:
        """Make some plans afresh by the prices, once those are known."""
        if self.ground.reduced is None:
            return
        # Each looks through the options once for every project that comes in.
        options = self.ground.options
        looks = max(len(options.project) * len(options.must), 1)
        for _ in range(min(self.p.refills, _REFILLED // looks)):
            self.ground.take(self.ruiner.refilled())

    def repack(
        self, until: float, hottest: float, plan: np.ndarray | None = None
    ) -> None:
        """Repack a plan, the best one if none is given, to a moment of the clock."""
        self._begin(self.ground.best if plan is None else plan)
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
                self.ground.take(self.ruiner.best)
                told, better = now, False
        if better:
            self.ground.take(self.ruiner.best)

    def repack_counted(self, rounds: int, hottest: float, plan: np.ndarray) -> None:
        """Repack a plan with a number of rounds."""
        self._begin(plan)
        done = 0
        while done < rounds:
            self.ruiner.heat = self._cooled(hottest, done / rounds)
            self.ruiner.rounds(min(_BATCH, rounds - done))
            done += _BATCH
        self.ground.take(self.ruiner.best)

    def _begin(self, plan: np.ndarray) -> None:
        """Go on from a plan, in the room that the best plan now buys."""
        rng = self.ground.rng
        self.ruiner.score = self.rankings[rng.integers(len(self.rankings))]
        if self.sells:
            score = self.ruiner.score
            best = self.ground.best
            room = with_room_of(self.ground.options, best)
            self.ruiner = Ruiner(room, best, rng)
            self.ruiner.score = score
        self.ruiner.set(plan)

    def _keep_pace(self, took: float) -> None:
        """Adapt how many rounds are made between two looks at the clock."""
        pace = min(_PAUSE / max(took, 1e-5), 2.0)
        self.batch = int(min(max(self.batch * pace, 1), _MOST_ROUNDS))

    def _cooled(self, hottest: float, done: float) -> float:
        return float(hottest * self.p.coldest**done)
