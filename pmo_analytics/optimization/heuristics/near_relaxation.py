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

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, vstack

from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import Matrix
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.rows import RowLabel
from pmo_analytics.optimization.params import DEFAULTS, NearParams

# States that are taken on at once; choices of the projects that lose least, at most;
# states that are looked up at once.
_BLOCK, _LEAVES, _LOOKED_UP = 30_000, 200_000, 4_000
# Steps of the budget in the tables of what can still be made up for.
_STEPS = 64
_CLOSE = 1e-7


@dataclass
class _Part:
    """The plans of one number of projects, at the prices of their relaxation.

    Attributes
    ----------
    bound
        What none of them is worth more than.
    favourite
        Option of each project that prices like best, -1 = none.
    project, option, loss, relief
        Choices that are no favourite, by project: which option instead (-1 = none),
        what it loses, what it does to the slack of each row; priced rows in money.
    level
        Choices of the i-th project are `level[i] .. level[i + 1] - 1`.
    slack
        Of each row, with all favourites.
    priced
        How many of the rows, the first ones, have a price.
    close
        How far each row may be exceeded.
    """

    bound: float
    favourite: np.ndarray
    project: np.ndarray
    option: np.ndarray
    loss: np.ndarray
    relief: np.ndarray
    level: np.ndarray
    slack: np.ndarray
    priced: int
    close: np.ndarray


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
        if len(o.project) > self.params.options or len(o.buy_resource):
            return False
        turned = self._turned(prices)
        if (turned > 0).sum() > self.params.rows:
            return False
        part = self._part(turned, 0.0, None)
        gap = part.bound - self.known
        if not np.isfinite(gap) or gap <= 0 or len(part.slack) > self.params.rows:
            return False
        many = _choices(part, gap)
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
    def _parts(self, seconds: float) -> Iterator[_Part | None]:
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

    def _part(self, prices: np.ndarray, each: float, number: int | None) -> _Part:
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
        worst = _made_up(loss, np.maximum(-relief, 0.0), np.array([max(gap, 0.0)]))
        priced = price > 0
        kept = np.concatenate(
            [
                np.flatnonzero(priced),
                np.flatnonzero(~priced & (slack < worst[:, 0] - _CLOSE)),
            ]
        )
        scale = np.where(priced, price, 1.0)[kept]
        change = np.flatnonzero(np.diff(project, prepend=-1))
        return _Part(
            bound,
            favourite,
            project,
            option,
            loss,
            relief[kept] * scale[:, None],
            np.append(change, len(project)),
            slack[kept] * scale,
            int(priced.sum()),
            _CLOSE * scale,
        )

    def _holds(self, plan: np.ndarray) -> bool:
        x = np.zeros(len(self.o.project))
        x[plan] = 1.0
        kept = bool((self.rows @ x <= self.upper + self.slack).all())
        return kept and self.o.counts.hold(plan, len(x))

    # ------------------------------------------------------------------ the plans
    def _better(self, part: _Part, goal: float) -> Iterator[np.ndarray | None]:
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

    def _near(self, part: _Part) -> Iterator[np.ndarray | None]:
        """Yield plans of one part that reach the target, None in between."""
        budget = part.bound - self.target
        if budget <= 0:
            return
        walk = _Walk(part, budget)
        stack = [walk.begin()]
        while stack:
            states = stack.pop()
            found = None
            if states.at < walk.last and len(states.value) <= _BLOCK:
                states = walk.step(states, self.target)
                if len(states.value):
                    stack.append(states)
            elif states.at < walk.last or len(states.value) > _LOOKED_UP:
                stack += states.split()
            else:
                found = walk.look_up(states, self.target)
            yield None if found is None else self._plan(part, found)

    def _plan(self, part: _Part, changed: np.ndarray) -> np.ndarray:
        chosen = part.favourite.copy()
        chosen[part.project[changed]] = part.option[changed]
        return np.sort(chosen[chosen >= 0])


