"""Plans by population annealing: many plans at once, overloads at a rising price.

Each member of a population moves one project at a time, whatever rules that breaks:
what is broken has a price, low at first, and a move that loses is taken as in simulated
annealing. Members that do well are copied over those that do not whenever temperature
and price change (population annealing: Hukushima and Iba, AIP Conference Proceedings
690, 2003). With few big projects, plans that are near each other in worth are far apart
in starts; a search around one plan does not get from one to the other, this begins
everywhere. All members move in one numpy step, about a million moves a second where a
plan has some hundred rules.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from pmo_analytics.optimization.matrix import Matrix, holds
from pmo_analytics.optimization.options import Options
from pmo_analytics.tolerance import TOLERANCE

_MEMBERS = 64
# Moves of each member before temperature and price change.
_MOVES = 50
# Temperature from and to, and what a rule broken by its largest use costs from and to,
# in projects of median worth.
_HOT, _COLD = 1.0, 0.02
_CHEAP, _DEAR = 1.0, 50.0
# Sums in single precision are made anew after so many changes of temperature.
_ANEW = 20
_SLACK = 1e-5


class Population:
    """Plans that are annealed together.

    Parameters
    ----------
    options, matrix
        The model; one without purchases.
    rng
        Source of every random choice.
    """

    def __init__(
        self, options: Options, matrix: Matrix, rng: np.random.Generator
    ) -> None:
        self.matrix = matrix
        self.rng = rng
        self.count = np.diff(options.first)
        self.first = options.first[:-1]
        uses, limits = _as_limits(options, matrix)
        # After the options comes one that stands for a project left out.
        self.none = len(options.project)
        self.uses = np.vstack([uses.T, np.zeros(len(limits))]).astype(np.float32)
        self.worth = np.append(options.worth, 0.0).astype(np.float32)
        self.empty = -(limits + _SLACK).astype(np.float32)
        gains = options.worth[options.worth > 0]
        self.typical = float(np.median(gains)) if len(gains) else 1.0

    def anneal(self, until: float, tell: Callable[[np.ndarray], None]) -> None:
        """Cool one population from the empty plan to a moment of the monotonic clock.

        Parameters
        ----------
        tell
            Called with each plan that keeps all rules and is the best one so far.
        """
        begin = time.monotonic()
        length = max(until - begin, 1e-9)
        self._begin()
        heat, price = _HOT * self.typical, _CHEAP * self.typical
        turn = 0
        while (now := time.monotonic()) < until:
            done = (now - begin) / length
            before = (self.value - price * self.broken) / heat
            heat = self.typical * _HOT * (_COLD / _HOT) ** done
            price = self.typical * _CHEAP * (_DEAR / _CHEAP) ** done
            self._resample((self.value - price * self.broken) / heat - before)
            if turn % _ANEW == 0:
                self._sum_up()
            self._move(heat, price, tell)
            turn += 1

    def _begin(self) -> None:
        self.chosen = np.full((_MEMBERS, len(self.count)), self.none)
        self.top = -np.inf
        self.buffer = np.empty((2, _MEMBERS, len(self.empty)), dtype=np.float32)
        self._sum_up()

    def _sum_up(self) -> None:
        # Over is what each row of a member has above its limit, below 0 what is left.
        self.over = self.empty + self.uses[self.chosen].sum(axis=1)
        self.broken = self._breaks(self.over)
        self.value = self.worth[self.chosen].sum(axis=1)

    def _breaks(self, over: np.ndarray) -> np.ndarray:
        excess = np.maximum(over, 0.0, out=self.buffer[1])
        return excess @ np.ones(excess.shape[1], dtype=np.float32)

    def _resample(self, gained: np.ndarray) -> None:
        """Copy members in proportion to exp(gained), with one random number."""
        weight = np.exp(gained - gained.max())
        reached = np.cumsum(weight / weight.mean())
        places = np.arange(len(weight)) + self.rng.random()
        kept = np.minimum(np.searchsorted(reached, places), len(weight) - 1)
        self.chosen, self.over = self.chosen[kept], self.over[kept]
        self.broken, self.value = self.broken[kept], self.value[kept]

    def _move(
        self, heat: float, price: float, tell: Callable[[np.ndarray], None]
    ) -> None:
        """Let each member try some moves: a project to a start, or out."""
        shape = (_MOVES, _MEMBERS)
        members = np.arange(_MEMBERS)
        projects = self.rng.integers(len(self.count), size=shape)
        count = self.count[projects]
        place = (self.rng.random(shape) * (count + 1)).astype(np.int64)
        targets = np.where(place < count, self.first[projects] + place, self.none)
        losses = heat * self.rng.exponential(size=shape)
        over = self.buffer[0]
        for p, new, loss in zip(projects, targets, losses, strict=True):
            old = self.chosen[members, p]
            np.take(self.uses, new, axis=0, out=over, mode="clip")
            over += self.over
            over -= self.uses[old]
            broken = self._breaks(over)
            gain = self.worth[new] - self.worth[old]
            taken = np.flatnonzero(gain - price * (broken - self.broken) > -loss)
            self.chosen[taken, p[taken]] = new[taken]
            self.over[taken] = over[taken]
            self.broken[taken] = broken[taken]
            self.value[taken] += gain[taken]
            self._look_for_best(taken, tell)

    def _look_for_best(
        self, taken: np.ndarray, tell: Callable[[np.ndarray], None]
    ) -> None:
        value = self.value[taken]
        better = value - self.top > 1e-6 * np.abs(value)
        better &= self.broken[taken] <= 0
        if not better.any():
            return
        member = taken[better][np.argmax(value[better])]
        plan = np.sort(self.chosen[member])
        plan = plan[plan < self.none]
        # In single precision a rule may seem to hold that does not quite.
        if holds(self.matrix, plan, TOLERANCE):
            self.top = float(self.value[member])
            tell(plan)


def _as_limits(options: Options, matrix: Matrix) -> tuple[np.ndarray, np.ndarray]:
    """Return the rules of a matrix as uses and limits, rows by options.

    One option of a project is chosen at most in any case. Each row is scaled to a
    largest use of 1.
    """
    a = matrix.a[:, : len(options.project)].toarray()
    choice = np.array([label is None for label in matrix.labels], dtype=bool)
    above = np.isfinite(matrix.upper) & ~choice
    # What even the smallest coefficients all together cannot break says nothing.
    below = matrix.lower > np.minimum(a, 0.0).sum(axis=1)
    uses = np.vstack([a[above], -a[below]])
    limits = np.concatenate([matrix.upper[above], -matrix.lower[below]])
    scale = np.maximum(np.abs(uses).max(axis=1, initial=0.0), 1e-9)
    return uses / scale[:, None], limits / scale
