"""A plan in no time: projects by value density, each at its best start that fits.

What has to be selected is placed first, together with everything it requires; the
rest follows in the order of worth per unit of scarce capacity and budget. A project
comes in with what it needs, as a bundle, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pmo_analytics.optimization.model.counts import Room
from pmo_analytics.optimization.model.instance import ALL, NONE, TOGETHER, Options

_UNPLACED = -1


class _State:
    """The plan being built: chosen option of each project and what is left."""

    def __init__(self, options: Options) -> None:
        self.o = options
        self.left = options.limit.copy()
        self.counts = Room(options.counts, len(options.project))
        self.chosen = np.full(len(options.must), _UNPLACED, dtype=np.int64)
        self.rules_of: list[list[int]] = [[] for _ in options.must]
        for d, j in enumerate(options.dependency.project.tolist()):
            self.rules_of[j].append(d)
        self.rules_on: list[list[int]] = [[] for _ in options.must]
        for d in range(len(options.dependency.project)):
            for p in self.targets(d):
                self.rules_on[p].append(d)
        self.groups_of: list[list[int]] = [[] for _ in options.must]
        for g in range(len(options.group.least)):
            for p in self.members(g):
                self.groups_of[p].append(g)

    def targets(self, d: int) -> list[int]:
        o = self.o
        return o.dependency.target[
            o.dependency.first[d] : o.dependency.first[d + 1]
        ].tolist()

    def members(self, g: int) -> list[int]:
        o = self.o
        return o.group.project[o.group.first[g] : o.group.first[g + 1]].tolist()

    def placed(self, p: int) -> bool:
        return bool(self.chosen[p] != _UNPLACED)

    def place(self, p: int, option: int) -> None:
        rows, amounts = self.o.uses(option)
        self.left[rows] -= amounts
        self.counts.take(option)
        self.chosen[p] = option

    def remove(self, p: int) -> None:
        rows, amounts = self.o.uses(int(self.chosen[p]))
        self.left[rows] += amounts
        self.counts.take(int(self.chosen[p]), -1)
        self.chosen[p] = _UNPLACED

    def fitting(self, p: int) -> np.ndarray:
        """Return the options of p that fit what is left and what is placed."""
        o = self.o
        lo, hi = int(o.first[p]), int(o.first[p + 1])
        if lo == hi:
            return np.zeros(0, dtype=np.int64)
        span = slice(int(o.use.first[lo]), int(o.use.first[hi]))
        rows, amounts = o.use.row[span], o.use.amount[span]
        over = self.left[rows] < amounts - o.slack[rows]
        counts = np.diff(o.use.first[lo : hi + 1])
        owner = np.repeat(np.arange(hi - lo), counts)
        fits = np.bincount(owner[over], minlength=hi - lo) == 0
        fits &= self.counts.fits(lo, hi)
        starts = o.start[lo:hi]
        for d in self.rules_of[p]:
            fits &= self._served(d, starts)
        for d in self.rules_on[p]:
            fits &= self._serves(d, p, starts)
        return lo + np.flatnonzero(fits)

    def _served(self, d: int, starts: np.ndarray) -> np.ndarray:
        """Return which starts of the rule's project a placed target serves."""
        o = self.o
        if not o.dependency.kind[d]:
            return np.ones(len(starts), dtype=bool)
        served = np.zeros(len(starts), dtype=bool)
        waiting = False
        for i in range(o.dependency.first[d], o.dependency.first[d + 1]):
            target = int(o.dependency.target[i])
            if not self.placed(target):
                waiting = True
                continue
            lag = starts - o.start[self.chosen[target]]
            served |= (lag >= o.dependency.lag[i]) & (lag <= o.dependency.lag_max[i])
        # A target that comes later in the same bundle is held to this rule then.
        return served | (waiting and not served.any())

    def _serves(self, d: int, p: int, starts: np.ndarray) -> np.ndarray:
        """Return which starts of target p keep a placed project served."""
        o = self.o
        j = int(o.dependency.project[d])
        everything = np.ones(len(starts), dtype=bool)
        mine = everything
        if not o.dependency.kind[d] or not self.placed(j):
            return everything
        own = int(o.start[self.chosen[j]])
        for i in range(int(o.dependency.first[d]), int(o.dependency.first[d + 1])):
            target = int(o.dependency.target[i])
            if target == p:
                lag = own - starts
                mine = (lag >= o.dependency.lag[i]) & (lag <= o.dependency.lag_max[i])
            elif self.placed(target):
                other = own - int(o.start[self.chosen[target]])
                if o.dependency.lag[i] <= other <= o.dependency.lag_max[i]:
                    return everything
        return mine

    def rules_hold(self, p: int) -> bool:
        """Return whether every dependency of a placed project is served."""
        o = self.o
        for d in self.rules_of[p]:
            own = int(o.start[self.chosen[p]])
            for i in range(o.dependency.first[d], o.dependency.first[d + 1]):
                target = int(o.dependency.target[i])
                if not self.placed(target):
                    continue
                lag = own - int(o.start[self.chosen[target]])
                if not o.dependency.kind[d] or (
                    o.dependency.lag[i] <= lag <= o.dependency.lag_max[i]
                ):
                    break
            else:
                return False
        return True

    def has_room(self, p: int) -> bool:
        """Return whether the groups of p allow one more member."""
        o = self.o
        for g in self.groups_of[p]:
            if o.group.all[g] == NONE:
                return False
            count = sum(self.placed(m) for m in self.members(g))
            if count + 1 > o.group.most[g]:
                return False
        return True


