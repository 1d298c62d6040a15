"""Rebuilding in turn with others: dives for a whole plan or for parts of one."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from pmo_analytics.optimization.heuristics.diving import Diver
from pmo_analytics.optimization.heuristics.partial_diving import Rebuilder
from pmo_analytics.optimization.heuristics.turns.ground import Ground, Turn
from pmo_analytics.optimization.heuristics.turns.repacking import Repacking
from pmo_analytics.optimization.model.purchasing import value_of


class Rebuilding:
    """Dives into the relaxation, once its prices are known.

    Parameters
    ----------
    ground
        What the search stands on.
    repacking
        Fills what a dive leaves.
    listen
        Called now and then, to take what others tell.
    """

    def __init__(
        self, ground: Ground, repacking: Repacking, listen: Callable[[], None]
    ) -> None:
        self.ground, self.p = ground, ground.params.rebuilding
        self.repacking, self.listen = repacking, listen
        self.rebuilder: Rebuilder | None = None
        self.divable = not repacking.sells
        self.dived = False

    def prepare(self, end: float) -> bool:
        """Have the relaxation solved that dives begin with; return whether it is."""
        ground = self.ground
        if not self.divable or ground.reduced is None:
            return False
        if self.rebuilder is None:
            own, seed = ground.params.diving, int(ground.rng.integers(2**31 - 1))
            diver = Diver(ground.options, ground.matrix, seed, own)
            self.divable = diver.begin(self.p.root * (end - time.monotonic()))
            self.rebuilder = Rebuilder(ground.matrix, diver, ground.rng, own)
        return self.divable

    def possible(self, end: float) -> bool:
        """Return whether parts can be rebuilt, and in little time."""
        if not self.prepare(end):
            return False
        assert self.rebuilder is not None
        return self.rebuilder.pace <= self.p.slow

    def dive(self, length: float, end: float) -> np.ndarray | None:
        """Return the plan that a dive ends with, however poor, or None.

        Parameters
        ----------
        length
            Seconds of a cycle.
        end
            Of the search.
        """
        if not self.prepare(end):
            return None
        assert self.rebuilder is not None
        now, rng = time.monotonic(), self.ground.rng
        span = self.p.dive * length if self.dived else self.p.first_dive * (end - now)
        kept = self._liked(float(rng.uniform(*self.p.kept))) if self.dived else None
        self.dived = True
        ruiner = self.repacking.rank_by_profit()
        plan = self.rebuilder.dive(kept, ruiner, min(now + span, end))
        if kept is None:
            self.rebuilder.whole = time.monotonic() - now
        if plan is not None:
            self.ground.take(plan)
        return plan

    def _liked(self, share: float) -> np.ndarray:
        """Return about that share of the best plan, what the relaxation likes most."""
        options, reduced = self.ground.options, self.ground.reduced
        best, rng = self.ground.best, self.ground.rng
        assert reduced is not None
        top = np.zeros(len(options.must))
        np.maximum.at(top, options.project, reduced)
        loss = (top[options.project] - reduced)[best]
        # Many lose nothing at all: among those chance decides.
        loss = (loss + 1e-3 * np.median(options.worth)) * rng.uniform(
            0.5, 1.5, len(loss)
        )
        return best[np.argsort(loss)[: int(share * len(loss))]]

    def turn(self, length: float, end: float, few: float) -> Turn:
        """Rebuild for a cycle; return what it ends with.

        Parameters
        ----------
        few
            Plans of many projects get colder cycles: by this factor.
        """
        heat = self.ground.rng.uniform(*self.p.warm) * few
        dived = None if self.dived else self.dive(length, end)
        return self.rebuild(length, end, heat, dived)

    def rebuild(
        self, length: float, end: float, hottest: float, plan: np.ndarray | None
    ) -> Turn:
        """Dive again for one part after the other; return the best plan of it.

        It begins with a plan, or if none is given with the best one or with nothing.
        """
        rebuilder, repacking, ground = self.rebuilder, self.repacking, self.ground
        assert rebuilder is not None
        begin = time.monotonic()
        polish = self._polish()
        wanted = max(self.p.rounds * (rebuilder.pace + polish), length)
        longest = max(self.p.longest * (end - begin), 2.0)
        length = max(min(wanted, longest, end - begin), 1e-9)
        until = begin + length
        best, top, elsewhere = ground.best, -np.inf, True
        cool, first = repacking.p.cool, repacking.p.first_heat
        if plan is None:
            # A whole dive where that is not most of the time.
            elsewhere = (
                ground.rng.random() < self.p.anew
                and rebuilder.whole < self.p.at_once * length
            )
            plan = ground.best[:0] if elsewhere else ground.best
        else:
            repacking.repack(min(begin + self.p.whole * polish, until), first, plan)
            best = plan = repacking.best
        worth = value_of(ground.options, plan) if len(plan) else -np.inf
        while (now := time.monotonic()) < until:
            self.listen()
            made = rebuilder.round(plan, repacking.rank_by_profit(), until)
            if rebuilder.pace > self.p.slow:
                until = now
            if made is None:
                continue
            span, heat = (polish, cool) if len(plan) else (self.p.whole * polish, first)
            repacking.repack(min(time.monotonic() + span, until), heat, made)
            made = repacking.best
            # Repacking tells only of what it makes better itself.
            ground.take(made)
            found = value_of(ground.options, made)
            if found > top:
                top, best = found, made
            typical = abs(ground.known.objective) / max(len(ground.best), 1)
            heat = hottest * (until - now) / length * typical
            if found >= worth - heat * ground.rng.exponential():
                plan, worth = made, found
        return Turn(best, elsewhere)

    def _polish(self) -> float:
        """Return the seconds that a plan just rebuilt is repacked."""
        projects = len(self.ground.options.must)
        return min(self.p.polish * projects, self.p.longest_polish)
