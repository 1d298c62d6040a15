"""Plans by diving: fixing one choice after another that the relaxation likes.

The relaxation knows what is worth its room but divides it. A dive fixes the choice that
is nearest to a whole one, solves it again, which moves everything else, and goes on
until nothing is divided (fractional diving; Berthold, Primal Heuristics for Mixed
Integer Programs, TU Berlin 2006). Whole choices stay free: most of what is lost is lost
by starts that could have moved.
"""

from __future__ import annotations

import time

import numpy as np

from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import Matrix
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.presolve import Presolve
from pmo_analytics.optimization.params import DEFAULTS, DivingParams

_WHOLE = 1e-6


class Diver:
    """The relaxation of a model, and dives into it.

    Parameters
    ----------
    options, matrix
        The model; one without purchases.
    seed
        Of the solver.

    Raises
    ------
    RuntimeError
        If HiGHS refuses the model.
    """

    def __init__(
        self,
        options: Options,
        matrix: Matrix,
        seed: int,
        params: DivingParams = DEFAULTS.diving,
    ) -> None:
        self.params = params
        self.o = options
        self.presolve = Presolve(options)
        large = len(options.use.row) > params.many_uses
        self.program = highs.Growing(
            options.worth,
            matrix,
            solver="ipm" if large else "simplex",
            random_seed=seed,
        )
        # Options left, projects that must be selected, and values, before any dive.
        self.root: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        # What one solution took, on average of late.
        self.pace = 0.0

    def begin(self, seconds: float) -> bool:
        """Solve the whole relaxation; return whether that was possible in time."""
        left = np.ones(len(self.o.project), dtype=bool)
        must = self.o.must.copy()
        if not self.presolve.tighten(left, must):
            return False
        self.program.restrict(left, {})
        answer = self.program.solve(seconds)
        if answer.status != "optimal" or answer.x is None:
            return False
        self.root = left, must, answer.x
        # From here on each one starts where the one before ended.
        self.program.use(solver="simplex", presolve="off")
        return True

    def dive(
        self,
        until: float,
        noise: float,
        rng: np.random.Generator,
        kept: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return option numbers that a dive ended with; not all rules need to hold.

        Parameters
        ----------
        until
            Monotonic time to be done by: the less there is, the more choices are
            fixed at once.
        noise
            How far the order of choices may be from the relaxation's.
        kept
            Options of a plan that are fixed before the dive; None = none.
        """
        assert self.root is not None
        left, must, x = self.root[0].copy(), self.root[1].copy(), self.root[2]
        fixed = np.zeros(len(x), dtype=bool)
        if kept is not None:
            for option in kept.tolist():
                self._fix(option, left, must, fixed)
            found = self._solved(left, must, fixed, until)
            if found is None:
                return kept
            x = found
        while len(divided := self._divided(x, left)) and time.monotonic() < until:
            liking = x[divided] + noise * rng.random(len(divided))
            ranked = divided[np.argsort(-liking, kind="stable")]
            keep = left.copy(), must.copy(), fixed.copy()
            for option in self._leading(ranked, float(x.sum()) - fixed.sum(), until):
                self._fix(option, left, must, fixed)
            found = self._solved(left, must, fixed, until)
            if found is None:
                # The other way: what led into a dead end is ruled out.
                left, must, fixed = keep
                left[ranked[0]] = False
                found = self._solved(left, must, fixed, until)
            if found is None:
                break
            x = found
        return np.flatnonzero(x > 1 - _WHOLE)

    def _divided(self, x: np.ndarray, left: np.ndarray) -> np.ndarray:
        return np.flatnonzero((x > _WHOLE) & (x < 1 - _WHOLE) & left)

    def _leading(self, ranked: np.ndarray, to_come: float, until: float) -> list[int]:
        """Return the first options, one a project, as many as time makes necessary."""
        project = self.o.project[ranked]
        _, first = np.unique(project, return_index=True)
        leading = ranked[np.sort(first)]
        affordable = max(until - time.monotonic(), 0.0) / max(self.pace, 1e-4)
        many = int(np.ceil(max(to_come, 1.0) / max(affordable, 1.0)))
        return leading[
            : max(1, min(many, int(self.params.at_once * len(leading))))
        ].tolist()

    def _fix(
        self, option: int, left: np.ndarray, must: np.ndarray, fixed: np.ndarray
    ) -> None:
        project = int(self.o.project[option])
        left[self.o.first[project] : self.o.first[project + 1]] = False
        left[option], must[project], fixed[option] = True, True, True

    def _solved(
        self, left: np.ndarray, must: np.ndarray, fixed: np.ndarray, until: float
    ) -> np.ndarray | None:
        """Return the relaxation of what is left, None where there is none."""
        begin = time.monotonic()
        if not self.presolve.tighten(left, must):
            return None
        self.program.restrict(left, {}, fixed)
        # A last one may take a little longer than there was time for.
        answer = self.program.solve(max(until - begin, 0.0) + 1.0)
        took = time.monotonic() - begin
        self.pace = took if not self.pace else 0.9 * self.pace + 0.1 * took
        return answer.x if answer.status == "optimal" else None
