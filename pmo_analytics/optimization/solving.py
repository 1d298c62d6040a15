"""Run the solver in a child process, with a clock, and keep what it found."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pmo_analytics.errors import ConfigError
from pmo_analytics.optimization.buying import value_of
from pmo_analytics.optimization.options import carries_branches
from pmo_analytics.parallel import cores
from pmo_analytics.plan import OPTIMAL_GAP, relative_gap

if TYPE_CHECKING:
    from pmo_analytics.optimization.options import Options

Event = dict[str, Any]
# Time a child gets beyond its own limit before it is ended.
_GRACE = 0.7
# How long the solver works alone before a neighbourhood search joins in.
_PATIENCE = 1.5
# How often a run looks around when nothing is reported, seconds.
_LOOK = 0.5
# A solver whose bound stands still for this long, this far from the best plan, makes
# way for another search: of kernels where the plan is nearer to the bound than that.
_STILL = 5.0
_FAR = 0.002
_NEAR = 0.05
# Below this many options a bound that stands still often moves again.
_SMALL = 2000
# A proof by branches joins in after this long, or this share of the time; after as long
# again the solver makes way for it if its bound is the worse one.
_PROOF_AFTER, _PROOF_SHARE = 3.0, 0.05
# Time the checker is left for a proof, as a share, and the nodes it walks in a second.
PROOF_CHECK, _CHECKED = 0.05, 700
# Nodes of a proof that nobody checks: time ends it.
_UNCHECKED = 10**7
_MOST_CORES = 8
_FINAL = ("optimal", "proved", "feasible", "infeasible", "no_solution")


@dataclass(frozen=True)
class SolveLimits:
    """When to stop looking for a better plan.

    Parameters
    ----------
    seconds
        Wall clock of the whole search.
    gap
        Stop at this relative distance to the bound, 0.01 = 1 %.
    work
        Nodes of the solver's tree; with it, and time enough, the same seed gives
        the same plan.
    threads
        Processes at work at once: the solver and the searches around the best plan;
        1 = the solver, then a search where its bound stands still; None = one per
        core, never fewer than two.
    memory_gb
        Memory limit of the solver's process, where the system enforces one.
    """

    seconds: float = 60.0
    gap: float = 0.0
    work: int | None = None
    threads: int | None = None
    memory_gb: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.seconds < 1e7:
            raise ConfigError(f"seconds must be positive, not {self.seconds!r}.")
        if not 0 <= self.gap < 10:
            raise ConfigError(f"gap must be 0 or more, such as 0.01; not {self.gap!r}.")
        if self.work is not None and self.work < 1:
            raise ConfigError(f"work must be at least 1, not {self.work!r}.")


@dataclass(frozen=True)
class Progress:
    """Where a search stands; handed to a `progress` callable.

    Attributes
    ----------
    stage
        What is going on, a few words.
    objective, bound
        Best plan and bound so far, None where there is none yet.
    """

    stage: str
    objective: float | None
    bound: float | None
    seconds: float


ProgressFunction = Callable[[Progress], None]


class Child:
    """A process at work on a job; its events go into a queue as (child, event).

    The last event is `end`, with the exit code and the last words. Use it as a
    context: the process is ended when the block is left.
    """

    def __init__(
        self,
        options: Options,
        job: Mapping[str, Any],
        events: queue.Queue[tuple[Child, Event]],
    ) -> None:
        self.options = options
        self.job = dict(job)
        self.events = events

    def __enter__(self) -> Child:
        self.folder = tempfile.TemporaryDirectory(prefix="pmo-")
        path = Path(self.folder.name) / "job.npz"
        arrays: dict[str, Any] = {
            **self.options.arrays(),
            "job": json.dumps(self.job),
        }
        np.savez(path, **arrays)
        self.log = (Path(self.folder.name) / "log.txt").open("w+b")
        self.process = _start(path, self.log)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_error: object) -> None:
        _end(self.process)
        self.reader.join(timeout=5.0)
        self.log.close()
        self.folder.cleanup()

    def send(self, **news: Any) -> None:
        """Tell the child of a `plan`, as option numbers, or of LP `prices`."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.write(json.dumps(news) + "\n")
            self.process.stdin.flush()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            # A child that dies in the middle of a line leaves half an event.
            with contextlib.suppress(json.JSONDecodeError):
                self.events.put((self, json.loads(line)))
        code = self.process.wait()
        words = ""
        with contextlib.suppress(ValueError):  # the log is closed: nobody asks
            self.log.seek(0)
            words = self.log.read().decode("utf-8", errors="replace").strip()
        self.events.put((self, {"event": "end", "code": code, "words": words[-500:]}))


