"""Local search by taking projects out of a plan and filling it again.

The rounds are compiled (`kernels.repacking`); here is what they work on, and what else
follows from filling a plan up.
"""

from __future__ import annotations

import numpy as np

from pmo_analytics.optimization.heuristics.kernels.arrays import (
    Model,
    empty_state,
    model_of,
    room_for,
)
from pmo_analytics.optimization.heuristics.scoring import density, scarcity
from pmo_analytics.optimization.heuristics.units import with_needs
from pmo_analytics.optimization.model.instance import Options

# Projects that leave together, at most.
_LARGEST = 14


class Ruiner:
    """The state of a ruin-and-recreate search.

    Parameters
    ----------
    options
        The model; what can be bought is not there.
    chosen
        Option numbers of a feasible plan.
    rng
        Source of every random choice.
    model
        The arrays of the options, if they are there already.
    """

    def __init__(
        self,
        options: Options,
        chosen: np.ndarray,
        rng: np.random.Generator,
        model: Model | None = None,
    ) -> None:
        self.o = options
        self.rng = rng
        model = model_of(options) if model is None else model
        # What those wait for that are as they are stays as well.
        own = model.project.copy()
        self.model = model._replace(project=own)
        own["held"] |= with_needs(options, own["held"] & own["must"])
        self.stays = with_needs(options, own["must"])
        self.state = empty_state(self.model)
        self.room = room_for(self.model)
        # How much worse a plan may get and be kept, in projects of average worth.
        self.heat = 0.1
        self.priced(scarcity(options), None)
        self.set(chosen)

    def priced(self, prices: np.ndarray, adjusted: np.ndarray | None) -> None:
        """Rank options by worth per cost at these prices, see `scoring.density`."""
        self.score = density(self.o, prices, adjusted)

    def set(self, chosen: np.ndarray) -> None:
        """Go on from another plan."""
        self._put(chosen)
        self.best = np.sort(chosen)
        self.best_objective = float(self.o.worth[chosen].sum())

    def _put(self, chosen: np.ndarray) -> None:
        self.state.chosen[:] = -1
        self.state.chosen[self.o.project[chosen]] = chosen

    def chosen(self) -> np.ndarray:
        """Return the option numbers of the plan it is at, which may be a worse one."""
        return np.sort(self.state.chosen[self.state.chosen >= 0]).astype(np.int64)

    def rounds(self, many: int = 1) -> bool:
        """Ruin and recreate some times; return whether the best plan got better."""
        typical = abs(self.best_objective) / max(len(self.best), 1)
        best = np.full(len(self.model.project), -1, dtype=np.int64)
        from pmo_analytics.optimization.heuristics.kernels.repacking import repack

        top = repack(
            self.model,
            self.state,
            self.room,
            self.score,
            self.rng,
            many,
            self.heat * typical,
            _LARGEST,
            best,
            self.best_objective,
        )
        if top <= self.best_objective:
            return False
        self.best = np.sort(best[best >= 0]).astype(np.int64)
        self.best_objective = float(self.o.worth[self.best].sum())
        return True

    def refilled(self) -> np.ndarray:
        """Return a plan made afresh, but for what has to stay; nothing if it fails."""
        begin = self.best
        from pmo_analytics.optimization.heuristics.kernels.moves import sound

        made = self.completed(begin[self.stays[self.o.project[begin]]])
        whole = sound(self.model, self.state)
        self.set(begin)
        return made if whole else begin

    def completed(self, chosen: np.ndarray) -> np.ndarray:
        """Return a plan of some choices, without what waits in vain, filled up.

        Limits have to hold; rules of what has to be in may be broken, also after.
        """
        self._put(chosen)
        from pmo_analytics.optimization.heuristics.kernels.repacking import complete

        complete(self.model, self.state, self.room, self.score, self.rng)
        return self.chosen()

    def sharing(self, ks: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return how many of some things each of these options uses, as many as ks."""
        mark = np.zeros(len(self.o.limit), dtype=bool)
        mark[rows] = True
        return np.array([mark[self.o.uses(k)[0]].sum() for k in ks.tolist()], dtype=int)
