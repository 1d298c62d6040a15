"""What lies inside tasks, resources and assignments of Microsoft Project XML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from pmo_analytics.loaders.networks.cells import Cells, Told
from pmo_analytics.loaders.networks.plain_xml import Records, elements

# Records inside records, and what is read of each.
NESTED = {
    "PredecessorLink": (
        *("PredecessorUID", "Type", "LinkLag", "LagFormat", "CrossProjectName"),
    ),
    "ExtendedAttribute": ("FieldID", "Value"),
    "Baseline": ("Number", "Start", "Finish", "Duration", "Work", "Cost"),
    "OutlineCode": ("FieldID", "ValueID"),
    "TimephasedData": ("Type", "Start", "Finish", "Value"),
    "Rate": (
        *("RateTable", "RatesFrom", "RatesTo", "StandardRate", "OvertimeRate"),
        "CostPerUse",
    ),
    "AvailabilityPeriod": ("AvailableFrom", "AvailableTo", "AvailableUnits"),
}
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
    """

    def __init__(self, frame: str) -> None:
        self.frame = frame
        # A baseline may have time-phased data of its own, which are not its dates.
        self._records = {
            tag: Records(names, ["TimephasedData"] if tag == "Baseline" else [])
            for tag, names in NESTED.items()
        }
        self._rows: dict[str, list[Sequence[bytes | None]]] = {t: [] for t in NESTED}
        self._ids: dict[str, list[str]] = {tag: [] for tag in NESTED}
        self._lines: dict[str, list[int]] = {tag: [] for tag in NESTED}
        self._dropped: Counter[str] = Counter()

    def keep(self, inside: Sequence[bytes | None], uid: str, line: int) -> None:
        """Keep what lies inside a record, given by tag in the order of `NESTED`."""
        for tag, content in zip(NESTED, inside, strict=True):
            if content is None:
                continue
            of = self._records[tag].of
            rows = [of(inner) for _, inner in elements(content, tag)]
            self._rows[tag] += rows
            self._ids[tag] += [uid] * len(rows)
            self._lines[tag] += [line] * len(rows)

    def drop(self, inside: Sequence[bytes | None]) -> None:
        """Leave out what lies inside a record."""
        for tag, content in zip(NESTED, inside, strict=True):
            self._dropped[tag] += (content or b"").count(f"<{tag}>".encode())

    def count(self, tag: str) -> int:
        """Return how many records of a tag are kept."""
        return len(self._rows[tag])

    def dropped(self, tag: str) -> int:
        """Return how many records of a tag lay in records that are left out."""
        return self._dropped[tag]

    def cells(self, tag: str, told: Told) -> Cells:
        """Return the records of a tag; `ids` are those of what they lie in."""
        rows = self._rows[tag]
        columns: dict[str, Sequence[bytes | None]] = {}
        if rows:
            found = list(zip(*rows, strict=True))
            columns = dict(zip(NESTED[tag], found, strict=False))
        return Cells(self.frame, columns, self._lines[tag], self._ids[tag], told)


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


def read_codes(
    nested: Nested, of: str, labels: dict[str, str], told: Told
) -> pd.DataFrame:
    """Return `of, id, code, value` of custom fields and outline codes."""
    rows = []
    for tag in ("ExtendedAttribute", "OutlineCode"):
        cells = nested.cells(tag, told)
        key, value = (cells.texts(name) for name in NESTED[tag])
        rows += [
            (of, uid, labels.get(key, "") or key, value)
            for uid, key, value in zip(cells.ids, key, value, strict=True)
            if key
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
