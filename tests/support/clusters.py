"""A Dask scheduler with workers, all processes of their own on loopback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.support.places import ROOT


def missing() -> str:
    """Return why no cluster can be started; blank where one can."""
    return "" if find_spec("distributed") else "distributed is not installed"


class Cluster:
    """Its address, and its workers as processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[str]] = []
        self.scheduler = self._start(
            "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"
        )
        self.address = self._first(self.scheduler, r"Scheduler at:\s+(tcp://\S+)")
        self.workers = [self.add_worker() for _ in range(2)]

    def add_worker(self) -> subprocess.Popen[str]:
        words = ["--nthreads", "1", "--no-nanny", "--host", "127.0.0.1"]
        worker = self._start("distributed.cli.dask_worker", self.address, *words)
        self._first(worker, r"(Registered to)")
        return worker

    def killing(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """Return `run_tasks` that kills the first worker when one task has ended."""

        def running(*words: Any, **options: Any) -> Any:
            def kill(_key: str, _outcome: Any) -> None:
                self.workers[0].kill()

            return run(*words, **{**options, "on_done": kill})

        return running

    def _start(self, module: str, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", module, "--no-dashboard", *words]
        process = subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.processes.append(process)
        return process

    def _first(self, process: subprocess.Popen[str], pattern: str) -> str:
        """Wait for a line of the log and return what the pattern finds in it."""
        assert process.stderr is not None
        seen = []
        for line in process.stderr:
            seen.append(line)
            if found := re.search(pattern, line):
                return found.group(1)
        raise RuntimeError("".join(seen))

    def end(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()
            assert process.stderr is not None
            process.stderr.close()


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a scheduler and two workers of one thread each."""
    with tempfile.TemporaryDirectory(prefix="pmo_dask_") as folder:
        started = Cluster(Path(folder))
        try:
            yield started
        finally:
            started.end()
