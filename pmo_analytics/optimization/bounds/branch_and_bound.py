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
from dataclasses import asdict
from typing import Any

import numpy as np

from pmo_analytics.optimization.bounds.branch_nodes import Domain, Guide, Node
from pmo_analytics.optimization.bounds.branch_relaxations import Relaxations
from pmo_analytics.optimization.bounds.branch_selection import TRIED, Choices, part_of
from pmo_analytics.optimization.bounds.cut_loop import Cut
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.rows import RowLabel
from pmo_analytics.optimization.params import DEFAULTS, BranchingParams

Watch = Callable[[float, np.ndarray | None], None]


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
    params
        The numbers that decide how it grows.
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
        params: BranchingParams = DEFAULTS.branching,
    ) -> None:
        self.p = params
        self.o = options
        self.guide = guide
        self.watch = watch
        others = [] if guide is None else guide.cuts
        self.relaxed = Relaxations(
            options, cuts, others, settings, slack, self._tell, params
        )
        self.relaxed.aim(known)
        self.choices = Choices(options)
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
            if self._gained(listen()) > self.p.afresh:
                if not self._plant_afresh(until):
                    return
                continue
            best = -self.open[0][0]
            if best <= self.relaxed.enough or self.paused or time.monotonic() >= until:
                return
            number = self._turn()
            node = self.nodes[number]
            # Where a path begins: cuts found there are of use to most.
            if number == self.open[0][1] and self._cut(node, until):
                self._wait(number)
                continue
            candidates = self.choices.candidates(node)
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

    def _gained(self, known: float) -> float:
        """Aim at a better plan; return which part of the gap it closes."""
        former = self.relaxed.known
        if known <= former:
            return 0.0
        gained = (known - former) / max(self.bound - former, 1e-12)
        self.relaxed.aim(known)
        return gained

    def _plant_afresh(self, until: float) -> bool:
        """Begin anew: far more is ruled out from the root on than where it was not."""
        self.former = self.told()
        self.nodes, self.open, self.length = [], [], 0
        self.ahead = None
        self.final = -np.inf
        return self._plant(until)

    def _tell(self, bound: float, chosen: np.ndarray) -> None:
        """Tell of a node that turned out to be a plan."""
        self.watch(max(self.bound, bound) if self.nodes else bound, chosen)

    def _turn(self) -> int:
        """Return the node to divide: of a path down the tree, else the best one.

        Going down finds plans, and the next relaxation is near the one before.
        """
        ahead, self.ahead = self.ahead, None
        if ahead is not None and self.nodes[ahead].bound > self.relaxed.enough:
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
        return max(best, self.final, self.relaxed.enough)

    def _plant(self, until: float) -> bool:
        """Begin with all plans in one node; return whether there was time for it."""
        left = np.ones(len(self.o.project), dtype=bool)
        domain = left, self.o.must.copy()
        if self.guide is not None:
            self.waiting = [(0, None, 0, domain)]
            return self._follow(until)
        root = self.relaxed.node(domain, None, until)
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
        labels = self.relaxed.rows.labels
        row: dict[RowLabel, int] = {label: n for n, label in enumerate(labels)}
        first = len(labels)
        row.update(
            {RowLabel("cut", n): first + k for n, k in self.relaxed.taken.items()}
        )
        while self.waiting:
            if time.monotonic() >= until:
                return False
            number, above, side, domain = self.waiting[-1]
            over = None if above is None else self.nodes[above]
            prices = np.zeros(len(self.relaxed.rows.upper))
            for label, price in guide.prices[number]:
                if label in row:
                    prices[row[label]] = price
            node = self.relaxed.priced(
                prices, (domain[0].copy(), domain[1].copy()), over
            )
            parts, split = guide.parts[number], guide.splits[number]
            divides = parts is not None and split is not None and split[0] >= 0
            if node.bound > self.relaxed.enough and not divides:
                # From the start again: what other prices rule out they prove alone.
                solved = self.relaxed.node(domain, over, until)
                if solved is None:
                    return False
                node = solved
            self.waiting.pop()
            place = self._keep(node)
            if over is not None:
                early, late = over.parts or (-1, -1)
                over.parts = (place, late) if side == 0 else (early, place)
                assert over.split is not None
                gain = over.bound - max(node.bound, self.relaxed.enough)
                self.choices.learn(over.split[0], side, gain)
            if node.bound > self.relaxed.enough and divides:
                assert parts is not None
                assert split is not None
                node.done = True
                self._tidy()
                node.split, node.parts = split, (-1, -1)
                for which in (1, 0):
                    part = part_of(self.o, node, *split, bool(which))
                    self.waiting.append((parts[which], place, which, part))
        return True

    def full(self, most: int) -> bool:
        """Return whether the tree is as large as it may be, with so many nodes."""
        return len(self.nodes) + 2 > most or self.length > self.p.most_prices * most

    @property
    def closed(self) -> bool:
        """Whether there is nothing left to be gained anywhere."""
        return self.whole and self.bound <= self.relaxed.enough

    @property
    def whole(self) -> bool:
        """Whether the tree stands, with no part of it still to be taken up."""
        return bool(self.nodes) and not self.waiting

    def _keep(self, node: Node) -> int:
        self.nodes.append(node)
        self.length += len(node.rows)
        number = len(self.nodes) - 1
        if node.bound > self.relaxed.enough:
            self._wait(number)
        return number

    def _cut(self, node: Node, until: float) -> bool:
        """Look for cuts at a node, once; return whether they helped."""
        if node.cut or node.x is None or len(self.nodes) < self.p.cut_from:
            return False
        node.cut = True
        again = self.relaxed.tighter(node, until)
        if again is None:
            return False
        if node.bound - again.bound < self.p.gain * (node.bound - self.relaxed.enough):
            return False
        self.length += len(again.rows) - len(node.rows)
        node.left, node.must, node.bound = again.left, again.must, again.bound
        node.rows, node.prices, node.x = again.rows, again.prices, again.x
        return True

    def _divide(
        self, node: Node, candidates: list[tuple[int, int]], until: float
    ) -> tuple[Node, Node] | None:
        """Return the two parts that promise most, None where time ran out."""
        best: tuple[float, tuple[int, int], tuple[Node, Node]] | None = None
        tried = 0
        for project, last in candidates:
            if tried >= TRIED or (best is not None and self.choices.known(project)):
                continue
            tried += 1
            parts = []
            for late in (False, True):
                domain = part_of(self.o, node, project, last, late)
                part = self.relaxed.node(domain, node, until)
                if part is None:
                    return None
                gain = node.bound - max(part.bound, self.relaxed.enough)
                self.choices.learn(project, int(late), gain)
                parts.append((gain, part))
            small = 1e-6 * max(1.0, abs(node.bound))
            score = max(parts[0][0], small) * max(parts[1][0], small)
            if best is None or score > best[0]:
                best = score, (project, last), (parts[0][1], parts[1][1])
        if best is None:
            return None
        node.split = best[1]
        return best[2]

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
            parts = node.parts if node.bound > self.relaxed.enough else None
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
            "enough": self.relaxed.enough,
            "labels": self.relaxed.rows.labels,
            "cuts": [asdict(cut) for cut in self.relaxed.rows.cuts],
            "nodes": nodes,
        }
