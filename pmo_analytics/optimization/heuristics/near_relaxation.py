"""All plans that lose little at the prices of the relaxation, one after the other.

At prices every project has a favourite: one of its options, or to stay out. A plan is
worth the bound of the prices, less what each project loses that does not get its
favourite, less what is paid for room that stays empty. So a plan that is better than
one known loses less than the gap, which few do where the relaxation is nearly right.
They are gone through in blocks: projects that lose most first, and those that lose
least, of which nearly every choice is cheap enough, by a search tree of all of their
choices together (meet in the middle; Horowitz and Sahni, Journal of the ACM 21(2),
1974). The number of selected projects is fixed for each part of the plans, as Vimont,
Boussier and Vasquez do (Journal of Combinatorial Optimization 15(2), 2008): its price
brings the bound of each part down.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from scipy.sparse import csr_array, vstack

from pmo_analytics.optimization.heuristics.meet_in_the_middle import (
    BLOCK,
    CLOSE,
    LOOKED_UP,
    Part,
    Walk,
    choices_within,
    made_up,
)
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import Matrix
from pmo_analytics.optimization.model.incumbent import Incumbent
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.rows import RowLabel
from pmo_analytics.optimization.params import DEFAULTS, NearParams


class Nearby:
    """The plans near a relaxation.

    Parameters
    ----------
    options, matrix
        The model, without purchases.
    known
        Objective of a feasible plan.

    Attributes
    ----------
    known
        Only plans that are worth more are looked for; may be raised at any time.
    complete
        Whether all of them have been gone through.
    """

    def __init__(
        self,
        options: Options,
        matrix: Matrix,
        known: float,
        params: NearParams = DEFAULTS.near,
    ) -> None:
        self.params = params
        self.o = options
        self.matrix = matrix
        self.known = known
        self.complete = False
        self.target = known
        self.goals: list[float] = []
        self.rows, self.upper, self.slack = _at_most(matrix)

    def promises(self, prices: np.ndarray) -> bool:
        """Return whether there are few enough plans near these prices of the rows."""
        o = self.o
        if len(o.project) > self.params.options or len(o.buy.resource):
            return False
        turned = self._turned(prices)
        if (turned > 0).sum() > self.params.rows:
            return False
        part = self._part(turned, 0.0, None)
        gap = part.bound - self.known
        if not np.isfinite(gap) or gap <= 0 or len(part.slack) > self.params.rows:
            return False
        many = choices_within(part, gap)
        goals = np.arange(self.params.first, many[-1], self.params.step)
        budgets = np.interp(goals, many, np.linspace(0.0, gap, len(many)))
        self.goals = [*(part.bound - budgets), -np.inf]
        return bool(many[-1] <= self.params.choices)

    def plans(self, seconds: float) -> Iterator[np.ndarray | None]:
        """Yield better plans as they are found, and None ever so often in between.

        For prices that promise something.

        Parameters
        ----------
        seconds
            For each relaxation.
        """
        parts = []
        for part in self._parts(seconds):
            if part is None:
                return
            parts.append(part)
            yield None
        for goal in self.goals:
            for part in parts:
                yield from self._better(part, goal)
            if goal <= self.known:
                break
        self.complete = True

    # ------------------------------------------------------------------ the parts
    def _parts(self, seconds: float) -> Iterator[Part | None]:
        """Yield the parts that may hold a better plan; None where no price is found."""
        o = self.o
        one = csr_array(np.ones((1, len(o.project))))
        a = vstack([self.matrix.a, one]).tocsc()
        labels = [*self.matrix.labels, RowLabel("number", 0)]

        def relaxed(low: float, high: float) -> highs.Answer:
            program = Matrix(
                a,
                np.append(self.matrix.lower, low),
                np.append(self.matrix.upper, high),
                labels,
                unit=None
                if self.matrix.unit is None
                else np.append(self.matrix.unit, 1.0),
            )
            return highs.solve(program, o.worth, seconds=seconds, integer=False)

        whole = relaxed(-np.inf, np.inf)
        if whole.x is None:
            yield None
            return
        begin = int(np.floor(whole.x.sum() + 1e-9))
        for first, step in ((begin, -1), (begin + 1, 1)):
            for number in range(first, first + step * self.params.numbers, step):
                answer = relaxed(number, number) if number >= 0 else None
                if answer is None or answer.status == "infeasible":
                    break
                if answer.prices is None:
                    yield None
                    return
                prices = self._turned(answer.prices[:-1])
                part = self._part(prices, float(answer.prices[-1]), number)
                # The relaxation is concave in the number: the others lose more.
                if part.bound <= self.known:
                    break
                yield part

    def _turned(self, prices: np.ndarray) -> np.ndarray:
        """Return prices of the rows as they are written here."""
        matrix = self.matrix
        real = np.array([label is not None for label in matrix.labels], dtype=bool)
        up, down = real & np.isfinite(matrix.upper), real & np.isfinite(matrix.lower)
        return np.maximum(np.concatenate([prices[up], -prices[down]]), 0.0)

    def _part(self, prices: np.ndarray, each: float, number: int | None) -> Part:
        """Return what prices say of the plans with a number of projects."""
        o = self.o
        reduced = o.worth - self.rows.T @ prices - each
        top = np.full(len(o.must), -np.inf)
        np.maximum.at(top, o.project, reduced)
        filled = np.isfinite(top)
        best = np.where(o.must, top, np.maximum(top, 0.0))
        favourite = np.full(len(o.must), -1, dtype=np.int64)
        order = np.lexsort((-reduced, o.project))
        lead = order[np.unique(o.project[order], return_index=True)[1]]
        taken = lead[o.must[o.project[lead]] | (reduced[lead] > 0)]
        favourite[o.project[taken]] = taken
        bound = float(prices @ self.upper + best[filled].sum())
        bound += each * (number or 0)
        gap = bound - self.known
        # What may be had instead: another option, or nothing.
        other = np.flatnonzero(favourite[o.project] != np.arange(len(o.project)))
        left = np.flatnonzero((favourite >= 0) & ~o.must)
        project = np.concatenate([o.project[other], left])
        option = np.concatenate([other, np.full(len(left), -1)])
        gains = np.append(reduced, 0.0)
        loss = best[project] - gains[option]
        near = loss < gap
        project, option, loss = project[near], option[near], loss[near]
        # Projects that lose most first.
        least = np.full(len(o.must), np.inf)
        np.minimum.at(least, project, loss)
        order = np.lexsort((loss, project, -least[project]))
        project, option, loss = project[order], option[order], loss[order]
        rows, upper, price = self.rows, self.upper, prices
        if number is not None:
            one = csr_array(np.ones((1, len(o.project))))
            rows = csr_array(vstack([rows, one, -one]))
            upper = np.concatenate([upper, [number, -number]])
            price = np.concatenate([price, [0.0, 0.0]])
        use = np.hstack([rows.toarray(), np.zeros((len(upper), 1))])
        relief = use[:, favourite[project]] - use[:, option]
        slack = upper - use[:, favourite].sum(axis=1)
        # Rows that no plan of these exceeds need no look.
        worst = made_up(loss, np.maximum(-relief, 0.0), np.array([max(gap, 0.0)]))
        priced = price > 0
        kept = np.concatenate(
            [
                np.flatnonzero(priced),
                np.flatnonzero(~priced & (slack < worst[:, 0] - CLOSE)),
            ]
        )
        scale = np.where(priced, price, 1.0)[kept]
        change = np.flatnonzero(np.diff(project, prepend=-1))
        return Part(
            bound,
            favourite,
            project,
            option,
            loss,
            relief[kept] * scale[:, None],
            np.append(change, len(project)),
            slack[kept] * scale,
            int(priced.sum()),
            CLOSE * scale,
        )

    def _holds(self, plan: np.ndarray) -> bool:
        x = np.zeros(len(self.o.project))
        x[plan] = 1.0
        kept = bool((self.rows @ x <= self.upper + self.slack).all())
        return kept and self.o.counts.hold(plan, len(x))

    # ------------------------------------------------------------------ the plans
    def _better(self, part: Part, goal: float) -> Iterator[np.ndarray | None]:
        """Yield plans of one part that are better, and None in between."""
        self.target = max(goal, self.known)
        for plan in self._near(part):
            worth = -np.inf if plan is None else float(self.o.worth[plan].sum())
            if plan is not None and worth > self.known and self._holds(plan):
                self.known = worth
                yield plan
            else:
                yield None
            self.target = max(goal, self.known)

    def _near(self, part: Part) -> Iterator[np.ndarray | None]:
        """Yield plans of one part that reach the target, None in between."""
        budget = part.bound - self.target
        if budget <= 0:
            return
        walk = Walk(part, budget)
        stack = [walk.begin()]
        while stack:
            states = stack.pop()
            found = None
            if states.at < walk.last and len(states.value) <= BLOCK:
                states = walk.step(states, self.target)
                if len(states.value):
                    stack.append(states)
            elif states.at < walk.last or len(states.value) > LOOKED_UP:
                stack += states.split()
            else:
                found = walk.look_up(states, self.target)
            yield None if found is None else self._plan(part, found)

    def _plan(self, part: Part, changed: np.ndarray) -> np.ndarray:
        chosen = part.favourite.copy()
        chosen[part.project[changed]] = part.option[changed]
        return np.sort(chosen[chosen >= 0])


def _at_most(matrix: Matrix) -> tuple[csr_array, np.ndarray, np.ndarray]:
    """Return all rows of more than one project as at most so much, and their slack."""
    real = np.array([label is not None for label in matrix.labels], dtype=bool)
    up, down = real & np.isfinite(matrix.upper), real & np.isfinite(matrix.lower)
    a = csr_array(matrix.a)
    rows = vstack([a[np.flatnonzero(up)], -a[np.flatnonzero(down)]])
    slack = np.broadcast_to(matrix.slack, len(matrix.labels))
    return (
        csr_array(rows),
        np.concatenate([matrix.upper[up], -matrix.lower[down]]),
        np.concatenate([slack[up], slack[down]]),
    )


class NearWalk:
    """The plans near the relaxation, gone through a part at a time.

    Parameters
    ----------
    options, matrix
        The model.
    known
        The best plan: only better ones are looked for.
    seconds
        For each relaxation.
    """

    def __init__(
        self,
        options: Options,
        matrix: Matrix,
        known: Incumbent,
        seconds: float,
        params: NearParams = DEFAULTS.near,
    ) -> None:
        self.nearby = Nearby(options, matrix, known.objective, params)
        self.known, self.seconds = known, seconds
        self.prices: np.ndarray | None = None
        self.plans: Iterator[np.ndarray | None] | None = None

    def follow(self, prices: np.ndarray) -> None:
        """Look near these prices of the rows, unless it is under way already."""
        if self.plans is None:
            self.prices = prices

    def go_on(
        self,
        until: float,
        take: Callable[[np.ndarray], None],
        listen: Callable[[], None],
    ) -> bool:
        """Go on to a moment of the monotonic clock; return whether that was all."""
        near = self.nearby
        near.known = self.known.objective
        if self.prices is None:
            return False
        if self.plans is None and near.promises(self.prices):
            self.plans = near.plans(self.seconds)
        while self.plans is not None and time.monotonic() < until:
            near.known = max(near.known, self.known.objective)
            for plan in self.plans:
                if plan is not None:
                    take(plan)
                break
            else:
                self.plans, self.prices = None, None
            listen()
        return near.complete
