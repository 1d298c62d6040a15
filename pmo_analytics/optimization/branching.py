"""A bound by branches: the starts divided until little is left to be gained anywhere.

Branch and bound of our own over the relaxation with its cuts, for the sake of the
proof: every node keeps the prices that prove its bound, so that the tree becomes part
of the certificate and the checker can walk through it again (`certify_branches`). What
the prices of a node rule out, and what the rules then say of the rest, is gone for all
below it; that is what makes the tree small.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csc_array, csr_array, vstack

from pmo_analytics.optimization import cut_cliques, highs
from pmo_analytics.optimization.cut_renewal import renewed
from pmo_analytics.optimization.cutting import (
    Cut,
    clashes_of,
    clique_cut,
    rows_of_cuts,
)
from pmo_analytics.optimization.matrix import Label, Matrix, build_matrix
from pmo_analytics.optimization.options import TOGETHER, Options
from pmo_analytics.optimization.presolve import Presolve

# A plan is sought that is better by this share: nearer is as good as proved.
_NEARER = 4e-7
# What the prices of a node rule out is this share clear of the plan known: the checker
# has the same prices in whole units, that is, a little smaller.
_CLEAR = 1e-7
_WHOLE = 1e-6
# Projects tried before a node is divided, and how often one is tried at all.
_TRIED, _RELIABLE = 4, 4
# A plan that is better by this share of the gap makes the tree begin again.
_AFRESH = 0.5
# Cliques added for one node, by how much it exceeds each, and cuts of the whole tree:
# more of them make smaller trees, but slower ones.
_CUTS, _EXCEEDED, _MOST_CUTS = 20, 0.05, 500
# Nodes from which on a tree is worth them: one without is of use to similar models.
_CUT_FROM = 300
# Share of a node's gap that cuts have to close for it to wait for its turn again.
_GAIN = 0.01
# Prices of a node, on average: they make the length of the certificate.
_MOST_PRICES = 150
# Significant digits of a price: more of them make the certificate longer, no better.
_DIGITS = 7

Domain = tuple[np.ndarray, np.ndarray]  # options left, projects that must be selected


@dataclass
class Node:
    """One part of all plans.

    Attributes
    ----------
    left, must
        Options that may be chosen, projects that have to be.
    bound
        No plan of this part is worth more; -inf where there is none.
    rows, prices
        What proves it: numbers of rows and their prices.
    x
        Value of each option in the relaxation; None where there was none.
    split
        (project, last start of the early side) once divided.
    parts
        The two numbers of the nodes it was divided into, early side first.
    given
        Options and projects before anything was concluded, of a relaxation.
    above
        The node that this is a part of.
    cut
        Whether cuts have been looked for.
    done
        Whether it waits no longer: it is divided, or cannot be.
    """

    left: np.ndarray
    must: np.ndarray
    bound: float
    rows: np.ndarray
    prices: np.ndarray
    x: np.ndarray | None = None
    split: tuple[int, int] | None = None
    parts: tuple[int, int] | None = None
    given: Domain | None = None
    above: Node | None = field(default=None, repr=False)
    cut: bool = False
    done: bool = False


Watch = Callable[[float, np.ndarray | None], None]


@dataclass
class Guide:
    """The tree of a portfolio like this one: how it was divided, and its prices.

    Attributes
    ----------
    prices
        Of each node, label of a row and price; ("cut", number) is a row of `cuts`.
    splits
        Of each node, (project, last start of the early side) or None.
    parts
        Of each node, the numbers of its two parts or None.
    cuts
        Cuts as they were found; None where the model that is guided lacks the row.
    """

    prices: list[list[tuple[Label, float]]]
    splits: list[tuple[int, int] | None]
    parts: list[tuple[int, int] | None]
    cuts: list[Cut | None] = field(default_factory=list)

    @classmethod
    def of(cls, told: dict[str, Any]) -> Guide:
        """Return the guide of nodes that stand in the order of `Branches.told`."""
        cuts = [None if one is None else Cut(**one) for one in told["cuts"]]
        labels = [tuple(label) for label in told["labels"]]
        labels += [("cut", number) for number in range(len(cuts))]
        prices: list[list[tuple[Label, float]]] = []
        splits: list[tuple[int, int] | None] = []
        parts: list[tuple[int, int] | None] = []
        waiting: list[list[int]] = []
        for number, node in enumerate(told["nodes"]):
            pairs = zip(node["rows"], node["prices"], strict=True)
            prices.append([(labels[row], float(price)) for row, price in pairs])
            split = node["split"]
            splits.append(None if split is None else (int(split[0]), int(split[1])))
            parts.append(None)
            if waiting:
                waiting[-1].append(number)
                if len(waiting[-1]) == 3:
                    above, early, late = waiting.pop()
                    parts[above] = (early, late)
            if split is not None:
                waiting.append([number])
        return cls(prices, splits, parts, cuts)


class Branches:
    """The tree, and how it grows.

    Parameters
    ----------
    options
        The model.
    cuts
        Cuts that hold for every plan.
    known
        Objective of the best plan known.
    settings
        Options of HiGHS by name.
    watch
        Called with the bound, and with option numbers where a node turned out to be
        a plan.
    slack
        Only plans that are better by this share are sought: with a gap that is good
        enough the tree is far smaller.
    guide
        Tree of a similar model to begin with.
    """

    def __init__(
        self,
        options: Options,
        cuts: Sequence[Cut],
        known: float,
        settings: dict[str, Any],
        watch: Watch,
        slack: float = 0.0,
        guide: Guide | None = None,
    ) -> None:
        self.o = options
        self.guide = guide
        # A little less, so that rounding cannot leave the gap above what was asked.
        self.slack = max(slack * (1 - 1e-6), 0.0)
        self.cuts = list(cuts)
        self.watch = watch
        self.presolve = Presolve(options)
        self.graph = clashes_of(options)
        # Row of each of the guide's cuts that hold here, counted from the first cut.
        self.taken: dict[int, int] = {}
        if guide is not None:
            self._take_up(guide.cuts)
        self.cliques: set[tuple[int, ...]] = set()
        self.projects = len(options.must)
        self.filled = np.flatnonzero(np.diff(options.first) > 0)
        self._write_rows()
        self.aim(known)
        choice = csr_array(
            (
                np.ones(len(options.project)),
                np.arange(len(options.project)),
                options.first,
            ),
            (self.projects, len(options.project)),
        )
        none = np.full(self.projects, -np.inf)
        program = Matrix(
            csc_array(vstack([choice, self.a])),
            np.concatenate([none, np.where(self.equal, self.upper, -np.inf)]),
            np.concatenate([np.ones(self.projects), self.upper]),
            [],
        )
        # It starts from the basis before, which presolve would throw away.
        self.program = highs.Growing(options.worth, program, presolve="off", **settings)
        self.asked = np.zeros(self.projects, dtype=bool)
        # Gain of each project's early and late side, summed, and how often tried.
        self.gains = np.zeros((self.projects, 2))
        self.tries = np.zeros((self.projects, 2))
        self.nodes: list[Node] = []
        self.open: list[tuple[float, int]] = []
        # Where to go on down the tree, and whether to go on at all.
        self.ahead: int | None = None
        self.paused = False
        # Of the guide: node of it, node above and side of it, own domain.
        self.waiting: list[tuple[int, int | None, int, Domain]] = []
        self.length = 0
        # The largest bound of a node that cannot be divided.
        self.final = -np.inf
        # The tree before it began again: for a while it proves more.
        self.former: dict[str, Any] | None = None

    def _take_up(self, cuts: list[Cut | None]) -> None:
        """Add the cuts of a similar model, as far as they hold for this one."""
        known = [(number, cut) for number, cut in enumerate(cuts) if cut is not None]
        holding = renewed(self.o, [cut for _, cut in known], self.graph)
        for (number, _), cut in zip(known, holding, strict=True):
            if cut is not None:
                self.taken[number] = len(self.cuts)
                self.cuts.append(cut)

    def aim(self, known: float) -> None:
        """Look only for plans that are worth more than this."""
        self.known = known
        nearer = max(_NEARER * max(1.0, abs(known)), self.slack * abs(known))
        self.enough = known + nearer

    # ------------------------------------------------------------------ the rows
    def _write_rows(self) -> None:
        """Write every row as at most so much; those of one project are left out."""
        o = self.o
        matrix = build_matrix(o)
        kept, self.labels = [], list[Label]()
        for row, label in enumerate(matrix.labels):
            # What ALL and NONE ask for is among the conclusions of the rules.
            if label is None or (
                label[0] == "same" and o.group_all[int(label[1])] != TOGETHER
            ):
                continue
            kept.append(row)
            self.labels.append(label)
        lower, upper = matrix.lower[kept], matrix.upper[kept]
        self.equal = lower == upper
        turned = np.isinf(upper)
        sign = np.where(turned, -1.0, 1.0)
        a = csr_array(matrix.a.tocsr()[kept])
        a.data *= np.repeat(sign, np.diff(a.indptr))
        upper = np.where(turned, -lower, upper)
        for row, label in enumerate(self.labels):
            if label[0] in ("limit", "least"):
                upper[row] = self._granted(a, row, float(upper[row]))
        self.a = csr_array(vstack([a, rows_of_cuts(o, self.cuts)]))
        self.upper = np.concatenate([upper, [float(cut.most) for cut in self.cuts]])
        self.equal = np.concatenate([self.equal, np.zeros(len(self.cuts), dtype=bool)])
        self.turned = self.a.T.tocsr()

    def _granted(self, a: csr_array, row: int, limit: float) -> float:
        """Return a limit with its tolerance, cut to what uses can add up to."""
        granted = limit + max(1e-6, 1e-12 * abs(limit))
        used = a.data[a.indptr[row] : a.indptr[row + 1]] * 1e6
        whole = np.round(used)
        if not len(used) or (np.abs(used - whole) > 1e-6).any():
            return granted
        if np.abs(whole).max() > 1e15:
            return granted
        step = int(np.gcd.reduce(np.abs(whole).astype(np.int64)))
        if not step:
            return granted
        return float(np.floor((granted * 1e6 + 1e-3) / step) * step / 1e6)

    # ------------------------------------------------------------------ the nodes
    def grow(self, until: float, most: int, listen: Callable[[], float]) -> None:
        """Divide the node with the largest bound, until time or nodes run out.

        Parameters
        ----------
        until
            Monotonic time.
        most
            Nodes of the whole tree.
        listen
            Returns the objective of the best plan known by now.
        """
        if self.waiting and not self._follow(until):
            return
        if not self.nodes and not self._plant(until):
            return
        while self.open and not self.full(most):
            known = listen()
            if known > self.known:
                gained = (known - self.known) / max(self.bound - self.known, 1e-12)
                self.aim(known)
                if gained > _AFRESH:
                    # Far more is ruled out from the root on than where it was not.
                    self.former = self.told()
                    self.nodes, self.open, self.length = [], [], 0
                    self.ahead = None
                    self.final = -np.inf
                    if not self._plant(until):
                        return
                    continue
            best = -self.open[0][0]
            if best <= self.enough or self.paused or time.monotonic() >= until:
                return
            number = self._turn()
            node = self.nodes[number]
            # Where a path begins: cuts found there are of use to most.
            if number == self.open[0][1] and self._cut(node, until):
                self._wait(number)
                continue
            candidates = self._candidates(node)
            if not candidates:
                # One choice is left, and its bound cannot be lowered further.
                node.done = True
                self.final = max(self.final, node.bound)
                self._tidy()
                continue
            parts = self._divide(node, candidates, until)
            if parts is None:
                return
            node.parts = (self._keep(parts[0]), self._keep(parts[1]))
            node.x, node.done = None, True
            self.ahead = max(node.parts, key=lambda part: self.nodes[part].bound)
            self._tidy()
            self.watch(self.bound, None)

    def _turn(self) -> int:
        """Return the node to divide: of a path down the tree, else the best one.

        Going down finds plans, and the next relaxation is near the one before.
        """
        ahead, self.ahead = self.ahead, None
        if ahead is not None and self.nodes[ahead].bound > self.enough:
            return ahead
        return self.open[0][1]

    def _wait(self, number: int) -> None:
        """Let a node wait for its turn, by its bound."""
        heapq.heappush(self.open, (-self.nodes[number].bound, number))
        self._tidy()

    def _tidy(self) -> None:
        """See that the first in line is there, by the bound that it has now."""
        while self.open:
            bound, node = -self.open[0][0], self.nodes[self.open[0][1]]
            if not node.done and bound == node.bound:
                return
            heapq.heappop(self.open)

    @property
    def bound(self) -> float:
        """What no plan exceeds."""
        best = -self.open[0][0] if self.open else -np.inf
        for _, above, _, _ in self.waiting:
            best = max(best, np.inf if above is None else self.nodes[above].bound)
        return max(best, self.final, self.enough)

    def _plant(self, until: float) -> bool:
        """Begin with all plans in one node; return whether there was time for it."""
        left = np.ones(len(self.o.project), dtype=bool)
        domain = left, self.o.must.copy()
        if self.guide is not None:
            self.waiting = [(0, None, 0, domain)]
            return self._follow(until)
        root = self._node(domain, None, until)
        if root is not None:
            self._keep(root)
        return root is not None

    def _follow(self, until: float) -> bool:
        """Divide as another tree was; where its prices do not suffice, find others.

        Most of its nodes need no relaxation to be solved. Returns whether there was
        time for all of it; the rest waits.
        """
        guide = self.guide
        assert guide is not None
        row: dict[Label, int] = {label: n for n, label in enumerate(self.labels)}
        first = len(self.labels)
        row.update({("cut", n): first + k for n, k in self.taken.items()})
        while self.waiting:
            if time.monotonic() >= until:
                return False
            number, above, side, domain = self.waiting[-1]
            over = None if above is None else self.nodes[above]
            prices = np.zeros(len(self.upper))
            for label, price in guide.prices[number]:
                if label in row:
                    prices[row[label]] = price
            node = self._priced(prices, (domain[0].copy(), domain[1].copy()), over)
            parts, split = guide.parts[number], guide.splits[number]
            divides = parts is not None and split is not None and split[0] >= 0
            if node.bound > self.enough and not divides:
                # From the start again: what other prices rule out they prove alone.
                solved = self._node(domain, over, until)
                if solved is None:
                    return False
                node = solved
            self.waiting.pop()
            place = self._keep(node)
            if over is not None:
                early, late = over.parts or (-1, -1)
                over.parts = (place, late) if side == 0 else (early, place)
                assert over.split is not None
                gain = over.bound - max(node.bound, self.enough)
                self._learn(over.split[0], side, gain)
            if node.bound > self.enough and divides:
                assert parts is not None
                assert split is not None
                node.done = True
                self._tidy()
                node.split, node.parts = split, (-1, -1)
                for which in (1, 0):
                    part = self._part(node, *split, bool(which))
                    self.waiting.append((parts[which], place, which, part))
        return True

    def _priced(self, prices: np.ndarray, domain: Domain, above: Node | None) -> Node:
        """Return a node with the bound that given prices prove."""
        left, must = domain
        none = np.zeros(0)
        nothing = Node(left, must, -np.inf, none.astype(np.int64), none)
        if not self.presolve.tighten(left, must):
            return nothing
        if not left.any():
            nothing.bound = 0.0
            return nothing
        return self._judged(prices, domain, above)

    def _judged(self, prices: np.ndarray, domain: Domain, above: Node | None) -> Node:
        """Return a node with what prices prove of it and rule out in it."""
        left, must = domain
        bound, reduced, top = self._value(prices, domain)
        ceiling = np.inf if above is None else above.bound
        if bound <= ceiling + _CLEAR * abs(ceiling):
            self._rule_out(bound, reduced, top, left, must)
        rows = np.flatnonzero(prices)
        return Node(left, must, min(bound, ceiling), rows, prices[rows])

    def full(self, most: int) -> bool:
        """Return whether the tree is as large as it may be, with so many nodes."""
        return len(self.nodes) + 2 > most or self.length > _MOST_PRICES * most

    @property
    def closed(self) -> bool:
        """Whether there is nothing left to be gained anywhere."""
        return self.whole and self.bound <= self.enough

    @property
    def whole(self) -> bool:
        """Whether the tree stands, with no part of it still to be taken up."""
        return bool(self.nodes) and not self.waiting

    def _keep(self, node: Node) -> int:
        self.nodes.append(node)
        self.length += len(node.rows)
        number = len(self.nodes) - 1
        if node.bound > self.enough:
            self._wait(number)
        return number

    def _node(self, domain: Domain, above: Node | None, until: float) -> Node | None:
        """Return a node with its bound, None where time ran out."""
        left, must = domain
        given = left.copy(), must.copy()
        none = np.zeros(0)
        nothing = Node(left, must, -np.inf, none.astype(np.int64), none)
        if not self.presolve.tighten(left, must):
            return nothing
        if not left.any():
            nothing.bound = 0.0
            if self.known < 0 and (self.upper >= 0).all():
                self.watch(max(self.bound, 0.0), np.flatnonzero(left))
            return nothing
        changed = np.flatnonzero(must != self.asked).tolist()
        self.program.restrict(
            left, {p: (1.0 if must[p] else -np.inf, 1.0) for p in changed}
        )
        self.asked = must.copy()
        answer = self.program.solve(until - time.monotonic())
        x = answer.x
        if answer.status == "infeasible":
            prices = self._contradiction(domain, above)
        elif answer.prices is None:
            return None
        else:
            prices = self._rounded(answer.prices[self.projects :])
        node = self._judged(prices, domain, above)
        node.x = None if x is None else x.astype(np.float32)
        node.given, node.above = given, above
        if x is not None and (np.abs(x - np.round(x)) < _WHOLE).all():
            chosen = np.flatnonzero(x > 0.5)
            if self.o.worth[chosen].sum() > self.known:
                self.watch(self.bound if self.nodes else node.bound, chosen)
        return node

    def _cut(self, node: Node, until: float) -> bool:
        """Add cliques that the relaxation of a node exceeds; say whether it helped."""
        if self.graph is None or node.x is None or node.given is None or node.cut:
            return False
        if len(self.nodes) < _CUT_FROM:
            return False
        node.cut = True
        if len(self.cuts) > _MOST_CUTS:
            return False
        prices = np.zeros(len(self.upper))
        prices[node.rows] = node.prices
        x = np.where(node.left, node.x, 0.0).astype(float)
        reduced = self.o.worth - self.turned @ prices
        found: list[Cut] = []
        for clique in cut_cliques.separate(self.graph, x, reduced):
            if x[list(clique)].sum() < 1 + _EXCEEDED or len(found) >= _CUTS:
                break
            if clique not in self.cliques:
                self.cliques.add(clique)
                found.append(clique_cut(self.o, np.array(clique)))
        if not found:
            return False
        rows = rows_of_cuts(self.o, found)
        self.cuts += found
        self.a = csr_array(vstack([self.a, rows]))
        self.turned = self.a.T.tocsr()
        self.upper = np.append(self.upper, np.ones(len(found)))
        self.equal = np.append(self.equal, np.zeros(len(found), dtype=bool))
        self.program.add(rows, np.ones(len(found)))
        # From what it was given: nothing may rest on the prices of before.
        given = node.given[0].copy(), node.given[1].copy()
        again = self._node(given, node.above, until)
        if again is None:
            return False
        if node.bound - again.bound < _GAIN * (node.bound - self.enough):
            return False
        self.length += len(again.rows) - len(node.rows)
        node.left, node.must, node.bound = again.left, again.must, again.bound
        node.rows, node.prices, node.x = again.rows, again.prices, again.x
        return True

    def _rounded(self, prices: np.ndarray) -> np.ndarray:
        """Return prices with few digits, of the right sign."""
        prices = np.where(self.equal, prices, np.maximum(prices, 0.0))
        size = np.abs(prices)
        prices = np.where(size > 1e-9 * max(size.max(initial=0.0), 1e-9), prices, 0.0)
        given = prices[prices != 0]
        # Down to a power of ten; dividing by it gives the number with these digits.
        places = _DIGITS - 1 - np.floor(np.log10(np.abs(given))).astype(np.int64)
        up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
        prices[prices != 0] = np.round(given * up / down) / up * down
        return prices

    def _value(
        self, prices: np.ndarray, domain: Domain
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the bound that prices prove, what each option adds, the best of each.

        Of options that are not left, and of projects without one, -inf.
        """
        left, must = domain
        reduced = np.where(left, self.o.worth - self.turned @ prices, -np.inf)
        top = np.full(self.projects, -np.inf)
        top[self.filled] = np.maximum.reduceat(reduced, self.o.first[self.filled])
        top = np.where(must, top, np.maximum(top, 0.0))
        return float(prices @ self.upper + top.sum()), reduced, top

    def _contradiction(self, domain: Domain, above: Node | None) -> np.ndarray:
        """Return prices that prove that a part without a plan has no good one."""
        prices = np.zeros(len(self.upper))
        if above is not None:
            prices[above.rows] = above.prices
        ray = self.program.ray()
        if ray is None:
            return prices
        ray = -ray[self.projects :]
        ray = np.where(self.equal, ray, np.maximum(ray, 0.0))
        if not ray.any():
            return prices
        ray /= np.abs(ray).max()
        best, least = prices, self._value(prices, domain)[0]
        # No longer than it has to be: the checker's whole numbers have an end.
        length = max(abs(self.enough), 1.0) * 1e-9
        for _ in range(44):
            if least <= self.enough:
                break
            tried = self._rounded(prices + length * ray)
            value = self._value(tried, domain)[0]
            if value < least:
                best, least = tried, value
            length *= 2.0
        return best

    def _rule_out(
        self,
        bound: float,
        reduced: np.ndarray,
        top: np.ndarray,
        left: np.ndarray,
        must: np.ndarray,
    ) -> None:
        """Take away what is in no plan that is better than the one known."""
        level = self.enough - _CLEAR * max(1.0, abs(bound))
        with np.errstate(invalid="ignore"):
            poor = bound - top[self.o.project] + reduced <= level
            needed = bound - top <= level
        left &= ~poor
        needed[np.isinf(top)] = False
        must |= needed

    def _divide(
        self, node: Node, candidates: list[tuple[int, int]], until: float
    ) -> tuple[Node, Node] | None:
        """Return the two parts that promise most, None where time ran out."""
        best: tuple[float, tuple[int, int], tuple[Node, Node]] | None = None
        tried = 0
        for project, last in candidates:
            if tried >= _TRIED or (
                best is not None and self.tries[project].min() >= _RELIABLE
            ):
                continue
            tried += 1
            parts = []
            for late in (False, True):
                part = self._node(self._part(node, project, last, late), node, until)
                if part is None:
                    return None
                gain = node.bound - max(part.bound, self.enough)
                self._learn(project, int(late), gain)
                parts.append((gain, part))
            small = 1e-6 * max(1.0, abs(node.bound))
            score = max(parts[0][0], small) * max(parts[1][0], small)
            if best is None or score > best[0]:
                best = score, (project, last), (parts[0][1], parts[1][1])
        if best is None:
            return None
        node.split = best[1]
        return best[2]

    def _learn(self, project: int, side: int, gain: float) -> None:
        """Remember what dividing a project has brought on one side."""
        self.gains[project, side] += gain
        self.tries[project, side] += 1

    def _part(self, node: Node, project: int, last: int, late: bool) -> Domain:
        left, must = node.left.copy(), node.must.copy()
        span = slice(self.o.first[project], self.o.first[project + 1])
        early = self.o.start[span] <= last
        left[span] &= ~early if late else early
        if not late:
            must[project] = True
        return left, must

    def _candidates(self, node: Node) -> list[tuple[int, int]]:
        """Return (project, last early start) to divide by, the most promising first."""
        o = self.o
        found: list[tuple[float, int, int]] = []
        count = np.bincount(o.project[node.left], minlength=self.projects)
        open_ones = (count > 1) | ((count == 1) & ~node.must)
        if node.x is not None:
            x = np.where(node.left, node.x, 0.0).astype(float)
            chosen = np.bincount(o.project, x, minlength=self.projects)
            largest = np.zeros(self.projects)
            largest[self.filled] = np.maximum.reduceat(x, o.first[self.filled])
            whole = (chosen >= 1 - _WHOLE) | node.must
            split = np.where(whole, largest < 1 - _WHOLE, True)
            open_ones &= (chosen >= _WHOLE) & split
        for p in np.flatnonzero(open_ones).tolist():
            lo, hi = int(o.first[p]), int(o.first[p + 1])
            left = np.flatnonzero(node.left[lo:hi])
            last = int(o.start[lo + left[-1]])
            if node.x is None:
                found.append((0.0, p, last if not node.must[p] else last - 1))
            elif not whole[p]:
                selected = float(chosen[p])
                found.append((min(selected, 1 - selected), p, last))
            else:
                so_far = np.cumsum(x[lo:hi])[left]
                at = int(np.argmin(np.abs(so_far[:-1] - 0.5))) if len(left) > 1 else 0
                middle = float(so_far[at])
                found.append(
                    (0.7 * min(middle, 1 - middle), p, int(o.start[lo + left[at]]))
                )
        if not found:
            # A plan of the relaxation that the rounding of its prices kept open.
            return self._anything(node)
        if self.tries.any():
            typical = self.gains.sum(axis=0) / np.maximum(self.tries.sum(axis=0), 1)
            known = self.tries > 0
            mean = np.where(known, self.gains / np.maximum(self.tries, 1), typical)
            promise = np.maximum(mean, 1e-9).prod(axis=1)
            found = [(promise[p] * (0.1 + share), p, t) for share, p, t in found]
        found.sort(key=lambda one: (-one[0], one[1]))
        return [(p, t) for _, p, t in found]

    def _anything(self, node: Node) -> list[tuple[int, int]]:
        """Return the projects that still have a choice, each at its first start."""
        o = self.o
        found = []
        for p in self.filled.tolist():
            left = np.flatnonzero(node.left[o.first[p] : o.first[p + 1]])
            if len(left) > 1 or (len(left) == 1 and not node.must[p]):
                found.append((p, int(o.start[o.first[p] + left[0]])))
        return found[:_TRIED]

    def told(self) -> dict[str, Any]:
        """Return the tree for the certificate: its nodes, each before its parts.

        `cuts` are the fields of each cut that has been added. `rows` of a node number
        the labels first, then the cuts.
        """
        nodes: list[dict[str, Any]] = []
        waiting = [0] if self.nodes else []
        while waiting:
            node = self.nodes[waiting.pop()]
            # What a better plan, found since, rules out as a whole needs no parts.
            parts = node.parts if node.bound > self.enough else None
            facts: dict[str, Any] = {
                "rows": node.rows.tolist(),
                "prices": node.prices.tolist(),
                "split": None if parts is None else node.split,
            }
            if parts is not None:
                waiting += reversed(parts)
            nodes.append(facts)
        return {
            "bound": self.bound,
            "closed": self.closed,
            "enough": self.enough,
            "labels": self.labels,
            "cuts": [asdict(cut) for cut in self.cuts],
            "nodes": nodes,
        }
