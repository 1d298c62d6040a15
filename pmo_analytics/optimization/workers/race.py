"""Children at work on one question: the solver, searches around its plan, a proof."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pmo_analytics.evidence import OPTIMAL_GAP, relative_gap
from pmo_analytics.optimization.heuristics.kernels.cache import say_if_cold
from pmo_analytics.optimization.jobs import (
    Job,
    SolveJob,
)
from pmo_analytics.optimization.messages import (
    BetterPlan,
    BoundTold,
    CutsTold,
    Cutting,
    End,
    Enough,
    Event,
    Improved,
    NewPrices,
    PlanTold,
    Polished,
    Prices,
    ProvedElsewhere,
    Relaxation,
    Solved,
    Tree,
)
from pmo_analytics.optimization.model.incumbent import Incumbent, Offer
from pmo_analytics.optimization.model.instance import carries_branches
from pmo_analytics.optimization.params import DEFAULTS, RaceParams
from pmo_analytics.optimization.workers.process import (
    GRACE,
    Child,
    end_process,
    next_event,
)
from pmo_analytics.processes import cores

if TYPE_CHECKING:
    from pmo_analytics.optimization.limits import SolveLimits
    from pmo_analytics.optimization.model.instance import Options

_FINAL = ("optimal", "proved", "feasible", "infeasible", "no_solution")


@dataclass
class Found:
    """What one run of the solver brought, whatever became of it.

    Attributes
    ----------
    outcome
        `optimal`, `proved` (by branches, without the solver's word), `feasible`,
        `infeasible`, `no_solution`, `interrupted`, `timeout` or `crashed`.
    incumbents
        Option numbers of each plan reported, the last is the best.
    bound
        Smallest bound the solver claimed.
    prices
        (label, dual value) of the rows of the LP relaxation.
    searches
        Searches around the best plan that were started.
    notes
        What else happened, for the record of attempts.
    """

    outcome: str = "no_solution"
    incumbents: list[list[int]] | None = None
    polished: list[int] | None = None
    bound: float | None = None
    prices: Prices | None = None
    seconds: float = 0.0
    detail: str = ""
    interrupted: bool = False
    searches: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass
class Proving:
    """How a proof by branches stands.

    Attributes
    ----------
    child
        The process at it; None before and after.
    since
        When it began; 0 = it has not.
    bound, told
        What it has proved, and what the branches that it has told of prove.
    asked
        When it was asked to tell of its branches.
    closed
        Nothing is left to be gained.
    """

    child: Child | None = None
    since: float = 0.0
    bound: float = float("inf")
    told: float = float("inf")
    asked: float = float("inf")
    closed: bool = False

    def hear(self, event: Event) -> None:
        """Take what an event of the child says."""
        if event.claims is not None:
            self.bound = min(self.bound, event.claims)
        if isinstance(event, Tree):
            self.told = event.bound
            self.closed |= event.closed

    def to_come(self, claimed: float | None, now: float, most: float) -> bool:
        """Return whether branches have proved the gap and can still be told of.

        Without them the bound is a claim that nobody can check.

        Parameters
        ----------
        claimed
            Bound of the solver.
        most
            Seconds that they may take to be told of.
        """
        told = self.told <= self.bound + 1e-9 * abs(self.bound)
        if self.child is None or told:
            return False
        if claimed is not None and claimed <= self.bound:
            return False
        if self.asked == float("inf"):
            self.asked = now
            self.child.send(Enough())
        return now < self.asked + most


class Race:
    """The children of one run: who is at work, and who is told what."""

    def __init__(
        self,
        options: Options,
        job: SolveJob,
        begin: float,
        limits: SolveLimits,
        found: Found,
        children: contextlib.ExitStack,
        guide: Mapping[str, Any] | None,
        alone: bool,
        params: RaceParams,
    ) -> None:
        self.p = params
        self.options = options
        self.guide = guide
        self.job = job
        self.begin = begin
        self.limits = limits
        self.found = found
        self.children = children
        self.deadline = begin + job.seconds + GRACE
        self.events: queue.Queue[tuple[Child, Event]] = queue.Queue()
        self.solver: Child | None = None
        self.searchers: list[Child] = []
        self.proof = Proving()
        self.cuts: list[Any] = []
        # Whether the solver is making cuts, and whether it has made them.
        self.cutting = self.cut = False
        self.known = Incumbent(options, job.plan if job.start else None)
        # A work limit promises equal answers, which children that talk cannot give:
        # then one search comes after the solver, and counts rounds.
        self.wanted = (
            0 if limits.work is not None else _cores(self.limits, self.p.most_cores) - 1
        )
        if limits.threads is None:
            # Each of them has the whole question in its memory.
            most = self.p.most_uses // max(len(options.use.row), 1)
            self.wanted = min(self.wanted, max(most - 1, 1))
        self.over = False
        self.bounds: list[tuple[float, float]] = []
        if alone:
            self.proof.since = begin
            self.proof.child = self._start(job.proof(guide=guide, alone=True))
        else:
            self.solver = self._start(job)

    def _start(self, job: Job) -> Child:
        return self.children.enter_context(Child(self.options, job, self.events))

    def run(self, on_event: Callable[[Event], list[int] | None] | None) -> None:
        """Let the solver run, and beside it searches around the best plan, to the end.

        Parameters
        ----------
        on_event
            Called with every event as it comes; may return a plan to go on from.
        """
        while self.running():
            taken = next_event(self.events, self.wake())
            if taken is None:
                self.look_around()
                continue
            child, event = taken
            if isinstance(event, End):
                self.ended(child, event)
                continue
            self.hear(child, event)
            if self._outdated(child, event):
                continue
            answer = None if on_event is None else on_event(event)
            # Only what a checker has accepted is passed on.
            told = getattr(event, "chosen", None) if on_event is None else answer
            self.tell(child, event, told)
            self.look_around()

    def _outdated(self, child: Child, event: Event) -> bool:
        """Return whether a search has told of a still better plan by now.

        Plans come in bursts, faster than they are checked; what is left out is offered
        at the end, should the better one be refused.
        """
        if not isinstance(event, Improved):
            return False
        with self.events.mutex:
            waiting = list(self.events.queue)
        return any(c is child and isinstance(e, Improved) for c, e in waiting)

    def running(self) -> bool:
        """Return whether anybody is at work and may go on."""
        if self.over or not (self.solver or self.searchers or self.proof.child):
            return False
        if time.monotonic() < self.deadline:
            return True
        if self.solver is not None and self.found.outcome not in _FINAL:
            self.found.outcome = "timeout"
        return False

    def wake(self) -> float:
        """Return when to look around, whatever happens until then."""
        return min(self.deadline, time.monotonic() + self.p.look)

    def look_around(self) -> None:
        """Start who can help, stop who cannot, stop all when it is good enough."""
        now = time.monotonic()
        if self.known.chosen is None or now >= self.deadline:
            return
        if now >= self.begin + self.p.patience:
            while len(self.searchers) < self.wanted:
                self._join()
        self._prove(now)
        gap = self._gap()
        if gap <= self.limits.gap and self.limits.gap > OPTIMAL_GAP:
            if self.proof.to_come(self.found.bound, now, self.p.tree):
                return
            self.found.outcome = "feasible"
            self.found.notes.append("the gap asked for is reached")
            self.over = True
        elif self.limits.work is None and self._hopeless(now, gap):
            assert self.solver is not None
            end_process(self.solver.process)
            self.solver = None
            self.wanted += 1
            self._join()
            self.found.outcome = "feasible"
            self.found.notes.append(
                f"stopped after {now - self.begin:.0f} s, far above the best plan; one "
                "more search instead"
            )

    def _prove(self, now: float) -> None:
        """Let a proof by branches join in, and take the solver's place if it is better.

        For as long as they are compared there is one process more than cores.
        """
        proof = self.proof
        if proof.child is not None:
            bound = self.found.bound
            behind = bound is not None and proof.bound < bound * (1 - 1e-9)
            slow = now > proof.since + self.p.proof_after
            if self.solver is not None and behind and slow:
                end_process(self.solver.process)
                self.solver = None
                self.found.outcome = "feasible"
                self.found.notes.append("branches of our own prove more")
            return
        after = max(self.p.proof_after, self.p.proof_share * self.job.seconds)
        # A tree that is to close the gap begins with the cuts.
        waits = self.cutting and self.solver is not None
        if self.limits.gap > OPTIMAL_GAP:
            after, waits = self.p.patience, False
        if (
            proof.since
            or waits
            or now < self.begin + after
            or self.found.outcome == "optimal"
            or self.limits.work is not None
            or _cores(self.limits, self.p.most_cores) < 2
        ):
            return
        proof.since = now
        if carries_branches(self.options):
            # With a gap that is good enough no cuts: scenarios take such a tree up.
            cuts = [] if self.limits.gap > OPTIMAL_GAP else self.cuts
            job = self.job.proof(start=self._best(), seconds=self._left())
            proof.child = self._start(replace(job, guide=self.guide, cuts=cuts))
            if self.solver is not None:
                self.solver.send(ProvedElsewhere())

    def hear(self, child: Child, event: Event) -> None:
        """Take what an event says about the solver or the proof."""
        if child is self.proof.child:
            self.proof.hear(event)
        elif child is self.solver:
            self._hear_solver(event)
        elif isinstance(event, BoundTold):
            # A search has gone through all plans that could be better.
            _take(self.found, event)
            self.found.notes.append("all plans near the relaxation gone through")
        if isinstance(event, Improved) and self.found.incumbents is not None:
            self.found.incumbents.append(event.chosen)

    def _hear_solver(self, event: Event) -> None:
        _take(self.found, event)
        if isinstance(event, Cutting):
            self.cutting, self.cut = not event.over, event.over
        if isinstance(event, CutsTold):
            self.cuts = list(event.cuts)
        if isinstance(event, Solved) and self.found.outcome == "optimal":
            # Only the proof is left to be done.
            for searcher in self.searchers:
                end_process(searcher.process)
            self.searchers, self.wanted = [], 0

    def _join(self, *, rounds: int | None = None) -> None:
        job = self.job.search(
            start=self._best(),
            seconds=self._left(),
            rounds=rounds,
            seed=self.job.seed + self.found.searches,
        )
        if not self.found.searches and say_if_cold():
            self.found.notes.append("the search was prepared for this machine first")
        self.found.searches += 1
        searcher = self._start(job)
        if self.found.prices:
            searcher.send(NewPrices(prices=self.found.prices))
        self.searchers.append(searcher)

    def _left(self) -> float:
        """Return the seconds that are left for another child, at least a little."""
        return max(self.begin + self.job.seconds - time.monotonic(), 0.1)

    def _gap(self) -> float:
        claimed = float("inf") if self.found.bound is None else self.found.bound
        bound = min(claimed, self.proof.bound)
        if self.known.chosen is None or bound == float("inf"):
            return float("inf")
        constant = float(self.options.constant[0])
        return relative_gap(self.known.objective + constant, bound + constant)

    def _best(self) -> list[int]:
        chosen = self.known.chosen
        return [] if chosen is None else [int(k) for k in chosen]

    def _hopeless(self, now: float, gap: float) -> bool:
        """Return whether the solver's bound stands still far from the best plan."""
        bound = self.found.bound
        small = len(self.options.project) <= self.p.small
        if self.solver is None or bound is None or small or self.cutting:
            return False
        if self.cut and gap > self.p.apart:
            return True
        window = max(self.p.still, self.p.still_share * self.job.seconds)
        self.bounds = [b for b in self.bounds if b[0] > now - 1.5 * window]
        self.bounds.append((now, bound))
        past = self.bounds[0]
        moved = (past[1] - bound) / max(abs(bound), 1e-9)
        return gap > self.p.far and now - past[0] > window and moved < 0.02 * gap

    def ended(self, child: Child, event: End) -> None:
        """Take note that a child is gone; let others go on where that helps."""
        if child is self.solver:
            self._solver_ended(event)
        elif child is self.proof.child:
            self._prover_ended()
        elif child in self.searchers:
            self.searchers.remove(child)
            if self.limits.work is None:
                # Whatever became of it, the others go on.
                self.wanted -= 1
                if event.code:
                    self.found.notes.append(
                        f"a search around the best plan ended, code {event.code}"
                    )

    def _solver_ended(self, event: End) -> None:
        _take_end(self.found, event)
        self.solver = None
        final = ("optimal", "infeasible", "crashed")
        if self.found.outcome in final and self.proof.child is None:
            self.over = True
        elif self.limits.work is not None and self.known.chosen is not None:
            self._join(rounds=self.limits.work)

    def _prover_ended(self) -> None:
        self.proof.child, closed = None, self.proof.closed
        cores = _cores(self.limits, self.p.most_cores)
        if closed or self.found.outcome == "optimal":
            self.over = True
        elif self.solver is None and len(self.searchers) < cores:
            # The tree is as large as it may be, and a core is idle.
            left = self.begin + self.job.seconds - time.monotonic()
            if left > 0.5:
                again = replace(self.job, start=self._best(), seconds=left)
                self.solver = self._start(again)
        if closed and self.found.outcome != "optimal":
            self.found.outcome = "proved"
            self.found.notes.append("proved by branches")

    def tell(self, child: Child, event: Event, news: list[int] | None) -> None:
        """Pass on a better plan, and the prices of the LP relaxation."""
        others = [one for one in self.searchers if one is not child]
        if isinstance(event, Relaxation) and event.prices:
            for searcher in others:
                searcher.send(NewPrices(prices=event.prices))
        plan = np.array(news or [], dtype=np.int64)
        if not news or self.known.offer(plan) is not Offer.TAKEN:
            return
        prover = self.proof.child
        if prover is not None and prover is not child:
            others.append(prover)
        for other in others:
            other.send(BetterPlan(chosen=news))


def _cores(limits: SolveLimits, most: int = DEFAULTS.race.most_cores) -> int:
    """Return how many processes to use: asked for, or the cores this one may use."""
    if limits.threads is not None:
        return limits.threads
    return min(max(cores(), 2), most)


def _take(found: Found, event: Event) -> None:
    """Add one event to what was found."""
    assert found.incumbents is not None
    if isinstance(event, Relaxation):
        found.prices = event.prices
        found.detail = f"relaxation {event.status}"
        if event.objective is not None:
            known = float("inf") if found.bound is None else found.bound
            found.bound = min(event.objective, known)
    elif isinstance(event, PlanTold):
        found.incumbents.append(event.chosen)
    elif isinstance(event, Solved):
        found.outcome = event.status
        found.detail = event.solver_status
        if event.chosen is not None:
            found.incumbents.append(event.chosen)
    elif isinstance(event, Polished):
        found.polished = event.chosen
    bound = event.claims
    if bound is not None:
        found.bound = bound if found.bound is None else min(found.bound, bound)


def _take_end(found: Found, event: End) -> None:
    if event.code != 0 and found.outcome not in ("optimal", "feasible"):
        found.outcome = "crashed"
        found.detail = f"exit code {event.code}: {event.words[-200:]}"