Prefer = Callable[[int, np.ndarray], np.ndarray]


def greedy(
    options: Options,
    *,
    prices: np.ndarray | None = None,
    noise: np.random.Generator | None = None,
    near: np.ndarray | None = None,
) -> np.ndarray | None:
    """Return the option numbers of a feasible plan, or None.

    None means that these rules found no plan, not that there is none.

    Parameters
    ----------
    prices
        Shape (M,): price of one unit of each limited thing, for instance of the LP
        relaxation; None = scarcity, 1 / limit.
    noise
        Shuffles the order a little, to try another plan.
    near
        Shape (P,): start of each project in a plan to stay near to, NaN for those
        that are not in it: they come last.
    """
    if prices is None:
        with np.errstate(divide="ignore"):
            prices = np.where(options.limit > 0, 1.0 / options.limit, 1.0)
        prices = np.where(np.isfinite(prices), prices, 0.0)
    owner = options.use_option()
    cost = np.bincount(
        owner,
        options.use.amount * prices[options.use.row],
        minlength=len(options.project),
    )
    shake = np.ones(len(options.must))
    if noise is not None:
        shake = noise.uniform(0.7, 1.3, len(options.must))
    state = _State(options)
    net = options.worth - cost
    prefer = None if near is None else _nearest(options, net, near)
    if not _place_musts(state, net, noise, prefer):
        return None
    density = _density(options, cost) * shake
    if near is not None:
        _fill(state, np.where(np.isnan(near), -np.inf, density), net, prefer)
    _fill(state, density, net, prefer)
    if not _reach_least(state, net):
        return None
    chosen = np.sort(state.chosen[state.chosen != _UNPLACED])
    # Sums that may fall as well as rise are not built up to, only looked at.
    return chosen if options.rows_hold(chosen) else None


def _nearest(options: Options, net: np.ndarray, near: np.ndarray) -> Prefer:
    """Return a liking for the start that is nearest to that of another plan."""

    def prefer(p: int, fits: np.ndarray) -> np.ndarray:
        if np.isnan(near[p]):
            return net[fits]
        return -np.abs(options.start[fits] - near[p])

    return prefer


