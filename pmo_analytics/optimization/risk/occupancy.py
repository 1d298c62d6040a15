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


class Links:
    """Who needs, serves, or comes and goes with whom: what no move changes.

    Attributes
    ----------
    needs, serves
        Dependencies by which each project asks for others, and may serve others.
    asks
        Whom each dependency asks for, and the least and most lag.
    inner
        Dependencies among those that come and go together.
    mates
        Whom each project comes and goes with.
    caps
        Groups of each project that not all members may be of.
    near
        Whose options open or close when a project comes, moves or goes.
    held, stays
        Projects that are as they are, and those that have to be in with what they need.
    has_least
        Whether anything asks for a least.
    """

    def __init__(self, options: Options) -> None:
        self.o = o = options
        projects = len(o.must)
        self.needs: list[list[int]] = [[] for _ in range(projects)]
        self.serves: list[list[int]] = [[] for _ in range(projects)]
        known = o.dependency
        for d, j in enumerate(known.project.tolist()):
            self.needs[j].append(d)
            for i in range(known.first[d], known.first[d + 1]):
                self.serves[int(known.target[i])].append(d)
        target, least = known.target.tolist(), known.lag.tolist()
        most = known.lag_max.tolist()
        self.asks = [
            list(zip(target[lo:hi], least[lo:hi], most[lo:hi], strict=True))
            for lo, hi in pairwise(known.first.tolist())
        ]
        self.caps: list[list[int]] = [[] for _ in range(projects)]
        self.held = np.zeros(projects, dtype=bool)
        self.mates, self.inner = mates_of(o)
        for g, whole in enumerate(o.group.all.tolist()):
            members = self.members(g)
            if whole in (ALL, NONE):
                # Those tied to what is done or out are left as they are.
                self.held[members] = True
            elif whole != TOGETHER and o.group.most[g] < len(members):
                for p in members.tolist():
                    self.caps[p].append(g)
        self.near = [self._near(p) for p in range(projects)]
        self.held |= o.must & (np.diff(o.first) <= 1)
        # Nor is what they wait for.
        self.held = with_needs(o, self.held)
        self.stays = with_needs(o, self.held | o.must)
        self.has_least = bool((o.least > 0).any() or (o.group.least > 0).any())

    def members(self, group: int) -> np.ndarray:
        """Return the projects of a group."""
        first = self.o.group.first
        return self.o.group.project[first[group] : first[group + 1]]

    def _near(self, p: int) -> list[int]:
        asking = {int(self.o.dependency.project[d]) for d in self.serves[p]}
        beside = {int(q) for g in self.caps[p] for q in self.members(g)}
        return list({p} | asking | beside)