def _next(
    events: queue.Queue[tuple[Child, Event]], deadline: float
) -> tuple[Child, Event] | None:
    """Return the next event, None when the deadline has passed."""
    try:
        return events.get(timeout=max(deadline - time.monotonic(), 0.0))
    except queue.Empty:
        return None


def _start(path: Path, stderr: Any) -> subprocess.Popen[str]:
    root = str(Path(__file__).resolve().parents[2])
    search = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "pmo_analytics.optimization._child", str(path)]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(search)},
        # A group of its own: Ctrl-C reaches the parent alone.
        start_new_session=os.name == "posix",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError, ValueError):
                pipe.close()


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
    prices: list[tuple[list[Any], float]] | None = None
    seconds: float = 0.0
    detail: str = ""
    interrupted: bool = False
    searches: int = 0
    notes: list[str] = field(default_factory=list)


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
    """
    begin = time.monotonic()
    job = {
        "task": "solve",
        "seconds": seconds,
        "threads": 1,
        "memory_gb": limits.memory_gb,
        "seed": seed,
        "solver": solver,
        "presolve": presolve,
        # With a constant a relative gap of the model is none of the plan's: then
        # whoever looks around stops.
        "gap": 0.0 if options.constant[0] else limits.gap,
        "nodes": limits.work,
        "relax": relax,
        "polish_seconds": max(0.2 * seconds, 1.0),
        "most_nodes": _most_nodes(seconds, limits) if checked else _UNCHECKED,
        "start": [] if start is None else [int(k) for k in start],
    }
    found = Found(incumbents=[])
    try:
        alone = _branches_suffice(options, job, limits)
        if alone and here and limits.memory_gb is None:
            if _prove_here(options, job, guide, found, on_event):
                found.seconds = time.monotonic() - begin
                return found
            alone = False
        with contextlib.ExitStack() as children:
            race = _Race(options, job, begin, limits, found, children, guide, alone)
            _run(race, on_event)
    except KeyboardInterrupt:
        found.interrupted = True
        found.outcome = "interrupted"
    found.seconds = time.monotonic() - begin
    return found


def _branches_suffice(
    options: Options, job: Mapping[str, Any], limits: SolveLimits
) -> bool:
    """Return whether branches of our own, alone, are there before a solver is."""
    return bool(
        limits.threads == 1
        and limits.work is None
        and limits.gap > OPTIMAL_GAP
        and job["start"]
        and job["solver"] == "HiGHS"
        and carries_branches(options)
    )


def _prove_here(
    options: Options,
    job: dict[str, Any],
    guide: Mapping[str, Any] | None,
    found: Found,
    on_event: Callable[[Event], list[int] | None] | None,
) -> bool:
    """Grow branches in this process; return whether the gap asked for is reached.

    Otherwise the best plan and the time left stand in the job.
    """
    from pmo_analytics.optimization.branch_job import prove

    assert found.incumbents is not None
    end = time.monotonic() + job["seconds"]
    plans, inbox, closed = found.incumbents, list[Any](), False

    def emit(kind: str, **facts: Any) -> None:
        nonlocal closed
        event = {"event": kind, **facts}
        if kind == "improved":
            plans.append(facts["chosen"])
        closed |= kind == "tree" and facts["closed"]
        better = None if on_event is None else on_event(event)
        if better is not None:
            inbox.append({"plan": better})

    prove(options, {**job, "guide": guide, "alone": True}, inbox, end, emit)
    if closed:
        found.outcome = "feasible"
        found.notes.append("the gap asked for is reached")
        return True
    known = [job["start"], *plans]
    job["start"] = max(known, key=lambda plan: value_of(options, np.array(plan)))
    job["seconds"] = max(end - time.monotonic(), 0.1)
    return False


def _run(race: _Race, on_event: Callable[[Event], list[int] | None] | None) -> None:
    """Let the solver run, and beside it searches around the best plan, to the end."""
    while race.running():
        taken = _next(race.events, race.wake())
        if taken is None:
            race.look_around()
            continue
        child, event = taken
        if event["event"] == "end":
            race.ended(child, event)
            continue
        race.hear(child, event)
        answer = None if on_event is None else on_event(event)
        race.tell(child, event, answer or event.get("chosen"))
        race.look_around()


class _Race:
    """The children of one run: who is at work, and who is told what."""

    def __init__(
        self,
        options: Options,
        job: dict[str, Any],
        begin: float,
        limits: SolveLimits,
        found: Found,
        children: contextlib.ExitStack,
        guide: Mapping[str, Any] | None,
        alone: bool,
    ) -> None:
        self.options = options
        self.guide = guide
        self.job = job
        self.begin = begin
        self.limits = limits
        self.found = found
        self.children = children
        self.deadline = begin + job["seconds"] + _GRACE
        self.events: queue.Queue[tuple[Child, Event]] = queue.Queue()
        self.solver: Child | None = None
        self.searchers: list[Child] = []
        self.prover: Child | None = None
        self.proving = 0.0
        self.proved = self.told = self.asked = float("inf")
        self.closed = False
        self.cuts: list[Any] = []
        self.best: list[int] = job["start"]
        # A work limit promises equal answers, which children that talk cannot give:
        # then one search comes after the solver, and counts rounds.
        self.wanted = 0 if limits.work is not None else _cores(limits) - 1
        self.over = False
        self.bounds: list[tuple[float, float]] = []
        if alone:
            self.proving = begin
            proof = {**job, "task": "prove", "guide": guide, "alone": True}
            self.prover = self._start(proof)
        else:
            self.solver = self._start(job)

    def _start(self, job: dict[str, Any]) -> Child:
        return self.children.enter_context(Child(self.options, job, self.events))

    def running(self) -> bool:
        """Return whether anybody is at work and may go on."""
        if self.over or not (self.solver or self.searchers or self.prover):
            return False
        if time.monotonic() < self.deadline:
            return True
        if self.solver is not None and self.found.outcome not in _FINAL:
            self.found.outcome = "timeout"
        return False

    def wake(self) -> float:
        """Return when to look around, whatever happens until then."""
        return min(self.deadline, time.monotonic() + _LOOK)

    def look_around(self) -> None:
        """Start who can help, stop who cannot, stop all when it is good enough."""
        now = time.monotonic()
        if not self.best or now >= self.deadline:
            return
        if now >= self.begin + _PATIENCE:
            while len(self.searchers) < self.wanted:
                self._join()
        self._prove(now)
        gap = self._gap()
        if gap <= self.limits.gap and self.limits.gap > OPTIMAL_GAP:
            if self._proof_to_come(now):
                return
            self.found.outcome = "feasible"
            self.found.notes.append("the gap asked for is reached")
            self.over = True
        elif self.limits.work is None and self._hopeless(now, gap):
            assert self.solver is not None
            _end(self.solver.process)
            self.solver = None
            self.wanted += 1
            self._join(kernels=gap < _NEAR)
            self.found.outcome = "feasible"
            self.found.notes.append(
                f"stopped after {now - self.begin:.0f} s, its bound stood still; one "
                "more search instead"
            )

    def _proof_to_come(self, now: float) -> bool:
        """Return whether branches have proved the gap and can still be told of.

        Without them the bound is a claim that nobody can check.
        """
        claimed = self.found.bound
        if self.prover is None or self.told <= self.proved + 1e-9 * abs(self.proved):
            return False
        if claimed is not None and claimed <= self.proved:
            return False
        if self.asked == float("inf"):
            self.asked = now
            self.prover.send(enough=True)
        return now < self.asked + _GRACE

    def _prove(self, now: float) -> None:
        """Let a proof by branches join in, and take the solver's place if it is better.

        For as long as they are compared there is one process more than cores.
        """
        if self.prover is not None:
            bound = self.found.bound
            behind = bound is not None and self.proved < bound * (1 - 1e-9)
            if self.solver is not None and behind and now > self.proving + _PROOF_AFTER:
                _end(self.solver.process)
                self.solver = None
                self.found.outcome = "feasible"
                self.found.notes.append("branches of our own prove more")
            return
        after = max(_PROOF_AFTER, _PROOF_SHARE * self.job["seconds"])
        if self.limits.gap > OPTIMAL_GAP:
            after = _PATIENCE
        if (
            self.proving
            or now < self.begin + after
            or self.found.outcome == "optimal"
            or self.limits.work is not None
            or _cores(self.limits) < 2
        ):
            return
        self.proving = now
        if carries_branches(self.options):
            job = _search_job(self.job, self.best, self.begin)
            # With a gap that is good enough no cuts: scenarios take such a tree up.
            cuts = [] if self.limits.gap > OPTIMAL_GAP else self.cuts
            more = {"task": "prove", "guide": self.guide, "cuts": cuts}
            self.prover = self._start({**job, **more})
            if self.solver is not None:
                self.solver.send(proof="elsewhere")

    def hear(self, child: Child, event: Event) -> None:
        """Take what an event says about the solver or the proof."""
        kind = event["event"]
        if child is self.prover:
            bound = event.get("bound")
            if bound is not None:
                self.proved = min(self.proved, bound)
            if kind == "tree":
                self.told = event["bound"]
                self.closed |= event["closed"]
        elif child is self.solver:
            _take(self.found, event)
            if kind == "cuts":
                self.cuts = event["cuts"]
            if kind == "solved" and self.found.outcome == "optimal":
                # Only the proof is left to be done.
                for searcher in self.searchers:
                    _end(searcher.process)
                self.searchers, self.wanted = [], 0
        elif kind == "bound":
            # A search has gone through all plans that could be better.
            _take(self.found, event)
            self.found.notes.append("all plans near the relaxation gone through")
        if kind == "improved" and self.found.incumbents is not None:
            self.found.incumbents.append(event["chosen"])

    def _join(self, *, rounds: int | None = None, kernels: bool = False) -> None:
        job = _search_job(self.job, self.best, self.begin)
        job["rounds"], job["kernels"] = rounds, kernels
        job["seed"] += self.found.searches
        self.found.searches += 1
        searcher = self._start(job)
        if self.found.prices:
            searcher.send(prices=self.found.prices)
        self.searchers.append(searcher)

    def _gap(self) -> float:
        claimed = float("inf") if self.found.bound is None else self.found.bound
        bound = min(claimed, self.proved)
        if not self.best or bound == float("inf"):
            return float("inf")
        constant = float(self.options.constant[0])
        return relative_gap(self._worth(self.best) + constant, bound + constant)

    def _worth(self, chosen: list[int]) -> float:
        if not chosen:
            return float("-inf")
        return value_of(self.options, np.array(chosen, dtype=np.int64))

    def _hopeless(self, now: float, gap: float) -> bool:
        """Return whether the solver's bound stands still far from the best plan."""
        bound = self.found.bound
        small = len(self.options.project) <= _SMALL
        if self.solver is None or bound is None or small:
            return False
        window = max(_STILL, 0.1 * self.job["seconds"])
        self.bounds = [b for b in self.bounds if b[0] > now - 1.5 * window]
        self.bounds.append((now, bound))
        past = self.bounds[0]
        moved = (past[1] - bound) / max(abs(bound), 1e-9)
        return gap > _FAR and now - past[0] > window and moved < 0.02 * gap

    def ended(self, child: Child, event: Event) -> None:
        """Take note that a child is gone; let others go on where that helps."""
        if child is self.solver:
            _take_end(self.found, event)
            self.solver = None
            final = ("optimal", "infeasible", "crashed")
            if self.found.outcome in final and self.prover is None:
                self.over = True
            elif self.limits.work is not None and self.best:
                self._join(rounds=self.limits.work)
        elif child is self.prover:
            self.prover = None
            if self.closed or self.found.outcome == "optimal":
                self.over = True
            elif self.solver is None and len(self.searchers) < _cores(self.limits):
                # The tree is as large as it may be, and a core is idle.
                left = self.begin + self.job["seconds"] - time.monotonic()
                if left > 0.5:
                    start = {"start": self.best, "seconds": left}
                    self.solver = self._start({**self.job, **start})
            if self.closed and self.found.outcome != "optimal":
                self.found.outcome = "proved"
                self.found.notes.append("proved by branches")
        elif child in self.searchers:
            self.searchers.remove(child)
            if self.limits.work is None:
                # Whatever became of it, the others go on.
                self.wanted -= 1
                if event["code"]:
                    self.found.notes.append(
                        f"a search around the best plan ended, code {event['code']}"
                    )

    def tell(self, child: Child, event: Event, news: list[int] | None) -> None:
        """Pass on a better plan, and the prices of the LP relaxation."""
        if news and self._worth(news) <= self._worth(self.best):
            news = None
        if news:
            self.best = news
        if news and self.prover is not None and child is not self.prover:
            self.prover.send(plan=news)
        for searcher in self.searchers:
            if searcher is child:
                continue
            if event["event"] == "relaxation" and event["prices"]:
                searcher.send(prices=event["prices"])
            if news:
                searcher.send(plan=news)


