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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pmo_analytics.errors import ConfigError

if TYPE_CHECKING:
    from pmo_analytics.optimization.options import Options

Event = dict[str, Any]
# Time a child gets beyond its own limit before it is ended.
_GRACE = 3.0


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
        Solver threads; None = the solver's choice.
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


@contextlib.contextmanager
def running_child(
    options: Options, job: Mapping[str, Any]
) -> Iterator[Callable[[float], Event | None]]:
    """Start a child on a job; yield a function that waits for its next event.

    The function takes a deadline (monotonic clock) and returns the next event; an
    event `end` with the exit code and the last words of the child when it is over;
    None when the deadline has passed. The child is ended when the block is left.
    """
    with tempfile.TemporaryDirectory(prefix="pmo-") as folder:
        path = Path(folder) / "job.npz"
        arrays: dict[str, Any] = {**options.arrays(), "job": json.dumps(dict(job))}
        np.savez(path, **arrays)
        log = Path(folder) / "log.txt"
        with log.open("wb") as stderr:
            process = _start(path, stderr)
            events: queue.Queue[Event | None] = queue.Queue()
            reader = threading.Thread(
                target=_read_events, args=(process, events), daemon=True
            )
            reader.start()

            def next_event(deadline: float) -> Event | None:
                try:
                    event = events.get(timeout=max(deadline - time.monotonic(), 0.0))
                except queue.Empty:
                    return None
                if event is not None:
                    return event
                code = process.wait()
                words = log.read_text(encoding="utf-8", errors="replace").strip()
                return {"event": "end", "code": code, "words": words[-500:]}

            try:
                yield next_event
            finally:
                _end(process)
                reader.join(timeout=5.0)


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


def _read_events(
    process: subprocess.Popen[str], events: queue.Queue[Event | None]
) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        # A child that dies in the middle of a line leaves half an event.
        with contextlib.suppress(json.JSONDecodeError):
            events.put(json.loads(line))
    events.put(None)


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
        `optimal`, `feasible`, `infeasible`, `no_solution`, `interrupted`, `timeout`
        or `crashed`.
    incumbents
        Option numbers of each plan reported, the last is the best.
    bound
        Smallest bound the solver claimed.
    prices
        (label, dual value) of the rows of the LP relaxation.
    relaxation
        Objective of the LP relaxation.
    """

    outcome: str = "no_solution"
    incumbents: list[list[int]] | None = None
    polished: list[int] | None = None
    bound: float | None = None
    prices: list[tuple[list[Any], float]] | None = None
    relaxation: float | None = None
    seconds: float = 0.0
    detail: str = ""
    interrupted: bool = False


def run_solver(
    options: Options,
    *,
    seconds: float,
    limits: SolveLimits,
    seed: int = 0,
    start: np.ndarray | None = None,
    presolve: bool = True,
    relax: bool = True,
    on_event: Callable[[Event], None] | None = None,
) -> Found:
    """Solve the model in a child process and return what it found.

    Parameters
    ----------
    seconds
        Wall clock of this run.
    start
        Option numbers of a feasible plan to begin with.
    relax
        Solve the LP relaxation first, for prices and a bound.
    on_event
        Called with every event of the child as it comes.
    """
    begin = time.monotonic()
    job = {
        "task": "solve",
        "seconds": seconds,
        "gap": limits.gap,
        "nodes": limits.work,
        "threads": limits.threads,
        "memory_gb": limits.memory_gb,
        "seed": seed,
        "presolve": presolve,
        "relax": relax,
        "polish": True,
        "polish_seconds": max(0.2 * seconds, 1.0),
        "start": [] if start is None else [int(k) for k in start],
    }
    found = Found(incumbents=[])
    deadline = begin + seconds + _GRACE
    try:
        with running_child(options, job) as next_event:
            while True:
                event = next_event(deadline)
                if event is None:
                    if found.outcome not in ("optimal", "feasible", "infeasible"):
                        found.outcome = "timeout"
                    break
                if event["event"] == "end":
                    _take_end(found, event)
                    break
                _take(found, event)
                if on_event is not None:
                    on_event(event)
    except KeyboardInterrupt:
        found.interrupted = True
        found.outcome = "interrupted"
    found.seconds = time.monotonic() - begin
    return found


def _take(found: Found, event: Event) -> None:
    """Add one event to what was found."""
    assert found.incumbents is not None
    kind = event["event"]
    if kind == "relaxation":
        found.relaxation, found.prices = event["objective"], event["prices"]
        found.detail = f"relaxation {event['status']}"
        if event["objective"] is not None:
            found.bound = event["objective"]
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


def run_elastic(
    options: Options, *, seconds: float, limits: SolveLimits, seed: int = 0
) -> Event | None:
    """Let every rule be broken at a price; return the `elastic` event, or None."""
    job = {
        "task": "elastic",
        "seconds": seconds,
        "threads": limits.threads,
        "memory_gb": limits.memory_gb,
        "seed": seed,
        "presolve": True,
    }
    deadline = time.monotonic() + seconds + _GRACE
    with running_child(options, job) as next_event:
        while (event := next_event(deadline)) is not None:
            if event["event"] in ("elastic", "end"):
                return event if event["event"] == "elastic" else None
    return None
