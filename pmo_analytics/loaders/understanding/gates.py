"""Columns of gates in a list of projects, as rows of milestones."""

from __future__ import annotations

import re
from typing import Any

from pmo_analytics.clock import parse_day
from pmo_analytics.loaders.cells.dates import read_dates
from pmo_analytics.loaders.findings import Place, RawTable
from pmo_analytics.loaders.understanding.headings import (
    find_header,
    heading_text,
    known_columns,
    read_headings,
)

# Stage1, Gate 2, Meilenstein 3: the number is what makes it one of several.
_GATE = re.compile(r"(stage ?gate|stage|gate|milestone|meilenstein|jalon) ?\d{1,2}")


def is_gate(text: str) -> bool:
    """Return whether a heading that is no column of projects names a gate."""
    plain = text.strip().casefold()
    return bool(_GATE.fullmatch(plain)) and not known_columns("projects", [text])


def gates_of(raw: RawTable, dayfirst: bool | None = None) -> RawTable | None:
    """Return the gates of a list of projects as milestones; None = not to be read.

    A row a project and gate, of no status date: its day is when it was reached, and of
    a status before that day a forecast. Only where every cell is a date for sure.

    Parameters
    ----------
    raw
        The table projects.
    dayfirst
        Whether 03/04/2027 is 3 April, where that is declared.
    """
    header = find_header(raw)
    if header is None:
        return None
    head = raw.records[header]
    headings, _ = read_headings(head, raw.place, raw.rows[header])
    own = [h.index for h in headings if h.known and h.name == "project"]
    gates = [h.index for h in headings if not h.known and is_gate(h.text)]
    if len(own) != 1 or not gates:
        return None
    found = [
        (record[own[0]], heading_text(head[gate]), record[gate], row)
        for record, row in zip(
            raw.records[header + 1 :], raw.rows[header + 1 :], strict=True
        )
        for gate in gates
        if _filled(record, gate) and _filled(record, own[0])
    ]
    days = [day for _, _, day, _ in found]
    if not days or not _are_days(days, dayfirst, raw.typed):
        return None
    records = [["project", "milestone", "actual", "kind"]]
    records += [[name, text, day, "gate"] for name, text, day, _ in found]
    place = Place("milestones", raw.place.source, raw.place.sheet)
    rows = [raw.rows[header], *(row for *_, row in found)]
    return RawTable(place, records, rows, typed=raw.typed, delimiter=raw.delimiter)


def _are_days(cells: list[Any], dayfirst: bool | None, typed: bool) -> bool:
    """Return whether all cells are days of the calendar, each in one way."""
    read, findings = read_dates({"actual": cells}, dayfirst, serials=typed)
    if findings.ambiguous or (findings.day_first and findings.month_first):
        return False
    try:
        for day in set(map(str, read["actual"])):
            parse_day(day)
    except ValueError:
        return False
    return True


def _filled(record: list[Any], place: int) -> bool:
    cell = record[place] if place < len(record) else None
    return cell is not None and bool(str(cell).strip())
