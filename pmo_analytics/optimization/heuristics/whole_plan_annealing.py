"""Plans by annealing the whole of them, what is broken at a rising price.

The moves are compiled (`kernels.annealing`). Slow cooling finds more than fast cooling
time and again, so cycles grow; every second one heats up the best plan again (thermal
cycling: Moebius, Neklioudov, Diaz-Sanchez, Hoffmann, Fachat and Schreiber, Physical
Review Letters 79, 1997). Options are drawn by what the prices of the relaxation
leave of their worth. What is broken at the end is mended.

Small models are cooled as a population (population annealing: Hukushima and Iba, AIP
Conference Proceedings 690, 2003): plans that do well are copied over those that do not
whenever temperature and price change. With few big projects, plans that are near each
other in worth are far apart in starts; this begins everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from pmo_analytics.optimization.heuristics.kernels.arrays import (
    Climate,
    Model,
    State,
    empty_state,
    model_of,
)
from pmo_analytics.optimization.model.instance import Options, carries_branches
from pmo_analytics.optimization.params import DEFAULTS, AnnealingParams

_LOWEST = -1e300
# Seconds between two changes of temperature, moves between them at first and at most.
_PAUSE = 0.02
_FEW, _MANY = 2_000, 1_000_000
# Moves in a second, before that is known.
_PACE = 500_000.0
# Draws that are made at once, and how far prices make one option likelier.
_DRAWN = 400_000
_LEAST, _MOST = -8.0, 3.0


class _Course(NamedTuple):
    """From where to where a plan is cooled and prices rise, in median worths."""

    hot: float
    cold: float
    cheap: float
    dear: float
    step: float


class Annealer:
    """A model whose plans are annealed.

    Parameters
    ----------
    options
        The model; what can be bought is not there.
    rng
        Source of every random choice.
    model
        The arrays of the options, if they are there already.
    """

    def __init__(
        self,
        options: Options,
        rng: np.random.Generator,
        params: AnnealingParams = DEFAULTS.annealing,
        model: Model | None = None,
    ) -> None:
        self.params = params
        self.o = options
        self.rng = rng
        self.model = model_of(options) if model is None else model
        sizes = np.abs(options.worth[options.worth != 0])
        self.typical = float(np.median(sizes)) if len(sizes) else 1.0
        self.largest = float(sizes.max(initial=0.0))
        self.pool = np.zeros(0, dtype=np.int64)
        self.few, self.pace, self.turn = _FEW, _PACE, 0
        # Whether the last cycle heated up a plan that was there.
        self.reheated = False
        self.most = params.members if carries_branches(options) else 1

    def follow(self, reduced: np.ndarray) -> None:
        """Draw options from now on by their worth less the price of what they use."""
        liking = np.clip(reduced / (self.params.blur * self.typical), _LEAST, _MOST)
        weight = np.exp(liking)
        many = min(20 * len(reduced), _DRAWN)
        drawn = self.rng.choice(len(reduced), many, p=weight / weight.sum())
        self.pool = drawn.astype(np.int64)

    def anneal(
        self,
        until: float,
        tell: Callable[[np.ndarray], None],
        known: np.ndarray | None = None,
    ) -> np.ndarray | None:
        """Cool a plan to a moment of the monotonic clock.

        Returns the best plan that keeps all rules, None where there is none.

        Parameters
        ----------
        tell
            Called with plans that keep all rules, each better than the one before.
        known
            Option numbers of a plan that is heated up every second time, but not to the
            end: from nothing chance decides early where most of a plan lies.
        """
        moves = self.pace * (until - time.monotonic())
        members, warm = self.members(moves), 1.0
        self.turn += 1
        if self.turn % 2:
            known = None
        self.reheated = known is not None
        if known is not None:
            members, warm = 1, float(self.rng.uniform(*self.params.reheated))
        return self._cool(self._by_clock(until), members, tell, known, warm)

    def anneal_counted(
        self, moves: int, tell: Callable[[np.ndarray], None]
    ) -> np.ndarray | None:
        """Cool a plan from nothing with a number of moves, whatever the clock says."""
        members = self.members(moves)
        each = max(_FEW, 100 * members)
        steps = max(moves // each, 1)
        walk = ((i / steps, each) for i in range(steps))
        return self._cool(walk, members, tell)

    def members(self, moves: float) -> int:
        """Return how many plans so many moves are enough for."""
        enough = self.params.enough * len(self.o.project)
        return int(min(max(moves / max(enough, 1.0), 1), self.most))

    def _by_clock(self, until: float) -> Iterator[tuple[float, int]]:
        """Yield how much of the time is over, and how many moves to make."""
        begin = now = time.monotonic()
        while now < until:
            yield (now - begin) / (until - begin), self.few
            before, now = now, time.monotonic()
            pace = _PAUSE / max(now - before, 1e-5)
            self.pace = 0.9 * self.pace + 0.1 * self.few * pace / _PAUSE
            self.few = int(min(max(self.few * min(pace, 4.0), 100), _MANY))

    def _cool(
        self,
        steps: Iterator[tuple[float, int]],
        members: int,
        tell: Callable[[np.ndarray], None],
        plan: np.ndarray | None = None,
        warm: float = 1.0,
    ) -> np.ndarray | None:
        from pmo_analytics.optimization.heuristics.kernels.annealing import anneal
        from pmo_analytics.optimization.heuristics.kernels.mending import mend

        states = [self._begin(plan) for _ in range(members)]
        course = self._course()
        best = np.full(len(self.model.project), -1, dtype=np.int64)
        top = _LOWEST
        climate: Climate | None = None
        for done, moves in steps:
            before, former = top, climate
            climate = self._climate(1.0 - warm * (1.0 - done), course)
            if former is not None:
                self._resample(states, former, climate)
            each = max(moves // len(states), 1)
            for state in states:
                args = self.model, state, climate, self.rng, each, self.pool
                top = anneal(*args, best, top)
            if top > before:
                tell(_plan(best))
        for state in states:
            if mend(self.model, state) and state.worth[0] > top:
                best, top = state.chosen, float(state.worth[0])
                tell(_plan(best))
        return _plan(best) if top > _LOWEST else None

    def _begin(self, plan: np.ndarray | None = None) -> State:
        """Return a plan, or that of what is as it is."""
        state = empty_state(self.model)
        if plan is not None:
            state.chosen[self.o.project[plan]] = plan
            return state
        projects = self.model.project
        fixed = projects["held"] & projects["must"] & (np.diff(self.o.first) > 0)
        state.chosen[fixed] = projects["first"][fixed]
        return state

    def _resample(self, states: list[State], former: Climate, now: Climate) -> None:
        """Copy plans that do well over those that do not, with one random number."""
        if len(states) == 1:
            return
        worth = np.array([state.worth[0] for state in states])
        broken = np.array([state.broken[0] for state in states])
        gained = (worth - now.price * broken) / now.heat
        gained -= (worth - former.price * broken) / former.heat
        weight = np.exp(gained - gained.max())
        reached = np.cumsum(weight / weight.mean())
        places = np.arange(len(weight)) + self.rng.random()
        kept = np.minimum(np.searchsorted(reached, places), len(weight) - 1)
        chosen = [states[k].chosen.copy() for k in kept.tolist()]
        for state, plan in zip(states, chosen, strict=True):
            state.chosen[:] = plan

    def _course(self) -> _Course:
        """Draw how a plan is cooled: no course is the best one for every portfolio."""
        p = self.params
        spans = p.hot, p.cold, p.cheap, p.dear, p.step
        return _Course(*(float(self.rng.uniform(*span)) for span in spans))

    def _climate(self, done: float, course: _Course) -> Climate:
        p, c = self.params, course
        price = self.typical * c.cheap * (c.dear / c.cheap) ** done
        return Climate(
            heat=self.typical * c.hot * (c.cold / c.hot) ** done,
            price=price,
            step=c.step,
            link=max(price / 5.0, self.typical * p.link),
            must=2.0 * self.largest + price,
            paired=p.paired,
            stays=p.stays,
            drawn=p.drawn if len(self.pool) else 0.0,
            out=p.out,
        )


def _plan(chosen: np.ndarray) -> np.ndarray:
    return np.sort(chosen[chosen >= 0]).astype(np.int64)
