"""The file of results: one JSON line per run, whole after whatever interrupts it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pmo_analytics.evidence import OPTIMAL_GAP, relative_gap

Record = dict[str, Any]
_KEY = ("instance", "fingerprint", "solver", "seconds", "version")


def key_of(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what makes a run the same run: it is not repeated unless asked for."""
    return *(record[name] for name in _KEY), record.get("search_seed", 0)


def read(path: Path) -> list[Record]:
    """Return the records of a file, oldest first; half a line is passed over."""
    if not path.exists():
        return []
    records = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(record, dict) and all(name in record for name in _KEY):
            records.append(record)
    return records


def append(path: Path, record: Mapping[str, Any]) -> None:
    """Add one record; a half line left by a killed run stays a line of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(record, allow_nan=False) + "\n"
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = "\n" + line
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())


def latest(records: Iterable[Record]) -> list[Record]:
    """Return the newest record per instance, seconds and solver.

    Where the question itself changed, runs of the older question are left out.
    """
    newest: dict[tuple[Any, ...], Record] = {}
    question: dict[str, str] = {}
    for record in records:
        key = record["instance"], record["seconds"], record["solver"]
        newest.pop(key, None)
        newest[key] = record
        question[record["instance"]] = record["fingerprint"]
    return [r for r in newest.values() if r["fingerprint"] == question[r["instance"]]]


def gap_of(objective: float | None, bound: float | None) -> float | None:
    """Return (bound - objective) / |objective|; None where one is missing or 0."""
    if objective is None or bound is None:
        return None
    gap = relative_gap(objective, bound)
    return gap if gap != float("inf") else None


def status_of(objective: float | None, gap: float | None) -> str:
    """Return the word for a run that ended in order."""
    if objective is None:
        return "no_plan"
    return "optimal" if gap is not None and gap <= OPTIMAL_GAP else "feasible"


def at_seconds(trace: Iterable[list[float | None]], seconds: float) -> float | None:
    """Return the best objective of a trace (seconds, objective, bound) by a time."""
    found = [o for t, o, _ in trace if o is not None and t <= seconds]  # type: ignore[operator]
    return max(found) if found else None


def first_seconds(trace: Iterable[list[float | None]]) -> float | None:
    """Return when the first plan that earns anything was there."""
    return next((t for t, o, _ in trace if o is not None and o > 0), None)
