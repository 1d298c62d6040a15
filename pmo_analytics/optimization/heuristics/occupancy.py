"""A plan that projects come into and leave, and the room that they have in it.

What makes it fast without compiled code: for every option the number of limited
resources that have no room for it is kept up to date, so "what fits now" is one
comparison; and whatever leaves or comes between two such questions is counted at once.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from pmo_analytics.optimization.heuristics.scoring import density, scarcity
from pmo_analytics.optimization.heuristics.units import mates_of, with_needs
from pmo_analytics.optimization.model.counts import Room
from pmo_analytics.optimization.model.instance import ALL, NONE, TOGETHER, Options

# Chosen options, what is left, what lacks room, up to where it had, what is open; then
# the classes that are held and those that are shut; the objective.
_A = np.ndarray
State = tuple[_A, _A, _A, _A, _A, _A, _A, float]


class Occupancy:
    """A plan, what it leaves of every resource, and what has no room beside it.

    Parameters
    ----------
    options
        The model.
    chosen
        Option numbers of a feasible plan.
    rng
        Source of every random choice.
    """

    def __init__(
        self, options: Options, chosen: np.ndarray, rng: np.random.Generator
    ) -> None:
        self.o = options
        self.rng = rng
        self.owner = options.use_option()
        self.counts = Room(options.counts, len(options.project))
        self._index_uses()
        self._index_rules()
        self.priced(scarcity(options), None)
        self.set(chosen)

    def _index_uses(self) -> None:
        """Sort the uses by thing and amount, so that a change flips one stretch."""
        o = self.o
        order = np.lexsort((o.use_amount, o.use_row))
        self.user = self.owner[order]
        self.row_of = o.use_row[order]
        amount = o.use_amount[order]
        # One sorted key for all things: the thing, and the amount as a fraction.
        self.span = float(amount.max(initial=0.0)) * 2.0 + 1.0
        self.key = self.row_of * self.span + amount

    def _index_rules(self) -> None:
        o = self.o
        projects = len(o.must)
        self.needs: list[list[int]] = [[] for _ in range(projects)]
        self.serves: list[list[int]] = [[] for _ in range(projects)]
        for d, j in enumerate(o.dependency_project.tolist()):
            self.needs[j].append(d)
            for i in range(o.dependency_first[d], o.dependency_first[d + 1]):
                self.serves[int(o.dependency_target[i])].append(d)
        # Whom each rule asks for, and the least and most wait for it.
        target, least = o.dependency_target.tolist(), o.dependency_lag.tolist()
        most = o.dependency_lag_max.tolist()
        self.asks = [
            list(zip(target[lo:hi], least[lo:hi], most[lo:hi], strict=True))
            for lo, hi in pairwise(o.dependency_first.tolist())
        ]
        self.span_of = list(pairwise(o.first.tolist()))
        self.caps: list[list[int]] = [[] for _ in range(projects)]
        self.held = np.zeros(projects, dtype=bool)
        self.mates, self.inner = mates_of(o)
        for g, whole in enumerate(o.group_all.tolist()):
            members = o.group_project[o.group_first[g] : o.group_first[g + 1]]
            if whole in (ALL, NONE):
                # Those tied to what is done or out are left as they are.
                self.held[members] = True
            elif whole == TOGETHER:
                continue
            elif o.group_most[g] < len(members):
                for p in members.tolist():
                    self.caps[p].append(g)
        # Whose options open or close when a project comes, moves or goes.
        self.near = [
            list(
                {p}
                | {int(o.dependency_project[d]) for d in self.serves[p]}
                | {
                    int(q)
                    for g in self.caps[p]
                    for q in o.group_project[o.group_first[g] : o.group_first[g + 1]]
                }
            )
            for p in range(projects)
        ]
        self.held |= o.must & (np.diff(o.first) <= 1)
        # Nor is what they wait for.
        self.held = with_needs(o, self.held)
        self.stays = with_needs(o, self.held | o.must)
        self.has_least = bool((o.least > 0).any() or (o.group_least > 0).any())

    def priced(self, prices: np.ndarray, adjusted: np.ndarray | None) -> None:
        """Rank options by worth per cost at these prices of the limited things.

        Parameters
        ----------
        prices
            Shape (M,), at least 0.
        adjusted
            Worth of each option with what it does for others; None = its worth.
        """
        self.score = density(self.o, prices, adjusted)

    # ------------------------------------------------------------------ the state

    def set(self, chosen: np.ndarray) -> None:
        """Go on from another plan."""
        o = self.o
        self.chosen = np.full(len(o.must), -1, dtype=np.int64)
        self.chosen[o.project[chosen]] = chosen
        self.left = o.limit + o.slack
        for k in chosen.tolist():
            rows, amounts = o.uses(k)
            self.left[rows] -= amounts
        lacking = o.use_amount > self.left[o.use_row]
        self.over = np.bincount(self.owner, lacking, minlength=len(o.project)).astype(
            np.int32
        )
        self.counts.hold(chosen)
        # Classes that are shut count like what lacks room.
        self.shut_classes = self.counts.shut()
        for k in self.shut_classes.nonzero()[0].tolist():
            self.over[self.counts.options_of(k)] += np.int32(1)
        # What was left, and up to where uses had room, when that was counted.
        self.counted = self.left.copy()
        self.reached = self._reach(np.arange(len(self.left)), self.left)
        self.open = np.ones(len(o.project), dtype=bool)
        self.shut: list[int] = []
        # Projects of which has to be worked out again what may come in.
        self.stale = set(range(len(o.must)))
        self._settle()
        self.objective = float(o.worth[chosen].sum())
        self.best = np.sort(chosen)
        self.best_objective = self.objective

    def _reopen(self, p: int) -> None:
        """Work out which options of a project may come in, rules considered."""
        o = self.o
        lo, hi = self.span_of[p]
        if self.chosen[p] >= 0 or self.held[p]:
            self.open[lo:hi] = False
            return
        for g in self.caps[p]:
            members = o.group_project[o.group_first[g] : o.group_first[g + 1]]
            if (self.chosen[members] >= 0).sum() >= o.group_most[g]:
                self.open[lo:hi] = False
                return
        if not self.needs[p]:
            self.open[lo:hi] = True
            return
        ok = np.ones(hi - lo, dtype=bool)
        starts = o.start[lo:hi]
        for d in self.needs[p]:
            if self.inner[d]:
                continue
            served = np.zeros(hi - lo, dtype=bool)
            for target, least, most in self.asks[d]:
                k = self.chosen[target]
                if k < 0:
                    continue
                if not o.dependency_kind[d]:
                    served[:] = True
                    break
                lag = starts - o.start[k]
                served |= (lag >= least) & (lag <= most)
            ok &= served
        self.open[lo:hi] = ok

    def _reach(self, rows: np.ndarray, left: np.ndarray) -> np.ndarray:
        """Return up to where the uses of some things have room, in order of amounts."""
        # Above the largest amount of a thing, below the first one of the next.
        room = np.minimum(np.maximum(left, -1e-9), self.span * 0.999999)
        return self.key.searchsorted(rows * self.span + room, "right")

    def _settle(self) -> None:
        """Count what lacks room, and what may come in, after changes of the plan."""
        for p in self.stale:
            self._reopen(p)
        self.stale = set()
        self._settle_counts()
        rows = (self.left != self.counted).nonzero()[0]
        if not len(rows):
            return
        after = self.left[rows]
        self.counted[rows] = after
        old, new = self.reached[rows], self._reach(rows, after)
        self.reached[rows] = new
        # Each stretch between the two holds uses that gained room, or that lost it.
        gained, lost = [], []
        for i, j in zip(old.tolist(), new.tolist(), strict=True):
            if i < j:
                gained.append(self.user[i:j])
            elif j < i:
                lost.append(self.user[j:i])
        if gained:
            np.subtract.at(self.over, np.concatenate(gained), np.int32(1))
        if lost:
            np.add.at(self.over, np.concatenate(lost), np.int32(1))

    def _settle_counts(self) -> None:
        """Count what is shut, after changes of the plan."""
        if not len(self.shut_classes):
            return
        shut = self.counts.shut()
        changed = (shut != self.shut_classes).nonzero()[0]
        for k in changed.tolist():
            self.over[self.counts.options_of(k)] += np.int32(1 if shut[k] else -1)
        self.shut_classes = shut

    def _place(self, k: int) -> None:
        o = self.o
        p = int(o.project[k])
        rows, amounts = o.uses(k)
        self.left[rows] -= amounts
        self.counts.take(k)
        self.chosen[p] = k
        self.objective += float(o.worth[k])
        self._tell(p)

    def _remove(self, p: int) -> None:
        o = self.o
        k = int(self.chosen[p])
        rows, amounts = o.uses(k)
        self.left[rows] += amounts
        self.counts.take(k, -1)
        self.chosen[p] = -1
        self.objective -= float(o.worth[k])
        self._tell(p)

    def _tell(self, p: int) -> None:
        """Have worked out again what depends on whether and when p is in."""
        self.stale.update(self.near[p])

    def _take_out(self, p: int) -> None:
        """Remove a project and what can no longer be served without it."""
        if self.chosen[p] < 0 or self.held[p]:
            return
        self._remove(p)
        for d in self.serves[p]:
            j = int(self.o.dependency_project[d])
            if self.chosen[j] >= 0 and not self._served(d):
                self._take_out(j)
        for q in self.mates[p]:
            self._take_out(q)

    def _place_with_mates(self, k: int, score: np.ndarray) -> bool:
        """Bring an option in, and all projects that come and go with it, or nobody."""
        o = self.o
        p = int(o.project[k])
        before, placed = self.objective, [p]
        self._place(k)
        waiting = [q for q in self.mates[p] if self.chosen[q] < 0]
        stuck = False
        while waiting and not stuck:
            stuck = True
            for q in list(waiting):
                self.stale.add(q)
                self._settle()
                lo, hi = self.span_of[q]
                fits = lo + np.flatnonzero(self.open[lo:hi] & (self.over[lo:hi] == 0))
                if len(fits):
                    self._place(int(fits[np.argmax(score[fits])]))
                    waiting.remove(q)
                    placed.append(q)
                    stuck = False
        poor = self.objective <= before and not o.must[placed].any()
        if not waiting and not (poor and len(placed) > 1):
            return True
        for q in reversed(placed):
            self._remove(q)
        self._settle()
        # Until the next round; what else comes in may open them again.
        for q in (*placed, *waiting):
            self.open[o.first[q] : o.first[q + 1]] = False
            self.shut.append(q)
        return False

    def _served(self, d: int) -> bool:
        o = self.o
        own = o.start[self.chosen[o.dependency_project[d]]]
        for target, least, most in self.asks[d]:
            k = self.chosen[target]
            if k >= 0 and (
                not o.dependency_kind[d] or least <= own - o.start[k] <= most
            ):
                return True
        return False

    def keep(self) -> State:
        """Return the state to come back to."""
        self._settle()
        return (
            self.chosen.copy(),
            self.left.copy(),
            self.over.copy(),
            self.reached.copy(),
            self.open.copy(),
            self.counts.held.copy(),
            self.shut_classes.copy(),
            self.objective,
        )

    def back(self, state: State) -> None:
        """Return to a state."""
        self.chosen, self.left, self.over, self.reached, self.open = state[:5]
        self.counts.held, self.shut_classes, self.objective = state[5:]
        self.counted = self.left.copy()
        self.stale = set()

    def _sound(self) -> bool:
        """Return whether all that must be in is in, and every least is reached."""
        o = self.o
        if (self.chosen[o.must] < 0).any():
            return False
        if not o.rows_hold(self.chosen[self.chosen >= 0]):
            return False
        if not self.has_least:
            return True
        for g in np.flatnonzero(o.group_least > 0):
            members = o.group_project[o.group_first[g] : o.group_first[g + 1]]
            if (self.chosen[members] >= 0).sum() < o.group_least[g]:
                return False
        resources = np.flatnonzero(o.least > 0)
        # What is used is what the limit had less what is left.
        used = np.zeros(len(o.limit))
        for k in self.chosen[self.chosen >= 0].tolist():
            rows, amounts = o.uses(k)
            used[rows] += amounts
        return bool((used[resources] >= (o.least - o.slack)[resources]).all())
