"""A proof by branches as a job: it grows, tells, listens, and searches where alone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from pmo_analytics.optimization.bounds import cut_loop
from pmo_analytics.optimization.bounds.branch_and_bound import Branches
from pmo_analytics.optimization.bounds.branch_nodes import Guide
from pmo_analytics.optimization.heuristics.alternation import Search
from pmo_analytics.optimization.model.instance import carries_branches

if TYPE_CHECKING:
    from pmo_analytics.optimization.model.instance import Options
    from pmo_analytics.optimization.workers.messages import ProveJob


def prove(
    options: Options,
    job: ProveJob,
    inbox: list[Any],
    end: float,
    emit: Callable[..., None],
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
    params, p = job.params, job.params.proof
    best = job.plan
    # Without a plan any is better than none.
    least = -1.0 - 2.0 * float(np.abs(options.worth).sum())
    known = float(options.worth[best].sum()) if job.start else least
    told = [time.monotonic(), np.inf]
    end -= p.last_word

    def watch(bound: float, plan: np.ndarray | None) -> None:
        if plan is not None:
            tell(plan)
        now = time.monotonic()
        if now - told[0] > p.look and bound < told[1]:
            told[:] = now, bound
            emit("proof", bound=bound if np.isfinite(bound) else None)

    def take(plan: np.ndarray) -> None:
        nonlocal best, known
        worth = float(options.worth[plan].sum())
        if worth > known:
            best, known = plan, worth

    def tell(plan: np.ndarray) -> None:
        take(plan)
        emit("improved", chosen=plan.tolist())

    def listen() -> float:
        while inbox:
            told = inbox.pop(0)
            tree.paused |= bool(told.get("enough"))
            if told.get("plan") is not None:
                take(np.array(told["plan"], dtype=np.int64))
        return known

    def search(seconds: float) -> None:
        """Look for a better plan for a while, where nobody else does."""
        if not job.alone:
            return
        seed = job.seed + len(tree.nodes)
        until = min(time.monotonic() + seconds, end)
        Search(options, best, seed, tell, [], params).run(until)

    cuts = [cut_loop.Cut(**facts) for facts in job.cuts]
    settings = {"random_seed": job.seed}
    # A proof is extra: what goes wrong with it must not cost the plan.
    with contextlib.suppress(RuntimeError, MemoryError):
        guide = Guide.of(job.guide) if job.guide else None
        # A constant beside the worth changes what a gap is a share of.
        slack = 0.0 if options.constant[0] else job.gap
        own = params.branching
        tree = Branches(options, cuts, known, settings, watch, slack, guide, own)
        pause = p.alone_first if job.alone else p.first_tree
        most = job.most_nodes
        while True:
            before = len(tree.nodes)
            tree.grow(min(time.monotonic() + pause, end), most, listen)
            if tree.former is not None:
                emit("tree", **tree.former)
                tree.former = None
            if tree.whole:
                emit("tree", **tree.told())
            if tree.closed and known == least:
                emit("impossible")
            done = tree.closed or tree.paused or tree.full(most)
            stuck = len(tree.nodes) == before and not job.alone
            if done or stuck or time.monotonic() >= end:
                return
            # Most end before this: going down the tree finds plans as well.
            search(p.searched * pause)
            pause *= 2.0
