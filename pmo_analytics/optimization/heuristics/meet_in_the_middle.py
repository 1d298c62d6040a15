"""Going through choices that lose little within a budget: meet in the middle.

Projects that lose most come first, block by block; those that lose least are a search
tree of all of their choices together (Horowitz and Sahni, Journal of the ACM 21(2),
1974).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# States that are taken on at once; choices of the projects that lose least, at most;
# states that are looked up at once.
BLOCK, _LEAVES, LOOKED_UP = 30_000, 200_000, 4_000
# Steps of the budget in the tables of what can still be made up for.
_STEPS = 64
CLOSE = 1e-7


@dataclass
class Part:
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


@dataclass
class States:
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

    def of(self, keep: np.ndarray) -> States:
        """Return some of the states."""
        return States(
            self.at, self.value[keep], self.slack[:, keep], self.made[:, keep]
        )

    def split(self) -> list[States]:
        """Return parts of the states, those that lost least in the last one."""
        order = np.argsort(self.value, kind="stable")
        return [self.of(some) for some in np.array_split(order, 4) if len(some)]


class Walk:
    """Going through the choices of one part of the plans, within a budget."""

    def __init__(self, part: Part, budget: float) -> None:
        self.part = part
        self.step_of_budget = budget / _STEPS
        self.levels = len(part.level) - 1
        self.words = max(-(-len(part.loss) // 64), 1)
        self._list_leaves(budget)
        self._write_tables()

    def begin(self) -> States:
        """Return the state before any choice."""
        part = self.part
        return States(
            0,
            np.array([part.bound]),
            part.slack[:, None].copy(),
            np.zeros((self.words, 1), dtype=np.uint64),
        )

    def _children(self, states: States, level: int, lowest: float) -> list[States]:
        """Return the states with each choice of a project that is no favourite."""
        part = self.part
        found = []
        for k in range(part.level[level], part.level[level + 1]):
            value = states.value - part.loss[k]
            keep = np.flatnonzero(value > lowest)
            made = states.made[:, keep]
            made[k >> 6] |= np.uint64(1) << np.uint64(k & 63)
            slack = states.slack[:, keep] + part.relief[:, k : k + 1]
            found.append(States(level + 1, value[keep], slack, made))
        return found

    def _list_leaves(self, budget: float) -> None:
        """List all choices of the last projects together, as many as can be."""
        part = self.part
        rows = len(part.slack)
        leaves = States(
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
            self.most[level] = made_up(loss, np.maximum(gain, 0.0), budgets)
            spent = np.maximum(-gain - loss, 0.0)
            self.least[level] = made_up(loss, spent, budgets)

    def step(self, states: States, target: float) -> States:
        """Return the states of the next level that may still reach the target."""
        parts = [states, *self._children(states, states.at, target)]
        return _joined([self._alive(p, states.at + 1, target) for p in parts])

    def _alive(self, states: States, level: int, target: float) -> States:
        states = States(level, states.value, states.slack, states.made)
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

    def look_up(self, states: States, target: float) -> np.ndarray | None:
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


def _joined(parts: list[States], at: int | None = None) -> States:
    return States(
        parts[0].at if at is None else at,
        np.concatenate([p.value for p in parts]),
        np.concatenate([p.slack for p in parts], axis=1),
        np.concatenate([p.made for p in parts], axis=1),
    )


def made_up(loss: np.ndarray, gain: np.ndarray, budgets: np.ndarray) -> np.ndarray:
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


def choices_within(part: Part, gap: float) -> np.ndarray:
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
