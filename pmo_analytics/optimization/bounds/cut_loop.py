"""The relaxation with cuts: solved, cut where it is wrong, solved on.

Cliques first: they are cheap and across rows. When they run dry, the hulls of single
rows, then those of stretches: one role in some periods on end; at first only as far as
little work finds them. What is told is the Lagrangian bound of the final prices, as of
the relaxation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csc_array, csr_array, vstack

from pmo_analytics.optimization.bounds import clique_cuts, fenchel_cuts, packed_rows
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import Matrix, bound_of_prices
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.rows import RowLabel

# Rounds that gain less than this share in sum end a kind of cuts.
_GAIN = 2e-4
_PATIENCE = 3
# The same of stretches, before more work is done for each.
_SOON_GAIN, _SOON_PATIENCE = 5e-4, 2
# Seconds after which cuts are told although more are to come.
_TELL = 2.0
# Rows looked at before the relaxation is solved again: what is found in some changes
# what is to be found in others.
_AT_ONCE = 100
# Of the seconds of the last relaxation, how much is kept for the next.
_KEPT = 1.5
# Kinds of cuts, in the order in which they are looked for.
_CLIQUES, _ROWS, _STRETCHES, _DEEP = range(4)


@dataclass(frozen=True)
class Cut:
    """One cut: the counts of its members in a plan add up to `most` at most.

    Attributes
    ----------
    resource
        Number of the limited thing it follows from, of a stretch the first of them;
        None for a clique.
    members
        Of a limited thing: (project number, amount, count), a start that uses this
        amount or more counts this, up to the next amount given. Of a stretch: (project
        number, start, count), this start or a later one counts this, up to the next
        start given. Of a clique: (project number, first start, last start), each start
        from first to last counts 1.
    price
        What one more would be worth.
    length
        How many limited things on end it follows from; more than one: a stretch.
    """

    resource: int | None
    members: list[tuple[int, float, int]]
    most: int
    price: float = 0.0
    length: int = 1


@dataclass(frozen=True)
class Tightened:
    """The relaxation after cuts: a bound, and the prices that prove it.

    Attributes
    ----------
    prices
        (label, price) of rows of the model.
    cuts
        Those that have a price.
    found
        Number of all cuts that were added.
    """

    bound: float
    prices: list[tuple[RowLabel, float]]
    cuts: list[Cut]
    found: int


@dataclass
class _Found:
    """A cut as a row over the options."""

    cut: Cut
    columns: np.ndarray
    counts: np.ndarray


class _Packed:
    """Rows of one kind, looked at in turn."""

    def __init__(self, rows: Sequence[packed_rows.Rows]) -> None:
        self.rows = rows
        self.desk = fenchel_cuts.desk_for(rows)
        self.cover = fenchel_cuts.cover_for(rows)
        self.turn = 0

    def next(self) -> packed_rows.Rows:
        """Return those whose turn it is."""
        one = self.rows[self.turn]
        self.turn = (self.turn + 1) % len(self.rows)
        return one


class _Cutter:
    """Who looks for cuts; nobody finds the same one twice."""

    def __init__(
        self, options: Options, until: float, stretches_until: float | None
    ) -> None:
        options = _without_rules(options)
        self.options = options
        self.kinds = _CLIQUES
        self.until, self.stretches_until = until, stretches_until
        self.packed: dict[int, _Packed] = {}
        # Of the present kind of cuts; and when something was told.
        self.bounds: list[float] = []
        self.told = time.monotonic()
        # Seconds to keep: what is found late is worth nothing unless it is solved.
        self.kept: float | None = None
        self.seen: set[tuple[int | None, bytes]] = set()
        self.graph = clashes_of(options)

    def late(self) -> bool:
        """Return whether the time to look for this kind of cuts is up."""
        return time.monotonic() > self.until - (self.kept or 0.0)

    def solved(self, program: highs.Growing) -> highs.Answer:
        """Return the relaxation as it is now, and keep time for the next one."""
        before = time.monotonic()
        answer = program.solve((self.stretches_until or self.until) - before)
        # The first one takes far longer than those that go on from it.
        first = self.kept is None
        self.kept = 0.0 if first else _KEPT * (time.monotonic() - before)
        return answer

    def goes_on(self, bound: float) -> bool:
        """Return whether to look on after this bound, for other cuts if need be."""
        self.bounds.append(bound)
        gain, patience = _GAIN, _PATIENCE
        if self.kinds == _STRETCHES:
            gain, patience = _SOON_GAIN, _SOON_PATIENCE
        if self.late() or _dry(self.bounds, patience * self.rounds(), gain):
            return self.turn_to_next()
        return True

    def due(self) -> bool:
        """Return whether it is time to tell what there is."""
        if time.monotonic() - self.told <= _TELL:
            return False
        self.told = time.monotonic()
        return True

    def turn_to_next(self) -> bool:
        """Look for another kind of cuts, too; return whether there is one."""
        self.bounds, self.told = self.bounds[-1:], -np.inf
        if self.kinds == _CLIQUES and not self.late():
            self.kinds = _ROWS
            return True
        if self.kinds == _STRETCHES:
            self.kinds = _DEEP
            return not self.late()
        if self.kinds == _DEEP or self.stretches_until is None:
            return False
        self.kinds, self.until = _STRETCHES, self.stretches_until
        return not self.late()

    def more(self, x: np.ndarray, reduced: np.ndarray) -> list[_Found]:
        """Return new cuts that x violates, of another kind where there are no more."""
        found = list(self.search(x, reduced))
        while not found and self.turn_to_next():
            found = list(self.search(x, reduced))
        return found

    def search(self, x: np.ndarray, reduced: np.ndarray) -> Iterator[_Found]:
        """Yield new cuts that x violates, of all kinds up to the present one."""
        if self.graph is not None:
            for clique in clique_cuts.separate(self.graph, x, reduced):
                columns = np.array(clique)
                if self._fresh(None, columns):
                    cut = clique_cut(self.options, columns)
                    yield _Found(cut, columns, np.ones(len(columns)))
        if self.kinds >= _ROWS:
            yield from self._of_rows(_ROWS, packed_rows.rows, x, reduced)
        if self.kinds >= _STRETCHES:
            yield from self._of_rows(_STRETCHES, packed_rows.stretches, x, reduced)

    def _of_rows(
        self,
        kind: int,
        read: Callable[[Options], Sequence[packed_rows.Rows]],
        x: np.ndarray,
        reduced: np.ndarray,
    ) -> Iterator[_Found]:
        if kind not in self.packed:
            self.packed[kind] = _Packed(read(self.options))
        packed, some = self.packed[kind], 0
        # A row is always looked at to the end: it takes little.
        deep = kind == _ROWS or self.kinds == _DEEP
        for looked in range(len(packed.rows)):
            least = 1 if kind == _ROWS and looked >= _AT_ONCE else _AT_ONCE
            if self.late() or some >= least:
                return
            one = packed.next()
            found = fenchel_cuts.separate(
                one, packed.desk, packed.cover, x, reduced, deep
            )
            if found is None or not self._fresh(one.resource, found[0]):
                continue
            some += 1
            count, most = found
            members = one.members(count)
            counts = count[one.item]
            kept = counts > 0
            cut = Cut(one.resource, members, most, length=one.length)
            yield _Found(cut, one.option[kept], counts[kept].astype(float))

    def rounds(self) -> int:
        """Return how many rounds look at each row, or stretch, once."""
        packed = self.packed.get(min(self.kinds, _STRETCHES))
        return max(-(-len(packed.rows) // _AT_ONCE), 1) if packed else 1

    def _fresh(self, resource: int | None, what: np.ndarray) -> bool:
        key = resource, what.tobytes()
        known = key in self.seen
        self.seen.add(key)
        return not known


def tighten(
    options: Options,
    matrix: Matrix,
    until: float,
    settings: dict[str, Any],
    enough: float = -np.inf,
    watch: Callable[[int, float, int], None] | None = None,
    tell: Callable[[Tightened], None] | None = None,
    stretches_until: float | None = None,
) -> Tightened | None:
    """Return the relaxation with cuts, None where there was no time or no gain.

    Parameters
    ----------
    until
        Monotonic time at which to end.
    settings
        Options of HiGHS by name.
    enough
        A bound that need not be undercut.
    watch
        Called after each round with its number, the bound and the number of cuts.
    tell
        Called with what there is so far, every few seconds and before the hulls of
        single rows, which may take as long again.
    stretches_until
        Monotonic time at which to end where stretches still tighten it; None = they are
        not looked for.
    """
    if not len(options.project):
        return None
    cutter = _Cutter(options, until, stretches_until)
    program = highs.Growing(options.worth, matrix, **settings)
    found: list[_Found] = []
    rounds, solved, prices, opens = 0, 0, None, None
    while True:
        answer = cutter.solved(program)
        if answer.status != "optimal" or answer.x is None or answer.prices is None:
            break
        prices, opens, solved = answer.prices, answer.opens, len(found)
        if watch is not None:
            watch(rounds, answer.objective, solved)
        rounds += 1
        if answer.objective <= enough or not cutter.goes_on(answer.objective):
            break
        if tell is not None and solved and cutter.due():
            tell(_told(options, matrix, found[:solved], prices, opens))
        rows = _rows_of(found, len(options.project))
        more = cutter.more(answer.x, _reduced(options, matrix, rows, prices, opens))
        if not more:
            break
        found += more
        program.add(
            _rows_of(more, len(options.project)),
            np.array([float(one.cut.most) for one in more]),
        )
    if prices is None or not solved:
        return None
    return _told(options, matrix, found[:solved], prices, opens)


def _reduced(
    options: Options,
    matrix: Matrix,
    cuts: csr_array,
    prices: np.ndarray,
    opens: np.ndarray | None,
) -> np.ndarray:
    """Return the worth of each option less what it pays for rows and cuts."""
    own = len(matrix.labels)
    paid = matrix.a.T @ prices[:own] + cuts.T @ prices[own:]
    if matrix.counts is not None and opens is not None:
        paid += matrix.counts.paid_by(opens, len(paid))
    return np.asarray(options.worth - paid)


def _dry(values: list[float], rounds: int, gain: float) -> bool:
    if len(values) <= rounds:
        return False
    return values[-1 - rounds] - values[-1] < gain * abs(values[-1])


def _rows_of(found: list[_Found], columns: int) -> csr_array:
    """Return cuts as rows over the options."""
    ends = np.cumsum([0, *(len(one.columns) for one in found)])
    column = np.concatenate([one.columns for one in found] or [np.zeros(0, dtype=int)])
    count = np.concatenate([one.counts for one in found] or [np.zeros(0)])
    return csr_array((count, column, ends), (len(found), columns))


def _told(
    options: Options,
    matrix: Matrix,
    found: list[_Found],
    prices: np.ndarray,
    opens: np.ndarray | None,
) -> Tightened:
    """Return prices and the cuts that have one, with the bound that they prove."""
    whole = Matrix(
        csc_array(vstack([matrix.a, _rows_of(found, len(options.project))])),
        np.concatenate([matrix.lower, np.full(len(found), -np.inf)]),
        np.concatenate([matrix.upper, [float(one.cut.most) for one in found]]),
        [*matrix.labels, *(RowLabel("cut", n) for n in range(len(found)))],
        counts=matrix.counts,
    )
    own = len(matrix.labels)
    cuts = [
        replace(one.cut, price=float(price))
        for one, price in zip(found, prices[own:], strict=True)
        if price > 0
    ]
    named = [
        (label, float(price))
        for label, price in zip(matrix.labels, prices[:own], strict=True)
        if label is not None and price
    ]
    for member, price in enumerate([] if opens is None else opens.tolist()):
        if price:
            named.append((RowLabel("opens", member), price))
    bound = bound_of_prices(options, whole, prices, opens)
    return Tightened(bound, named, cuts, len(found))


def _without_rules(options: Options) -> Options:
    """Return options whose rules limit nothing: the checker proves no cuts of them."""
    limit = options.limit.copy()
    limit[int(options.sizes[0] * options.sizes[1] + options.sizes[2]) :] = np.inf
    return replace(options, limit=limit)


def clashes_of(options: Options) -> np.ndarray | None:
    """Return which options exclude each other, None where they are too many."""
    if len(options.project) > clique_cuts.MOST_OPTIONS:
        return None
    return clique_cuts.clashes(_without_rules(options))


def clique_cut(options: Options, columns: np.ndarray) -> Cut:
    """Return the cut that a clique of options in order is."""
    return Cut(None, _runs(options, columns), 1)


def _runs(options: Options, columns: np.ndarray) -> list[tuple[int, float, int]]:
    """Return options in order as (project, first start, last start)."""
    members: list[tuple[int, float, int]] = []
    for project, start in zip(
        options.project[columns].tolist(), options.start[columns].tolist(), strict=True
    ):
        if members and members[-1][0] == project and members[-1][2] == start - 1:
            members[-1] = (project, members[-1][1], start)
        else:
            members.append((project, start, start))
    return members


def rows_of_cuts(options: Options, cuts: Sequence[Cut]) -> csr_array:
    """Return cuts as rows over the options, by what their members say."""
    o = options
    row: list[int] = []
    column: list[int] = []
    count: list[int] = []
    for number, cut in enumerate(cuts):
        if cut.resource is None:
            for p, low, high in cut.members:
                span = np.arange(o.first[p], o.first[p + 1])
                inside = span[(o.start[span] >= low) & (o.start[span] <= high)]
                column += inside.tolist()
                count += [1] * len(inside)
                row += [number] * len(inside)
            continue
        steps: dict[int, list[tuple[float, int]]] = {}
        for p, least, counted in cut.members:
            steps.setdefault(int(p), []).append((float(least), int(counted)))
        for p, own in steps.items():
            own.sort()
            for k in range(int(o.first[p]), int(o.first[p + 1])):
                reaches = _reaches(o, cut, k)
                reached = [n for least, n in own if least <= reaches + 1e-9]
                if reached and reached[-1]:
                    row.append(number)
                    column.append(k)
                    count.append(reached[-1])
    return csr_array((count, (row, column)), (len(cuts), len(o.project)), dtype=float)


def _reaches(options: Options, cut: Cut, k: int) -> float:
    """Return what an option's count goes by: its start, or what it uses of the row."""
    if cut.length > 1:
        return float(options.start[k])
    rows, amounts = options.uses(k)
    return float(amounts[rows == cut.resource].sum())
