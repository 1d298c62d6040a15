"""Links, resources and assignments on sheets of their own, beside that of the tasks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pmo_analytics.loaders.networks.languages import tongue_of
from pmo_analytics.loaders.networks.tabular import Rows
from pmo_analytics.loaders.networks.tongues import Tongue, folded

_HEADER_ROWS = 10
# Column -> headings, folded; those of the data base of P6 stand above its labels.
_LINKS = {
    "requires": "predtaskid predecessor",
    "task": "taskid successor",
    "kind": "predtype relationshiptype",
    "lag": "laghrcnt lag",
}
_ASSIGNMENTS = {
    "task": "taskid activityid",
    "task_name": "taskname",
    "resource": "rsrcid resourceid",
    "resource_name": "resourcename rsrcname",
    "kind": "rsrctype resourcetype",
    "role": "roleid role",
    "work": "targetqty budgetedunits work",
    "actual": "actregqty actualregularunits actualwork",
    "remaining": "remainqty remainingunits remainingwork",
    "units": "units",
    "start": "startdate start",
    "finish": "enddate finish",
    "cost": "targetcost budgetedcost cost",
}
_RESOURCES = {
    "resource": "rsrcshortname rsrcid resourceid id",
    "name": "rsrcname resourcename name",
    "kind": "rsrctype resourcetype type",
}
_KINDS = {
    "links": (_LINKS, ({"requires", "task"},)),
    "assignments": (
        _ASSIGNMENTS,
        ({"task", "resource"}, {"task_name", "resource_name"}),
    ),
    "resources": (_RESOURCES, ({"resource", "name", "kind"},)),
}
# What P6 puts beside its tables to find them again.
_NO_DATA = {"userdata"}


class Columns(NamedTuple):
    """Where the columns of a sheet stand.

    Parameters
    ----------
    at
        Column -> its place.
    units
        Column -> unit of its heading, as in `Duration(d)`.
    first
        Place of the first row under the headings.
    """

    at: Mapping[str, int]
    units: Mapping[str, str]
    first: int


class Row(NamedTuple):
    """One row of a sheet: raw cells by column, and its line."""

    line: int
    cells: Mapping[str, Any]
    units: Mapping[str, str]


def heading(cell: Any) -> tuple[str, str]:
    """Return the word of a heading and its unit, as in `Duration(d)`."""
    text = str(cell or "").replace("(*)", "")
    unit = re.search(r"\(([^\W\d_]{1,4}|%)\)\s*$", text)
    return folded(re.sub(r"\([^)]*\)\s*$", "", text)), unit[1] if unit else ""


def columns_of(rows: Rows, number: int, names: Mapping[str, str]) -> Columns:
    """Return the columns of a row of headings.

    P6 writes two rows: the names of its data base, and labels with their units below.
    """
    stored = [heading(cell) for cell in rows[number]]
    labels: list[tuple[str, str]] = []
    following = rows[number + 1] if number + 1 < len(rows) else []
    named = [heading(cell) for cell in following]
    marked = any("(*)" in str(cell) for cell in following)
    if marked or len({names[w] for w, _ in named if w in names}) > 1:
        labels = named
    at: dict[str, int] = {}
    units: dict[str, str] = {}
    for row in (stored, labels):
        for place, (word, unit) in enumerate(row):
            if word in names and place not in at.values():
                at.setdefault(names[word], place)
            for column, own in at.items():
                if own == place and unit:
                    units[column] = unit
    return Columns(at, units, number + (2 if labels else 1))


class Beside:
    """The sheets beside that of the tasks."""

    def __init__(self) -> None:
        self.links: list[Row] = []
        self.assignments: list[Row] = []
        self.resources: list[Row] = []
        self.found: set[str] = set()

    def take(self, sheets: Mapping[str, Rows]) -> list[str]:
        """Take the sheets that are of use; return the names of the others."""
        others = []
        for name, rows in sheets.items():
            if folded(name) in _NO_DATA or not any(map(any, rows)):
                continue
            kind = kind_of(rows)
            if not kind:
                others.append(name)
                continue
            self.found.add(kind)
            getattr(self, kind).extend(_rows(rows, kind))
        return others


def kind_of(rows: Rows) -> str:
    """Return what a sheet holds: links, assignments, resources; "" = none of them."""
    for kind in _KINDS:
        if _header(rows, kind) is not None:
            return kind
    return ""


def _names(kind: str) -> dict[str, str]:
    columns, _ = _KINDS[kind]
    return {word: column for column, words in columns.items() for word in words.split()}


def _header(rows: Rows, kind: str) -> int | None:
    names, (_, wanted) = _names(kind), _KINDS[kind]
    for number, row in enumerate(rows[:_HEADER_ROWS]):
        found = {names[word] for word, _ in map(heading, row) if word in names}
        if any(group <= found for group in wanted):
            return number
    return None


def _rows(rows: Rows, kind: str) -> Iterator[Row]:
    number = _header(rows, kind)
    if number is None:
        return
    columns = columns_of(rows, number, _names(kind))
    for line, row in enumerate(rows[columns.first :], start=columns.first + 1):
        cells = {
            column: row[place]
            for column, place in columns.at.items()
            if place < len(row)
        }
        if any(str(cell or "").strip() for cell in cells.values()):
            yield Row(line, cells, columns.units)


def headings_of(rows: Rows) -> tuple[Columns, Tongue] | None:
    """Return the columns of a sheet of tasks and their language; None = no such."""
    best, most, spoken = None, 2, None
    for number, row in enumerate(rows[:_HEADER_ROWS]):
        words = [heading(cell)[0] for cell in row]
        tongue = tongue_of(words)
        found = {tongue.headings[word] for word in words if word in tongue.headings}
        enough = "name" in found and found & {"start", "duration"}
        if enough and len(found) > most:
            best, most, spoken = number, len(found), tongue
    if best is None or spoken is None:
        return None
    if _header(rows, "links") is not None or _header(rows, "assignments") is not None:
        return None
    return columns_of(rows, best, spoken.headings), spoken
