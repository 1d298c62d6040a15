"""How this program and the processes that it starts are stopped, and end together.

Ctrl-C, `kill`, a closed terminal and the stop of a service are one thing: the work at
hand ends with what it has found so far. Processes that work for this one hear none of
it; they end when they are told to, or when nobody is left who could tell them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

# Asked to stop in other words than Ctrl-C; Windows knows only the first.
_STOPS = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
]
# One stop may come several times: `timeout` sends it to a process and to its group, a
# terminal that closes hangs up on both. Within so many seconds it is the same one.
_SAME = 2.0
# How often a process looks whether its parent is still there, seconds.
_LOOK = 1.0
_PR_SET_PDEATHSIG = 1


@contextlib.contextmanager
def stopped_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does while the block runs.

    All of them raise KeyboardInterrupt in the main thread, and count once where they
    come at once. One that is ignored, as `nohup` has it, stays so. In other threads
    nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    last = float("-inf")

    def stop(_number: int, _frame: Any) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > _SAME:
            last = now
            raise KeyboardInterrupt

    former = {number: signal.getsignal(number) for number in (signal.SIGINT, *_STOPS)}
    mine = [number for number in _STOPS if former[number] != signal.SIG_IGN]
    for number in mine:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, former[number] or signal.SIG_DFL)


@contextlib.contextmanager
def deaf_children() -> Iterator[None]:
    """Let processes that are started in the block hear no stop, from birth on.

    A stop that goes to a whole group, as those of a terminal and of a service do, is
    for this process to act on; it needs the others until it has.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *_STOPS})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def safe_environment() -> dict[str, str]:
    """Return what a Python needs in its environment to run no code of this folder.

    Python looks for modules in the folder that it is started in, which is the
    analyst's, with data from anywhere: a `json.py` beside the tables would be run. A
    blank part of the search path stands for that folder too.
    """
    search = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return {
        "PYTHONSAFEPATH": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, search)),
    }


@contextlib.contextmanager
def safe_children() -> Iterator[None]:
    """Let every Python that is started in the block run no code of this folder."""
    safe = safe_environment()
    before = {name: os.environ.get(name) for name in safe}
    os.environ.update(safe)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def end_with_thread(parent: int) -> None:
    """End this process at once when the thread that started it ends.

    Where the system knows how (Linux), whatever this process is doing. Its own
    children are not ended.

    Parameters
    ----------
    parent
        Process that this one was started by.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(3)


def end_group() -> None:
    """End this process at once, with those that it has started where it leads them."""
    if os.name == "posix" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(3)


def begin_worker(parent: int, thread_stays: bool) -> None:
    """Make this process a worker: deaf to stops, and no older than its parent.

    Parameters
    ----------
    parent
        Process that this one works for.
    thread_stays
        Whether the thread that starts workers lives as long as its process.
    """
    for number in (signal.SIGINT, *_STOPS):
        signal.signal(number, signal.SIG_IGN)
    if thread_stays:
        end_with_thread(parent)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    """End this process once its parent is gone."""
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(3)