def _cores(limits: SolveLimits) -> int:
    """Return how many processes to use: asked for, or the cores this one may use."""
    if limits.threads is not None:
        return limits.threads
    return min(max(cores(), 2), _MOST_CORES)


def _most_nodes(seconds: float, limits: SolveLimits) -> int:
    """Return how many nodes a proof may have, so that the checker has the time."""
    most = int(max(PROOF_CHECK * seconds, 1.0) * _CHECKED)
    return most if limits.work is None else min(most, limits.work)


def _search_job(
    job: Mapping[str, Any], best: list[int], begin: float
) -> dict[str, Any]:
    left = begin + job["seconds"] - time.monotonic()
    return {
        **job,
        "task": "improve",
        "start": best,
        "seconds": max(left, 0.1),
    }


def _take(found: Found, event: Event) -> None:
    """Add one event to what was found."""
    assert found.incumbents is not None
    kind = event["event"]
    if kind == "relaxation":
        found.prices = event["prices"]
        found.detail = f"relaxation {event['status']}"
        if event["objective"] is not None:
            known = float("inf") if found.bound is None else found.bound
            found.bound = min(event["objective"], known)
    elif kind == "incumbent":
        found.incumbents.append(event["chosen"])
    elif kind == "solved":
        found.outcome = event["status"]
        found.detail = event["solver_status"]
        if event["chosen"] is not None:
            found.incumbents.append(event["chosen"])
    elif kind == "polished":
        found.polished = event["chosen"]
    bound = event.get("bound")
    if bound is not None:
        found.bound = bound if found.bound is None else min(found.bound, bound)


