"""A Dask scheduler with workers, all processes of their own on loopback.

To load Dask and the package takes longer than what is asked of them here: a server
loads both, once a session, and every scheduler and worker is a fork of it.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.support.places import ROOT
from tests.support.warm_solver import Forked, Server, forked_at

_HERE = ["--host", "127.0.0.1", "--no-dashboard"]


def missing() -> str:
    """Return why no cluster can be started; blank where one can."""
    return "" if find_spec("distributed") else "distributed is not installed"


@cache
def _server() -> Server:
    server = Server(__name__)
    atexit.register(server.close)
    return server


def serve(number: int) -> None:
    """Fork schedulers and workers until the other end is closed."""
    import distributed.cli.dask_scheduler
    import distributed.cli.dask_worker

    from pmo_analytics.optimization.explaining import resolving  # noqa: F401
    from pmo_analytics.optimization.workers import process
    from pmo_analytics.scenarios import comparing  # noqa: F401
    from pmo_analytics.simulation import simulating  # noqa: F401

    sys.path.insert(0, str(ROOT))  # they work in folders of their own
    # Solvers that workers start are forks of one that has loaded everything, too.
    solvers = Server()
    process.start_process = solvers.start
    commands = {
        "scheduler": distributed.cli.dask_scheduler.main,
        "worker": distributed.cli.dask_worker.main,
    }

    def run(order: str) -> None:
        folder, kind, *words = json.loads(order)
        os.chdir(folder)
        commands[kind](words)

    forked_at(number, run, solvers.socket.close)


class Cluster:
    """Its address, and its workers as processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[tuple[Forked, Any]] = []
        _, self.address = self._start(
            r"Scheduler at:\s+(tcp://\S+)", "scheduler", *_HERE, "--port", "0"
        )
        self.workers = [self.add_worker() for _ in range(2)]

    def add_worker(self) -> Forked:
        words = ["--nthreads", "1", "--no-nanny", *_HERE]
        return self._start(r"(Registered to)", "worker", self.address, *words)[0]

    def killing(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """Return `run_tasks` that kills the first worker when one task has ended."""

        def running(*words: Any, **options: Any) -> Any:
            def kill(_key: str, _outcome: Any) -> None:
                self.workers[0].kill()

            return run(*words, **{**options, "on_done": kill})

        return running

    def _start(self, pattern: str, *words: str) -> tuple[Forked, str]:
        """Start a process; return it and what the pattern finds in its log."""
        log, theirs = map(os.fdopen, os.pipe(), ("r", "w"))
        with theirs:
            order = json.dumps([str(self.folder), *words])
            process = _server().start(order, theirs)
        self.started.append((process, log))
        seen = []
        for line in log:
            seen.append(line)
            if found := re.search(pattern, line):
                return process, found.group(1)
        raise RuntimeError("".join(seen))

    def end(self) -> None:
        for process, log in reversed(self.started):
            process.kill()
            process.wait()
            for pipe in (log, process.stdin, process.stdout):
                pipe.close()


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a scheduler and two workers of one thread each."""
    with tempfile.TemporaryDirectory(prefix="pmo_dask_") as folder:
        started = Cluster(Path(folder))
        try:
            yield started
        finally:
            started.end()