def _place_musts(
    state: _State,
    net: np.ndarray,
    noise: np.random.Generator | None,
    prefer: Prefer | None,
) -> bool:
    """Place what has to be selected, tightest first; move a blocker up and retry."""
    o = state.o
    count = np.diff(o.first)
    must = set(np.flatnonzero(o.must).tolist())
    for g in np.flatnonzero(o.group.all == ALL):
        must |= set(state.members(int(g)))
    order = sorted(must, key=lambda p: (count[p], p))
    if noise is not None and len(order) > 1:
        many = [p for p in order if count[p] > 1]
        noise.shuffle(many)
        order = [p for p in order if count[p] <= 1] + many
    for _ in range(2 * len(order) + 1):
        blocked = next(
            (
                p
                for p in order
                if not state.placed(p) and not _bring(state, p, net, prefer=prefer)
            ),
            None,
        )
        if blocked is None:
            return True
        order.remove(blocked)
        order.insert(0, blocked)
        for p in np.flatnonzero(state.chosen != _UNPLACED):
            state.remove(int(p))
    return False


def _density(options: Options, cost: np.ndarray) -> np.ndarray:
    """Return the worth of each project per priced unit, at its best start."""
    density = np.full(len(options.must), -np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(cost > 0, options.worth / cost, np.inf * options.worth)
    ratio = np.where(options.worth > 0, ratio, -np.inf)
    np.maximum.at(density, options.project, ratio)
    return density


def _fill(
    state: _State, density: np.ndarray, net: np.ndarray, prefer: Prefer | None
) -> None:
    """Bring in worthwhile projects by density until none fits."""
    for p in np.argsort(-density, kind="stable").tolist():
        if density[p] > 0 and not state.placed(p):
            _bring(state, p, net, worthwhile=True, prefer=prefer)


def _reach_least(state: _State, net: np.ndarray) -> bool:
    """Add what group counts and budgets that must be spent still ask for."""
    o = state.o
    for g in np.flatnonzero(o.group.least > 0):
        members = state.members(int(g))
        by_worth = sorted(members, key=lambda p: -_best(o, net, p))
        for p in by_worth:
            if sum(state.placed(m) for m in members) >= o.group.least[g]:
                break
            if not state.placed(p):
                _bring(state, p, net)
        if sum(state.placed(m) for m in members) < o.group.least[g]:
            return False
    for resource in np.flatnonzero(o.least > 0):
        if not _spend_enough(state, int(resource), net):
            return False
    return True


def _best(options: Options, net: np.ndarray, p: int) -> float:
    own = net[options.first[p] : options.first[p + 1]]
    return float(own.max()) if len(own) else -np.inf


def _used(state: _State, resource: int) -> float:
    total = 0.0
    for option in state.chosen[state.chosen != _UNPLACED]:
        rows, amounts = state.o.uses(int(option))
        total += float(amounts[rows == resource].sum())
    return total


def _spend_enough(state: _State, resource: int, net: np.ndarray) -> bool:
    o = state.o
    need = float(o.least[resource] - o.slack[resource])
    if _used(state, resource) >= need:
        return True
    owner = o.use_option()
    helpers = np.unique(o.project[owner[o.use.row == resource]]).tolist()
    for p in sorted(helpers, key=lambda q: -_best(o, net, q)):
        if state.placed(p):
            continue

        def prefer(q: int, fits: np.ndarray, wanted: int = p) -> np.ndarray:
            if q != wanted:  # what is needed first goes as early as it can
                return -o.start[fits].astype(float)
            uses = [o.uses(int(k)) for k in fits]
            return np.array([a[r == resource].sum() for r, a in uses])

        if _bring(state, p, net, prefer=prefer) and _used(state, resource) >= need:
            return True
    return False


def _bring(
    state: _State,
    p: int,
    net: np.ndarray,
    *,
    worthwhile: bool = False,
    prefer: Prefer | None = None,
) -> bool:
    """Place p with all it requires, or leave everything as it was."""
    before = state.left.copy(), state.chosen.copy(), state.counts.held.copy()
    bundle = _bundle(state, p, net)
    if bundle is not None and _place_all(state, bundle, net, prefer):
        gained = state.o.worth[state.chosen[bundle]].sum()
        if not worthwhile or gained > 0:
            return True
    state.left, state.chosen, state.counts.held = before
    return False


def _bundle(state: _State, p: int, net: np.ndarray) -> list[int] | None:
    """Return p and what it needs, needed ones first; None if that cannot be."""
    o = state.o
    order: list[int] = []
    seen: set[int] = set()

    def visit(q: int) -> bool:
        if q in seen or state.placed(q):
            return True
        seen.add(q)
        for d in state.rules_of[q]:
            targets = state.targets(d)
            if o.dependency.kind[d] == 0 and any(state.placed(t) for t in targets):
                continue
            if any(t in seen for t in targets):
                continue
            if any(state.placed(t) for t in targets) and _can_serve(state, d):
                continue
            free = [t for t in targets if not state.placed(t)]
            best = sorted(free, key=lambda t: -_best(o, net, t))
            if not best or not visit(best[0]):
                return False
        order.append(q)
        for g in state.groups_of[q]:
            if o.group.all[g] == TOGETHER and not all(map(visit, state.members(g))):
                return False
        return True

    if not visit(p):
        return None
    # Members of an all-or-none group may need each other's targets: needed first.
    return order


def _can_serve(state: _State, d: int) -> bool:
    """Return whether a placed target leaves the rule's project some start."""
    o = state.o
    j = int(o.dependency.project[d])
    starts = o.start[o.first[j] : o.first[j + 1]]
    for i in range(o.dependency.first[d], o.dependency.first[d + 1]):
        target = int(o.dependency.target[i])
        if state.placed(target):
            lag = starts - o.start[state.chosen[target]]
            if ((lag >= o.dependency.lag[i]) & (lag <= o.dependency.lag_max[i])).any():
                return True
    return False


def _place_all(
    state: _State, bundle: list[int], net: np.ndarray, prefer: Prefer | None
) -> bool:
    o = state.o
    for q in bundle:
        if not state.has_room(q):
            return False
        fits = state.fitting(q)
        if not len(fits):
            return False
        liking = net[fits] if prefer is None else prefer(q, fits)
        needed_by_others = len(bundle) > 1 and q != bundle[-1]
        if needed_by_others and prefer is None:
            # What others wait for goes as early as it can.
            best = int(fits[0])
        else:
            top = fits[liking >= liking.max() - 1e-12]
            best = int(top[np.argmin(o.tie[top])])
        state.place(q, best)
    return all(state.rules_hold(q) for q in bundle) and all(
        state.rules_hold(int(o.dependency.project[d]))
        for q in bundle
        for d in state.rules_on[q]
        if state.placed(int(o.dependency.project[d]))
    )


def move_earlier(options: Options, chosen: np.ndarray) -> np.ndarray:
    """Return a plan of equal worth or more with projects moved to nicer starts.

    Nicer means a smaller `tie`: earlier, or for approved projects nearer to the plan.
    Each move keeps every rule; passes go on until nothing moves.
    """
    state = _State(options)
    for k in chosen.tolist():
        state.place(int(options.project[k]), k)
    moved = True
    while moved:
        moved = False
        for k in sorted(state.chosen[state.chosen != _UNPLACED].tolist()):
            p = int(options.project[k])
            state.remove(p)
            fits = state.fitting(p)
            better = fits[
                (options.worth[fits] >= options.worth[k])
                & (options.tie[fits] < options.tie[k])
            ]
            choice = k
            for candidate in better[np.argsort(options.tie[better], kind="stable")]:
                state.place(p, int(candidate))
                if _keeps_least(state) and state.rules_hold(p):
                    choice = int(candidate)
                state.remove(p)
                if choice != k:
                    break
            state.place(p, choice)
            moved |= choice != k
    return np.sort(state.chosen[state.chosen != _UNPLACED])


def _keeps_least(state: _State) -> bool:
    chosen = state.chosen[state.chosen != _UNPLACED]
    if not state.o.rows_hold(chosen):
        return False
    least = state.o.least - state.o.slack
    resources = np.flatnonzero(state.o.least > 0)
    return all(_used(state, int(t)) >= float(least[t]) for t in resources)
