"""How fast a schedule of P6 is read and judged: `bench_schedules.py [FILE.xer]`.

Times reading, the critical path and the 14 points on a generated schedule of 4,000
activities and 6,000 links (or on FILE), in seconds of CPU, and the same of longpath,
p6-mcp and PyP6XER where the interpreter that PMO_PEERS names has them (the extra
`peers`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pmo_analytics.loaders import read_networks
from pmo_analytics.networks import check_network, critical_path
from tests.support.places import ROOT
from tests.support.xer_files import link, project, task, xer_text

ACTIVITIES, LINKS = 4_000, 6_000
GOALS = {"read": 0.5, "critical path": 0.5, "14 points": 1.0}


def generated(seed: int = 21) -> str:
    """Return a schedule in layers: every activity waits for one or more before it."""
    rng = np.random.default_rng(seed)
    day = "2027-01-04 08:00"
    tasks = [
        task(
            f"A{k:05d}",
            int(rng.integers(1, 30)) * 8,
            target_start_date=day,
            target_end_date=day,
            early_start_date=day,
            early_end_date=day,
        )
        for k in range(ACTIVITIES)
    ]
    pairs = {(int(rng.integers(max(0, k - 60), k)), k) for k in range(1, ACTIVITIES)}
    while len(pairs) < LINKS:
        after = int(rng.integers(1, ACTIVITIES))
        pairs.add((int(rng.integers(max(0, after - 60), after)), after))
    kinds = rng.choice(["FS", "SS", "FF"], LINKS, p=[0.9, 0.05, 0.05])
    lags = rng.choice([0, 8, 16], LINKS, p=[0.9, 0.05, 0.05])
    links = [
        link(f"A{a:05d}", f"A{b:05d}", str(kind), int(lag))
        for (a, b), kind, lag in zip(sorted(pairs), kinds, lags, strict=True)
    ]
    return xer_text(project(tasks, links))


def best(call: Callable[[], object], times: int = 3) -> float:
    """Return the least seconds of CPU of some calls."""
    seconds = []
    for _ in range(times):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return min(seconds)


def ours(path: Path) -> dict[str, float]:
    """Return the seconds of each of our steps."""
    networks = read_networks(path)
    return {
        "read": best(lambda: read_networks(path)),
        "critical path": best(lambda: [critical_path(n) for n in networks]),
        "14 points": best(lambda: [check_network(n) for n in networks]),
    }


PEER = """
import contextlib, io, sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.support import peers_quality as peers
for name, engine in peers.ENGINES.items():
    start = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            engine(Path({path!r}))
            words = ""
        except Exception as error:
            words = type(error).__name__
    print(name, f"{{time.process_time() - start:.2f}} s", words, flush=True)
"""


def main(path: Path | None) -> None:
    """Print the seconds of all engines."""
    with tempfile.TemporaryDirectory() as folder:
        if path is None:
            path = Path(folder) / "generated.xer"
            path.write_text(generated(), encoding="utf-8")
        for step, seconds in ours(path).items():
            print(f"ours: {step} {seconds:.2f} s (at most {GOALS[step]} s)")
        peers = os.environ.get("PMO_PEERS", sys.executable)
        script = PEER.format(root=str(ROOT), path=str(path))
        print("others: reading and all points together")
        subprocess.run([peers, "-c", script], check=False, timeout=600)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else None)
