"""Damaged schedules: `python tests/benchmarks/hostile_schedules.py [COUNT [FIRST]]`.

Mutations FIRST (0) to FIRST + COUNT (10,000) of an XER, a PMXML and an MSPDI are read
or refused with our own error, their balance adds up, and what was read has a critical
path or an error that says why. Every tenth is rolled up to a portfolio too.
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
from pmo_analytics.networks import (
    Network,
    check_network,
    critical_path,
    roll_up_balanced,
)
from tests.loaders.networks.test_hostile_primavera import FILES
from tests.loaders.networks.test_mspdi import FULL
from tests.support.mutations import mutated

KINDS = {**FILES, ".mspdi.xml": FULL.encode()}


def rolled(networks: list[Network]) -> str:
    """Return whether networks become a portfolio with an exact balance."""
    try:
        balance = roll_up_balanced(networks).balance
    except PmoError:
        return "read"
    wrong = (balance["read"] != balance["used"] + balance["listed"]).any()
    return "UNBALANCED PORTFOLIO" if wrong else "read"


def outcome(path: Path, roll: bool) -> str:
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
    return rolled(networks) if roll else "read"


def main(count: int, first: int) -> int:
    """Print what became of every file; return how many went wrong."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for suffix, data in KINDS.items():
            path, found = Path(folder) / f"p{suffix}", Counter()
            start = time.process_time()
            for number in range(first, first + count):
                rng = np.random.default_rng([20_270_104, number])
                path.write_bytes(mutated(data, rng))
                try:
                    word = outcome(path, number % 10 == 0)
                except Exception:
                    word = f"{suffix} {number}: {traceback.format_exc(limit=-3)}"
                found[word] += 1
            seconds = time.process_time() - start
            wrong += count - found["read"] - found["refused"]
            print(f"{suffix}: {count} in {seconds:.0f} s CPU")
            for word, times in found.most_common():
                print(f"  {times:6d} {word}", flush=True)
    return wrong


if __name__ == "__main__":
    asked = [int(word) for word in sys.argv[1:]]
    sys.exit(min(main(*(*asked, *(10_000, 0)[len(asked) :])), 1))