def _take_end(found: Found, event: Event) -> None:
    if event["code"] != 0 and found.outcome not in ("optimal", "feasible"):
        found.outcome = "crashed"
        found.detail = f"exit code {event['code']}: {event['words'][-200:]}"


def run_task(
    options: Options,
    task: str,
    facts: Mapping[str, Any],
    *,
    seconds: float,
    limits: SolveLimits,
    seed: int = 0,
) -> list[Event]:
    """Run one job of a child to its end and return its events, `end` the last.

    Parameters
    ----------
    facts
        What the job needs beside the options, ready for JSON.
    seconds
        Wall clock; a child that needs longer is ended, and `end` says so by the code
        None.
    """
    job = {
        **facts,
        "task": task,
        "seconds": seconds,
        "threads": 1,
        "memory_gb": limits.memory_gb,
        "seed": seed,
        "presolve": True,
    }
    deadline = time.monotonic() + seconds + _GRACE
    events: queue.Queue[tuple[Child, Event]] = queue.Queue()
    told: list[Event] = []
    with Child(options, job, events):
        while (taken := _next(events, deadline)) is not None:
            told.append(taken[1])
            if taken[1]["event"] == "end":
                return told
    return [*told, {"event": "end", "code": None, "words": ""}]


def run_elastic(
    options: Options, *, seconds: float, limits: SolveLimits, seed: int = 0
) -> Event | None:
    """Let every rule be broken at a price; return the `elastic` event, or None."""
    return _run_task("elastic", "elastic", options, seconds, limits, seed, [])


def run_polish(
    options: Options,
    chosen: Sequence[int],
    *,
    seconds: float,
    limits: SolveLimits,
    seed: int = 0,
) -> list[int] | None:
    """Return the plan with the earliest starts among those worth as much, or None."""
    event = _run_task("polish", "polished", options, seconds, limits, seed, chosen)
    return None if event is None else event["chosen"]


def _run_task(
    task: str,
    wanted: str,
    options: Options,
    seconds: float,
    limits: SolveLimits,
    seed: int,
    start: Sequence[int],
) -> Event | None:
    """Return the one event that a child is asked for, None where it does not come."""
    job = {
        "task": task,
        "seconds": seconds,
        "polish_seconds": seconds,
        "threads": 1,
        "memory_gb": limits.memory_gb,
        "seed": seed,
        "presolve": True,
        "start": [int(k) for k in start],
    }
    deadline = time.monotonic() + seconds + _GRACE
    events: queue.Queue[tuple[Child, Event]] = queue.Queue()
    with Child(options, job, events):
        while (taken := _next(events, deadline)) is not None:
            event = taken[1]
            if event["event"] in (wanted, "end"):
                return event if event["event"] == wanted else None
    return None