class Lacking:
    """For every option the number of limited resources that have no room for it.

    Attributes
    ----------
    over
        Shape (N,): that number, as of the last `settle`.
    owner
        The option that each use belongs to.
    """

    def __init__(self, options: Options) -> None:
        self.o = o = options
        self.owner = o.use_option()
        # By resource and amount, so that a change flips one stretch.
        order = np.lexsort((o.use.amount, o.use.row))
        self.user = self.owner[order]
        amount = o.use.amount[order]
        # One sorted key for all resources: its number, and the amount as a fraction.
        self.span = float(amount.max(initial=0.0)) * 2.0 + 1.0
        self.key = o.use.row[order] * self.span + amount
        self.over = np.zeros(len(o.project), dtype=np.int32)
        # What was left, and up to where uses had room, when that was counted.
        self.counted, self.reached = o.limit, np.zeros(len(o.limit), dtype=np.int64)

    def count(self, left: np.ndarray) -> None:
        """Count anew what lacks room."""
        o = self.o
        lacking = o.use.amount > left[o.use.row]
        counted = np.bincount(self.owner, lacking, minlength=len(o.project))
        self.over = counted.astype(np.int32)
        self.counted = left.copy()
        self.reached = self._reach(np.arange(len(left)), left)

    def settle(self, left: np.ndarray) -> None:
        """Count what lacks room after changes of what is left."""
        rows = (left != self.counted).nonzero()[0]
        if not len(rows):
            return
        after = left[rows]
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

    def _reach(self, rows: np.ndarray, left: np.ndarray) -> np.ndarray:
        """Return up to where the uses of some things have room, in order of amounts."""
        # Above the largest amount of a thing, below the first one of the next.
        room = np.minimum(np.maximum(left, -1e-9), self.span * 0.999999)
        return self.key.searchsorted(rows * self.span + room, "right")


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
        self.counts = Room(options.counts, len(options.project))
        self.links, self.lacking = Links(options), Lacking(options)
        self.score = density(options, scarcity(options), None)
        self.set(chosen)

    def set(self, chosen: np.ndarray) -> None:
        """Go on from another plan."""
        o = self.o
        self.chosen = np.full(len(o.must), -1, dtype=np.int64)
        self.chosen[o.project[chosen]] = chosen
        self.left = o.limit + o.slack
        for k in chosen.tolist():
            rows, amounts = o.uses(k)
            self.left[rows] -= amounts
        self.lacking.count(self.left)
        self.counts.hold(chosen)
        # Classes that are shut count like what lacks room.
        self.shut_classes = self.counts.shut()
        for k in self.shut_classes.nonzero()[0].tolist():
            self.lacking.over[self.counts.options_of(k)] += np.int32(1)
        self.open = np.ones(len(o.project), dtype=bool)
        self.shut: list[int] = []
        # Projects of which has to be worked out again what may come in.
        self.stale = set(range(len(o.must)))
        self._settle()
        self.objective = float(o.worth[chosen].sum())

    def fitting(self, p: int) -> np.ndarray:
        """Return the options of a project that fit now; settle before."""
        lo, hi = self.o.first[p], self.o.first[p + 1]
        fits = self.open[lo:hi] & (self.lacking.over[lo:hi] == 0)
        return lo + np.flatnonzero(fits)

    def _reopen(self, p: int) -> None:
        """Work out which options of a project may come in, rules considered."""
        o = self.o
        lo, hi = o.first[p], o.first[p + 1]
        if self.chosen[p] >= 0 or self.links.held[p]:
            self.open[lo:hi] = False
            return
        for g in self.links.caps[p]:
            members = self.links.members(g)
            if (self.chosen[members] >= 0).sum() >= o.group.most[g]:
                self.open[lo:hi] = False
                return
        if not self.links.needs[p]:
            self.open[lo:hi] = True
            return
        ok = np.ones(hi - lo, dtype=bool)
        starts = o.start[lo:hi]
        for d in self.links.needs[p]:
            if self.links.inner[d]:
                continue
            served = np.zeros(hi - lo, dtype=bool)
            for target, least, most in self.links.asks[d]:
                k = self.chosen[target]
                if k < 0:
                    continue
                if not o.dependency.kind[d]:
                    served[:] = True
                    break
                lag = starts - o.start[k]
                served |= (lag >= least) & (lag <= most)
            ok &= served
        self.open[lo:hi] = ok

    def _settle(self) -> None:
        """Count what lacks room, and what may come in, after changes of the plan."""
        for p in self.stale:
            self._reopen(p)
        self.stale = set()
        self._settle_counts()
        self.lacking.settle(self.left)

    def _settle_counts(self) -> None:
        """Count what is shut, after changes of the plan."""
        if not len(self.shut_classes):
            return
        shut = self.counts.shut()
        changed = (shut != self.shut_classes).nonzero()[0]
        for k in changed.tolist():
            change = np.int32(1 if shut[k] else -1)
            self.lacking.over[self.counts.options_of(k)] += change
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
        self.stale.update(self.links.near[p])

    def _take_out(self, p: int) -> None:
        """Remove a project and what can no longer be served without it."""
        if self.chosen[p] < 0 or self.links.held[p]:
            return
        self._remove(p)
        for d in self.links.serves[p]:
            j = int(self.o.dependency.project[d])
            if self.chosen[j] >= 0 and not self._served(d):
                self._take_out(j)
        for q in self.links.mates[p]:
            self._take_out(q)

    def _place_with_mates(self, k: int, score: np.ndarray) -> bool:
        """Bring an option in, and all projects that come and go with it, or nobody."""
        o = self.o
        p = int(o.project[k])
        before, placed = self.objective, [p]
        self._place(k)
        waiting = [q for q in self.links.mates[p] if self.chosen[q] < 0]
        stuck = False
        while waiting and not stuck:
            stuck = True
            for q in list(waiting):
                self.stale.add(q)
                self._settle()
                fits = self.fitting(q)
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
        own = o.start[self.chosen[o.dependency.project[d]]]
        for target, least, most in self.links.asks[d]:
            k = self.chosen[target]
            if k >= 0 and (
                not o.dependency.kind[d] or least <= own - o.start[k] <= most
            ):
                return True
        return False

    def keep(self) -> State:
        """Return the state to come back to."""
        self._settle()
        return (
            self.chosen.copy(),
            self.left.copy(),
            self.lacking.over.copy(),
            self.lacking.reached.copy(),
            self.open.copy(),
            self.counts.held.copy(),
            self.shut_classes.copy(),
            self.objective,
        )

    def back(self, state: State) -> None:
        """Return to a state."""
        self.chosen, self.left, self.lacking.over = state[:3]
        self.lacking.reached, self.open = state[3:5]
        self.counts.held, self.shut_classes, self.objective = state[5:]
        self.lacking.counted = self.left.copy()
        self.stale = set()

    def sound(self) -> bool:
        """Return whether all that must be in is in, and every least is reached."""
        o = self.o
        if (self.chosen[o.must] < 0).any():
            return False
        if not o.rows_hold(self.chosen[self.chosen >= 0]):
            return False
        if not self.links.has_least:
            return True
        for g in np.flatnonzero(o.group.least > 0).tolist():
            members = self.links.members(g)
            if (self.chosen[members] >= 0).sum() < o.group.least[g]:
                return False
        resources = np.flatnonzero(o.least > 0)
        # What is used is what the limit had less what is left.
        used = np.zeros(len(o.limit))
        for k in self.chosen[self.chosen >= 0].tolist():
            rows, amounts = o.uses(k)
            used[rows] += amounts
        return bool((used[resources] >= (o.least - o.slack)[resources]).all())
