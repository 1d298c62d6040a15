"""Damaged schedules: `python tests/benchmarks/hostile_schedules.py [COUNT [FIRST]]`.

Mutations FIRST (0) to FIRST + COUNT (10,000) of an XER, a PMXML, an MSPDI,
spreadsheet exports (CSV, also in Russian; xlsx, also of P6; every other one is damaged
inside the archive) and the answers of a service (JSON, CSV, xlsx; one is damaged) are
read or refused with our own error, their balance adds up, and what was read has a
critical path or an error that says why. Every tenth is rolled up to a portfolio too.
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
from tests.loaders.networks import test_extracts, test_languages, test_sheets
from tests.loaders.networks.test_hostile_primavera import FILES
from tests.loaders.networks.test_mspdi import FULL
from tests.support.mutations import mutated, mutated_inside


def kinds() -> dict[str, dict[str, bytes]]:
    """Return whole files of each kind, by name."""
    plain = {**FILES, ".mspdi.xml": FULL.encode()}
    found = {suffix: {f"p{suffix}": data} for suffix, data in plain.items()}
    makers = {
        "sheet.csv": lambda folder: test_sheets.as_csv(folder, test_sheets.ROWS),
        "sheet.xlsx": test_sheets.as_workbook,
        "russian.csv": lambda folder: test_sheets.as_csv(
            folder, test_languages.rows_of("Russian"), ";"
        ),
        "p6.xlsx": lambda folder: test_languages.p6_workbook(
            folder / "p6.xlsx",
            TASK=test_languages.TASK.format(test_languages.LABELS),
            **test_languages.OTHERS,
        ),
        "answers.xlsx": test_extracts.as_workbook,
        "answers.json": test_extracts.WAYS["answers"],
        "answers.csv": test_extracts.as_csv,
    }
    for kind, make in makers.items():
        with tempfile.TemporaryDirectory() as name:
            make(Path(name))
            found[kind] = {p.name: p.read_bytes() for p in Path(name).iterdir()}
    return found


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
    for kind, files in kinds().items():
        with tempfile.TemporaryDirectory() as name:
            folder, found = Path(name), Counter()
            for own, data in files.items():
                (folder / own).write_bytes(data)
            start = time.process_time()
            for number in range(first, first + count):
                rng = np.random.default_rng([20_270_104, number])
                own = sorted(files)[number % len(files)]
                inside = own.endswith(".xlsx") and number % 2
                damage = mutated_inside if inside else mutated
                (folder / own).write_bytes(damage(files[own], rng))
                path = folder if len(files) > 1 else folder / own
                try:
                    word = outcome(path, number % 10 == 0)
                except Exception:
                    word = f"{kind} {number}: {traceback.format_exc(limit=-3)}"
                found[word] += 1
                (folder / own).write_bytes(files[own])
            seconds = time.process_time() - start
            wrong += count - found["read"] - found["refused"]
            print(f"{kind}: {count} in {seconds:.0f} s CPU")
            for word, times in found.most_common():
                print(f"  {times:6d} {word}", flush=True)
    return wrong


if __name__ == "__main__":
    asked = [int(word) for word in sys.argv[1:]]
    sys.exit(min(main(*(*asked, *(10_000, 0)[len(asked) :])), 1))
