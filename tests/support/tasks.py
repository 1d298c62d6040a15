"""Functions that tests send to workers, which import them from here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from pmo_analytics.processes.parallel import expendable


def square(x: int) -> int:
    if x == 3:
        raise ValueError("three is refused")
    return x * x


def square_or_die(x: int, flag: str = "") -> int:
    """Kill the worker the first time, or time and again where the flag is `always`."""
    if flag == "always":
        os.kill(os.getpid(), signal.SIGKILL)
    if flag and not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return x * x


def interrupt(x: int) -> int:
    if x == 2:
        raise KeyboardInterrupt
    return x


def deaf_from_birth(x: int) -> list[str]:
    """Return the signals that this process was born deaf to."""
    return sorted(signal.Signals(n).name for n in signal.pthread_sigmask(0, []))


def says_where(x: int, flag: str = "") -> tuple[int, bool]:
    """Return whether this process may die; do so where the flag says, once."""
    there = expendable()
    square_or_die(x, flag)
    return x, there


def waits(x: int) -> int:
    """Start a process, say so once on stderr, and wait for what does not come."""
    with subprocess.Popen(
        [sys.executable, "-c", "import os; os.read(0, 1)"], stdin=subprocess.PIPE
    ) as child:
        if x == 2:
            print("waiting", file=sys.stderr, flush=True)
        child.wait()
    return x
