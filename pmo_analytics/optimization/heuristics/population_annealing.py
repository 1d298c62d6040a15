"""Plans by population annealing: many plans at once, overloads at a rising price.

Each member of a population moves one project or two at a time, whatever rules that
breaks: what is broken has a price, low at first, and a move that loses is taken as in
simulated annealing. Where plans are full, one project has to go for another to come, so
most moves are of two. Members that do well are copied over those that do not whenever
temperature and price change (population annealing: Hukushima and Iba, AIP Conference
Proceedings 690, 2003). With few big projects, plans that are near each other in worth
are far apart in starts; a search around one plan does not get from one to the other,
this begins everywhere. All members move in one numpy step.

This is what small models go on with while kernels are compiled for the first time.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from pmo_analytics.optimization.model.array_sink import Matrix, holds
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.params import DEFAULTS, AnnealingParams

_SLACK = 1e-5
# Moves of each member before temperature and price change, changes after which sums are
# made anew; temperature from and to and the highest price, in projects of median worth.
_MOVES, _ANEW, _HOT, _COLD, _DEAR = 50, 20, 0.4, 0.06, 25.0


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
        self,
        options: Options,
        matrix: Matrix,
        rng: np.random.Generator,
        params: AnnealingParams = DEFAULTS.annealing,
    ) -> None:
        self.params = params
        self.matrix = matrix
        self.rng = rng
        self.count = np.diff(options.first)
        self.first = options.first[:-1]
        uses, limits = _as_limits(options, matrix)
        # After the options comes one that stands for a project left out.
        self.none = len(options.project)
        # Row by row in memory: every move reads whole rows.
        self.uses = np.zeros((self.none + 1, len(limits)), dtype=np.float32)
        self.uses[:-1] = uses.T
        self.worth = np.append(options.worth, 0.0).astype(np.float32)
        self.empty = -(limits + _SLACK).astype(np.float32)
        sizes = np.abs(options.worth[options.worth != 0])
        self.typical = float(np.median(sizes)) if len(sizes) else 1.0
        # What is mandatory may cost far more than most are worth.
        self.dear = max(_DEAR * self.typical, 2.0 * sizes.max(initial=0.0))

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
        cheap = self.rng.uniform(*self.params.cheap)
        heat, price = _HOT * self.typical, cheap * self.typical
        rise = self.dear / price
        turn = 0
        while (now := time.monotonic()) < until:
            done = (now - begin) / length
            before = (self.value - price * self.broken) / heat
            heat = self.typical * _HOT * (_COLD / _HOT) ** done
            price = cheap * self.typical * rise**done
            self._resample((self.value - price * self.broken) / heat - before)
            if turn % _ANEW == 0:
                self._sum_up()
            self._move(heat, price, tell)
            turn += 1

    def _begin(self) -> None:
        self.chosen = np.full((self.params.members, len(self.count)), self.none)
        self.top = -np.inf
        self.buffer = np.empty(
            (3, self.params.members, len(self.empty)), dtype=np.float32
        )
        self.zeros = np.zeros_like(self.buffer[0])
        self.ones = np.ones(len(self.empty), dtype=np.float32)
        self._sum_up()

    def _sum_up(self) -> None:
        # Over is what each row of a member has above its limit, below 0 what is left.
        used = [self.uses[plan].sum(axis=0) for plan in self.chosen]
        self.over = self.empty + np.array(used)
        self.broken = self._breaks(self.over)
        self.value = self.worth[self.chosen].sum(axis=1)

    def _breaks(self, over: np.ndarray) -> np.ndarray:
        # An array of zeros takes half the time that the number takes.
        excess = np.maximum(over, self.zeros, out=self.buffer[1])
        return excess @ self.ones

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
        """Let each member try some moves: a project to a start, or out; or two."""
        shape = (_MOVES, self.params.members)
        members = np.arange(self.params.members)
        many = len(self.count)
        projects = self.rng.integers(many, size=shape)
        targets = self._somewhere(projects, 1)
        losses = heat * self.rng.exponential(size=shape)
        paired = self.rng.random(_MOVES) < (self.params.paired if many > 1 else 0.0)
        order = self.rng.random((_MOVES, many), dtype=np.float32)
        stays = self.rng.random(shape) < self.params.stays
        for i, (p, new, loss) in enumerate(zip(projects, targets, losses, strict=True)):
            over = self.buffer[0]
            old = self.chosen[members, p]
            gain = self.worth[new] - self.worth[old]
            np.copyto(over, self.over)
            self._exchange(over, old, new)
            if paired[i]:
                preferred = np.where(self.chosen < self.none, order[i], -1.0)
                preferred[members, p] = -2.0
                other = preferred.argmax(axis=1)
                left = self.chosen[members, other]
                moved = np.where(stays[i], self._somewhere(other, 0), self.none)
                gain += self.worth[moved] - self.worth[left]
                self._exchange(over, left, moved)
            broken = self._breaks(over)
            taken = np.flatnonzero(gain - price * (broken - self.broken) > -loss)
            self.chosen[taken, p[taken]] = new[taken]
            if paired[i]:
                self.chosen[taken, other[taken]] = moved[taken]
            self.over[taken] = over[taken]
            self.broken[taken] = broken[taken]
            self.value[taken] += gain[taken]
            self._look_for_best(taken, tell)

    def _somewhere(self, projects: np.ndarray, out: int) -> np.ndarray:
        """Return a random option of each project, or with `out` = 1 perhaps none."""
        count = self.count[projects]
        place = (self.rng.random(projects.shape) * (count + out)).astype(np.int64)
        return np.where(place < count, self.first[projects] + place, self.none)

    def _exchange(self, over: np.ndarray, old: np.ndarray, new: np.ndarray) -> None:
        """Add what new options use, and take away what the old ones used."""
        use = self.buffer[2]
        over += np.take(self.uses, new, axis=0, out=use, mode="clip")
        over -= np.take(self.uses, old, axis=0, out=use, mode="clip")

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
        if holds(self.matrix, plan):
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
