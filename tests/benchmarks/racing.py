"""Run one solver on one instance, and hold what it says against the exact checker.

Peers run in a process of their own that is ended a little after the time is up; what
they had found by then counts. Every plan, also ours, is recomputed from the tables by
`check_plan`, and gaps follow one definition.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import pmo_analytics as pmo
from pmo_analytics.optimization.model.compiling import Compiled, compile_options
from tests.benchmarks.registry import Instance, fingerprint
from tests.benchmarks.results import (
    Record,
    at_seconds,
    first_seconds,
    gap_of,
    status_of,
)

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# PuLP loads every solver that is installed beside it, into our processes too, so the
# peers live in an environment of their own.
PEERS_PYTHON = ROOT / ".venv" / "peers" / "bin" / "python"
MOMENTS = (10, 30, 60)
# How long a process may take to load its libraries, in seconds.
_LOADING = 120.0
# Plans that a peer reported and the checker refused, before we stop looking further.
_REFUSALS = 20
_POINTS = 400


@dataclass(frozen=True)
class Solver:
    """One that takes part.

    Parameters
    ----------
    label
        Its name in tables.
    script
        What runs it; blank for this package.
    own_environment
        It runs in the environment of the peers; else in ours, with the same HiGHS.
    threads
        It may use; 0 = one per core, None = what it chooses itself.
    """

    label: str
    script: str = ""
    own_environment: bool = True
    threads: int | None = 0


SOLVERS = {
    "ours": Solver("pmo_analytics"),
    # With two threads HiGHS 1.15 and 1.16 were seen to spend 25 seconds in presolve
    # where one thread takes 0.8; its own choice is the faster one.
    "highs": Solver(
        "PuLP + HiGHS", "_pulp_peer.py", own_environment=False, threads=None
    ),
    "cbc": Solver("PuLP + CBC", "_pulp_peer.py"),
    "scip": Solver("PuLP + SCIP", "_pulp_peer.py"),
    "cpsat": Solver("CP-SAT", "_cpsat_peer.py"),
    # What its authors advise at least; more threads than cores on a small machine.
    "cpsat8": Solver("CP-SAT, 8 workers", "_cpsat_peer.py", threads=8),
    "highs_all": Solver(
        "PuLP + HiGHS, all cores", "_pulp_peer.py", own_environment=False
    ),
}
DEFAULT_SOLVERS = ("ours", "highs", "cbc", "scip", "cpsat")


@dataclass(frozen=True)
class Question:
    """An instance, built once for all solvers."""

    instance: Instance
    portfolio: pmo.Portfolio
    compiled: Compiled
    fingerprint: str

    @classmethod
    def of(cls, instance: Instance) -> Question:
        """Return the portfolio of an instance, its options and their digest."""
        portfolio = instance.build().validate()
        compiled = compile_options(portfolio)
        return cls(instance, portfolio, compiled, fingerprint(compiled.options))


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def python_of(solver: Solver) -> str:
    """Return the interpreter that runs a peer."""
    if solver.own_environment and PEERS_PYTHON.exists():
        return str(PEERS_PYTHON)
    return sys.executable


def version_of(name: str) -> tuple[str, str]:
    """Return the version of a solver, or blank and why it cannot run here."""
    solver = SOLVERS[name]
    if not solver.script:
        return f"{pmo.__version__}+{_source_digest()}", ""
    command = [python_of(solver), str(HERE / solver.script), "--version", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["it does not start"]
        return "", words[-1]
    return done.stdout.strip().splitlines()[-1], ""


def _source_digest() -> str:
    """Return a short digest of the optimizer's source: other code, other version."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "pmo_analytics" / "optimization").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def busy_share(seconds: float = 0.3) -> float | None:
    """Return the share of all cores that others use; None where it is not known."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None

    def ticks() -> tuple[int, int]:
        numbers = [int(n) for n in stat.read_text().split("\n", 1)[0].split()[1:9]]
        return sum(numbers), numbers[3] + numbers[4]

    total, idle = ticks()
    time.sleep(seconds)
    more, more_idle = ticks()
    return round(1 - (more_idle - idle) / max(more - total, 1), 2)


def race(
    question: Question, name: str, seconds: float, version: str, search_seed: int = 0
) -> Record:
    """Run one solver on one instance and return the record of it."""
    instance, options = question.instance, question.compiled.options
    busy = busy_share()
    found = (
        _run_peer(question, name, seconds)
        if SOLVERS[name].script
        else _run_ours(question, seconds, search_seed)
    )
    trace = found.pop("trace")
    objective, bound = found["objective"], found["bound"]
    gap = gap_of(objective, bound)
    return {
        "instance": instance.name,
        "group": instance.group,
        "seed": instance.seed,
        "mid_life": instance.mid_life,
        "solver": name,
        "seconds": seconds,
        "search_seed": search_seed,
        "version": version,
        "fingerprint": question.fingerprint,
        "status": found.pop("status", "") or status_of(objective, gap),
        **found,
        "gap": gap,
        "first_seconds": first_seconds(trace),
        "at": {
            str(moment): at_seconds(trace, moment)
            for moment in MOMENTS
            if moment <= seconds
        },
        "published": instance.published,
        "published_by": instance.published_by,
        "projects": len(question.portfolio.projects),
        "options": len(options.project),
        "uses": len(options.use.row),
        "cores": cores(),
        "busy_before": busy,
        "when": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "trace": thinned(trace),
    }


def thinned(trace: list[list[float | None]]) -> list[list[float | None]]:
    """Return at most some hundred points of a trace, evenly, with its last."""
    if len(trace) <= _POINTS:
        return trace
    keep = np.unique(np.linspace(0, len(trace) - 1, _POINTS).astype(int))
    return [trace[k] for k in keep]


def _run_ours(question: Question, seconds: float, seed: int) -> Record:
    trace: list[list[float | None]] = []

    def hear(progress: pmo.Progress) -> None:
        trace.append([round(progress.seconds, 3), progress.objective, progress.bound])

    begin = time.monotonic()
    empty = {"objective": None, "bound": None, "certified": False, "trace": trace}
    try:
        plan = pmo.optimize(
            question.portfolio,
            limits=pmo.SolveLimits(seconds=seconds),
            seed=seed,
            progress=hear,
        )
    except pmo.InfeasibleError as error:
        return {**empty, "status": "infeasible", "detail": str(error)[:300]}
    except pmo.SolverError as error:
        return {**empty, "status": error.status, "detail": str(error)[:300]}
    took = time.monotonic() - begin
    report = plan.report
    check = pmo.check_plan(
        question.portfolio, plan.schedule, objective=report.objective
    )
    objective = float(check.objective)
    return {
        "objective": objective,
        "bound": report.bound,
        "certified": check.certified,
        "certified_bound": report.certified_bound,
        "certified_gap": gap_of(objective, report.certified_bound),
        "took": round(took, 2),
        "detail": "; ".join(f"{a['solver']}: {a['outcome']}" for a in report.attempts),
        "trace": trace,
    }


def _run_peer(question: Question, name: str, seconds: float) -> Record:
    events, took, killed, words = _events(question, name, seconds)
    facts = {event["event"]: event for event in events}
    solved = facts.get("solved")
    plans = [event["chosen"] for event in events if event.get("chosen") is not None]
    objective, refused = _certify(question, plans)
    trace: list[list[float | None]] = []
    best: float | None = None
    bound: float | None = None
    wrong: float | None = None
    for event in events:
        worth, new = event.get("objective"), event.get("bound")
        if event.get("chosen") is not None:
            worth = float(question.compiled.options.worth[event["chosen"]].sum())
        if worth is not None:
            best = worth if best is None else max(best, worth)
        if (
            new is not None
            and objective is not None
            and new < objective - slip(objective)
        ):
            # Refuted by a plan of its own; CBC has been seen to write such numbers.
            wrong = new
        elif new is not None:
            bound = new if bound is None else min(bound, new)
        if event["event"] in ("plan", "bound", "solved"):
            trace.append([round(event["t"], 3), best, bound])
    detail = [f"says {solved['status']}"] if solved else []
    if refused:
        detail.append(f"the checker refused {refused} of its plans")
    if wrong is not None:
        detail.append(f"claims a bound of {wrong:,.1f} below its own plan")
    if "refused" in facts:
        detail.append(facts["refused"]["detail"])
    if killed:
        detail.append("ended by force")
        if objective is None and best is not None:
            detail.append(f"its log speaks of a plan of {best:,.1f}")
    elif solved is None and "refused" not in facts:
        detail.append(words)
    status = ""
    if objective is None:
        if "refused" in facts:
            status = "refused"
        elif plans:
            status = "wrong_plan"
        elif solved and solved["status"].lower() == "infeasible":
            status = "infeasible"
        elif solved is None and not killed:
            status = "failed"
    return {
        "objective": objective,
        "bound": bound,
        "certified": objective is not None,
        "took": round(took, 2),
        "built_seconds": round(facts["built"]["t"], 2) if "built" in facts else None,
        "killed": killed,
        "wrong_bound": wrong,
        "status": status,
        "detail": "; ".join(detail),
        "trace": trace,
    }


def slip(value: float) -> float:
    """Return how far an honest figure may be off."""
    return 1e-6 * max(1.0, abs(value))


def _certify(
    question: Question, plans: Iterable[list[int]]
) -> tuple[float | None, int]:
    """Return the exact worth of the best plan that holds, and how many did not."""
    worth = question.compiled.options.worth
    ordered = sorted(
        {tuple(plan) for plan in plans}, key=lambda p: -float(worth[list(p)].sum())
    )
    for refused, plan in enumerate(ordered[:_REFUSALS]):
        starts = question.compiled.starts_of(np.array(plan, dtype=np.int64))
        schedule = pmo.Plan(question.portfolio, _periods(question, starts)).schedule
        check = pmo.check_plan(
            question.portfolio,
            schedule,
            objective=float(worth[list(plan)].sum()),
        )
        if check.certified:
            return float(check.objective), refused
    return None, min(len(ordered), _REFUSALS)


def _periods(question: Question, starts: dict[str, int]) -> dict[str, Any]:
    first = question.portfolio.horizon[0]
    return {project: first + start for project, start in starts.items()}


def _events(
    question: Question, name: str, seconds: float
) -> tuple[list[dict[str, Any]], float, bool, str]:
    """Return events, seconds since ready, whether it was ended, and last words."""
    solver = SOLVERS[name]
    events: list[dict[str, Any]] = []
    ready = threading.Event()
    with tempfile.TemporaryDirectory(prefix="pmo-bench-") as folder:
        job = {
            "solver": name,
            "seconds": seconds,
            "threads": cores() if solver.threads == 0 else solver.threads,
            "folder": folder,
        }
        path = Path(folder) / "job.npz"
        arrays: dict[str, Any] = question.compiled.options.arrays()
        np.savez(path, **arrays, job=json.dumps(job))
        with (Path(folder) / "words.txt").open("w+b") as log:
            process = subprocess.Popen(
                [python_of(solver), str(HERE / solver.script), str(path)],
                # Never written to: it closes when this process ends, however.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                # What solvers leave behind when they are ended goes with the folder.
                env={**os.environ, "TMPDIR": folder, "TEMP": folder},
                start_new_session=True,
            )
            reader = threading.Thread(
                target=_read, args=(process, events, ready), daemon=True
            )
            reader.start()
            try:
                ready.wait(_LOADING)
                begin = time.monotonic()
                killed = not _ends(process, seconds + grace(seconds))
                took = time.monotonic() - begin
            finally:
                _end(process)
            reader.join(timeout=5.0)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
            log.seek(0)
            words = log.read().decode("utf-8", errors="replace").strip()
    return events, took, killed, words[-300:]


def grace(seconds: float) -> float:
    """Return how much longer than its time a peer may run before it is ended."""
    return max(3.0, 0.05 * seconds)


def _read(
    process: subprocess.Popen[str], events: list[dict[str, Any]], ready: threading.Event
) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        with contextlib.suppress(json.JSONDecodeError):
            event = json.loads(line)
            if event["event"] == "ready":
                ready.set()
            elif all(math.isfinite(n) for n in event.values() if isinstance(n, float)):
                events.append(event)
    ready.set()


def _ends(process: subprocess.Popen[str], seconds: float) -> bool:
    """Return whether a process ends by itself within some seconds."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(process: subprocess.Popen[str]) -> None:
    """End a peer and what it started; the group is its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
