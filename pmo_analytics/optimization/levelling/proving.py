"""The solver beside the schedules: an earlier end, or proof that there is none."""

from __future__ import annotations

import queue
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np

from pmo_analytics.optimization.jobs import (
    SolveJob,
)
from pmo_analytics.optimization.levelling.energetic import refute
from pmo_analytics.optimization.levelling.finish_model import end_of, with_end
from pmo_analytics.optimization.messages import (
    End,
    Event,
    Improved,
    PlanTold,
    Polished,
    Solved,
)
from pmo_analytics.optimization.workers.process import Child
from pmo_analytics.optimization.workers.running import run_solver

if TYPE_CHECKING:
    from pmo_analytics.optimization.levelling.jobs import Jobs
    from pmo_analytics.optimization.levelling.state import Levelling
    from pmo_analytics.optimization.model.compiling import Compiled
    from pmo_analytics.optimization.model.instance import Options

# How long schedules are built before the solver joins in.
_PATIENCE = 0.4
# Larger models than this are left to the schedules.
_MOST_OPTIONS = 40_000
# How long a solver is left alone although the schedules found a smaller end.
_LEFT_ALONE = 1.0


class Windows:
    """Which options can still be part of a plan of at most some cost."""

    def __init__(self, search: Levelling, jobs: Jobs, compiled: Compiled) -> None:
        self.search = search
        self.compiled = compiled
        number = {name: p for p, name in enumerate(compiled.names)}
        self.place = np.array([number[name] for name in jobs.names], dtype=np.int64)
        self.heads = jobs.heads() or list(jobs.first)
        self.tails = jobs.tails()
        self.jobs = jobs

    def keep(self, most: int) -> np.ndarray:
        """Return a mask over the options; those of fixed work stay.

        Parameters
        ----------
        most
            Largest cost allowed, in the units of the search.
        """
        options = self.compiled.options
        count = len(self.compiled.names)
        first = np.full(count, np.iinfo(np.int64).min)
        last = np.full(count, np.iinfo(np.int64).max)
        first[self.place] = self.heads
        last[self.place] = self.jobs.last
        if self.search.measure == "makespan":
            ends = [most - tail for tail in self.tails]
        else:
            ends = self._by_delay(most)
        last[self.place] = np.minimum(last[self.place], ends)
        start, project = options.start, options.project
        return np.asarray((start >= first[project]) & (start <= last[project]))

    def _by_delay(self, most: int) -> list[int]:
        """Return the last start of each job beside the least delay of all others."""
        late = self.search.lateness
        spare = most - self.search.cost_of_heads(self.jobs)
        result = []
        for name, head, length, last in zip(
            self.jobs.names,
            self.heads,
            self.jobs.duration,
            self.jobs.last,
            strict=True,
        ):
            onset = max(head, late.due[name] - length + 1)
            result.append(min(onset + spare // late.weight[name], last))
        return result


class Prover:
    """Lower bounds of a search by work, and by the solver in a process of its own.

    Parameters
    ----------
    search
        The search; bounds and better plans go to it.
    jobs
        Its movable projects.
    """

    def __init__(self, search: Levelling, jobs: Jobs) -> None:
        self.search = search
        self.jobs = jobs
        self.events: queue.Queue[tuple[Child, Event]] = queue.Queue()
        self.child: Child | None = None
        self.numbers = np.zeros(0, dtype=np.int64)
        self.target = 0
        self.begin = 0.0
        self.ready = time.monotonic() + _PATIENCE
        self.given_up = False
        self.looked_at: int | None = None

    def prove_by_work(self) -> None:
        """Raise the bound by links and work, as far as they go."""
        search = self.search
        if search.measure != "makespan" or search.key is None or search.bound is None:
            return
        low, high = search.bound, search.key[0]
        if high == self.looked_at or low >= high:
            return
        self.looked_at = high
        # What holds for an end holds for every earlier one.
        why = refute(self.jobs, high - 1)
        if why is not None:
            search.refuted = high - 1, why
            search.tighten(high)
            return
        high -= 1
        while low < high:
            middle = (low + high) // 2
            why = refute(self.jobs, middle)
            if why is None:
                high = middle
            else:
                search.refuted = middle, why
                search.tighten(middle + 1)
                low = middle + 1

    def listen(self, stack: ExitStack) -> dict[str, int] | None:
        """Start the solver when it is time, and take what it reports.

        Returns
        -------
        dict or None
            Starts of a better plan.
        """
        search = self.search
        assert search.key is not None
        if self.child is None:
            if (
                self.given_up
                or time.monotonic() < self.ready
                or search.run.left() < 1.0
            ):
                return None
            self._start(stack)
            return None
        behind = search.key[0] <= self.target and search.measure == "makespan"
        if behind and time.monotonic() - self.begin > _LEFT_ALONE:
            self._stop("overtaken")
            return None
        better = None
        while self.child is not None:
            try:
                child, event = self.events.get_nowait()
            except queue.Empty:
                break
            if child is self.child:
                better = self._take(event) or better
        return better

    def _model(self) -> tuple[Options, np.ndarray] | None:
        """Return the model of what would be better, and its option numbers."""
        search = self.search
        assert search.key is not None
        compiled = search.compiled()
        if compiled is None:
            return None
        span = search.measure == "makespan"
        self.target = search.key[0] - 1 if span else search.key[0]
        keep = Windows(search, self.jobs, compiled).keep(self.target)
        if keep.sum() > _MOST_OPTIONS:
            return None
        self.numbers = np.flatnonzero(keep)
        small = search.priced(compiled).only(keep)
        if span:
            low = min(search.bound or 0, self.target)
            small = with_end(small, search.lengths(compiled), low, self.target)
        return small, self.numbers

    def _start(self, stack: ExitStack) -> None:
        search = self.search
        self.begin = time.monotonic()
        found = self._model()
        if found is None:
            self.given_up = True
            return
        small, _ = found
        job = SolveJob(
            seconds=max(search.run.left() - 0.1, 0.1),
            memory_gb=search.run.limits.memory_gb,
            seed=search.run.seed,
            nodes=search.run.limits.work,
            relax=False,
            polish_seconds=self._polish_seconds(),
            # The checker of a levelling walks no branches.
            most_nodes=0,
            start=self._incumbent(),
        )
        self.child = stack.enter_context(Child(small, job, self.events))

    def _polish_seconds(self) -> float:
        """Return how long to look for earlier starts; not at all by a work limit."""
        limits = self.search.run.limits
        return 0.0 if limits.work is not None else min(0.2 * limits.seconds, 5.0)

    def _incumbent(self) -> list[int]:
        """Return the best plan in the numbers of the model, empty if it is cut off."""
        compiled = self.search.compiled()
        if self.search.measure == "makespan" or compiled is None:
            return []
        assert self.search.starts is not None
        chosen = compiled.chosen(self.search.starts)
        if chosen is None or not np.isin(chosen, self.numbers).all():
            return []
        return [int(k) for k in np.searchsorted(self.numbers, chosen)]

    def _stop(self, outcome: str, detail: str = "") -> None:
        seconds = time.monotonic() - self.begin
        self.search.run.note("HiGHS beside schedules", outcome, seconds, detail)
        if self.child is not None:
            # Its folder and pipes are closed with the block it was started in.
            self.child.process.kill()
        self.child = None
        self.ready = time.monotonic() + _PATIENCE

    def _take(self, event: Event) -> dict[str, int] | None:
        if isinstance(event, End):
            self.given_up = True
            code = event.code
            self._stop("crashed" if code else "ended", event.words[-200:])
            return None
        better = None
        if isinstance(event, PlanTold | Solved | Polished) and event.chosen is not None:
            better = self._starts(event.chosen)
        if isinstance(event, Solved) and event.status == "infeasible":
            key = self.search.key
            if key is not None and key[0] <= self.target:
                self.given_up = True
                self._stop("wrong_infeasible", "but a schedule exists")
                return better
            # Nothing ends within the target, so the end of the best plan is the least.
            self._raise_bound(self.target + 1)
            self._stop("infeasible", f"nothing ends within {self.target}")
            return better
        if event.claims is not None:
            self._raise_bound(self.search.bound_from(event.claims))
        if isinstance(event, Solved) and event.status == "optimal":
            self.given_up = True
        return better

    def _raise_bound(self, bound: int) -> None:
        before = self.search.bound
        self.search.tighten(bound)
        if self.search.bound != before:
            self.search.say("solver")

    def _starts(self, chosen: list[int]) -> dict[str, int]:
        compiled = self.search.compiled()
        assert compiled is not None
        own = [k for k in chosen if k < len(self.numbers)]
        return compiled.starts_of(self.numbers[own])

    def solve_once(self) -> None:
        """Run the solver after the schedules, by nodes and not by the clock."""
        with ExitStack() as stack:
            self._start(stack)
            while self.child is not None:
                try:
                    left = max(self.search.run.left(), 0.0)
                    child, event = self.events.get(timeout=left)
                except queue.Empty:
                    break
                better = self._take(event) if child is self.child else None
                if better is not None:
                    self.search.accept(better)
            self.close()

    def search_around(self) -> None:
        """Let the solver and its neighbourhood searches go on from the best plan."""
        search = self.search
        begin = time.monotonic()
        found = self._model()
        if found is None:
            return
        start = self._incumbent()

        def hear(event: Event) -> list[int] | None:
            if isinstance(event, PlanTold | Improved):
                search.accept(self._starts(event.chosen))
                search.say("neighbourhoods")
            elif event.claims is not None:
                self._raise_bound(search.bound_from(event.claims))
            return None

        run = run_solver(
            found[0],
            seconds=max(search.run.left() - 1.0, 0.5),
            limits=search.run.limits,
            seed=search.run.seed,
            start=np.array(start, dtype=np.int64) if start else None,
            on_event=hear,
        )
        for chosen in [*(run.incumbents or []), run.polished]:
            if chosen is not None:
                search.accept(self._starts(chosen))
        if run.outcome in ("optimal", "feasible") and run.bound is not None:
            self._raise_bound(search.bound_from(run.bound))
        seconds = time.monotonic() - begin
        search.run.note("HiGHS and neighbourhoods", run.outcome, seconds, run.detail)
        if run.interrupted:
            raise KeyboardInterrupt

    def close(self) -> None:
        """Note a solver that was still at work."""
        if self.child is not None:
            self._stop("stopped")


def encode_makespan(
    options: Options, lengths: np.ndarray, first: np.ndarray | None
) -> tuple[Options, np.ndarray | None]:
    """Return the model of the end of all work, and a first plan in its numbers."""
    finish = options.start + lengths[options.project]
    least = np.full(len(lengths), np.iinfo(np.int64).max)
    np.minimum.at(least, options.project, finish)
    low, high = max(int(least.max()), 0), max(int(finish.max()), 0)
    model = with_end(options, lengths, low, high)
    if first is not None:
        first = np.append(first, end_of(model, first))
    return model, first
