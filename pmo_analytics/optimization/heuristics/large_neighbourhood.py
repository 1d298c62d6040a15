"""Better plans from a plan: free some projects, solve them exactly, keep the rest.

Large neighbourhood search. A neighbourhood is a set of projects whose choices are
open while all others stay; the small model that is left is solved by HiGHS. Kinds and
sizes of neighbourhoods that pay are used more often.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pmo_analytics.optimization.model.array_sink import Matrix, part_of
from pmo_analytics.optimization.model.highs import solve
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.purchasing import cheapest, value_of
from pmo_analytics.optimization.params import DEFAULTS, LnsParams
from pmo_analytics.tolerance import rounding

# A clock that never runs out, seconds; as many options of a project as there are.
_NEVER = 1e7
_ALL = 2**31


@dataclass
class _Kind:
    """One way to pick projects, and how well it has paid.

    `size` is the number of options of its small models, with `whole` of those beside
    the plan's; `depth` how many of each project take part, those that the prices of the
    relaxation like best.
    """

    pick: Callable[[], list[int]]
    size: float
    depth: int = _ALL
    whole: bool = False
    reward: float = 1.0


class Improver:
    """The state of a neighbourhood search.

    Parameters
    ----------
    options, matrix
        The model.
    chosen
        Option numbers of a feasible plan.
    rng
        Source of every random choice.
    """

    def __init__(
        self,
        options: Options,
        matrix: Matrix,
        chosen: np.ndarray,
        rng: np.random.Generator,
        params: LnsParams = DEFAULTS.lns,
    ) -> None:
        self.params = params
        self.o = options
        self.matrix = matrix
        # What can be bought takes part in every small model.
        self.sold = np.arange(len(options.project), matrix.a.shape[1])
        self.a = matrix.a[:, : len(options.project)] if len(self.sold) else matrix.a
        self.bound_rows = np.ones(matrix.a.shape[0], dtype=bool)
        self.bound_rows[matrix.a[:, self.sold].indices] = False
        self.rng = rng
        self.count = np.diff(options.first)
        self.owner = options.use_option()
        self.links = _links(options)
        self.reduced: np.ndarray | None = None
        # Place of each option among those of its project, by price.
        self.rank = np.zeros(len(options.project), dtype=np.int64)
        self.set(chosen)
        begin = max(
            min(self.params.first_size, self.params.first_share * len(options.project)),
            20.0,
        )
        self.kinds = [
            _Kind(self._around_a_limit, begin),
            _Kind(self._in_a_span, begin),
            _Kind(self._at_random, begin),
            _Kind(self._linked, begin),
            _Kind(self._whole_plan, self.params.others, whole=True),
        ]
        self.users = self._users_of_limits()
        # The most that each project can be worth.
        self.top = self._best_of(options.worth)

    def set(self, chosen: np.ndarray) -> None:
        """Go on from another plan."""
        self.chosen = np.full(len(self.count), -1, dtype=np.int64)
        self.chosen[self.o.project[chosen]] = chosen
        x = np.zeros(len(self.o.project))
        x[chosen] = 1.0
        self.activity = self.a @ x
        self.objective = value_of(self.o, chosen)

    def plan(self) -> np.ndarray:
        """Return the option numbers of the plan."""
        return np.sort(self.chosen[self.chosen >= 0])

    def follow(self, reduced: np.ndarray) -> None:
        """Prefer what the LP relaxation finds attractive.

        Parameters
        ----------
        reduced
            Worth of each option less the price of what it uses.
        """
        if self.reduced is None:
            size = self.kinds[0].size
            self.kinds.append(_Kind(self._at_the_margin, size))
            if self.count.max(initial=0) > self.params.thin:
                self.kinds += [
                    replace(kind, depth=self.params.thin) for kind in self.kinds
                ]
        self.reduced = reduced
        order = np.lexsort((-reduced, self.o.project))
        self.rank = np.empty(len(order), dtype=np.int64)
        self.rank[order] = np.arange(len(order)) - self.o.first[self.o.project]
        best = self._best_of(reduced)
        loss = np.maximum(-best, 0.0)
        typical = np.median(self.o.worth[self.o.worth > 0]) if len(best) else 1.0
        self.density = np.exp(-4.0 * loss / max(float(typical), 1e-9)) + 1e-12

    def round(self, seconds: float) -> bool:
        """Try one neighbourhood; return whether the plan got better.

        With infinite seconds no clock has a say: sizes and rewards follow from what
        was found, and the same seed gives the same plan on any machine.
        """
        held = self.count[self.chosen >= 0]
        moved = [int(np.minimum(held, k.depth).sum()) * k.whole for k in self.kinds]
        weights = np.array([kind.reward for kind in self.kinds])
        weights[np.array(moved) > self.params.most_moved] = 0.0
        drawn = self.rng.choice(len(weights), p=weights / weights.sum())
        kind = self.kinds[drawn]
        free = self._grown(kind.pick(), moved[drawn] + int(kind.size), kind.depth)
        begin = time.monotonic()
        counted = bool(np.isinf(seconds))
        if counted:
            gain, status = self._solve(free, kind.depth, _NEVER, self.params.few_nodes)
            spent = 0.1 if status == "optimal" else 2.0 * self.params.wanted_seconds
        else:
            longest = min(seconds, self.params.longest_seconds)
            gain, status = self._solve(free, kind.depth, longest, self.params.nodes)
            spent = time.monotonic() - begin
        if status == "optimal" and spent < 0.5 * self.params.wanted_seconds:
            kind.size = min(kind.size * 1.15, float(len(self.o.project)))
        elif spent > self.params.wanted_seconds:
            kind.size = max(kind.size * 0.85, 20.0)
        pay = gain / max(abs(self.objective), 1e-9) / max(spent, 0.02)
        kind.reward = max(0.85 * kind.reward + 0.15 * min(1e4 * pay, 20.0), 0.15)
        return gain > 0

    def _solve(
        self, free: np.ndarray, depth: int, seconds: float, nodes: int
    ) -> tuple[float, str]:
        o = self.o
        if not len(free):
            return 0.0, "optimal"
        columns = np.concatenate([np.arange(o.first[p], o.first[p + 1]) for p in free])
        used = self.rank[columns] < depth
        columns = columns[used | (columns == self.chosen[o.project[columns]])]
        held = self.chosen[free]
        held = held[held >= 0]
        x = np.zeros(len(o.project))
        x[held] = 1.0
        rest = self.activity - self.a @ x
        every = np.concatenate([columns, self.sold])
        others = np.setdiff1d(self.plan(), held)
        small = part_of(self.matrix, every, rest, others)
        start = np.searchsorted(columns, np.sort(held))
        answer = solve(
            small,
            o.gains()[every],
            binaries=len(columns),
            shares=self._shares(),
            seconds=seconds,
            start=start,
            threads=1,
            random_seed=int(self.rng.integers(2**31 - 1)),
            mip_rel_gap=1e-4,
            mip_max_nodes=nodes,
        )
        if answer.x is None:
            return 0.0, answer.status
        new = columns[answer.x[: len(columns)] > 0.5]
        gain = float(o.worth[new].sum() - o.worth[held].sum())
        noise = rounding([*o.worth[new], *o.worth[held]])
        if len(self.sold):
            gain = value_of(o, np.concatenate([others, new])) - self.objective
            noise = 1e-9 * max(1.0, abs(self.objective))  # purchases are rounded
        if gain <= noise:
            return 0.0, answer.status
        x[:] = 0.0
        x[new] = 1.0
        activity = rest + self.a @ x
        kept = self.o.counts.hold(np.concatenate([others, new]), len(x))
        if not kept or not _within(self.matrix, activity, self.bound_rows):
            return 0.0, "refused"
        self.chosen[free] = -1
        self.chosen[o.project[new]] = new
        self.activity = activity
        self.objective += gain
        return gain, answer.status

    def _shares(self) -> np.ndarray | None:
        """Return what the plan buys, as shares of what can be bought."""
        if not len(self.sold):
            return None
        bought = cheapest(self.o, self.plan())
        return None if bought is None else bought / self.o.buy.most

    def _grown(self, projects: list[int], size: int, depth: int) -> np.ndarray:
        """Return projects in order until their options fill `size`, links included."""
        taken: dict[int, None] = {}
        total = 0
        for p in projects:
            for q in (p, *self.links[p][:4]):
                if q not in taken and self.count[q]:
                    taken[q] = None
                    total += min(int(self.count[q]), depth)
            if total >= size:
                break
        return np.sort(np.array(list(taken), dtype=np.int64))

    def _mixed(self, projects: np.ndarray) -> list[int]:
        """Return projects shuffled, selected and open ones in turn.

        Open ones are drawn with a preference for what is worth more per unit used.
        """
        selected = projects[self.chosen[projects] >= 0]
        others = projects[self.chosen[projects] < 0]
        self.rng.shuffle(selected)
        if len(others):
            appeal = self.density[others] * self.rng.uniform(0.2, 1.0, len(others))
            others = others[np.argsort(-appeal, kind="stable")]
        longest = max(len(selected), len(others))
        result: list[int] = []
        for i in range(longest):
            if i < len(selected):
                result.append(int(selected[i]))
            if i < len(others):
                result.append(int(others[i]))
        return result

    def _users_of_limits(self) -> list[np.ndarray]:
        o = self.o
        order = np.argsort(o.use.row, kind="stable")
        project = o.project[self.owner[order]]
        first = np.searchsorted(o.use.row[order], np.arange(len(o.limit) + 1))
        cost = np.bincount(
            self.owner,
            o.use.amount / np.maximum(o.limit[o.use.row], 1e-9),
            minlength=len(o.project),
        )
        best = self._best_of(o.worth / np.maximum(cost, 1e-9))
        self.density = np.where(np.isfinite(best), np.maximum(best, 0.0), 0.0) + 1e-12
        return [
            np.unique(project[first[r] : first[r + 1]]) for r in range(len(o.limit))
        ]

    def _tight_things(self) -> np.ndarray:
        """Return the limited things by how full they are, weight 0 where nobody is."""
        o = self.o
        used = np.zeros(len(o.limit))
        for option in self.plan():
            rows, amounts = o.uses(int(option))
            used[rows] += amounts
        with np.errstate(divide="ignore", invalid="ignore"):
            full = np.where(np.isfinite(o.limit) & (o.limit > 0), used / o.limit, 0.0)
        return np.clip(full, 0.0, 1.0) ** 4

    def _around_a_limit(self) -> list[int]:
        """Projects that compete for one tight role, in one stretch of time."""
        roles, periods, _ = self.o.sizes.tolist()
        weight = self._tight_things()
        if weight.sum() <= 0:
            return self._at_random()
        resource = int(self.rng.choice(len(weight), p=weight / weight.sum()))
        if resource >= roles * periods:
            return self._mixed(self.users[resource].copy())
        role, t = divmod(resource, periods)
        width = int(self.rng.integers(0, 4))
        span = range(max(t - width, 0), min(t + width + 1, periods))
        near = np.unique(np.concatenate([self.users[role * periods + s] for s in span]))
        return self._mixed(near)

    def _in_a_span(self) -> list[int]:
        """Projects whose starts lie in one stretch of time, selected ones first."""
        o = self.o
        plan = self.plan()
        if not len(plan):
            return self._at_random()
        centre = o.start[self.rng.choice(plan)]
        distance = np.full(len(self.count), np.inf)
        chosen = self.chosen >= 0
        distance[chosen] = np.abs(o.start[self.chosen[chosen]] - centre)
        distance += self.rng.uniform(0.0, 2.0, len(distance))
        near = np.argsort(distance)[: int(chosen.sum())]
        others = np.flatnonzero(~chosen)
        keep = near[: max(len(near) // 3, 8)]
        return self._mixed(np.concatenate([keep, others]))

    def _at_random(self) -> list[int]:
        return self._mixed(np.arange(len(self.count)))

    def _whole_plan(self) -> list[int]:
        """All that is selected, then others: big ones fit where everything moves."""
        inside = np.flatnonzero(self.chosen >= 0).tolist()
        others = np.flatnonzero((self.chosen < 0) & (self.count > 0))
        appeal = self.top[others] * self.rng.exponential(1.0, len(others))
        return inside + others[np.argsort(-appeal, kind="stable")].tolist()

    def _at_the_margin(self) -> list[int]:
        """Projects whose next best choice costs least at the prices of the relaxation.

        The core of a knapsack (Balas and Zemel, Operations Research 28(5), 1980), with
        a little noise.
        """
        assert self.reduced is not None
        plan = self.plan()
        others = self.reduced.copy()
        others[plan] = -np.inf
        best = self._best_of(others)
        held = np.zeros(len(self.count))
        placed = self.o.project[plan]
        held[placed] = self.reduced[plan]
        best[placed] = np.maximum(best[placed], 0.0)  # or it leaves
        regret = np.abs(held - best)
        regret *= self.rng.uniform(0.5, 1.5, len(regret))
        return [int(p) for p in np.argsort(regret, kind="stable")]

    def _best_of(self, values: np.ndarray) -> np.ndarray:
        """Return the largest value among the options of each project."""
        best = np.full(len(self.count), -np.inf)
        np.maximum.at(best, self.o.project, values)
        return best

    def _linked(self) -> list[int]:
        """Whole chains of dependent projects."""
        result: list[int] = []
        for p in self.rng.permutation(len(self.count)).tolist():
            if self.links[p] or self.rng.random() < 0.2:
                result += [p, *self.links[p]]
        return result or self._at_random()


def _within(matrix: Matrix, activity: np.ndarray, rows: np.ndarray) -> bool:
    """Return whether rows hold; the others have been looked at by what they cost."""
    return bool(
        (activity <= matrix.upper + matrix.slack)[rows].all()
        and (activity >= matrix.lower - matrix.slack)[rows].all()
    )


def _links(options: Options) -> list[list[int]]:
    """Return for each project the ones that dependencies or groups tie it to."""
    links: list[set[int]] = [set() for _ in options.must]
    for d, j in enumerate(options.dependency.project.tolist()):
        for i in range(options.dependency.first[d], options.dependency.first[d + 1]):
            target = int(options.dependency.target[i])
            links[j].add(target)
            links[target].add(j)
    for g in range(len(options.group.least)):
        members = options.group.project[
            options.group.first[g] : options.group.first[g + 1]
        ].tolist()
        for p in members:
            links[p].update(members)
    return [sorted(s - {p}) for p, s in enumerate(links)]
