"""What the processes of all peers share: arrays in, one JSON event a line out.

The clock of a peer starts when its libraries and the arrays are loaded (`ready`);
building its model counts.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from pmo_analytics.optimization.model.instance import Options

# Bounds are told at most this often, in seconds.
_PAUSE = 0.2


class Teller:
    """Writes events to what was the standard output; solvers may print elsewhere."""

    def __init__(self) -> None:
        self.file = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self.lock = threading.Lock()
        self.begin = time.monotonic()
        self.bound = math.inf
        self.told = -math.inf

    def __call__(self, event: str, **facts: Any) -> None:
        """Write one event, stamped with the seconds since `ready`."""
        if event == "ready":
            self.begin = time.monotonic()
        with self.lock:
            stamped = {"event": event, "t": time.monotonic() - self.begin, **facts}
            self.file.write(json.dumps(stamped) + "\n")
            self.file.flush()

    def better_bound(self, bound: float) -> None:
        """Write a bound if it is better than the last one, and not too often."""
        now = time.monotonic()
        if math.isfinite(bound) and bound < self.bound and now > self.told + _PAUSE:
            self.bound, self.told = bound, now
            self("bound", bound=float(bound))

    def left(self, seconds: float) -> float:
        """Return what is left of a time limit counted from `ready`."""
        return max(self.begin + seconds - time.monotonic(), 0.1)


def _end_with_parent() -> None:
    """Wait for the standard input to close; then end, with what was started."""
    while os.read(0, 4096):
        pass
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(3)


def run(
    versions: dict[str, Callable[[], str]],
    solve: Callable[[Options, dict[str, Any], Teller], None],
) -> None:
    """Do what the command line asks for: `--version NAME` or a job file."""
    if sys.argv[1] == "--version":
        print(versions[sys.argv[2]]())
        return
    threading.Thread(target=_end_with_parent, daemon=True).start()
    tell = Teller()
    with np.load(sys.argv[1], allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    job = json.loads(str(arrays.pop("job")))
    options = Options.from_arrays(arrays)
    tell("ready")
    solve(options, job, tell)
    sys.stderr.flush()
    # Solvers have been seen to crash while the interpreter takes them down.
    os._exit(0)
