"""What lies inside tasks, resources and assignments of Microsoft Project XML."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from pmo_analytics.loaders.networks.cells import Cells, Told
from pmo_analytics.loaders.networks.plain_xml import as_text, leaves

NESTED = (
    "PredecessorLink",
    "ExtendedAttribute",
    "Baseline",
    "OutlineCode",
    "TimephasedData",
    "Rate",
    "AvailabilityPeriod",
)
_NAMES = {tag.encode(): tag for tag in NESTED}
_OPENINGS = [f"<{tag}>".encode() for tag in NESTED]
_NESTED = re.compile(rf"<({'|'.join(NESTED)})>(.*?)</\1>".encode(), re.DOTALL)
# Kinds of time-phased data of assignments. Those of baseline n from 1 on lie at
# 16 + 6 (n - 1) and the next number.
_KINDS = {
    "1": "remaining",
    "2": "actual",
    "3": "actual_overtime",
    "4": "baseline",
    "5": "baseline_cost",
    "6": "actual_cost",
} | {
    str(16 + 6 * (n - 1) + k): f"baseline{n}{suffix}"
    for n in range(1, 11)
    for k, suffix in enumerate(("", "_cost"))
}


class Nested:
    """Records inside records, by tag, each with the id of what it lies in.

    Parameters
    ----------
    frame
        What they lie in.
    data, begin, end
        The part of the file that holds those.
    """

    def __init__(self, frame: str, data: bytes, begin: int, end: int) -> None:
        self.frame = frame
        self._openings = [tag for tag in _OPENINGS if data.find(tag, begin, end) >= 0]
        self._found: dict[str, list[tuple[str, int, dict[bytes, bytes]]]] = {}
        self._waiting: list[tuple[str, dict[bytes, bytes]]] = []
        self._dropped: dict[str, int] = {}

    def take(self, content: bytes) -> bytes:
        """Take what lies inside a record, and return the rest of it."""
        places = [at for tag in self._openings if (at := content.find(tag)) >= 0]
        if not places:
            return content
        at = min(places)
        kept = [content[:at]]
        for found in _NESTED.finditer(content, at):
            self._waiting.append((_NAMES[found[1]], leaves(found[2])))
            kept.append(content[at : found.start()])
            at = found.end()
        kept.append(content[at:])
        return b"".join(kept)

    def keep(self, uid: str, line: int) -> None:
        """Keep what was taken, as lying in a record."""
        for tag, inner in self._waiting:
            self._found.setdefault(tag, []).append((uid, line, inner))
        self._waiting = []

    def drop(self) -> None:
        """Leave out what was taken."""
        for tag, _ in self._waiting:
            self._dropped[tag] = self._dropped.get(tag, 0) + 1
        self._waiting = []

    def count(self, tag: str) -> int:
        """Return how many records of a tag are kept."""
        return len(self._found.get(tag, ()))

    def dropped(self, tag: str) -> int:
        """Return how many records of a tag lay in records that are left out."""
        return self._dropped.get(tag, 0)

    def cells(self, tag: str, told: Told) -> Cells:
        """Return the records of a tag; `ids` are those of what they lie in."""
        found = self._found.get(tag, [])
        names = list(dict.fromkeys(name for _, _, inner in found for name in inner))
        columns: dict[str, Sequence[bytes | None]] = {
            name.decode(): [inner.get(name) for _, _, inner in found] for name in names
        }
        ids = [uid for uid, _, _ in found]
        return Cells(self.frame, columns, [line for _, line, _ in found], ids, told)


def read_baselines(nested: Nested, told: Told) -> pd.DataFrame:
    """Return `task, baseline, start, finish, duration_h, work_h, cost`."""
    cells = nested.cells("Baseline", told)
    return pd.DataFrame(
        {
            "task": cells.ids,
            "baseline": [text or "0" for text in cells.texts("Number")],
            "start": cells.times("Start"),
            "finish": cells.times("Finish"),
            "duration_h": cells.hours("Duration"),
            "work_h": cells.hours("Work"),
            "cost": np.round(cells.numbers("Cost") / 100, 6),
        }
    )


def read_codes(nested: Nested, of: str, labels: dict[str, str]) -> pd.DataFrame:
    """Return `of, id, code, value` of custom fields and outline codes."""
    rows = [
        (of, uid, labels.get(key, "") or key, as_text(inner.get(value)))
        for tag, value in (("ExtendedAttribute", b"Value"), ("OutlineCode", b"ValueID"))
        for uid, _, inner in nested._found.get(tag, ())
        if (key := as_text(inner.get(b"FieldID")))
    ]
    return pd.DataFrame(rows, columns=["of", "id", "code", "value"], dtype="str")


def read_timephased(
    nested: Nested, assignments: pd.DataFrame, told: Told
) -> pd.DataFrame:
    """Return `task, resource, kind, start, finish, hours, cost, row`."""
    cells = nested.cells("TimephasedData", told)
    kinds = [_KINDS.get(text, text) for text in cells.texts("Type")]
    money = np.array([kind.endswith("_cost") for kind in kinds], dtype=bool)
    values = cells.columns.get("Value", [None] * len(cells))
    hours = _masked(cells, values, ~money).hours("Value")
    cost = _masked(cells, values, money).numbers("Value", 100)
    place = dict(zip(assignments["assignment"], assignments.index, strict=True))
    row = np.array([place.get(uid, -1) for uid in cells.ids], dtype=np.int64)
    frame = pd.DataFrame(
        {
            "kind": kinds,
            "start": cells.times("Start"),
            "finish": cells.times("Finish"),
            "hours": hours,
            "cost": cost,
            "row": row,
        }
    )
    frame = frame[
        (row >= 0) & (frame["hours"].fillna(0) + frame["cost"].fillna(0) != 0)
    ]
    frame = frame.reset_index(drop=True)
    for name in ("task", "resource"):
        frame[name] = assignments[name].to_numpy()[frame["row"].to_numpy()]
    return frame


def _masked(cells: Cells, values: Sequence[bytes | None], wanted: np.ndarray) -> Cells:
    kept = [v if w else None for v, w in zip(values, wanted.tolist(), strict=True)]
    return Cells(cells.frame, {"Value": kept}, cells.lines, cells.ids, cells.told)
