"""Damaged schedules of P6: `python tests/benchmarks/hostile_schedules.py [COUNT]`.

COUNT mutations (10,000) of an XER and of a PMXML are read or refused with our own
error, their balance adds up, and what was read has a critical path or an error that
says why.
"""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pmo_analytics.errors import PmoError
from pmo_analytics.loaders import read_networks
from pmo_analytics.networks import check_network, critical_path
from tests.loaders.networks.test_hostile_primavera import FILES
from tests.support.mutations import mutated


def outcome(path: Path) -> str:
    """Return what becomes of a file: read, refused or what went wrong."""
    try:
        networks = read_networks(path)
    except PmoError:
        return "refused"
    for network in networks:
        balance = network.balance
        if (balance["read"] != balance["used"] + balance["listed"]).any():
            return "UNBALANCED"
        try:
            critical_path(network)
        except PmoError:
            continue
        check_network(network)
    return "read"


def main(count: int) -> int:
    """Print what became of every file; return how many went wrong."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for suffix, data in FILES.items():
            rng = np.random.default_rng(20_270_104)
            path, found = Path(folder) / f"p{suffix}", Counter()
            start = time.process_time()
            for number in range(count):
                path.write_bytes(mutated(data, rng))
                try:
                    word = outcome(path)
                except Exception:
                    word = f"{suffix} {number}: {traceback.format_exc(limit=-3)}"
                found[word] += 1
            seconds = time.process_time() - start
            wrong += count - found["read"] - found["refused"]
            print(f"{suffix}: {count} in {seconds:.0f} s CPU")
            for word, times in found.most_common():
                print(f"  {times:6d} {word}")
    return wrong


if __name__ == "__main__":
    sys.exit(min(main(int(sys.argv[1]) if sys.argv[1:] else 10_000), 1))
