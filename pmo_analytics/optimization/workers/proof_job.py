"""A proof by branches as a job: it grows, tells, listens, and searches where alone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pmo_analytics.optimization.bounds import cut_loop
from pmo_analytics.optimization.bounds.branch_and_bound import Branches
from pmo_analytics.optimization.bounds.branch_nodes import Guide
from pmo_analytics.optimization.heuristics.alternation import Search
from pmo_analytics.optimization.jobs import (
    ProveJob,
)
from pmo_analytics.optimization.messages import (
    BetterPlan,
    Enough,
    Event,
    Impossible,
    Improved,
    News,
    Proof,
    Tree,
)
from pmo_analytics.optimization.model.incumbent import Incumbent
from pmo_analytics.optimization.model.instance import carries_branches

if TYPE_CHECKING:
    from pmo_analytics.optimization.model.instance import Options


def prove(
    options: Options,
    job: ProveJob,
    inbox: list[News],
    end: float,
    emit: Callable[[Event], None],
) -> None:
    """Divide the starts until time is up or nothing is left to be gained.

    Parameters
    ----------
    inbox
        Better plans that others tell of, or that it is `enough`: then the branches
        so far are told, and that is all; emptied as it is read.
    end
        Monotonic time.
    emit
        Told of `improved` plans, of the bound as `proof`, of each `tree`, and where
        there is no plan at all, that it is `impossible`.
    """
    if not carries_branches(options):
        return
    # A proof is extra: what goes wrong with it must not cost the plan.
    with contextlib.suppress(RuntimeError, MemoryError):
        _Proof(options, job, inbox, end, emit).grow()


class _Proof:
    """One proof: the best plan known, what others were told, and the tree."""

    def __init__(
        self,
        options: Options,
        job: ProveJob,
        inbox: list[News],
        end: float,
        emit: Callable[[Event], None],
    ) -> None:
        self.options, self.job, self.inbox, self.emit = options, job, inbox, emit
        self.params = job.params
        self.p = self.params.proof
        self.end = end - self.p.last_word
        self.known = Incumbent(options, job.plan if job.start else None)
        self.told = (time.monotonic(), np.inf)
        cuts = [cut_loop.Cut(**facts) for facts in job.cuts]
        guide = Guide.of(job.guide) if job.guide else None
        # A constant beside the worth changes what a gap is a share of.
        slack = 0.0 if options.constant[0] else job.gap
        settings = {"random_seed": job.seed}
        own = self.params.branching
        self.tree = Branches(
            options, cuts, self.least(), settings, self._watch, slack, guide, own
        )

    def least(self) -> float:
        """Return what a plan has to be worth more than: without one all are."""
        if self.known.chosen is None:
            return -1.0 - 2.0 * float(np.abs(self.options.worth).sum())
        return self.known.objective

    def grow(self) -> None:
        """Let the tree grow, and search in between where nobody else does."""
        tree, alone = self.tree, self.job.alone
        pause = self.p.alone_first if alone else self.p.first_tree
        most = self.job.most_nodes
        while True:
            before = len(tree.nodes)
            tree.grow(min(time.monotonic() + pause, self.end), most, self._listen)
            self._tell_tree()
            done = tree.closed or tree.paused or tree.full(most)
            stuck = len(tree.nodes) == before and not alone
            if done or stuck or time.monotonic() >= self.end:
                return
            # Most end before this: going down the tree finds plans as well.
            if alone:
                self._search(self.p.searched * pause)
            pause *= 2.0

    def _tell_tree(self) -> None:
        tree = self.tree
        if tree.former is not None:
            self.emit(_event_of(tree.former))
            tree.former = None
        if tree.whole:
            self.emit(_event_of(tree.told()))
        if tree.closed and self.known.chosen is None:
            self.emit(Impossible())

    def _watch(self, bound: float, plan: np.ndarray | None) -> None:
        if plan is not None:
            self._improve(plan)
        now = time.monotonic()
        if now - self.told[0] > self.p.look and bound < self.told[1]:
            self.told = now, bound
            self.emit(Proof(bound=bound if np.isfinite(bound) else None))

    def _improve(self, plan: np.ndarray) -> None:
        self.known.offer(plan)
        self.emit(Improved(chosen=plan.tolist()))

    def _listen(self) -> float:
        while self.inbox:
            news = self.inbox.pop(0)
            self.tree.paused |= isinstance(news, Enough)
            if isinstance(news, BetterPlan):
                self.known.offer(np.array(news.chosen, dtype=np.int64))
        return self.least()

    def _search(self, seconds: float) -> None:
        """Look for a better plan for a while."""
        seed = self.job.seed + len(self.tree.nodes)
        until = min(time.monotonic() + seconds, self.end)
        # The process may be that of the caller, who waits for nothing to be compiled.
        assert self.known.chosen is not None
        search = Search(
            self.options,
            self.known.chosen,
            seed,
            self._improve,
            [],
            self.params,
            compiles=False,
        )
        search.run(until)


def _event_of(told: Mapping[str, Any]) -> Tree:
    return Tree(bound=told["bound"], closed=told["closed"], told=told)
