"""Solver processes that are forked from one that has loaded everything.

To load what a solver's process needs takes several times as long as to solve a tiny
portfolio, and hundreds of those are held against enumeration. Here the process that
runs `child.main` is a fork of a server that has loaded it; jobs, events, signals and
exit codes go the same ways. Processes started as users start them are tested by
`test_race`, by the command line's tests and by many others.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from tests.support.places import ROOT

_CODE = struct.Struct("i")
# Under `make coverage` one fork in so many is measured: to begin and to save it takes
# several times as long as a tiny portfolio, and most run the same lines.
_MEASURED = 16
_ASKED, _KEPT = "COVERAGE_PROCESS_CONFIG", "PMO_COVERAGE"


class Server:
    """A process that forks others, as its module's `serve` says; ended by `close`."""

    def __init__(self, module: str = __name__) -> None:
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        code = f"from {module} import serve; serve({theirs.fileno()})"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={_KEPT if k == _ASKED else k: v for k, v in os.environ.items()},
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()

    def start(self, order: Path | str, stderr: Any) -> Forked:
        """Stand in for `process.start_process`."""
        from_me, to_me, about = os.pipe(), os.pipe(), os.pipe()
        given = [from_me[0], to_me[1], stderr.fileno(), about[1]]
        socket.send_fds(self.socket, [json.dumps(str(order)).encode()], given)
        for handle in (from_me[0], to_me[1], about[1]):
            os.close(handle)
        return Forked(from_me[1], to_me[0], about[0])

    def close(self) -> None:
        self.socket.close()
        self.process.wait(timeout=60)


class Forked:
    """What `subprocess.Popen` is for a process of one's own."""

    def __init__(self, stdin: int, stdout: int, about: int) -> None:
        self.stdin: IO[str] = os.fdopen(stdin, "w", encoding="utf-8")
        self.stdout: IO[str] = os.fdopen(stdout, encoding="utf-8")
        self.about = os.fdopen(about, "rb", buffering=0)
        (self.pid,) = _CODE.unpack(self.about.read(_CODE.size))
        self.returncode: int | None = None
        self.lock = threading.Lock()

    def poll(self) -> int | None:
        # Whoever holds the lock waits for the end, which has not come then.
        if self.lock.acquire(blocking=False):
            try:
                running = self.returncode is None
                if running and select.select([self.about], [], [], 0)[0]:
                    self._take()
            finally:
                self.lock.release()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        with self.lock:
            if self.returncode is None:
                if not select.select([self.about], [], [], timeout)[0]:
                    raise TimeoutError
                self._take()
        assert self.returncode is not None
        return self.returncode

    def _take(self) -> None:
        (self.returncode,) = _CODE.unpack(self.about.read(_CODE.size))
        self.about.close()

    def kill(self) -> None:
        # It may end in between, before that is told here.
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def serve(number: int) -> None:
    """Fork for every job until the other end is closed."""
    from pmo_analytics.optimization.workers import child

    child.load_later(*child._LATER)
    from pmo_analytics.optimization.heuristics import alternation  # noqa: F401
    from pmo_analytics.optimization.workers import (  # noqa: F401
        array_job,
        infeasible_subset,
        proof_job,
        pulp_job,
        repair_job,
    )

    compile_kernels()
    forked_at(number, child.main)


def compile_kernels() -> None:
    """Have the machine code of the search in its cache, where it is not there yet.

    Forks that end soon would begin to compile it again and again. One process does
    it, the others wait.
    """
    import fcntl

    from pmo_analytics.optimization.heuristics.kernels.cache import in_cache

    if in_cache():
        return
    from pmo_analytics.optimization.heuristics.kernels.arrays import model_of
    from pmo_analytics.optimization.heuristics.kernels.loading import load
    from pmo_analytics.optimization.model.compiling import compile_options
    from tests.support.small_portfolios import tiny_portfolio

    model = model_of(compile_options(tiny_portfolio()).options)
    place = Path(tempfile.gettempdir()) / f"pmo-kernels-{os.getuid()}.lock"
    with place.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not in_cache():
            load(model)


def forked_at(
    number: int, run: Callable[[str], None], last: Callable[[], None] | None = None
) -> None:
    """Fork for every order that comes over a socket; the fork runs it.

    `last` is called when the other end is closed, before the children are waited for.
    """
    orders = socket.socket(fileno=number)
    # Forks share what is loaded for as long as nobody looks whether it is garbage.
    gc.freeze()
    for count in itertools.count():
        message, given, _, _ = socket.recv_fds(orders, 4096, 4)
        if not message:
            break
        if os.fork() == 0:
            orders.close()
            if count % _MEASURED:
                os.environ.pop(_KEPT, None)
            _watch(run, json.loads(message), *given)
        for handle in given:
            os.close(handle)
        _reap(os.WNOHANG)
    if last is not None:
        last()
    _reap(0)


def _reap(how: int) -> None:
    try:
        while os.waitpid(-1, how)[0]:
            pass
    except ChildProcessError:
        return


def _watch(
    run: Callable[[str], None],
    order: str,
    stdin: int,
    stdout: int,
    stderr: int,
    about: int,
) -> None:
    """Fork once more, tell of the process and of its end."""
    pid = os.fork()
    if pid == 0:
        os.close(about)
        os.setpgid(0, 0)
        for own, handle in enumerate((stdin, stdout, stderr)):
            os.dup2(handle, own)
            os.close(handle)
        _run(run, order)
    os.setpgid(pid, pid)
    for handle in (stdin, stdout, stderr):
        os.close(handle)
    os.write(about, _CODE.pack(pid))
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.write(about, _CODE.pack(code))
    os._exit(0)


def _run(run: Callable[[str], None], order: str) -> None:
    code = 1
    if config := os.environ.pop(_KEPT, ""):
        import coverage

        os.environ[_ASKED] = config
        coverage.process_startup(force=True)
    try:
        run(order)
        code = 0
    except BaseException:
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)
