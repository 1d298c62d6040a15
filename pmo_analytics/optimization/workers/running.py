"""Run the solver in a child process, with a clock, and keep what it found."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pmo_analytics.errors import SolverError
from pmo_analytics.evidence import OPTIMAL_GAP
from pmo_analytics.optimization.jobs import (
    ElasticJob,
    Job,
    PolishJob,
    SolveJob,
)
from pmo_analytics.optimization.limits import SolveLimits
from pmo_analytics.optimization.messages import (
    BetterPlan,
    Broken,
    End,
    Event,
    Improved,
    News,
    Polished,
    Tree,
)
from pmo_analytics.optimization.model.instance import carries_branches
from pmo_analytics.optimization.model.purchasing import value_of
from pmo_analytics.optimization.params import DEFAULTS, ProofParams, SearchParams
from pmo_analytics.optimization.workers.process import GRACE, Child, next_event
from pmo_analytics.optimization.workers.race import Found, Race
from pmo_analytics.processes import note_stop, stop_asked

if TYPE_CHECKING:
    from pmo_analytics.optimization.model.instance import Options

# Nodes of a proof that nobody checks: time ends it.
_UNCHECKED = 10**7


def run_solver(
    options: Options,
    *,
    seconds: float,
    limits: SolveLimits,
    seed: int = 0,
    start: np.ndarray | None = None,
    solver: str = "HiGHS",
    presolve: bool = True,
    relax: bool = True,
    guide: Mapping[str, Any] | None = None,
    on_event: Callable[[Event], list[int] | None] | None = None,
    here: bool = False,
    checked: bool = True,
    params: SearchParams = DEFAULTS,
) -> Found:
    """Solve the model in a child process and return what it found.

    Where the model is not solved at once, a second child searches the neighbourhood
    of the best plan meanwhile, and the two tell each other of better ones.

    Parameters
    ----------
    seconds
        Wall clock of this run.
    start
        Option numbers of a feasible plan to begin with.
    solver
        PuLP's name of it.
    relax
        Solve the LP relaxation first, for prices and a bound.
    guide
        Branches of a similar model, for the proof.
    on_event
        Called with every event of the children as it comes; may return a plan that
        the neighbourhood search shall go on from.
    here
        This process may die: branches that suffice are grown in it, which saves the
        start of another one.
    checked
        A checker walks the branches again, so that there are only so many.
    params
        The numbers that decide the search.
    """
    begin = time.monotonic()
    job = SolveJob(
        seconds=seconds,
        memory_gb=limits.memory_gb,
        seed=seed,
        solver=solver,
        presolve=presolve,
        # With a constant a relative gap of the model is none of the plan's: then
        # whoever looks around stops.
        gap=0.0 if options.constant[0] else limits.gap,
        nodes=limits.work,
        relax=relax,
        polish_seconds=max(0.2 * seconds, 1.0),
        most_nodes=_most_nodes(seconds, limits, params.proof)
        if checked
        else _UNCHECKED,
        start=[] if start is None else [int(k) for k in start],
        params=params,
    )
    found = Found(incumbents=[])
    if stop_asked():
        found.interrupted, found.outcome = True, "interrupted"
        return found
    try:
        alone = _branches_suffice(options, job, limits)
        if alone and here and limits.memory_gb is None:
            left = _prove_here(options, job, guide, found, on_event)
            if left is None:
                found.seconds = time.monotonic() - begin
                return found
            job, alone = left, False
        with contextlib.ExitStack() as children:
            race = Race(
                options, job, begin, limits, found, children, guide, alone, params.race
            )
            race.run(on_event)
        if found.outcome == "no_solution" and found.incumbents:
            # Of the searches beside it: the solver itself may not get that far.
            found.outcome = "feasible"
    except KeyboardInterrupt:
        note_stop()
        found.interrupted = True
        found.outcome = "interrupted"
    except SolverError as error:
        # What others have found is not lost with it.
        found.outcome, found.detail = "crashed", str(error)
    found.seconds = time.monotonic() - begin
    return found


def _most_nodes(seconds: float, limits: SolveLimits, p: ProofParams) -> int:
    """Return how many nodes a proof may have, so that the checker has the time."""
    most = max(int(p.checked * seconds * p.nodes_a_second), p.fewest_nodes)
    return most if limits.work is None else min(most, limits.work)


def _branches_suffice(options: Options, job: SolveJob, limits: SolveLimits) -> bool:
    """Return whether branches of our own, alone, are there before a solver is."""
    return bool(
        limits.threads == 1
        and limits.work is None
        and limits.gap > OPTIMAL_GAP
        and job.start
        and job.solver == "HiGHS"
        and carries_branches(options)
    )


def _prove_here(
    options: Options,
    job: SolveJob,
    guide: Mapping[str, Any] | None,
    found: Found,
    on_event: Callable[[Event], list[int] | None] | None,
) -> SolveJob | None:
    """Grow branches in this process; return the job that is left then.

    It has the best plan; None where the gap asked for is reached.
    """
    from pmo_analytics.optimization.workers.proof_job import prove

    assert found.incumbents is not None
    end = time.monotonic() + job.seconds
    plans, inbox, closed = found.incumbents, list[News](), False

    def emit(event: Event) -> None:
        nonlocal closed
        if isinstance(event, Improved):
            plans.append(event.chosen)
        closed |= isinstance(event, Tree) and event.closed
        better = None if on_event is None else on_event(event)
        if better is not None:
            inbox.append(BetterPlan(chosen=better))

    prove(options, job.proof(guide=guide, alone=True), inbox, end, emit)
    if closed:
        found.outcome = "feasible"
        found.notes.append("the gap asked for is reached")
        return None
    known = [list(job.start), *plans]
    best = max(known, key=lambda plan: value_of(options, np.array(plan)))
    return replace(job, start=best, seconds=max(end - time.monotonic(), 0.1))


def run_task(
    options: Options,
    job: Job,
) -> list[Event]:
    """Run one job of a child to its end and return its events, `end` the last.

    Ctrl-C ends it as a clock does: what was told until then is kept.

    Parameters
    ----------
    job
        A child that needs longer than its seconds is ended, and `end` says so by the
        code None.
    """
    deadline = time.monotonic() + job.seconds + GRACE
    events: queue.Queue[tuple[Child, Event]] = queue.Queue()
    told: list[Event] = []
    if stop_asked():
        return [_CUT]
    try:
        with Child(options, job, events):
            while (taken := next_event(events, deadline)) is not None:
                told.append(taken[1])
                if isinstance(taken[1], End):
                    return told
    except KeyboardInterrupt:
        note_stop()
    return [*told, _CUT]


# The end of a job that was not let to its own end.
_CUT = End(code=None)


def run_elastic(
    options: Options, *, seconds: float, limits: SolveLimits, seed: int = 0
) -> Broken | None:
    """Let every rule be broken at a price; return the `elastic` event, or None."""
    job = ElasticJob(seconds=seconds, memory_gb=limits.memory_gb, seed=seed)
    return _run_task(Broken, options, job)


def run_polish(
    options: Options,
    chosen: Sequence[int],
    *,
    seconds: float,
    limits: SolveLimits,
    seed: int = 0,
) -> list[int] | None:
    """Return the plan with the earliest starts among those worth as much, or None."""
    job = PolishJob(
        seconds=seconds,
        polish_seconds=seconds,
        memory_gb=limits.memory_gb,
        seed=seed,
        start=[int(k) for k in chosen],
    )
    event = _run_task(Polished, options, job)
    return None if event is None else event.chosen


def _run_task[E: Event](wanted: type[E], options: Options, job: Job) -> E | None:
    """Return the one event that a child is asked for, None where it does not come."""
    deadline = time.monotonic() + job.seconds + GRACE
    events: queue.Queue[tuple[Child, Event]] = queue.Queue()
    if stop_asked():
        return None
    try:
        with Child(options, job, events):
            while (taken := next_event(events, deadline)) is not None:
                event = taken[1]
                if isinstance(event, wanted):
                    return event
                if isinstance(event, End):
                    return None
    except KeyboardInterrupt:
        note_stop()
    return None
