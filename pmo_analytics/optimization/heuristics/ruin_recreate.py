"""Local search by taking projects out of a plan and filling it again.

A ruin-and-recreate search (Schrimpf, Schneider, Stamm-Wilbrandt and Dueck, Journal of
Computational Physics 159(2), 2000): some projects near each other leave, the gaps are
filled by priced density with a little noise, and the result is kept if it is not much
worse.
"""

from __future__ import annotations

import numpy as np

from pmo_analytics.optimization.heuristics.occupancy import Occupancy
from pmo_analytics.optimization.model.instance import Options


class Ruiner(Occupancy):
    """The state of a ruin-and-recreate search; made as `Occupancy` is."""

    def __init__(
        self, options: Options, chosen: np.ndarray, rng: np.random.Generator
    ) -> None:
        super().__init__(options, chosen, rng)
        # How much worse a plan may get and be kept, in projects of average worth.
        self.heat = 0.1

    def round(self) -> bool:
        """Ruin and recreate once; return whether the best plan got better."""
        self._reopen_shut()
        before = self.keep()
        if self.rng.random() < 0.5:
            self._ruin_near()
        else:
            self._force_in()
        self._fill()
        threshold = self.heat * abs(self.best_objective) / max(len(self.best), 1)
        bar = self.best_objective - threshold * self.rng.exponential()
        if self._sound() and self.objective >= min(bar, before[-1]):
            # More than what adding and taking away may be off by.
            if self.objective - self.best_objective > 1e-12 * abs(self.best_objective):
                self.best_objective = self.objective
                self.best = np.sort(self.chosen[self.chosen >= 0])
                return True
            return False
        self.back(before)
        return False

    def _reopen_shut(self) -> None:
        self.stale.update(self.shut)
        self.shut = []

    def refilled(self) -> np.ndarray:
        """Return a plan made afresh, but for what has to stay; nothing if it fails."""
        begin = self.best
        self.set(begin[self.stays[self.o.project[begin]]])
        self._fill()
        made = np.sort(self.chosen[self.chosen >= 0])
        sound = self._sound()
        self.set(begin)
        return made if sound else begin

    def completed(self, chosen: np.ndarray) -> np.ndarray:
        """Return a plan of some choices, without what waits in vain, filled up.

        Limits have to hold; rules of what has to be in may be broken, also after.
        """
        self.set(chosen)
        unserved = True
        while unserved:
            alone = [
                int(self.o.dependency_project[d])
                for d in range(len(self.o.dependency_kind))
                if self.chosen[self.o.dependency_project[d]] >= 0
                and not self._served(d)
            ]
            alone += [
                p
                for p in self.o.project[chosen].tolist()
                if self.chosen[p] >= 0 and (self.chosen[self.mates[p]] < 0).any()
            ]
            unserved = any(not self.held[p] for p in alone)
            for p in alone:
                self._take_out(p)
        self._fill()
        return np.sort(self.chosen[self.chosen >= 0])

    def _ruin_near(self) -> None:
        """Take out projects that are at work in one stretch of time."""
        o = self.o
        placed = np.flatnonzero((self.chosen >= 0) & ~self.held)
        if not len(placed):
            return
        many = int(self.rng.integers(2, max(3, min(14, len(placed) // 2 + 1)) + 1))
        seed = int(self.rng.choice(placed))
        distance = np.abs(
            o.start[self.chosen[placed]] - o.start[self.chosen[seed]]
        ) + self.rng.uniform(0, 3.0, len(placed))
        if self.rng.random() < 0.6:
            rows, _ = o.uses(int(self.chosen[seed]))
            shared = self.sharing(self.chosen[placed], rows)
            distance = distance - 4.0 * np.sqrt(shared)
        for p in placed[np.argsort(distance)[:many]].tolist():
            self._take_out(p)

    def sharing(self, ks: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return how many of some things each of these options uses, as many as ks."""
        return self._hits(*self._used(ks), rows, len(ks))

    def _used(self, ks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what options use, and at which place in `ks` the user of each is."""
        lo, hi = self.o.use_first[ks], self.o.use_first[ks + 1]
        size = hi - lo
        place = np.arange(len(ks)).repeat(size)
        index = np.arange(len(place)) + (lo - size.cumsum() + size)[place]
        return self.o.use_row[index], place

    def _hits(
        self, used: np.ndarray, place: np.ndarray, rows: np.ndarray, many: int
    ) -> np.ndarray:
        mark = np.zeros(len(self.left), dtype=bool)
        mark[rows] = True
        return np.bincount(place[mark[used]], minlength=many)

    def _force_in(self) -> None:
        """Bring a promising option in and take out whoever is in its way."""
        o = self.o
        options = np.flatnonzero(self.open & (self.over > 0))
        if not len(options):
            self._ruin_near()
            return
        # A tournament: the best of a few by score and by how little is in the way.
        few = self.rng.choice(options, size=min(8, len(options)))
        k = int(few[np.argmax(self.score[few] / np.sqrt(self.over[few] + 1.0))])
        rows, amounts = o.uses(k)
        placed = np.flatnonzero((self.chosen >= 0) & ~self.held)
        score = self.score[self.chosen[placed]]
        used, place = self._used(self.chosen[placed])
        for _ in range(12):
            short = rows[self.left[rows] < amounts]
            if not len(short) or not len(placed):
                break
            helps = self._hits(used, place, short, len(placed))
            gain = helps / (score * self.rng.uniform(0.6, 1.4, len(placed)))
            gain[self.chosen[placed] < 0] = 0.0
            at = int(np.argmax(gain))
            if gain[at] <= 0:
                break
            self._take_out(int(placed[at]))
        for p in o.project[self.counts.in_the_way(k, self.chosen, self.rng)].tolist():
            self._take_out(p)
        self._settle()
        if self.over[k] == 0 and self.open[k]:
            self._place_with_mates(k, self.score)

    def _fill(self) -> None:
        """Bring in what fits, by score with noise, until nothing does."""
        noise = self.rng.uniform(0.75, 1.25, len(self.o.must))
        score = self.score * noise[self.o.project]
        failed: set[int] = set()
        while True:
            self._settle()
            options = ((self.over == 0) & self.open).nonzero()[0]
            if not len(options):
                return
            k = int(options[np.argmax(score[options])])
            p = int(self.o.project[k])
            if p in failed:
                self.open[self.o.first[p] : self.o.first[p + 1]] = False
            elif self.o.worth[k] <= 0 and not self.o.must[p]:
                self.open[k] = False
            elif not self._place_with_mates(k, score):
                failed.add(p)
