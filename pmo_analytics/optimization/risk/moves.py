"""Local search among plans whose overload is counted in many futures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pmo_analytics.optimization.heuristics.greedy import greedy
from pmo_analytics.optimization.heuristics.kernels.cache import say_if_cold
from pmo_analytics.optimization.heuristics.ruin_recreate import Ruiner
from pmo_analytics.optimization.model.compiling import Compiled
from pmo_analytics.optimization.risk.occupancy import Occupancy, State
from pmo_analytics.optimization.risk.sample import Sample

# Shares of the moves that shift one project, and that shift a few together.
_SHIFTS, _SHUFFLES = 0.35, 0.35
# Tries to place what a move took out.
_TRIES = 6
# How much worse a move may make things and be kept at first, as a share of them.
_HEAT = 0.01
# Of one unit of excess in shares of what is at stake; and how fast it changes.
_PRICE, _DEARER = 1.0, 1.01
_ENDLESS = 1 << 40


@dataclass(frozen=True)
class Aim:
    """What a plan is judged by, smaller is better.

    Attributes
    ----------
    cost
        Of the sample's last plan and its objective: (excess, rank); no excess = the
        plan keeps what is asked.
    weights
        Where overload hurts, (roles, periods): projects there are moved.
    floor
        Objective that has to stay.
    """

    cost: Callable[[Sample, float], tuple[float, float]]
    weights: Callable[[Sample], np.ndarray]
    floor: float = -np.inf


class _Packing(Occupancy):
    """A plan with what still fits; moves can be taken back."""

    def back(self, state: State) -> None:
        """Return to a state."""
        super().back(state)
        self.shut = []

    def _reopen_shut(self) -> None:
        self.stale.update(self.shut)
        self.shut = []

    def movable(self) -> np.ndarray:
        """Return the projects of the plan that may be moved."""
        return np.flatnonzero((self.chosen >= 0) & ~self.links.held)

    def shift(self, project: int) -> bool:
        """Move a project to another start at which everything still fits."""
        old = int(self.chosen[project])
        self._remove(project)
        self._settle()
        fits = self.fitting(project)
        fits = fits[fits != old]
        if not len(fits):
            return False
        # Near starts as likely as all the far ones together.
        near = 1.0 / (1.0 + np.abs(self.o.start[fits] - self.o.start[old]))
        self._place(int(self.rng.choice(fits, p=near / near.sum())))
        return self._kept(project)

    def shuffle(self, projects: list[int]) -> bool:
        """Move some projects together to starts at which everything fits again."""
        old = {p: int(self.chosen[p]) for p in projects}
        for p in projects:
            self._remove(p)
        for p in projects:
            self._settle()
            fits = self.fitting(p)
            if not len(fits):
                return False
            near = 1.0 / (1.0 + np.abs(self.o.start[fits] - self.o.start[old[p]]))
            self._place(int(self.rng.choice(fits, p=near / near.sum())))
        moved = any(int(self.chosen[p]) != old[p] for p in projects)
        return moved and all(self._kept(p) for p in projects)

    def _kept(self, project: int) -> bool:
        waiting = self.links.serves[project]
        return all(
            self.chosen[self.o.dependency.project[d]] < 0 or self._served(d)
            for d in waiting
        )

    def insert(self) -> bool:
        """Bring one more project in, with those that come with it, or none."""
        self._settle()
        options = np.flatnonzero(
            (self.lacking.over == 0) & self.open & (self.o.worth > 0)
        )
        if not len(options):
            return False
        weight = self.score[options]
        option = int(self.rng.choice(options, p=weight / weight.sum()))
        came = self._place_with_mates(option, self.score)
        self._reopen_shut()
        return came

    def swap(self, project: int) -> bool:
        """Take a project out with what needs it, and bring others in."""
        self._take_out(project)
        for _ in range(int(self.rng.integers(0, _TRIES))):
            if not self.insert():
                break
        return True

    def swap_out(self, project: int) -> None:
        """Take a project out with what needs it."""
        self._take_out(project)

    def option_numbers(self) -> np.ndarray:
        """Return the chosen options, increasing."""
        return np.sort(self.chosen[self.chosen >= 0])


def search_moves(
    compiled: Compiled,
    chosen: np.ndarray,
    sample: Sample,
    aim: Aim,
    rng: np.random.Generator,
    *,
    until: float,
    most: int | None,
    only_shift: bool = False,
) -> np.ndarray:
    """Return the best plan that moves lead to, from a plan that keeps every rule.

    Projects are shifted, exchanged, brought in and taken out, mostly where overload
    hurts; a move that makes the plan a little worse is sometimes kept (simulated
    annealing: Kirkpatrick, Gelatt and Vecchi, Science 220, 1983).

    Parameters
    ----------
    chosen
        Option numbers.
    until, most
        Clock (of `time.monotonic`) and number of moves at which to stop; None = only
        the clock.
    only_shift
        The same projects stay in; least amounts that others would fill do not count.
    """
    pack = _Packing(compiled.options, chosen, rng)
    sample.take(compiled.starts_of(chosen))
    now = best = aim.cost(sample, pack.objective)
    answer = chosen
    users = _users(compiled)
    weights = aim.weights(sample)
    begin = time.monotonic()
    scale = max(abs(best[1]), 1e-9)
    price = _PRICE * scale
    for step in range(_ENDLESS if most is None else most):
        clock = time.monotonic()
        if clock > until:
            break
        if only_shift and now[0] <= 0:
            break
        part = step / most if most else (clock - begin) / max(until - begin, 1e-9)
        # What breaks the limits is tolerated for a while, at a price that rises until
        # it is mended and falls until it comes again.
        price *= _DEARER if now[0] > 0 else 1.0 / _DEARER
        price = float(np.clip(price, 0.05 * scale, 1000.0 * scale))
        state = pack.keep()
        if (
            not _move(pack, weights, users, rng, only_shift)
            or pack.objective < aim.floor
            or not (only_shift or pack.sound())
        ):
            pack.back(state)
            continue
        before = sample.kept()
        sample.take(compiled.starts_of(pack.option_numbers()))
        cost = aim.cost(sample, pack.objective)
        worse = cost[1] + price * cost[0] - (now[1] + price * now[0])
        if worse <= _HEAT * (1.0 - part) * rng.exponential() * scale:
            now = cost
            weights = aim.weights(sample)
            if now < best:
                best, answer = now, pack.option_numbers()
        else:
            sample.back(before)
            pack.back(state)
    return answer


def refilled(
    compiled: Compiled,
    chosen: np.ndarray,
    spare: np.ndarray,
    rng: np.random.Generator,
    *,
    until: float,
    most: int | None,
) -> np.ndarray | None:
    """Return the most valuable plan found that leaves some of the limits free.

    By ruin and recreate from a plan that may take more than that; None if nothing fits.

    Parameters
    ----------
    spare
        What stays free of each limited thing.
    until, most
        Clock and number of rounds at which to stop; None = only the clock.
    """
    o = compiled.options
    tight = replace(o, limit=o.limit - spare)
    near = np.full(len(o.must), np.nan)
    near[o.project[chosen]] = o.start[chosen]
    begin = greedy(tight, near=near)
    if begin is None:
        return None
    say_if_cold()
    ruiner = Ruiner(tight, begin, rng)
    for _ in range(_ENDLESS if most is None else most):
        if time.monotonic() > until:
            break
        ruiner.rounds()
    return ruiner.best


def what_stays(compiled: Compiled, chosen: np.ndarray) -> np.ndarray:
    """Return the options of a plan that have to be in it, and what those require."""
    pack = _Packing(compiled.options, chosen, np.random.default_rng(0))
    return chosen[pack.links.stays[compiled.options.project[chosen]]]


def leave_out(
    compiled: Compiled, chosen: np.ndarray, sample: Sample, aim: Aim
) -> np.ndarray:
    """Return what is left of a plan when projects go until nothing is in excess.

    Those worth least go first, of those at work where the excess is largest; what has
    to be in stays.
    """
    pack = _Packing(compiled.options, chosen, np.random.default_rng(0))
    o, users = compiled.options, _users(compiled)
    stays = pack.links.stays.copy()
    sample.take(compiled.starts_of(chosen))
    closed = np.zeros_like(aim.weights(sample))
    while aim.cost(sample, pack.objective)[0] > 0:
        weights = np.where(closed > 0, 0.0, aim.weights(sample))
        role, period = divmod(int(weights.argmax()), weights.shape[1])
        there = pack.movable()
        begun = o.start[pack.chosen[there]] <= period
        there = there[begun & users[there, role] & ~stays[there]]
        if not weights[role, period] > 0:
            break
        if not len(there):
            closed[role, period] = 1.0
            continue
        state = pack.keep()
        least = int(there[np.argmin(o.worth[pack.chosen[there]])])
        pack.swap_out(least)
        if pack.sound():
            sample.take(compiled.starts_of(pack.option_numbers()))
        else:
            pack.back(state)
            stays[least] = True
    return pack.option_numbers()


def _users(compiled: Compiled) -> np.ndarray:
    """Return which roles each project uses, (projects, roles)."""
    o = compiled.options
    roles, periods = int(o.sizes[0]), int(o.sizes[1])
    owner = o.project[o.use_option()]
    capacity = o.use.row < roles * periods
    result = np.zeros((len(o.must), roles), dtype=bool)
    result[owner[capacity], o.use.row[capacity] // max(periods, 1)] = True
    return result


def _move(
    pack: _Packing,
    weights: np.ndarray,
    users: np.ndarray,
    rng: np.random.Generator,
    only_shift: bool,
) -> bool:
    """Change the plan in one place; False if there is nothing to change."""
    movable = pack.movable()
    total = float(weights.sum())
    if only_shift and not (total and len(movable)):
        return False
    if not total:
        if len(movable) and rng.random() < 0.5:
            project = int(rng.choice(movable))
            return pack.swap(project) and pack.insert()
        return pack.insert()
    cell = int(rng.choice(weights.size, p=weights.ravel() / total))
    role, period = divmod(cell, weights.shape[1])
    there = movable[users[movable, role]]
    if only_shift:
        return len(there) > 0 and pack.shift(int(rng.choice(there)))
    if not len(there) or rng.random() < 0.1:
        return pack.insert()
    starts = pack.o.start[pack.chosen[there]]
    # Work near the cell more often.
    near = 1.0 / (1.0 + np.maximum(starts - period, 0) + 0.25 * np.abs(starts - period))
    project = int(rng.choice(there, p=near / near.sum()))
    way = rng.random()
    if way < _SHIFTS:
        return pack.shift(project)
    if way < _SHIFTS + _SHUFFLES and len(movable) > 1:
        others = movable[movable != project]
        apart = np.abs(
            pack.o.start[pack.chosen[others]] - pack.o.start[pack.chosen[project]]
        )
        alike = (users[others] & users[project]).any(axis=1)
        chance = (0.2 + alike) / (1.0 + apart)
        count = min(int(rng.integers(1, 4)), len(others))
        some = rng.choice(others, count, replace=False, p=chance / chance.sum())
        group = [project, *some.tolist()]
        rng.shuffle(group)
        return pack.shuffle(group)
    return pack.swap(project)
