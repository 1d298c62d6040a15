"""A process that works on a job, as its parent sees it; `_child` is what runs there."""

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
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pmo_analytics.errors import SolverError
from pmo_analytics.files import JOB, draft_folder
from pmo_analytics.optimization.jobs import (
    Job,
)
from pmo_analytics.optimization.messages import (
    End,
    Event,
    News,
)
from pmo_analytics.processes import deaf_children, safe_environment

if TYPE_CHECKING:
    from pmo_analytics.optimization.model.instance import Options

# Time a child gets beyond its own limit before it is ended.
GRACE = 0.7


class Child:
    """A process at work on a job; its events go into a queue as (child, event).

    The last event is `end`, with the exit code and the last words. Use it as a
    context: the process is ended when the block is left.
    """

    def __init__(
        self,
        options: Options,
        job: Job,
        events: queue.Queue[tuple[Child, Event]],
    ) -> None:
        self.options = options
        self.job = job
        self.events = events

    def __enter__(self) -> Child:
        try:
            with contextlib.ExitStack() as made:
                self._start(made)
                self.made = made.pop_all()
        except OSError as error:
            raise SolverError([], _no_room(error)) from error
        return self

    def _start(self, made: contextlib.ExitStack) -> None:
        """Write the job down and start the process; what was made is on the stack."""
        work = draft_folder(Path(tempfile.gettempdir()), JOB)
        folder = made.enter_context(work)
        path = folder / "job.npz"
        arrays: dict[str, Any] = {
            **self.options.arrays(),
            "job": json.dumps(self.job.written()),
        }
        np.savez(path, **arrays)
        self.log = made.enter_context((folder / "log.txt").open("w+b"))
        self.process = start_process(path, self.log)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __exit__(self, *_error: object) -> None:
        end_process(self.process)
        self.reader.join(timeout=5.0)
        self.made.close()

    def send(self, news: News) -> None:
        """Tell the child of something."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.write(json.dumps(news.written()) + "\n")
            self.process.stdin.flush()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with contextlib.suppress(ValueError):  # the pipe is closed: it was ended
            for line in self.process.stdout:
                # A child that dies in the middle of a line leaves half an event.
                with contextlib.suppress(json.JSONDecodeError):
                    self.events.put((self, Event.read(json.loads(line))))
        code = self.process.wait()
        words = ""
        with contextlib.suppress(ValueError):  # the log is closed: nobody asks
            self.log.seek(0)
            words = self.log.read().decode("utf-8", errors="replace").strip()
        self.events.put((self, End(code=code, words=words[-500:])))


def _no_room(error: OSError) -> str:
    try:
        place = tempfile.gettempdir()
    except OSError:
        place = "any temporary folder"
    return (
        f"A solver could not be given its job in {place}: {error.strerror or error}. "
        "Make room there, or name another folder in TMPDIR."
    )


def next_event(
    events: queue.Queue[tuple[Child, Event]], deadline: float
) -> tuple[Child, Event] | None:
    """Return the next event, None when the deadline has passed."""
    try:
        return events.get(timeout=max(deadline - time.monotonic(), 0.0))
    except queue.Empty:
        return None


def start_process(path: Path, stderr: Any) -> subprocess.Popen[str]:
    """Start a process on the job of a file; its words on errors go to `stderr`."""
    root = str(Path(__file__).resolve().parents[2])
    safe = safe_environment()
    search = os.pathsep.join(filter(None, [root, safe["PYTHONPATH"]]))
    module = "pmo_analytics.optimization.workers.child"
    with deaf_children():
        return subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            encoding="utf-8",
            env={**os.environ, **safe, "PYTHONPATH": search},
            # A group of its own: Ctrl-C reaches the parent alone.
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )


def end_process(process: subprocess.Popen[str]) -> None:
    """End a process, whatever it is doing, and close its pipes."""
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
