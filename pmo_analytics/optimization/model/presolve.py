"""Which starts no plan can have, and which ones no better plan needs.

The first follow from what must be selected, from limits, dependencies and groups; so
nothing feasible is lost, and the checker draws the same conclusions with arithmetic of
its own (`certify_narrowing`). The second only make the search smaller: no bound that is
certified rests on them.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from pmo_analytics.optimization.model.instance import ALL, NONE, Options

# A limit is broken by this share more than its slack, so that the checker agrees.
_MARGIN = 1.01


# What prices rule out is this share of the objective worse than the plan known, so that
# plans of equal worth, among which ties are broken, all remain.
_WORSE = 1e-6


def tightened(options: Options) -> Options:
    """Return the options that a plan can have; all of them where there is no plan.

    Projects that every plan has must be selected from then on.
    """
    if len(options.buy.resource) or not len(options.project):
        return options  # what is bought makes room
    left, must = np.ones(len(options.project), dtype=bool), options.must.copy()
    if not Presolve(options).tighten(left, must):
        return options
    if left.all() and (must == options.must).all():
        return options
    return options.only(left, must)


def needed(
    options: Options, reduced: np.ndarray, bound: float, known: float
) -> np.ndarray:
    """Return which options a plan as good as the one known may need, (N,).

    Parameters
    ----------
    reduced
        Worth of each option less the prices of what it uses.
    bound
        What these prices prove.
    known
        Objective of a feasible plan.
    """
    keep = ~dominated(options)
    if np.isfinite(bound) and np.isfinite(known):
        top = np.full(len(options.must), -np.inf)
        np.maximum.at(top, options.project, reduced)
        top = np.where(options.must, top, np.maximum(top, 0.0))
        level = known - _WORSE * max(1.0, abs(known))
        keep &= bound - top[options.project] + reduced >= level
    return keep


def dominated(options: Options) -> np.ndarray:
    """Return options that another start of the same project is never worse than, (N,).

    The other one uses no more of anything that may run short, is worth more, or as
    much with no later start; and nobody else depends on which of the two it is.
    """
    o = options
    found = np.zeros(len(o.project), dtype=bool)
    if len(o.buy.resource):
        return found
    timed = np.flatnonzero(o.dependency.kind)
    linked = np.zeros(len(o.must), dtype=bool)
    linked[o.dependency.project[timed]] = True
    for d in timed.tolist():
        linked[
            o.dependency.target[o.dependency.first[d] : o.dependency.first[d + 1]]
        ] = True
    linked[o.project[o.linear.option]] = True
    short = np.isfinite(o.limit) & (o.largest_use() > o.limit)
    least = np.isfinite(o.least) & (o.least > 0)
    many = np.diff(o.first)
    for p in np.flatnonzero((many > 1) & ~linked).tolist():
        span = np.arange(o.first[p], o.first[p + 1])
        entries = np.arange(o.use.first[span[0]], o.use.first[span[-1] + 1])
        rows = o.use.row[entries]
        rows = np.unique(rows[short[rows] | least[rows]])
        use = np.zeros((len(span), len(rows)))
        owner = np.repeat(np.arange(len(span)), np.diff(o.use.first)[span])
        place = np.searchsorted(rows, o.use.row[entries])
        place = np.minimum(place, max(len(rows) - 1, 0))
        if len(rows):
            real = rows[place] == o.use.row[entries]
            use[owner[real], place[real]] = o.use.amount[entries[real]]
        found[span] = _beaten(use, least[rows], o.worth[span], o.tie[span])
    return found


def _beaten(
    use: np.ndarray, least: np.ndarray, worth: np.ndarray, tie: np.ndarray
) -> np.ndarray:
    """Return which rows of `use` another row beats; of equal ones the first stays."""
    # In this order one that comes later never beats one that comes before.
    order = np.lexsort((np.arange(len(worth)), use.sum(axis=1), tie, -worth))
    beaten = np.zeros(len(worth), dtype=bool)
    kept: list[int] = []
    for k in order.tolist():
        rivals = np.array(kept, dtype=np.int64)
        no_more = (use[rivals] <= use[k]).all(axis=1)
        same = (use[rivals][:, least] == use[k][least]).all(axis=1)
        better = (worth[rivals] > worth[k]) | (tie[rivals] <= tie[k])
        if (no_more & same & better).any():
            beaten[k] = True
        else:
            kept.append(k)
    return beaten


class Presolve:
    """The conclusions for one set of options, again and again as choices are made.

    Parameters
    ----------
    options
        The model.
    """

    def __init__(self, options: Options) -> None:
        self.o = o = options
        self.owner = o.use_option()
        self.room = o.limit + _MARGIN * o.slack
        # Limits that could ever be exceeded; the others need no look.
        tight = np.isfinite(o.limit) & (o.largest_use() > self.room)
        entry = np.flatnonzero(tight[o.use.row])
        self.entry_option = self.owner[entry]
        self.entry_project = o.project[self.entry_option]
        number = np.cumsum(tight) - 1
        self.entry_row = number[o.use.row[entry]]
        self.entry_amount = o.use.amount[entry]
        self.room = self.room[tight]
        self._write_rules()

    def _write_rules(self) -> None:
        """Write who serves whom as matrices, to follow all rules at once.

        A pair is a rule and one of its targets. `serves` has a row per pair and start
        of the rule's project, with the starts of the target that serve it; `served` a
        row per pair and start of the target, with the starts that it serves.
        """
        o = self.o
        pairs: list[tuple[int, int, int]] = []
        ours: list[np.ndarray] = []
        theirs: list[np.ndarray] = []
        row: list[np.ndarray] = []
        column: list[np.ndarray] = []
        asks: list[np.ndarray] = []
        for d, j in enumerate(o.dependency.project.tolist()):
            own = np.arange(o.first[j], o.first[j + 1])
            for i in range(int(o.dependency.first[d]), int(o.dependency.first[d + 1])):
                target = int(o.dependency.target[i])
                other = np.arange(o.first[target], o.first[target + 1])
                lag = o.start[own][:, None] - o.start[other][None, :]
                fits = (lag >= o.dependency.lag[i]) & (lag <= o.dependency.lag_max[i])
                if not o.dependency.kind[d]:
                    fits[:] = True
                at, to = np.nonzero(fits)
                row.append(at + sum(map(len, ours)))
                column.append(to + sum(map(len, theirs)))
                ours.append(own)
                theirs.append(other)
                asks.append(own + d * len(o.project))
                pairs.append((d, j, target))
        self.pair_rule, self.pair_own, self.pair_target = (
            np.array(pairs, dtype=np.int64).reshape(-1, 3).T
        )
        self.row_pair = np.repeat(np.arange(len(pairs)), [len(own) for own in ours])
        self.column_pair = np.repeat(np.arange(len(pairs)), [len(to) for to in theirs])
        self.row_option = _joined(ours)
        self.column_option = _joined(theirs)
        # A start of a project has to be served once for each of its rules.
        self.asked, self.row_ask = np.unique(_joined(asks), return_inverse=True)
        self.asked %= max(len(o.project), 1)
        at, to = _joined(row), _joined(column)
        many = len(o.project)
        ones = np.ones(len(at), dtype=np.int32)
        self.serves = csr_array(
            (ones, (at, self.column_option[to])), (len(self.row_option), many)
        )
        self.served = csr_array(
            (ones, (to, self.row_option[at])), (len(self.column_option), many)
        )

    def tighten(self, left: np.ndarray, must: np.ndarray) -> bool:
        """Take away starts that no plan can have; return False if none is left.

        Parameters
        ----------
        left
            Shape (N,), which options may still be chosen; changed in place.
        must
            Shape (P,), which projects have to be selected; changed in place.
        """
        while True:
            before = int(left.sum()) - int(must.sum())
            if not (
                self._fit_limits(left, must)
                and self._follow_rules(left, must)
                and self._count_groups(left, must)
            ):
                return False
            if int(left.sum()) - int(must.sum()) == before:
                return True

    def alive(self, left: np.ndarray) -> np.ndarray:
        """Return which projects have a start left, (P,)."""
        return np.bincount(self.o.project[left], minlength=len(self.o.must)) > 0

    def _fit_limits(self, left: np.ndarray, must: np.ndarray) -> bool:
        """Leave room for the least that each must project uses of every limit."""
        if not (self.alive(left) | ~must).all():
            return False
        rows = len(self.room)
        if not rows:
            return True
        many = np.flatnonzero(must)
        count = np.bincount(self.o.project[left], minlength=len(must))
        place = np.full(len(must), -1)
        place[many] = np.arange(len(many))
        here = left[self.entry_option]
        mine = here & must[self.entry_project]
        key = place[self.entry_project[mine]] * rows + self.entry_row[mine]
        least = np.full(len(many) * rows, np.inf)
        np.minimum.at(least, key, self.entry_amount[mine])
        # A start that does not use a limit at all uses nothing of it.
        met = np.bincount(key, minlength=len(least))
        every = met == np.repeat(count[many], rows)
        needed = np.where(every & (met > 0), least, 0.0).reshape(len(many), rows)
        spare = self.room - needed.sum(axis=0)
        if (spare < 0).any():
            return False
        for_it = spare[self.entry_row]
        for_it[mine] += needed[place[self.entry_project[mine]], self.entry_row[mine]]
        left[self.entry_option[here & (self.entry_amount > for_it)]] = False
        return True

    def _follow_rules(self, left: np.ndarray, must: np.ndarray) -> bool:
        """Keep starts that a start of a target serves, and that of what must be."""
        if not len(self.pair_rule):
            return True
        is_served = self.serves @ left.astype(np.int32) > 0
        can = np.zeros(len(self.asked), dtype=bool)
        can[self.row_ask[is_served]] = True
        left[self.asked[~can]] = False
        alive = is_served & left[self.row_option]
        pairs = len(self.pair_rule)
        serving = np.bincount(self.row_pair[alive], minlength=pairs) > 0
        count = np.bincount(
            self.pair_rule[serving], minlength=len(self.o.dependency.project)
        )
        sole = serving & must[self.pair_own] & (count[self.pair_rule] == 1)
        if sole.any():
            must[self.pair_target[sole]] = True
            useful = self.served @ left.astype(np.int32) > 0
            left[self.column_option[~useful & sole[self.column_pair]]] = False
        return True

    def _count_groups(self, left: np.ndarray, must: np.ndarray) -> bool:
        o = self.o
        living = self.alive(left)
        if (must & ~living).any():
            return False
        for g, whole in enumerate(o.group.all.tolist()):
            members = o.group.project[o.group.first[g] : o.group.first[g + 1]]
            alive = living[members]
            if whole:
                out = _out_of_all(whole, members, alive, must)
            else:
                out = self._out_of_limit(g, members, alive, must)
            if out is None or must[out].any():
                return False
            for p in out.tolist():
                left[o.first[p] : o.first[p + 1]] = False
            living[out] = False
        return True

    def _out_of_limit(
        self, g: int, members: np.ndarray, alive: np.ndarray, must: np.ndarray
    ) -> np.ndarray | None:
        """Return who is out by a limit; note who must be in; None of the impossible."""
        least, most = self.o.group.least[g], self.o.group.most[g]
        chosen = int(must[members].sum())
        if chosen > most or alive.sum() < least:
            return None
        if chosen == most:
            return np.asarray(members[~must[members]])
        if least > 0 and alive.sum() == least:
            must[members[alive]] = True
        return members[:0]


def _out_of_all(
    whole: int, members: np.ndarray, alive: np.ndarray, must: np.ndarray
) -> np.ndarray | None:
    """Return who is out where all or none are in; note who must be in."""
    if whole == NONE or not alive.all():
        return None if whole == ALL else members
    if whole == ALL or must[members].any():
        must[members] = True
    return members[:0]


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
