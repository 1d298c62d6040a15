"""The nodes of branches one by one: what prices prove of a part of all plans.

Its relaxation is solved for its prices, or prices of a similar model are tried. What
they rule out in the part, and what the rules then say of the rest, is gone from it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pmo_analytics.optimization.bounds import clique_cuts
from pmo_analytics.optimization.bounds.branch_nodes import Domain, Node
from pmo_analytics.optimization.bounds.branch_rows import Rows, rule_out
from pmo_analytics.optimization.bounds.branch_selection import WHOLE, settles
from pmo_analytics.optimization.bounds.cut_loop import Cut, clashes_of, clique_cut
from pmo_analytics.optimization.bounds.cut_reuse import renewed
from pmo_analytics.optimization.model import highs
from pmo_analytics.optimization.model.array_sink import broken_rows, holds
from pmo_analytics.optimization.model.instance import Options
from pmo_analytics.optimization.model.presolve import Presolve
from pmo_analytics.optimization.params import BranchingParams

# A plan is sought that is better by this share: nearer is as good as proved.
_NEARER = 4e-7
# What the prices of a node rule out is this share clear of the plan known: the checker
# has the same prices in whole units, that is, a little smaller.
_CLEAR = 1e-7


class Relaxations:
    """Makes nodes: parts of all plans, each with its bound and what proves it.

    Parameters
    ----------
    options
        The model.
    cuts
        Cuts that hold for every plan.
    others
        Cuts of a similar model: those that hold here are used too.
    settings
        Options of HiGHS by name.
    slack
        Only plans that are better by this share are sought.
    told
        Called with the bound of a node that turned out to be a plan, and its options.
    params
        The numbers that decide which cuts are added.

    Attributes
    ----------
    known, enough
        Objective of the best plan known; what is proved enough of a part.
    taken
        Of the others: number there -> number among the cuts here.
    """

    def __init__(
        self,
        options: Options,
        cuts: Sequence[Cut],
        others: Sequence[Cut | None],
        settings: dict[str, Any],
        slack: float,
        told: Callable[[float, np.ndarray], None],
        params: BranchingParams,
    ) -> None:
        self.p = params
        self.o = options
        self.told = told
        # A little less, so that rounding cannot leave the gap above what was asked.
        self.slack = max(slack * (1 - 1e-6), 0.0)
        self.presolve = Presolve(options)
        self.graph = clashes_of(options)
        self.taken: dict[int, int] = {}
        cuts = [*cuts, *self._taken_up(others, len(cuts))]
        self.cliques: set[tuple[int, ...]] = set()
        self.rows = Rows(options, cuts)
        # It starts from the basis before, which presolve would throw away.
        self.program = highs.Growing(
            options.worth, self.rows.program(), presolve="off", **settings
        )
        self.asked = np.zeros(len(options.must), dtype=bool)
        self.known = self.enough = -np.inf

    def _taken_up(self, cuts: Sequence[Cut | None], first: int) -> list[Cut]:
        """Return the cuts of a similar model, as far as they hold for this one."""
        known = [(number, cut) for number, cut in enumerate(cuts) if cut is not None]
        holding = renewed(self.o, [cut for _, cut in known], self.graph)
        taken: list[Cut] = []
        for (number, _), cut in zip(known, holding, strict=True):
            if cut is not None:
                self.taken[number] = first + len(taken)
                taken.append(cut)
        return taken

    def aim(self, known: float) -> None:
        """Look only for plans that are worth more than this."""
        self.known = known
        nearer = max(_NEARER * max(1.0, abs(known)), self.slack * abs(known))
        self.enough = known + nearer

    def priced(self, prices: np.ndarray, domain: Domain, above: Node | None) -> Node:
        """Return a node with the bound that given prices prove."""
        settled = self._settled(domain)
        return self._judged(prices, domain, above) if settled is None else settled

    def _settled(self, domain: Domain) -> Node | None:
        """Conclude what the rules say; return the node where that leaves no choice."""
        left, must = domain
        none = np.zeros(0)
        node = Node(left, must, -np.inf, none.astype(np.int64), none)
        if not self.presolve.tighten(left, must):
            return node
        if left.any():
            return None
        node.bound = 0.0
        return node

    def _judged(self, prices: np.ndarray, domain: Domain, above: Node | None) -> Node:
        """Return a node with what prices prove of it and rule out in it."""
        bound, reduced, top = self.rows.value(prices, domain)
        ceiling = np.inf if above is None else above.bound
        if bound <= ceiling + _CLEAR * abs(ceiling):
            level = self.enough - _CLEAR * max(1.0, abs(bound))
            rule_out(self.o, domain, bound, reduced, top, level)
        rows = np.flatnonzero(prices)
        return Node(*domain, min(bound, ceiling), rows, prices[rows])

    def node(self, domain: Domain, above: Node | None, until: float) -> Node | None:
        """Return a node with its bound, None where time ran out."""
        left, must = domain
        given = left.copy(), must.copy()
        settled = self._settled(domain)
        if settled is not None:
            empty = settled.bound == 0.0 and holds(
                self.rows.matrix, np.zeros(0, dtype=np.int64)
            )
            if empty and self.known < 0:
                self.told(max(self.enough, 0.0), np.flatnonzero(left))
            return settled
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
            if time.monotonic() >= until:
                return None
            # The solver gave up: what was proved above holds here as well.
            prices, x = np.zeros(len(self.rows.upper)), None
            if above is not None:
                prices[above.rows] = above.prices
        else:
            prices = self.rows.rounded(answer.prices[len(must) :])
        if x is not None and settles(self.o, domain):
            prices = self._refuted(prices, domain)
        node = self._judged(prices, domain, above)
        node.x = None if x is None else x.astype(np.float32)
        node.given, node.above = given, above
        if x is not None and (np.abs(x - np.round(x)) < WHOLE).all():
            chosen = np.flatnonzero(x > 0.5)
            better = self.o.worth[chosen].sum() > self.known
            # What is nearly whole may break a rule by what was left of it.
            if better and holds(self.rows.matrix, chosen):
                self.told(node.bound, chosen)
        return node

    def _refuted(self, prices: np.ndarray, domain: Domain) -> np.ndarray:
        """Return prices that prove that the one plan of a domain breaks a rule.

        By less than a solver notices; the same prices where it keeps all of them.
        """
        broken = dict(broken_rows(self.rows.matrix, np.flatnonzero(domain[0])))
        for row, label in enumerate(self.rows.labels):
            if label not in broken:
                continue
            gap = self.rows.value(prices, domain)[0] - self.enough
            more = 2.0 * max(gap, _CLEAR * max(1.0, abs(self.enough)))
            tried = prices.copy()
            tried[row] += more / broken[label]
            return self.rows.rounded(tried)
        return prices

    def _contradiction(self, domain: Domain, above: Node | None) -> np.ndarray:
        """Return prices that prove that a part without a plan has no good one."""
        prices = np.zeros(len(self.rows.upper))
        if above is not None:
            prices[above.rows] = above.prices
        ray = self.program.ray()
        if ray is None:
            return prices
        ray = -ray[len(self.o.must) :]
        return self.rows.contradiction(prices, ray, domain, self.enough)

    def tighter(self, node: Node, until: float) -> Node | None:
        """Return a node again, with cliques that its relaxation exceeds as cuts.

        None where there are none, or time ran out.
        """
        if self.graph is None or node.x is None or node.given is None:
            return None
        if len(self.rows.cuts) > self.p.most_cuts:
            return None
        prices = np.zeros(len(self.rows.upper))
        prices[node.rows] = node.prices
        x = np.where(node.left, node.x, 0.0).astype(float)
        reduced = self.rows.reduced(prices)
        found: list[Cut] = []
        for clique in clique_cuts.separate(self.graph, x, reduced):
            if x[list(clique)].sum() < 1 + self.p.exceeded or len(found) >= self.p.cuts:
                break
            if clique not in self.cliques:
                self.cliques.add(clique)
                found.append(clique_cut(self.o, np.array(clique)))
        if not found:
            return None
        self.program.add(self.rows.add(found), np.ones(len(found)))
        # From what it was given: nothing may rest on the prices of before.
        given = node.given[0].copy(), node.given[1].copy()
        return self.node(given, node.above, until)
