"""The process that runs the solver: arrays in, one JSON event a line out.

Kept apart so that a crash, a runaway or a leak of the solver costs one attempt and
not the session. It ends when its standard input closes, that is, with its parent.

Run as `python -m pmo_analytics.optimization.workers.child JOB.npz`.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from typing import Any

import numpy as np

from pmo_analytics.optimization.jobs import (
    ClashJob,
    ImproveJob,
    Job,
    PolishJob,
    PricesJob,
    ProveJob,
    RepairJob,
    RulesJob,
    SolveJob,
)
from pmo_analytics.optimization.messages import (
    BoundTold,
    Event,
    Improved,
    News,
)
from pmo_analytics.optimization.workers.lazy_modules import load_later
from pmo_analytics.processes import end_group, end_with_thread

# What others load and no solver's process uses.
_LATER = ("orloge", "numpy.f2py", "numpy.testing")
# Uses of limited things beyond which building the model in PuLP takes longer than
# arrays by more than a second.
_PULP_CARRIES = 30_000


def main(path: str) -> None:
    """Read a job, solve it, report every improvement."""
    load_later(*_LATER)
    # Solvers write to the C standard output; events get a descriptor of their own.
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    inbox: list[News] = []
    threading.Thread(target=_listen, args=(inbox,), daemon=True).start()
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    # It may have hundreds of megabytes, and nobody needs it any more.
    with contextlib.suppress(OSError):
        os.unlink(path)
    job = Job.read(json.loads(str(arrays.pop("job"))))
    if not isinstance(job, SolveJob) or job.solver == "HiGHS":
        end_with_thread(os.getppid())
    _limit_memory(job.memory_gb)
    lock = threading.Lock()

    def emit(event: Event) -> None:
        with lock:
            events.write(json.dumps(event.written()) + "\n")
            events.flush()

    _work(arrays, job, inbox, emit)


def _listen(inbox: list[News]) -> None:
    """Keep what the parent tells of; end when the parent ends."""
    rest = b""
    while block := os.read(0, 65536):
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            inbox.append(News.read(json.loads(line)))
    end_group()


def _limit_memory(gigabytes: float | None) -> None:
    if gigabytes is None:
        return
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    limit = int(gigabytes * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _work(
    arrays: dict[str, np.ndarray], job: Job, inbox: list[News], emit: Any
) -> None:
    from pmo_analytics.optimization.model.instance import Options

    # What a task needs is loaded with it: some solvers cannot be loaded beside HiGHS.
    end = time.monotonic() + job.seconds
    options = Options.from_arrays(arrays)
    if isinstance(job, ImproveJob):
        _improve(options, job, inbox, end, emit)
    elif isinstance(job, RulesJob | PricesJob):
        _explain(options, job, end, emit)
    elif isinstance(job, ProveJob):
        from pmo_analytics.optimization.workers.proof_job import prove

        prove(options, job, inbox, end, emit)
    elif isinstance(job, SolveJob):
        _solve(options, job, inbox, end, emit)
    elif isinstance(job, PolishJob):
        from pmo_analytics.optimization.workers.pulp_job import polish_plan

        polish_plan(options, job, end, emit)
    else:
        from pmo_analytics.optimization.workers.pulp_job import solve_elastic

        solve_elastic(options, job, end, emit)


def _solve(
    options: Any, job: SolveJob, inbox: list[News], end: float, emit: Any
) -> None:
    """Solve the model in the way that suits solver and size."""
    if job.solver != "HiGHS":
        from pmo_analytics.optimization.workers.pulp_job import solve_elsewhere

        solve_elsewhere(options, job, end, emit)
    elif len(options.use.row) > _PULP_CARRIES:
        from pmo_analytics.optimization.workers.array_job import solve_arrays

        solve_arrays(options, job, inbox, end, emit)
    else:
        from pmo_analytics.optimization.workers.pulp_job import solve_written

        solve_written(options, job, inbox, end, emit)


def _improve(
    options: Any, job: ImproveJob, inbox: list[News], end: float, emit: Any
) -> None:
    """Search around the best plan, whoever found it, until time or rounds are up."""
    from pmo_analytics.optimization.heuristics.alternation import Search

    def tell(chosen: np.ndarray) -> None:
        emit(Improved(chosen=chosen.tolist()))

    search = Search(options, job.plan, job.seed, tell, inbox, job.params)
    if job.rounds is not None:
        search.run_counted(job.rounds, end)
    else:
        search.run(end)
    if search.complete:
        emit(BoundTold(bound=search.known.objective))


def _explain(options: Any, job: Job, end: float, emit: Any) -> None:
    """Find rules that clash, the cheapest way to break them, or prices."""
    from pmo_analytics.optimization.workers import infeasible_subset, repair_job

    if isinstance(job, RepairJob):
        repair_job.repair(options, job, end, emit)
    elif isinstance(job, ClashJob):
        infeasible_subset.find_clash(options, job, end, emit)
    else:
        infeasible_subset.tell_prices(options, end, emit)


if __name__ == "__main__":
    main(sys.argv[1])
    # Without this the interpreter would wait for the thread that watches stdin, and
    # for whatever the solver does when it is unloaded.
    sys.stderr.flush()
    os._exit(0)
