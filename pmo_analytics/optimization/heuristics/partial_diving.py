"""Better plans by taking a part out and diving for it again.

A large neighbourhood search (Shaw, CP 1998) whose repair is a dive: with what stays
fixed, the relaxation weighs everything that could come in instead, so that a chain
leaves for another one in a single step, which no exchange of a few projects finds.
"""

from __future__ import annotations

import time

import numpy as np

from pmo_analytics.optimization.heuristics.diving import Diver
from pmo_analytics.optimization.heuristics.ruin_recreate import Ruiner
from pmo_analytics.optimization.model.array_sink import Matrix, holds
from pmo_analytics.optimization.params import DEFAULTS, DivingParams


class Rebuilder:
    """Dives that begin with a part of a plan.

    Parameters
    ----------
    matrix
        The model.
    diver
        Its relaxation, solved.
    rng
        Source of every random choice.
    """

    def __init__(
        self,
        matrix: Matrix,
        diver: Diver,
        rng: np.random.Generator,
        params: DivingParams = DEFAULTS.diving,
    ) -> None:
        self.params = params
        self.matrix = matrix
        self.diver = diver
        self.rng = rng
        # Seconds that a part took of late, and the first dive for everything.
        self.pace = self.whole = 0.0

    def round(
        self, plan: np.ndarray, ruiner: Ruiner, until: float
    ) -> np.ndarray | None:
        """Return a plan that differs in a part, None where that broke a rule.

        Parameters
        ----------
        plan
            Option numbers of a feasible plan; none = dive for everything.
        ruiner
            Fills what the dive leaves; goes on from that plan.
        until
            Monotonic time to be done by.
        """
        if not len(plan):
            return self.dive(None, ruiner, until)
        begin = time.monotonic()
        kept = np.delete(plan, self._leaving(plan, ruiner))
        made = self.dive(kept, ruiner, until)
        took = time.monotonic() - begin
        self.pace = took if not self.pace else 0.9 * self.pace + 0.1 * took
        return made

    def dive(
        self, kept: np.ndarray | None, ruiner: Ruiner, until: float
    ) -> np.ndarray | None:
        """Return the plan that a dive ends with, None where it breaks a rule.

        Parameters
        ----------
        kept
            Option numbers that are fixed before; None = none.
        """
        noise = float(self.rng.uniform(0.0, self.params.stray))
        made = ruiner.completed(self.diver.dive(until, noise, self.rng, kept))
        return made if holds(self.matrix, made) else None

    def _leaving(self, plan: np.ndarray, ruiner: Ruiner) -> np.ndarray:
        """Return places in a plan: at random, of one time, or of one set of things."""
        most = min(self.params.leaves[1] * len(plan), self.params.many)
        many = max(
            2,
            int(
                self.rng.uniform(
                    min(self.params.leaves[0] * len(plan), self.params.few), most
                )
            ),
        )
        kind = int(self.rng.integers(3))
        if kind == 0 or many >= len(plan):
            return self.rng.permutation(len(plan))[:many]
        seed = int(self.rng.choice(plan))
        if kind == 1:
            start = ruiner.o.start
            near = np.abs(start[plan] - start[seed]).astype(float)
            near += self.rng.uniform(0.0, self.params.blur, len(plan))
        else:
            rows, _ = ruiner.o.uses(seed)
            near = -ruiner.sharing(plan, rows).astype(float)
            near += self.rng.uniform(0.0, 2.0, len(plan))
        return np.argsort(near)[:many]