@dataclass
class _States:
    """Choices for the projects of the first levels, one column each.

    Attributes
    ----------
    at
        The level that comes next.
    value
        The bound less what has been lost so far.
    slack
        Shape (rows, states).
    made
        Bits of the choices made, 64 in a row.
    """

    at: int
    value: np.ndarray
    slack: np.ndarray
    made: np.ndarray

    def of(self, keep: np.ndarray) -> _States:
        """Return some of the states."""
        return _States(
            self.at, self.value[keep], self.slack[:, keep], self.made[:, keep]
        )

    def split(self) -> list[_States]:
        """Return parts of the states, those that lost least in the last one."""
        order = np.argsort(self.value, kind="stable")
        return [self.of(some) for some in np.array_split(order, 4) if len(some)]


class _Walk:
    """Going through the choices of one part of the plans, within a budget."""

    def __init__(self, part: _Part, budget: float) -> None:
        self.part = part
        self.step_of_budget = budget / _STEPS
        self.levels = len(part.level) - 1
        self.words = max(-(-len(part.loss) // 64), 1)
        self._list_leaves(budget)
        self._write_tables()

    def begin(self) -> _States:
        part = self.part
        return _States(
            0,
            np.array([part.bound]),
            part.slack[:, None].copy(),
            np.zeros((self.words, 1), dtype=np.uint64),
        )

    def _children(self, states: _States, level: int, lowest: float) -> list[_States]:
        """Return the states with each choice of a project that is no favourite."""
        part = self.part
        found = []
        for k in range(part.level[level], part.level[level + 1]):
            value = states.value - part.loss[k]
            keep = np.flatnonzero(value > lowest)
            made = states.made[:, keep]
            made[k >> 6] |= np.uint64(1) << np.uint64(k & 63)
            slack = states.slack[:, keep] + part.relief[:, k : k + 1]
            found.append(_States(level + 1, value[keep], slack, made))
        return found

    def _list_leaves(self, budget: float) -> None:
        """List all choices of the last projects together, as many as can be."""
        part = self.part
        rows = len(part.slack)
        leaves = _States(
            self.levels,
            np.zeros(1),
            np.zeros((rows, 1)),
            np.zeros((self.words, 1), dtype=np.uint64),
        )
        self.last = self.levels
        while self.last > 0 and len(leaves.value) <= _LEAVES // 2:
            more = self._children(leaves, self.last - 1, -budget)
            leaves = _joined([leaves, *more], self.levels)
            self.last -= 1
        self.leaves = leaves
        # It loads much that no other search needs.
        from scipy.spatial import cKDTree

        self.tree = cKDTree(self._places(leaves.slack))

    def _places(self, slack: np.ndarray) -> np.ndarray:
        """Return priced slack as points; one more axis, as there may be none."""
        priced = slack[: self.part.priced]
        return np.vstack([priced, np.zeros((1, slack.shape[1]))]).T

    def _write_tables(self) -> None:
        """Write what later choices can add to the slack of a row, and take away.

        By level, row and budget left. What they take away is of use where a row has a
        price: slack that is left in the end costs. The last row is all of them.
        """
        part = self.part
        total = part.relief[: part.priced].sum(axis=0)
        relief = np.vstack([part.relief, total])
        budgets = np.arange(1, _STEPS + 1) * self.step_of_budget
        shape = (self.last + 1, len(relief), _STEPS)
        self.most, self.least = np.zeros(shape), np.zeros(shape)
        for level in range(self.last + 1):
            rest = slice(part.level[level], len(part.loss))
            loss, gain = part.loss[rest], relief[:, rest]
            self.most[level] = _made_up(loss, np.maximum(gain, 0.0), budgets)
            spent = np.maximum(-gain - loss, 0.0)
            self.least[level] = _made_up(loss, spent, budgets)

    def step(self, states: _States, target: float) -> _States:
        """Return the states of the next level that may still reach the target."""
        parts = [states, *self._children(states, states.at, target)]
        return _joined([self._alive(p, states.at + 1, target) for p in parts])

    def _alive(self, states: _States, level: int, target: float) -> _States:
        states = _States(level, states.value, states.slack, states.made)
        part = self.part
        left = states.value - target
        at = np.clip((left / self.step_of_budget).astype(np.int64), 0, _STEPS - 1)
        most, least = self.most[level], self.least[level]
        total = states.slack[: part.priced].sum(axis=0)
        alive = (left > 0) & (total <= left + least[-1][at])
        alive &= total + most[-1][at] >= -part.close.sum()
        for r in range(len(part.slack)):
            slack = states.slack[r]
            alive &= slack + most[r][at] >= -part.close[r]
            if r < part.priced:
                alive &= slack <= left + least[r][at]
        return states.of(np.flatnonzero(alive))

    def look_up(self, states: _States, target: float) -> np.ndarray | None:
        """Return the choices of the best plan that states can become, None of none."""
        part, leaves = self.part, self.leaves
        left = states.value - target
        priced = part.priced
        centre = self._places(0.5 * left - states.slack)
        radius = 0.5 * left + part.close.max(initial=0.0)
        hits = self.tree.query_ball_point(centre, radius, p=np.inf)
        count = np.fromiter(map(len, hits), dtype=np.int64, count=len(hits))
        if not count.any():
            return None
        state = np.repeat(np.arange(len(hits)), count)
        leaf = np.concatenate([np.array(h, dtype=np.int64) for h in hits if h])
        slack = states.slack[:, state] + leaves.slack[:, leaf]
        value = states.value[state] + leaves.value[leaf] - slack[:priced].sum(axis=0)
        good = (slack >= -part.close[:, None]).all(axis=0) & (value > target)
        if not good.any():
            return None
        best = np.flatnonzero(good)[np.argmax(value[good])]
        made = states.made[:, state[best]] | leaves.made[:, leaf[best]]
        bits = np.unpackbits(made.view(np.uint8), bitorder="little")
        return np.flatnonzero(bits[: len(part.loss)])


def _joined(parts: list[_States], at: int | None = None) -> _States:
    return _States(
        parts[0].at if at is None else at,
        np.concatenate([p.value for p in parts]),
        np.concatenate([p.slack for p in parts], axis=1),
        np.concatenate([p.made for p in parts], axis=1),
    )


def _made_up(loss: np.ndarray, gain: np.ndarray, budgets: np.ndarray) -> np.ndarray:
    """Return the most gain within budgets of loss, choices being divisible.

    Parameters
    ----------
    loss
        Shape (C,), of each choice.
    gain
        Shape (R, C), at least 0.
    budgets
        Shape (B,).

    Returns
    -------
    Shape (R, B).
    """
    result = np.zeros((len(gain), len(budgets)))
    for r, own in enumerate(gain):
        some = np.flatnonzero(own > 0)
        order = some[np.argsort(-own[some] / np.maximum(loss[some], 1e-12))]
        lost = np.append(0.0, np.cumsum(loss[order]))
        made = np.append(0.0, np.cumsum(own[order]))
        result[r] = np.interp(budgets, lost, made)
    return result


def _choices(part: _Part, gap: float) -> np.ndarray:
    """Return how many choices lose less than 0, ..., 64 parts of a gap, as log10."""
    many = np.zeros(_STEPS + 1)
    many[0] = 1.0
    place = np.ceil(part.loss / gap * _STEPS).astype(np.int64)
    logarithm = 0.0
    for i in range(len(part.level) - 1):
        new = many.copy()
        for at in place[part.level[i] : part.level[i + 1]].tolist():
            new[at:] += many[: len(many) - at]
        many = new
        if many.max() > 1e100:
            logarithm += 100.0
            many /= 1e100
    return logarithm + np.log10(np.maximum(np.cumsum(many), 1e-100))


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
